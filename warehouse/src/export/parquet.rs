//! Parquet: the form in which rows are stored and queried.
//!
//! The writer's settings are fixed, so that the same rows give the same bytes.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format = Format { name: "parquet", media_type: "application/vnd.apache.parquet", open };

/// Columns that count on from row to row: differences say them in a fraction of the bytes.
const COUNTING: [&str; 3] = ["source_row", "source_column", "row_no"];
/// Texts that share their beginning with the row before.
const ADDRESSES: [&str; 1] = ["source_cell"];

struct Parquet<'a>(ArrowWriter<Target<'a>>);

/// How all files of rows are written. Statistics by page are worth their bytes where strangers query a file.
pub(crate) fn properties(schema: &Schema, statistics: EnabledStatistics) -> Result<WriterProperties, ParquetError> {
    let mut builder = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("gongkai".to_owned())
        .set_max_row_group_row_count(Some(256 * 1024))
        .set_statistics_enabled(statistics);
    for field in schema.fields() {
        let name = field.name().as_str();
        let encoding = match field.data_type() {
            DataType::Int32 if COUNTING.contains(&name) => Encoding::DELTA_BINARY_PACKED,
            DataType::Utf8 if ADDRESSES.contains(&name) => Encoding::DELTA_BYTE_ARRAY,
            _ => continue,
        };
        let column = ColumnPath::from(name);
        builder = builder.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, encoding);
    }
    Ok(builder.build())
}

/// Rows as a file that only we read: without the schema in words, and without statistics.
pub(crate) fn to_part(batch: &RecordBatch) -> Result<Vec<u8>, ParquetError> {
    let options = ArrowWriterOptions::new()
        .with_properties(properties(&batch.schema(), EnabledStatistics::None)?)
        .with_skip_arrow_metadata(true);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut bytes, batch.schema(), options)?;
    writer.write(batch)?;
    writer.close()?;
    Ok(bytes)
}

fn open<'a>(schema: SchemaRef, out: Target<'a>, _: ExportOptions) -> Started<'a> {
    let properties = properties(&schema, EnabledStatistics::Page)?;
    Ok(Box::new(Parquet(ArrowWriter::try_new(out, schema, Some(properties))?)))
}

impl BatchWriter for Parquet<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        Ok(self.0.write(batch)?)
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        self.0.close()?;
        Ok(())
    }
}
