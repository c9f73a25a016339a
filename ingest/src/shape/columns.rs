//! Arrow arrays for the columns of a table.
//!
//! What is the same for a record or a value column is built once and taken by index; only what belongs to the
//! cell is built row by row.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Int32Array, StringArray,
    StringBuilder, TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, UInt32Type};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use gongkai_catalog::table::DERIVED;
use gongkai_catalog::{Column, ColumnType, Table};

use super::body::Body;
use super::figure::Figure;
use super::moments::Moments;
use super::reshape::LongRows;
use super::text::without_blanks;
use super::told::{Teller, Told, case_of};
use super::{Addresses, GridContext, ShapeError};
use crate::feed::{
    LINE_PATH, LabelCases, LinePart, OriginPart, PlacePart, Producer, Reference, Span, TimePart, ValuePart,
};

/// Schema of the batches that a feed gives: the table's columns without those that no feed fills. A batch may give a text as
/// dictionary of texts.
pub fn batch_schema(table: &Table) -> Schema {
    let fields: Vec<Field> = table
        .columns
        .iter()
        .filter(|column| !DERIVED.contains(&column.name.as_str()))
        .map(|column| Field::new(&column.name, data_type(column.column_type), column.is_nullable))
        .collect();
    Schema::new(fields)
}

fn data_type(column_type: ColumnType) -> DataType {
    match column_type {
        ColumnType::Text => DataType::Utf8,
        ColumnType::Integer => DataType::Int32,
        ColumnType::Bigint => DataType::Int64,
        ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
        ColumnType::Date => DataType::Date32,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("+08:00".into())),
        ColumnType::Boolean => DataType::Boolean,
    }
}

/// Everything that the columns of one grid are made from.
pub(super) struct ColumnSource<'a> {
    pub context: &'a GridContext<'a>,
    pub body: &'a Body,
    pub rows: &'a LongRows,
    pub figures: &'a [Figure],
    pub addresses: &'a Addresses,
    /// Index of the place of each row.
    pub row_place: UInt32Array,
    pub moments: &'a Moments,
    /// Units where they differ from row to row.
    pub units: Option<&'a Told>,
    /// Labels that fill columns of another type than text, one value for each record.
    pub attributes: &'a BTreeMap<String, ArrayRef>,
}

