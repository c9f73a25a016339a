//! `open/{table}`: the released rows as Delta tables, for readers that speak Delta.
//!
//! The mirror is brought up to the pointer after it has switched, so it may lag and never leads. Each
//! release is one partition; a table gets all its new ones, and loses those that are superseded, in one commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use deltalake::kernel::Action;
use deltalake::kernel::transaction::CommitBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use deltalake::writer::{DeltaWriter, RecordBatchWriter};
use gongkai_catalog::Audience;
use parquet::file::properties::EnabledStatistics;

use super::rows::release_rows;
use crate::export::parquet::properties;
use crate::lake::slice::{delta_error, delta_schema, keep_history, open_or_create, removed};
use crate::lake::{LakeError, Warehouse};
use crate::schema::released_schema;
use crate::{ReleaseRecord, Snapshot};

const RELEASE: &str = "release_id";

/// Brings every table's mirror up to the snapshot; returns the releases that were written.
pub async fn mirror(warehouse: &Warehouse, snapshot: &Snapshot) -> Result<Vec<String>, LakeError> {
    // A table whose last release was withdrawn is emptied.
    let mut by_table: BTreeMap<&str, Vec<&ReleaseRecord>> =
        snapshot.releases.iter().map(|release| (release.table.as_str(), Vec::new())).collect();
    let datasets = &warehouse.catalog().datasets;
    let is_public = |release: &&ReleaseRecord| {
        datasets.get(&release.dataset).is_some_and(|dataset| dataset.audience == Audience::Public)
    };
    for release in snapshot.current_releases().filter(is_public) {
        by_table.entry(&release.table).or_default().push(release);
    }
    let mut written = Vec::new();
    for (table, releases) in by_table {
        // A table that is no longer declared stays as it is.
        if warehouse.table(table).is_err() {
            continue;
        }
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
    let delta = open_or_create(store, &folder, &table.description.en, &schema, &[RELEASE]).await?;
    let settings = properties(&schema, EnabledStatistics::Page)
        .map_err(|source| LakeError::Parquet { path: folder.clone(), source })?;
    let failed = |source| delta_error(&folder, source);
    let snapshot = delta.snapshot().map_err(failed)?;
    let wanted: BTreeSet<String> = releases.iter().map(|release| release.id()).collect();
    let when = releases.iter().map(|release| release.recorded_at).max().unwrap_or_default().timestamp_millis();
    let mut present: BTreeSet<String> = BTreeSet::new();
    let mut actions = Vec::new();
    for file in snapshot.log_data().iter() {
        let release = file.partition_values_map().remove(RELEASE).flatten().unwrap_or_default();
        if wanted.contains(&release) {
            present.insert(release);
        } else {
            let values = HashMap::from([(RELEASE.to_owned(), Some(release))]);
            actions.push(Action::Remove(removed(&file.path(), file.size(), values, when)));
        }
    }
    let mut written = Vec::new();
    for release in releases.iter().filter(|release| !present.contains(&release.id())) {
        let mut writer = RecordBatchWriter::for_table(&delta).map_err(failed)?.with_writer_properties(settings.clone());
        for batch in release_rows(warehouse, release).await? {
            let batch = batch?;
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type())).collect::<Result<_, _>>();
            let batch = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&schema), columns));
            let batch = batch.map_err(|source| LakeError::Arrow { table: folder.clone(), source })?;
            writer.write(batch).await.map_err(failed)?;
        }
        // A release at a time: what a writer holds back is in memory.
        actions.extend(writer.flush().await.map_err(failed)?.into_iter().map(Action::Add));
        written.push(release.id());
    }
    if actions.is_empty() {
        return Ok(written);
    }
    let operation = DeltaOperation::Write {
        mode: SaveMode::Overwrite,
        partition_by: Some(vec![RELEASE.to_owned()]),
        predicate: None,
    };
    CommitBuilder::from(keep_history())
        .with_actions(actions)
        .build(Some(snapshot), delta.log_store(), operation)
        .await
        .map_err(failed)?;
    Ok(written)
}
