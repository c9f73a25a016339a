//! Arrow IPC stream: types and figures as the engine holds them.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;

use super::{BatchWriter, ExportError, ExportOptions, Format, Started, Target};

pub(super) const FORMAT: Format = Format { name: "arrow", media_type: "application/vnd.apache.arrow.stream", open };

struct Stream<'a>(StreamWriter<Target<'a>>);

fn open<'a>(schema: SchemaRef, out: Target<'a>, _: ExportOptions) -> Started<'a> {
    Ok(Box::new(Stream(StreamWriter::try_new(out, &schema)?)))
}

impl BatchWriter for Stream<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ExportError> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.0.finish()?;
        Ok(())
    }
}