impl ColumnSource<'_> {
    /// The array of one column.
    pub fn build(&self, column: &Column, producer: &Producer) -> Result<ArrayRef, ShapeError> {
        let feed = &self.context.feed.id;
        let refuse = |error: ArrowError| ShapeError::Batch {
            feed: feed.clone(),
            table: self.context.feed.table.clone(),
            reason: format!("column {}: {error}", column.name),
        };
        match producer {
            Producer::Constant(text) => {
                let value: ArrayRef = Arc::new(StringArray::from_iter_values([text]));
                let of_row = UInt32Array::from(vec![0; self.rows.len()]);
                typed(value, column).and_then(|value| spread(&value, &of_row)).map_err(refuse)
            }
            Producer::Empty => Ok(new_null_array(&data_type(column.column_type), self.rows.len())),
            Producer::Setting => {
                let setting = self.rows.settings.get(&column.name);
                let setting =
                    setting.ok_or_else(|| refuse(ArrowError::SchemaError("no setting of that name".into())))?;
                typed(Arc::new(setting.clone()), column).and_then(|words| self.by_ordinal(&words)).map_err(refuse)
            }
            Producer::RowSetting => {
                typed(self.row_setting(&column.name), column).and_then(|array| self.by_record(&array)).map_err(refuse)
            }
            Producer::Printed(captures) => self.printed(column, captures),
            Producer::Joined(references) => {
                let told = self.teller().joined(references, "/");
                spread(&(Arc::new(told.array()) as ArrayRef), &told.of_row).map_err(refuse)
            }
            Producer::Place(part) => spread(&self.places(*part), &self.row_place).map_err(refuse),
            Producer::Time(part) => spread(&self.times(*part), &self.moments.of_row).map_err(refuse),
            Producer::ByDate(spans) => spread(&self.by_date(spans), &self.moments.of_row).map_err(refuse),
            Producer::Line(part) => self.by_record(&self.lines(*part)).map_err(refuse),
            Producer::IsHidden => self.by_record(&self.hidden()).map_err(refuse),
            Producer::ByLabel(cases) => {
                typed(self.by_label(cases), column).and_then(|array| self.by_record(&array)).map_err(refuse)
            }
            Producer::ByPrinted(rule) => {
                let told = self.teller().case(rule);
                typed(Arc::new(told.array()), column).and_then(|array| spread(&array, &told.of_row)).map_err(refuse)
            }
            Producer::Label(role) => match self.attributes.get(role) {
                Some(array) => self.by_record(array).map_err(refuse),
                None => self.by_record(&self.labels(role)).map_err(refuse),
            },
            Producer::Value(part) => self.values(column, *part).map_err(refuse),
            Producer::Origin(part) => Ok(self.origin(*part)),
        }
    }

    fn teller(&self) -> Teller<'_> {
        Teller { context: self.context, body: self.body, rows: self.rows }
    }

    fn by_ordinal(&self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        spread(array, &self.rows.ordinal)
    }

    fn by_record(&self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        spread(array, &self.rows.record)
    }

    fn row_setting(&self, column: &str) -> ArrayRef {
        let rules = &self.context.feed.rows;
        let values = self.body.records.iter().map(|record| {
            let rule = &self.body.rules[record.rule? as usize];
            rules[rule.rule].set.get(column).map(String::as_str)
        });
        Arc::new(values.collect::<StringArray>())
    }

    fn printed(&self, column: &Column, references: &[Reference]) -> Result<ArrayRef, ShapeError> {
        let not_printed = || ShapeError::NotPrinted {
            feed: self.context.feed.id.clone(),
            sheet: self.context.grid.sheet.clone(),
            column: column.name.clone(),
            captures: references.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
        };
        let told = self.teller().first(references);
        let array: ArrayRef = if column.column_type == ColumnType::Integer {
            let numbers = told.texts.iter().map(|text| text.as_ref().and_then(|text| text.parse::<i32>().ok()));
            Arc::new(numbers.collect::<Int32Array>())
        } else {
            Arc::new(told.array())
        };
        let array = spread(&array, &told.of_row).map_err(|_| not_printed())?;
        if array.logical_null_count() > 0 && !column.is_nullable {
            return Err(not_printed());
        }
        Ok(array)
    }

    fn places(&self, part: PlacePart) -> ArrayRef {
        let places = &self.body.places;
        let texts = |text: fn(&super::place::Place) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(places.iter().map(text)))
        };
        match part {
            PlacePart::Id => texts(|place| &place.id),
            PlacePart::Code => Arc::new(places.iter().map(|place| place.code.as_deref()).collect::<StringArray>()),
            PlacePart::Above => Arc::new(places.iter().map(|place| place.above.as_deref()).collect::<StringArray>()),
            PlacePart::Name => texts(|place| &place.name),
            PlacePart::Scope => texts(|place| place.scope),
            PlacePart::ParentPath => texts(|place| &place.parent_path),
            PlacePart::LineKind => texts(|place| place.line_kind),
            PlacePart::IsLeaf => Arc::new(places.iter().map(|place| Some(place.is_leaf)).collect::<BooleanArray>()),
        }
    }

    fn times(&self, part: TimePart) -> ArrayRef {
        let hours = self.moments.values.iter().copied();
        match part {
            TimePart::Instant | TimePart::EndInstant => Arc::new(
                hours
                    .map(|hour| hour.map(|hour| hour.end_micros))
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("+08:00"),
            ),
            TimePart::Date => {
                Arc::new(hours.map(|hour| hour.map(|hour| days_since_1970(hour.data_date))).collect::<Date32Array>())
            }
            TimePart::Hour => Arc::new(hours.map(|hour| hour.map(|hour| hour.label as i32)).collect::<Int32Array>()),
            TimePart::Year => {
                use chrono::Datelike;
                Arc::new(hours.map(|moment| moment.map(|moment| moment.data_date.year())).collect::<Int32Array>())
            }
            TimePart::Month => {
                // A file has few dates: format each once.
                let mut last: Option<(NaiveDate, String)> = None;
                let mut builder = StringBuilder::new();
                for hour in hours {
                    let Some(date) = hour.map(|hour| hour.data_date) else {
                        builder.append_null();
                        continue;
                    };
                    if last.as_ref().is_none_or(|(known, _)| *known != date) {
                        last = Some((date, date.format("%Y-%m").to_string()));
                    }
                    builder.append_option(last.as_ref().map(|(_, month)| month));
                }
                Arc::new(builder.finish())
            }
        }
    }

    fn by_date(&self, spans: &[Span]) -> ArrayRef {
        let value_on = |date: NaiveDate| {
            spans.iter().find(|span| span.until.is_none_or(|until| date <= until)).map(|span| span.value.as_str())
        };
        let hours = self.moments.values.iter().copied();
        Arc::new(hours.map(|hour| value_on(hour?.data_date)).collect::<StringArray>())
    }

    fn lines(&self, part: LinePart) -> ArrayRef {
        let lines = &self.body.lines;
        let texts = |text: fn(&super::line::Line) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(lines.iter().map(text)))
        };
        match part {
            LinePart::Code => Arc::new(lines.iter().map(|line| line.code.as_deref()).collect::<StringArray>()),
            LinePart::Level => Arc::new(lines.iter().map(|line| line.level).collect::<Int32Array>()),
            LinePart::Path => texts(|line| &line.path),
            LinePart::ParentPath => texts(|line| &line.parent_path),
            LinePart::IsLeaf => Arc::new(lines.iter().map(|line| Some(line.is_leaf)).collect::<BooleanArray>()),
            LinePart::LineKind => texts(|line| line.kind),
            LinePart::Name => texts(|line| &line.name),
        }
    }

    fn hidden(&self) -> ArrayRef {
        let rows = &self.context.grid.rows;
        let hidden = self.body.records.iter().map(|record| Some(rows[record.row].is_hidden));
        Arc::new(hidden.collect::<BooleanArray>())
    }

    fn by_label(&self, rule: &LabelCases) -> ArrayRef {
        let values = self.body.records.iter().enumerate().map(|(index, record)| {
            let label = match self.body.lines.get(index) {
                Some(line) if rule.role == LINE_PATH => line.path.clone(),
                _ => without_blanks(self.body.text(self.context, record, &rule.role)),
            };
            case_of(&rule.cases, Some(&label)).or_else(|| rule.otherwise.clone())
        });
        Arc::new(values.collect::<StringArray>())
    }

    fn labels(&self, role: &str) -> ArrayRef {
        let feed = self.context.feed;
        let has_missing = feed.labels.iter().any(|label| label.role == role && label.has_missing);
        let texts = self.body.records.iter().map(|record| {
            let text = self.body.text(self.context, record, role).trim();
            let is_missing = text.is_empty() || (has_missing && feed.missing.iter().any(|marker| marker == text));
            (!is_missing).then_some(text)
        });
        Arc::new(texts.collect::<StringArray>())
    }

    fn values(&self, column: &Column, part: ValuePart) -> Result<ArrayRef, ArrowError> {
        let values = self.figures.iter().map(|figure| match figure {
            Figure::Value(value) => Some(value),
            Figure::Missing | Figure::Below(_) | Figure::SetAside(..) => None,
        });
        Ok(match part {
            ValuePart::Number if column.column_type == ColumnType::Integer => {
                let digits = values.map(|value| value.and_then(|value| i32::try_from(value.number).ok()));
                Arc::new(digits.collect::<Int32Array>())
            }
            ValuePart::Number => decimals(values.map(|value| value.map(|value| value.number)), column)?,
            ValuePart::Published => decimals(values.map(|value| value.and_then(|value| value.published)), column)?,
            ValuePart::Scale => Arc::new(values.map(|value| value.map(|value| value.scale)).collect::<Int32Array>()),
            ValuePart::Conversion => Arc::new(
                values.map(|value| value.and_then(|value| value.conversion.as_deref())).collect::<StringArray>(),
            ),
            ValuePart::Raw => {
                let mut builder = StringBuilder::with_capacity(self.rows.len(), self.rows.len() * 4);
                for cell in &self.rows.cell {
                    builder.append_value(
                        cell.map(|cell| &*self.context.grid.cells[cell as usize].text).unwrap_or_default(),
                    );
                }
                Arc::new(builder.finish())
            }
            ValuePart::State => {
                let states: ArrayRef = Arc::new(StringArray::from_iter_values(Figure::STATES));
                let of_row = UInt32Array::from_iter_values(self.figures.iter().map(Figure::state));
                spread(&states, &of_row)?
            }
            ValuePart::Qualifier => {
                let is_below = |figure: &Figure| matches!(figure, Figure::Below(_)).then_some("<");
                Arc::new(self.figures.iter().map(is_below).collect::<StringArray>())
            }
            ValuePart::Limit => {
                let limits = self.figures.iter().map(|figure| match figure {
                    Figure::Below(limit) => Some(*limit),
                    _ => None,
                });
                decimals(limits, column)?
            }
            ValuePart::Unit if self.units.is_some() => {
                let units = self.units.ok_or_else(|| ArrowError::SchemaError("no units".into()))?;
                let texts = units.texts.iter().map(|unit| unit.as_deref().unwrap_or_default());
                let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
                spread(&texts, &units.of_row)?
            }
            ValuePart::Unit => {
                let units = self.context.binding.values.iter().map(|value| value.unit.as_str());
                self.by_ordinal(&(Arc::new(StringArray::from_iter_values(units)) as ArrayRef))?
            }
            ValuePart::Header => {
                let headers = self.context.binding.values.iter().map(|value| value.header.shown.as_str());
                self.by_ordinal(&(Arc::new(StringArray::from_iter_values(headers)) as ArrayRef))?
            }
        })
    }

    fn origin(&self, part: OriginPart) -> ArrayRef {
        let grid = self.context.grid;
        match part {
            OriginPart::Sheet => {
                Arc::new(std::iter::repeat_n(grid.sheet.as_deref(), self.rows.len()).collect::<StringArray>())
            }
            OriginPart::Row => Arc::new(Int32Array::from(self.addresses.rows.clone())),
            OriginPart::Column => Arc::new(Int32Array::from(self.addresses.columns.clone())),
        }
    }
}

