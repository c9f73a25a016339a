//! `catalog.dataset`, `catalog.release`, `catalog.release_file`, `catalog.source_file`.

use gongkai_catalog::{Audience, Dataset};

use super::Kind::{Bigint, Boolean, Text, Timestamp};
use super::{ArrayRef, Sources, View, bigint, boolean, column, text, timestamp};
use crate::{ReleaseFile, ReleaseRecord};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: "catalog",
        name: "dataset",
        zh: "数据集",
        en: "Datasets",
        columns: &[
            column("dataset", Text, "数据集标识", "Dataset id"),
            column("title_zh", Text, "中文标题", "Title in Chinese"),
            column("title_en", Text, "英文标题", "Title in English"),
            column("description_zh", Text, "中文说明", "Description in Chinese"),
            column("description_en", Text, "英文说明", "Description in English"),
            column("table_name", Text, "所在数据表", "Table that its rows are in"),
            column("publisher", Text, "发布机构标识", "Publishing office, id"),
            column("publisher_zh", Text, "发布机构", "Publishing office in Chinese"),
            column("publisher_en", Text, "发布机构（英文）", "Publishing office in English"),
            column("licence", Text, "许可标识", "Licence, id"),
            column("themes", Text, "主题，以逗号分隔", "Themes, separated by commas"),
            column("region_code", Text, "描述的地区", "Region that it describes"),
            column("cycle_zh", Text, "更新周期", "Update cycle in Chinese"),
            column("cycle_en", Text, "更新周期（英文）", "Update cycle in English"),
            column("partition_by", Text, "分区列，以逗号分隔", "Columns that name a partition, separated by commas"),
            column("keywords", Text, "关键词，以逗号分隔", "Keywords, separated by commas"),
            column("current_releases", Bigint, "现行发布数", "Number of current releases"),
            column("row_count", Bigint, "现行发布的行数", "Rows of the current releases"),
            column("last_recorded_at", Timestamp, "最近发布的记录时间", "When the latest release was recorded"),
        ],
        fill: datasets,
    },
    View {
        schema: "catalog",
        name: "release",
        zh: "发布",
        en: "Releases",
        columns: &[
            column("release_id", Text, "发布编号：数据集.序号", "Release: dataset.number"),
            column("dataset", Text, "数据集标识", "Dataset id"),
            column("number", Bigint, "序号，从 1 起", "Number within the dataset, from 1"),
            column("partition", Text, "分区", "Partition"),
            column("table_name", Text, "所在数据表", "Table that its rows are in"),
            column("kind", Text, "类型", "initial, update, correction, supplement, clarification or withdrawal"),
            column("is_current", Boolean, "是否现行", "Whether it holds"),
            column("published_at", Timestamp, "首次公开时间，未知为空", "When first public, where known"),
            column("recorded_at", Timestamp, "本库记录时间", "When this warehouse recorded it"),
            column("supersedes", Bigint, "所替代发布的序号", "Number of the release that it replaces"),
            column("withdrawn_by", Text, "撤回它的发布", "Release that took it back"),
            column("reason", Text, "原因", "Why it was made"),
            column("is_synthetic", Boolean, "是否合成样例数据", "Whether its figures are synthetic samples"),
            column("row_count", Bigint, "行数", "Rows"),
            column("manifest_sha256", Text, "清单的 SHA-256", "SHA-256 of the manifest"),
            column("log_index", Bigint, "发布日志中的序号", "Index in the publication log"),
        ],
        fill: releases,
    },
    View {
        schema: "catalog",
        name: "release_file",
        zh: "发布文件",
        en: "Files of releases",
        columns: &[
            column("release_id", Text, "发布编号", "Release"),
            column("name", Text, "文件名", "Name within the release"),
            column("bytes", Bigint, "字节数", "Length in bytes"),
            column("sha256", Text, "SHA-256", "SHA-256"),
            column("sm3", Text, "SM3", "SM3 digest (GB/T 32905)"),
            column("media_type", Text, "媒体类型", "Media type"),
        ],
        fill: release_files,
    },
    View {
        schema: "catalog",
        name: "event",
        zh: "事件",
        en: "Events that duties are counted from, with evidence",
        columns: &[
            column("event_id", Text, "事件编号", "Event"),
            column(
                "kind",
                Text,
                "类型：起算事件、已公开、空表说明、不予公开、对发现的解释、撤销",
                "approved, replied, allocated, decided, formed_or_changed, received, accepted, occurred, period_end, published, empty, waived, explained or revoked",
            ),
            column("region_code", Text, "行政区划代码", "Region that it concerns"),
            column("subject", Text, "所涉数据集、事项或文件", "Dataset, item or document that it concerns"),
            column("period", Text, "所涉期间", "Period that it concerns"),
            column("occurred_on", Text, "发生日期", "Day on which it happened, as YYYY-MM-DD"),
            column("evidence_url", Text, "证据网址", "Address of the document that shows it"),
            column("evidence_sha256", Text, "证据文件的 SHA-256", "SHA-256 of that document"),
            column("evidence_document", Text, "文号或标题", "Its number or title"),
            column("revokes", Text, "所撤销的事件", "Event that it takes back"),
            column("recorded_by", Text, "记录单位", "Office that recorded it"),
            column("recorded_at", Timestamp, "记录时间", "When it was recorded"),
        ],
        fill: events,
    },
    View {
        schema: "catalog",
        name: "source_file",
        zh: "来源文件",
        en: "Department files that current releases were made from",
        columns: &[
            column("source_sha256", Text, "SHA-256，文件的地址", "SHA-256, the file's address"),
            column("name", Text, "文件名", "Name"),
            column("bytes", Bigint, "字节数", "Length in bytes"),
            column("landed_at", Timestamp, "首次接收时间", "When first landed"),
            column("feed", Text, "读取它的接入", "Feed that reads it"),
            column("format", Text, "格式", "Format, by content"),
            column("encoding", Text, "文本编码", "Encoding of text files"),
            column("rows_in", Bigint, "源记录数", "Source records"),
            column("rows_kept", Bigint, "保留的源记录数", "Source records kept"),
            column("rows_set_aside", Bigint, "另存的源记录数", "Source records set aside"),
            column("is_public", Boolean, "文件是否可整份提供", "Whether the whole file may be handed out"),
            column("origin", Text, "出处", "Where the figures come from"),
            column("is_synthetic", Boolean, "是否合成样例数据", "Whether its figures are synthetic samples"),
        ],
        fill: source_files,
    },
];

