//! `catalog.finding`, `catalog.check_run`.

use super::Kind::{Bigint, Text};
use super::{ArrayRef, Sources, View, bigint, column, text};
use crate::check::{CheckRun, Finding};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: "catalog",
        name: "finding",
        zh: "检查发现",
        en: "Findings of the checks over the current releases: everything that is not PASS",
        columns: &[
            column("check_id", Text, "检查编号", "Check"),
            column(
                "outcome",
                Text,
                "结果：SKIP、INFO、WARN_ROUNDING、WARN、ERROR",
                "SKIP, INFO, WARN_ROUNDING, WARN or ERROR",
            ),
            column("dataset", Text, "数据集", "Dataset"),
            column("release_id", Text, "发布编号", "Release of the tested row"),
            column("partition", Text, "分区", "Partition of that release"),
            column("row_no", Bigint, "被检查的行；涉及多行时为空", "Tested row; empty where the finding is about many"),
            column("scope_key", Text, "检查对象", "What was tested, unique within the check"),
            column("region_code", Text, "行政区划代码", "Region that the figures describe"),
            column("lhs", Text, "左侧数值（精确十进制）", "Left side, an exact decimal"),
            column("rhs", Text, "右侧数值（精确十进制）", "Right side, an exact decimal"),
            column("diff", Text, "左侧减右侧", "Left side less right side"),
            column("tolerance", Text, "允许的差", "What the difference was held against"),
            column("addends", Bigint, "加项个数", "Published addends"),
            column("message_zh", Text, "说明", "The finding in Chinese"),
            column("message_en", Text, "英文说明", "The finding in English"),
            column("explained_by", Text, "公布方的解释：事件编号", "Event by which the publisher explains it"),
            column("explanation", Text, "解释内容", "The publisher's explanation"),
        ],
        fill: findings,
    },
    View {
        schema: "catalog",
        name: "check_run",
        zh: "检查统计",
        en: "How often each check came to what, over the current releases",
        columns: &[
            column("check_id", Text, "检查编号", "Check"),
            column("dataset", Text, "数据集", "Dataset"),
            column("release_id", Text, "发布编号", "Release"),
            column("outcome", Text, "结果", "Outcome, PASS included"),
            column("identities", Bigint, "检查的等式个数", "Identities that came to it"),
        ],
        fill: runs,
    },
];

fn findings(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all: Vec<&Finding> =
        from.snapshot.findings.findings.iter().filter(|finding| from.shows(&finding.dataset)).collect();
    let explanations = from.snapshot.explanations();
    let explained =
        |finding: &&Finding| explanations.get(format!("{}/{}", finding.check, finding.scope_key).as_str()).copied();
    vec![
        text(all.iter().map(|finding| Some(&finding.check))),
        text(all.iter().map(|finding| Some(finding.outcome.name()))),
        text(all.iter().map(|finding| Some(&finding.dataset))),
        text(all.iter().map(|finding| Some(&finding.release_id))),
        text(all.iter().map(|finding| Some(&finding.partition))),
        bigint(all.iter().map(|finding| finding.row_no)),
        text(all.iter().map(|finding| Some(&finding.scope_key))),
        text(all.iter().map(|finding| finding.region_code.as_ref())),
        text(all.iter().map(|finding| finding.lhs.as_ref())),
        text(all.iter().map(|finding| finding.rhs.as_ref())),
        text(all.iter().map(|finding| finding.diff.as_ref())),
        text(all.iter().map(|finding| finding.tolerance.as_ref())),
        bigint(all.iter().map(|finding| Some(finding.addends))),
        text(all.iter().map(|finding| Some(&finding.message_zh))),
        text(all.iter().map(|finding| Some(&finding.message_en))),
        text(all.iter().map(|finding| explained(finding).map(|event| &event.id))),
        text(all.iter().map(|finding| explained(finding).and_then(|event| event.evidence.document.as_ref()))),
    ]
}

fn runs(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all: Vec<&CheckRun> = from.snapshot.findings.runs.iter().filter(|run| from.shows(&run.dataset)).collect();
    vec![
        text(all.iter().map(|run| Some(&run.check))),
        text(all.iter().map(|run| Some(&run.dataset))),
        text(all.iter().map(|run| Some(&run.release_id))),
        text(all.iter().map(|run| Some(run.outcome.name()))),
        bigint(all.iter().map(|run| Some(run.count))),
    ]
}