/// Values of records, columns or moments as those of rows. A text is not repeated: its rows refer to it.
fn spread(values: &ArrayRef, of_row: &UInt32Array) -> Result<ArrayRef, ArrowError> {
    match values.data_type() {
        DataType::Utf8 => Ok(Arc::new(DictionaryArray::<UInt32Type>::try_new(of_row.clone(), Arc::clone(values))?)),
        _ => take(values, of_row, None),
    }
}

/// Declared words in the type of their column.
fn typed(array: ArrayRef, column: &Column) -> Result<ArrayRef, ArrowError> {
    match column.column_type {
        ColumnType::Integer | ColumnType::Boolean => cast(&array, &data_type(column.column_type)),
        _ => Ok(array),
    }
}

fn decimals(digits: impl Iterator<Item = Option<i128>>, column: &Column) -> Result<ArrayRef, ArrowError> {
    let ColumnType::Decimal { precision, scale } = column.column_type else {
        return Err(ArrowError::SchemaError("a number in a column that is no decimal".into()));
    };
    Ok(Arc::new(digits.collect::<Decimal128Array>().with_precision_and_scale(precision, scale)?))
}

pub(super) fn days_since_1970(date: NaiveDate) -> i32 {
    i32::try_from((date - NaiveDate::default()).num_days()).unwrap_or_default()
}