fn datasets(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all: Vec<&Dataset> =
        from.catalog.datasets.values().filter(|dataset| dataset.audience == Audience::Public).collect();
    let publisher = |dataset: &Dataset| from.catalog.publishers.get(&dataset.publisher);
    let current = |dataset: &Dataset| from.snapshot.current_of_dataset(&dataset.id);
    vec![
        text(all.iter().map(|dataset| Some(&dataset.id))),
        text(all.iter().map(|dataset| Some(&dataset.label.zh))),
        text(all.iter().map(|dataset| Some(&dataset.label.en))),
        text(all.iter().map(|dataset| Some(&dataset.description.zh))),
        text(all.iter().map(|dataset| Some(&dataset.description.en))),
        text(all.iter().map(|dataset| Some(&dataset.table))),
        text(all.iter().map(|dataset| Some(&dataset.publisher))),
        text(all.iter().map(|dataset| publisher(dataset).map(|office| &office.label.zh))),
        text(all.iter().map(|dataset| publisher(dataset).map(|office| &office.label.en))),
        text(all.iter().map(|dataset| Some(&dataset.licence))),
        text(all.iter().map(|dataset| Some(dataset.themes.join(",")))),
        text(all.iter().map(|dataset| Some(&dataset.region_code))),
        text(all.iter().map(|dataset| Some(&dataset.cycle.zh))),
        text(all.iter().map(|dataset| Some(&dataset.cycle.en))),
        text(all.iter().map(|dataset| Some(dataset.partition_by.join(",")))),
        text(all.iter().map(|dataset| Some(dataset.keywords.join(",")))),
        bigint(all.iter().map(|dataset| Some(current(dataset).len() as u64))),
        bigint(all.iter().map(|dataset| Some(current(dataset).iter().map(|release| release.rows).sum()))),
        timestamp(all.iter().map(|dataset| current(dataset).iter().map(|release| release.recorded_at).max())),
    ]
}

