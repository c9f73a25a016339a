//! Parquet: the form in which releases are stored and queried.
//!
//! The writer's settings are fixed, so that the same rows give the same bytes.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format = Format { name: "parquet", media_type: "application/vnd.apache.parquet", open };

struct Parquet<'a>(ArrowWriter<Target<'a>>);

fn properties() -> Result<WriterProperties, ExportError> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("gongkai".to_owned())
        .set_max_row_group_row_count(Some(256 * 1024))
        .set_statistics_enabled(EnabledStatistics::Page)
        .build())
}

fn open<'a>(schema: SchemaRef, out: Target<'a>, _: ExportOptions) -> Started<'a> {
    Ok(Box::new(Parquet(ArrowWriter::try_new(out, schema, Some(properties()?))?)))
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
