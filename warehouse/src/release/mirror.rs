//! `open/{table}`: the released rows as Delta tables, for readers that speak Delta.
//!
//! The mirror is brought up to the pointer after it has switched, so it may lag and never leads. Each
//! release is one partition; a superseded one is replaced in the same commit that adds its successor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use deltalake::protocol::SaveMode;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::EnabledStatistics;

use crate::export::parquet::properties;
use crate::lake::slice::{delta_error, delta_schema, keep_history, open_or_create, quoted};
use crate::lake::{LakeError, Warehouse};
use crate::schema::released_schema;
use crate::{ReleaseRecord, Snapshot};

/// Brings every table's mirror up to the snapshot; returns the releases that were written.
pub async fn mirror(warehouse: &Warehouse, snapshot: &Snapshot) -> Result<Vec<String>, LakeError> {
    let mut by_table: BTreeMap<&str, Vec<&ReleaseRecord>> = BTreeMap::new();
    for release in snapshot.current_releases() {
        by_table.entry(&release.table).or_default().push(release);
    }
    let mut written = Vec::new();
    for (table, releases) in by_table {
        written.extend(mirror_table(warehouse, table, &releases).await?);
    }
    Ok(written)
}

async fn mirror_table(
    warehouse: &Warehouse,
    name: &str,
    releases: &[&ReleaseRecord],
) -> Result<Vec<String>, LakeError> {
    let table = warehouse.table(name)?;
    let folder = format!("open/{name}");
    let store = warehouse.store().as_ref();
    let schema = delta_schema(&released_schema(table));
    let mut delta = open_or_create(store, &folder, &table.description.en, &schema, &["release_id"]).await?;
    let settings = properties(&schema, EnabledStatistics::Page)
        .map_err(|source| LakeError::Parquet { path: folder.clone(), source })?;
    let present: BTreeSet<String> = delta
        .snapshot()
        .map_err(|source| delta_error(&folder, source))?
        .log_data()
        .iter()
        .filter_map(|file| file.partition_values_map().remove("release_id").flatten())
        .collect();
    let wanted: BTreeSet<String> = releases.iter().map(|release| release.id()).collect();
    let stale: BTreeSet<&String> = present.difference(&wanted).collect();
    let mut written = Vec::new();
    for release in releases.iter().filter(|release| !present.contains(&release.id())) {
        let batches = read_release(warehouse, release).await?;
        let batches = batches
            .iter()
            .map(|batch| {
                let columns = batch.columns().iter().zip(schema.fields());
                let columns =
                    columns.map(|(column, field)| cast(column, field.data_type())).collect::<Result<_, _>>()?;
                RecordBatch::try_new(Arc::clone(&schema), columns)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|source| LakeError::Arrow { table: folder.clone(), source })?;
        let replaced = release.supersedes.map(|number| format!("{}.{number}", release.dataset));
        let ids = std::iter::once(release.id()).chain(replaced.filter(|id| stale.contains(id)));
        let predicate: Vec<String> = ids.map(|id| format!("release_id = {}", quoted(&id))).collect();
        delta = delta
            .write(batches)
            .with_save_mode(SaveMode::Overwrite)
            .with_replace_where(predicate.join(" OR "))
            .with_commit_properties(keep_history())
            .with_writer_properties(settings.clone())
            .await
            .map_err(|source| delta_error(&folder, source))?;
        written.push(release.id());
    }
    Ok(written)
}

/// The rows of a release, from its Parquet file.
pub async fn read_release(warehouse: &Warehouse, release: &ReleaseRecord) -> Result<Vec<RecordBatch>, LakeError> {
    let path = format!("{}/data.parquet", release.folder());
    let bytes = warehouse.store().read(&path).await?;
    let failed = |source| LakeError::Parquet { path: path.clone(), source };
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|builder| builder.build()).map_err(failed)?;
    reader.collect::<Result<_, _>>().map_err(|source| LakeError::Arrow { table: release.table.clone(), source })
}