fn releases(from: &Sources<'_>) -> Vec<ArrayRef> {
    let (positions, all): (Vec<usize>, Vec<&ReleaseRecord>) = from.releases().unzip();
    vec![
        text(all.iter().map(|release| Some(release.id()))),
        text(all.iter().map(|release| Some(&release.dataset))),
        bigint(all.iter().map(|release| Some(release.number))),
        text(all.iter().map(|release| Some(&release.partition))),
        text(all.iter().map(|release| Some(&release.table))),
        text(all.iter().map(|release| Some(&release.kind))),
        boolean(positions.iter().map(|position| from.snapshot.current.contains(position))),
        timestamp(all.iter().map(|release| release.published_at)),
        timestamp(all.iter().map(|release| Some(release.recorded_at))),
        bigint(all.iter().map(|release| release.supersedes)),
        text(all.iter().map(|release| from.snapshot.withdrawal_of(release).map(ReleaseRecord::id))),
        text(all.iter().map(|release| Some(&release.reason))),
        boolean(all.iter().map(|release| release.is_synthetic)),
        bigint(all.iter().map(|release| Some(release.rows))),
        text(all.iter().map(|release| Some(&release.manifest_sha256))),
        bigint(all.iter().map(|release| Some(release.log_index))),
    ]
}

fn release_files(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all: Vec<(String, &ReleaseFile)> =
        from.releases().flat_map(|(_, release)| release.files.iter().map(move |file| (release.id(), file))).collect();
    vec![
        text(all.iter().map(|(release, _)| Some(release))),
        text(all.iter().map(|(_, file)| Some(&file.name))),
        bigint(all.iter().map(|(_, file)| Some(file.bytes))),
        text(all.iter().map(|(_, file)| Some(&file.sha256))),
        text(all.iter().map(|(_, file)| Some(&file.sm3))),
        text(all.iter().map(|(_, file)| Some(&file.media_type))),
    ]
}

fn source_files(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = &from.snapshot.sources;
    vec![
        text(all.iter().map(|source| Some(&source.sha256))),
        text(all.iter().map(|source| Some(&source.name))),
        bigint(all.iter().map(|source| Some(source.bytes))),
        timestamp(all.iter().map(|source| Some(source.landed_at))),
        text(all.iter().map(|source| Some(&source.feed))),
        text(all.iter().map(|source| Some(&source.format))),
        text(all.iter().map(|source| source.encoding.as_ref())),
        bigint(all.iter().map(|source| Some(source.rows_in))),
        bigint(all.iter().map(|source| Some(source.rows_kept))),
        bigint(all.iter().map(|source| Some(source.rows_set_aside))),
        boolean(all.iter().map(|source| source.is_public)),
        text(all.iter().map(|source| source.origin.as_ref())),
        boolean(all.iter().map(|source| source.is_synthetic)),
    ]
}

fn events(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all = &from.snapshot.events;
    vec![
        text(all.iter().map(|event| Some(&event.id))),
        text(all.iter().map(|event| Some(event.kind.name()))),
        text(all.iter().map(|event| Some(&event.region_code))),
        text(all.iter().map(|event| Some(&event.subject))),
        text(all.iter().map(|event| event.period.as_ref())),
        text(all.iter().map(|event| Some(event.occurred_on.to_string()))),
        text(all.iter().map(|event| event.evidence.url.as_ref())),
        text(all.iter().map(|event| event.evidence.sha256.as_ref())),
        text(all.iter().map(|event| event.evidence.document.as_ref())),
        text(all.iter().map(|event| event.revokes.as_ref())),
        text(all.iter().map(|event| Some(&event.recorded_by))),
        timestamp(all.iter().map(|event| Some(event.recorded_at))),
    ]
}
