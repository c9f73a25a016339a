//! Excel workbooks. Text is always text: no formula and no link is ever made of a value.
//!
//! A worksheet stores doubles, which hold 15 significant digits. A decimal with more is written as text,
//! digit for digit; the heading says nothing of it because Excel marks such cells itself.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as CellFormat, Workbook};

use super::text::{Cell, Columns, cell_kind};
use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format =
    Format { name: "xlsx", media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", open };

const MAX_ROWS: u32 = 1_048_576;
const EXACT_DIGITS: usize = 15;
const MAX_TEXT: usize = 32_767;

struct Xlsx<'a> {
    out: Target<'a>,
    book: Workbook,
    next_row: u32,
    scratch: String,
    /// How the numbers of each column are shown.
    shown: Vec<CellFormat>,
}

/// Decimals that a column shows; a column with more shows what each number needs.
const MOST_DECIMALS: i8 = 4;

/// Widths in characters, so that figures are not shown as `#####` or in powers of ten.
const NUMBER_WIDTH: f64 = 20.0;
const TEXT_WIDTH: f64 = 16.0;

fn shown(data_type: &DataType) -> CellFormat {
    match data_type {
        DataType::Decimal128(_, scale) if (1..=MOST_DECIMALS).contains(scale) => {
            CellFormat::new().set_num_format(format!("#,##0.{}", "0".repeat(*scale as usize)))
        }
        _ => CellFormat::new(),
    }
}

fn open<'a>(schema: SchemaRef, out: Target<'a>, _: ExportOptions) -> Started<'a> {
    let mut book = Workbook::new();
    // A fixed creation date: the same rows give the same file.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name("data")?;
    sheet.set_freeze_panes(1, 0)?;
    let heading = CellFormat::new().set_bold();
    for (column, field) in schema.fields().iter().enumerate() {
        let is_number = cell_kind(field.data_type()) == Cell::Decimal;
        sheet.set_column_width(column as u16, if is_number { NUMBER_WIDTH } else { TEXT_WIDTH })?;
        sheet.write_string_with_format(0, column as u16, field.name(), &heading)?;
    }
    let shown = schema.fields().iter().map(|field| shown(field.data_type())).collect();
    Ok(Box::new(Xlsx { out, book, next_row: 1, scratch: String::new(), shown }))
}

impl BatchWriter for Xlsx<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        if u64::from(self.next_row) + batch.num_rows() as u64 > u64::from(MAX_ROWS) {
            return Err(ExportError::TooManyRows { rows: self.next_row as usize - 1 + batch.num_rows() });
        }
        let columns = Columns::new(batch)?;
        let (sheet, shown) = (self.book.worksheet_from_index(0)?, &self.shown);
        for row in 0..batch.num_rows() {
            let at = self.next_row;
            columns.row(row, &mut self.scratch, |index, column, text| {
                let Some(text) = text else { return Ok(()) };
                let kind = column.kind;
                let column = index as u16;
                match (kind, exact_double(text)) {
                    (Cell::Integer | Cell::Decimal | Cell::Float, Some(number)) => {
                        sheet.write_number_with_format(at, column, number, &shown[index])?;
                    }
                    (Cell::Boolean, _) => {
                        sheet.write_boolean(at, column, text == "true")?;
                    }
                    _ => {
                        let cut: String = text.chars().take(MAX_TEXT).collect();
                        sheet.write_string(at, column, cut)?;
                    }
                }
                Ok::<(), ExportError>(())
            })?;
            self.next_row += 1;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        let bytes = self.book.save_to_buffer()?;
        self.out.write_all(&bytes)?;
        Ok(self.out.flush()?)
    }
}

/// The double that shows these digits, where one does.
fn exact_double(text: &str) -> Option<f64> {
    let significant = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && significant <= EXACT_DIGITS).then_some(number)
}
