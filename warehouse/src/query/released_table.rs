//! A declared table over the row files of some releases.
//!
//! Files stay where the release put them and are read as they are; the table is their union in no order, for
//! each file is sorted by itself only. Columns are those declared now: one that an old file lacks reads as
//! NULL, so every column is nullable here whatever the declaration says of new rows.
//!
//! Invariant: only the row counts are stated as exact, because a release records them. Minima, maxima and
//! null counts are left to the footers, which the reader checks itself.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use gongkai_catalog::Table;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::kept_rows::{KeptRows, SMALL_VALUES};
use super::read_only;
use crate::ReleaseRecord;
use crate::schema::released_schema;

/// Metadata key of a column's heading in Chinese.
pub(super) const LABEL_ZH: &str = "label_zh";
/// Metadata key of a column's heading in English.
pub(super) const LABEL_EN: &str = "label_en";
/// Metadata key of a column's unit.
pub(super) const UNIT: &str = "unit";

/// The rows of one declared table in some releases.
#[derive(Debug)]
pub(super) struct ReleasedTable {
    name: String,
    schema: SchemaRef,
    releases: Vec<(String, u64)>,
    files: Vec<RowFile>,
    kept: Arc<KeptRows>,
}

#[derive(Debug, Clone)]
struct RowFile {
    meta: ObjectMeta,
    rows: usize,
}

impl ReleasedTable {
    /// The union of the releases' row files.
    pub fn new(table: &Table, releases: &[&ReleaseRecord], kept: Arc<KeptRows>) -> Self {
        let files = releases
            .iter()
            .filter_map(|release| {
                let file = release.data_file()?;
                let meta = ObjectMeta {
                    location: Path::from(format!("{}/{}", release.folder(), file.name)),
                    // Files never change, so the time of the release keys the cached footer.
                    last_modified: release.recorded_at,
                    size: file.bytes,
                    e_tag: None,
                    version: None,
                };
                Some(RowFile { meta, rows: usize::try_from(release.rows).ok()? })
            })
            .collect();
        let releases = releases.iter().map(|release| (release.dataset.clone(), release.number)).collect();
        Self { name: table.name.clone(), schema: query_schema(table), releases, files, kept }
    }

    /// Name of the declared table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The releases that the rows are of, as (dataset, number).
    pub fn releases(&self) -> &[(String, u64)] {
        &self.releases
    }

    /// The files in so many groups of about the same size.
    fn groups(&self, count: usize) -> Vec<FileGroup> {
        let mut files: Vec<&RowFile> = self.files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.meta.size));
        let mut groups: Vec<(u64, Vec<PartitionedFile>)> = vec![(0, Vec::new()); count.clamp(1, files.len().max(1))];
        for file in files {
            if let Some((bytes, group)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
                *bytes += file.meta.size;
                group.push(self.file(file));
            }
        }
        groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
    }

    fn file(&self, file: &RowFile) -> PartitionedFile {
        let statistics = Statistics::new_unknown(&self.schema)
            .with_num_rows(Precision::Exact(file.rows))
            .with_total_byte_size(Precision::Inexact(usize::try_from(file.meta.size).unwrap_or(usize::MAX)));
        PartitionedFile::new_from_meta(file.meta.clone()).with_statistics(Arc::new(statistics))
    }
}

/// The released schema as queries see it: texts as views, every column nullable, headings beside comments.
pub(super) fn query_schema(table: &Table) -> SchemaRef {
    let fields: Vec<Field> = released_schema(table)
        .fields()
        .iter()
        .map(|field| {
            let data_type = match field.data_type() {
                DataType::Utf8 => DataType::Utf8View,
                other => other.clone(),
            };
            let mut metadata = field.metadata().clone();
            if let Some(column) = table.column(field.name()) {
                metadata.insert(LABEL_ZH.to_owned(), column.label.zh.clone());
                metadata.insert(LABEL_EN.to_owned(), column.label.en.clone());
            }
            Field::new(field.name(), data_type, true).with_metadata(metadata)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

#[async_trait]
impl TableProvider for ReleasedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // The filter stays in the plan; the reader uses it to skip row groups and pages.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let rows: usize = self.files.iter().map(|file| file.rows).sum();
        if rows.saturating_mul(self.schema.fields().len()) <= SMALL_VALUES {
            let store = state.runtime_env().object_store(read_only::address())?;
            let files = self.files.iter().map(|file| &file.meta.location);
            let key = (self.name.clone(), self.releases.clone());
            let rows = self.kept.rows(key, store.as_ref(), files, &self.schema).await?;
            return Ok(MemorySourceConfig::try_new_exec(&[vec![rows]], Arc::clone(&self.schema), projection.cloned())?);
        }
        let groups = self.groups(state.config().target_partitions());
        let (groups, total) =
            datafusion_datasource::compute_all_files_statistics(groups, Arc::clone(&self.schema), true, false)?;
        let global = state.config_options().execution.parquet.clone();
        let options = TableParquetOptions { global, ..TableParquetOptions::default() };
        let table = TableSchema::builder(Arc::clone(&self.schema)).build();
        let source = ParquetSource::new(table).with_table_parquet_options(options.clone());
        let config = FileScanConfigBuilder::new(read_only::address(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(total)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        ParquetFormat::new().with_options(options).create_physical_plan(state, config).await
    }
}
