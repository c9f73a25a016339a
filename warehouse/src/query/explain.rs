//! The answer to `EXPLAIN`: our own rendering, because the engine's prints the files of every scan.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, displayable};

/// Schema of the answer.
pub(super) fn schema() -> SchemaRef {
    let fields = vec![Field::new("plan_type", DataType::Utf8, false), Field::new("plan", DataType::Utf8, false)];
    Arc::new(Schema::new(fields))
}

/// A plan that gives two rows, the logical and the physical plan as texts.
pub(super) fn explain(logical: &LogicalPlan, physical: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = schema();
    let mut text = String::new();
    write_plan(physical, 0, &mut text);
    let batch = RecordBatch::try_new(
        Arc::clone(&schema),
        vec![
            Arc::new(StringArray::from(vec!["logical_plan", "physical_plan"])),
            Arc::new(StringArray::from(vec![logical.display_indent().to_string(), text])),
        ],
    )?;
    Ok(MemorySourceConfig::try_new_exec(&[vec![batch]], schema, None)?)
}

fn write_plan(plan: &Arc<dyn ExecutionPlan>, depth: usize, text: &mut String) {
    let line = if plan.downcast_ref::<DataSourceExec>().is_some() {
        // Only a scan knows files.
        format!("{}: partitions={}", plan.name(), plan.output_partitioning().partition_count())
    } else {
        displayable(plan.as_ref()).one_line().to_string().trim_end().to_owned()
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{}{line}", "  ".repeat(depth));
    for child in plan.children() {
        write_plan(child, depth + 1, text);
    }
}
