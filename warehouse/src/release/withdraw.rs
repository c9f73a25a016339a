//! Taking releases back, with a reason that everybody can read.
//!
//! A withdrawal is a release of its own, without files. What it names stays in the history as a tombstone: manifest,
//! leaf and reason remain, rows and files are given to nobody any more, whatever time is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ReleaseRecord;
use crate::check::Check;
use crate::lake::{LakeError, Warehouse, ledger};
use crate::publication::{Publication, Signer};

use super::manifest::{self, Manifest, ManifestMerge};
use super::prepare::read_manifest;
use super::publish::{Approval, Published, recheck};
use super::{Kind, seal};

/// What to take back, and why.
#[derive(Debug, Clone)]
pub struct Withdrawal {
    /// Dataset.
    pub dataset: String,
    /// Number of the release.
    pub number: u64,
    /// Why. It is public.
    pub reason: String,
    /// Whether every earlier release of the same partition goes with it.
    pub reach: Reach,
    /// The clock's time.
    pub now: chrono::DateTime<chrono::Utc>,
    /// Who approves, and how.
    pub approval: Approval,
    /// Digest of the declarations.
    pub declarations_sha256: String,
    /// What is tested again without the rows.
    pub checks: Arc<Vec<Check>>,
    /// Who signs.
    pub signer: Signer,
}

/// How much of a partition's history is taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// The one release.
    #[default]
    One,
    /// It and everything that it replaced.
    Partition,
}

/// Withdraws. The caller holds the writer lock and has run recovery.
///
/// # Errors
///
/// [`LakeError::NoSuchRelease`] where there is no such release, or it is withdrawn already, or is itself a withdrawal.
pub async fn withdraw(warehouse: &Warehouse, withdrawal: &Withdrawal) -> Result<Published, LakeError> {
    let store = warehouse.store().as_ref();
    let mut publication = Publication::open(store, &withdrawal.signer, withdrawal.now).await?;
    let releases = &publication.index.releases;
    let of_dataset: Vec<&ReleaseRecord> =
        releases.iter().filter(|release| release.dataset == withdrawal.dataset).collect();
    let is_out = |number: u64| of_dataset.iter().any(|release| release.withdraws.contains(&number));
    let target = of_dataset
        .iter()
        .find(|release| release.number == withdrawal.number && !release.is_withdrawal() && !is_out(release.number));
    let Some(target) = target else {
        return Err(LakeError::NoSuchRelease { release: format!("{}.{}", withdrawal.dataset, withdrawal.number) });
    };
    let takes = |release: &&&ReleaseRecord| match withdrawal.reach {
        Reach::One => release.number == target.number,
        Reach::Partition => {
            release.partition == target.partition && !release.is_withdrawal() && release.number <= target.number
        }
    };
    let withdraws: Vec<u64> =
        of_dataset.iter().filter(takes).map(|release| release.number).filter(|number| !is_out(*number)).collect();
    let is_current = !of_dataset.iter().any(|release| {
        release.partition == target.partition && release.number > target.number && !release.is_withdrawal()
    });
    let old = read_manifest(store, target).await?;
    // Of a release that was replaced, the rows that are still right stand in the one that replaced it.
    let slice = (withdrawal.dataset.clone(), target.partition.clone());
    let withdrawn_sources: BTreeSet<String> = if is_current {
        // Every source that has rows of the partition, those among them that others were merged into or corrected.
        let entries = ledger::read_all(store).await?;
        entries.into_iter().filter(|entry| entry.slices.contains(&slice)).map(|entry| entry.source.sha256).collect()
    } else {
        BTreeSet::new()
    };
    // Of what was replaced before, the file goes too, unless a release that is still out names it.
    let mut withheld_sources: BTreeSet<String> = BTreeSet::new();
    let mut named: BTreeSet<String> = BTreeSet::new();
    for release in of_dataset.iter().filter(|release| !release.is_withdrawal() && !is_out(release.number)) {
        let sources = read_manifest(store, release).await?.sources.into_iter().map(|source| source.sha256);
        if withdraws.contains(&release.number) { withheld_sources.extend(sources) } else { named.extend(sources) }
    }
    let withdrawn_sources: Vec<String> = withdrawn_sources.into_iter().collect();
    let withheld_sources: Vec<String> = withheld_sources.difference(&named).cloned().collect();
    let number = of_dataset.iter().map(|release| release.number).max().unwrap_or(0) + 1;
    let previous = of_dataset.iter().max_by_key(|release| release.number).map(|last| last.manifest_sha256.clone());
    let manifest = manifest_of(withdrawal, old, number, &withdraws, previous);
    let mut record = ReleaseRecord {
        dataset: withdrawal.dataset.clone(),
        number,
        partition: target.partition.clone(),
        table: target.table.clone(),
        kind: manifest.kind.clone(),
        published_at: Some(withdrawal.now),
        recorded_at: withdrawal.now,
        supersedes: Some(target.number),
        withdraws,
        withdrawn_sources,
        withheld_sources,
        seal_salt: None,
        reason: withdrawal.reason.clone(),
        is_synthetic: target.is_synthetic,
        manifest_sha256: String::new(),
        log_index: 0,
        rows: 0,
        regions: Vec::new(),
        files: Vec::new(),
    };
    seal::publish(store, &mut publication, &manifest, &mut record).await?;
    let mut after = publication.index.releases.clone();
    after.push(record.clone());
    let changed = BTreeSet::from([record.table.as_str()]);
    let findings = recheck(warehouse, &publication.index, after.clone(), &changed, &withdrawal.checks).await?;
    publication.index.releases = after;
    publication.index.findings = findings.clone();
    let current = publication.commit().await?;
    Ok(Published { releases: vec![record], held: Vec::new(), counter: current.counter, findings })
}

fn manifest_of(
    withdrawal: &Withdrawal,
    old: Manifest,
    number: u64,
    withdraws: &[u64],
    previous: Option<String>,
) -> Manifest {
    let id = |number: &u64| format!("{}.{number}", withdrawal.dataset);
    Manifest {
        format_version: manifest::FORMAT_VERSION,
        release: id(&number),
        number,
        status: "withdrawn".into(),
        kind: Kind::Withdrawal.name().into(),
        supersedes: Some(id(&withdrawal.number)),
        withdraws: withdraws.iter().map(id).collect(),
        previous_manifest_sha256: previous,
        reason: withdrawal.reason.clone(),
        approved_by: withdrawal.approval.office.clone(),
        approval: withdrawal.approval.manifest(withdrawal.now),
        published_at: withdrawal.now,
        published_at_source: "release".into(),
        recorded_at: withdrawal.now,
        declarations_sha256: withdrawal.declarations_sha256.clone(),
        software: super::prepare::SOFTWARE.into(),
        schema: Vec::new(),
        rows: 0,
        content_sha256: super::prepare::NO_ROWS.into(),
        table_sha256: super::prepare::NO_ROWS.into(),
        difference: None,
        files: Vec::new(),
        sources: Vec::new(),
        merged: ManifestMerge { equal: 0, conflicting: 0 },
        checks: BTreeMap::new(),
        ..old
    }
}
