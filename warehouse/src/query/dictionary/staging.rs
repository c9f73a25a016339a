//! Schema `staging`: what the inbox held and what was set aside. It exists for local operators and for those who publish or approve.

use super::Kind::{Bigint, Text};
use super::{ArrayRef, Sources, View, bigint, column, text};
use crate::staging::{SCHEMA, StagedCounts, StagedFile, StagedItem};

pub(super) const VIEWS: &[View] = &[
    View {
        schema: SCHEMA,
        name: "source_file",
        zh: "接收文件",
        en: "Files that were looked at, one row for each content",
        columns: &[
            column("source_sha256", Text, "SHA-256", "SHA-256"),
            column("path", Text, "收件目录下的路径", "Path below the inbox"),
            column("other_paths", Bigint, "相同内容的其他路径数", "Further paths with the same content"),
            column("format", Text, "格式，由内容判定", "Format, by content"),
            column("encoding", Text, "文本编码", "Encoding of text files"),
            column("feed", Text, "读取它的接入，以逗号分隔", "Feeds that read it, separated by commas"),
            column("status", Text, "matched、unmatched、damaged、held", "matched, unmatched, damaged or held"),
            column("message", Text, "未读取的原因或说明", "Why it is not matched, or what to know about it"),
            column("records_in", Bigint, "源记录数", "Source records"),
            column("records_kept", Bigint, "保留的源记录数", "Source records kept"),
            column("records_set_aside", Bigint, "另存的源记录数", "Source records set aside"),
            column("cells_in", Bigint, "保留记录的数值单元格数", "Value cells of the kept records"),
            column("cells_with_value", Bigint, "有数值的单元格数", "Cells with a figure"),
            column("cells_missing", Bigint, "空缺的单元格数", "Empty cells and missing markers"),
            column("cells_set_aside", Bigint, "另存的单元格数", "Cells set aside"),
        ],
        fill: source_files,
    },
    View {
        schema: SCHEMA,
        name: "set_aside",
        zh: "另存内容",
        en: "Records and cells that were set aside, with place and reason",
        columns: &[
            column("source_sha256", Text, "SHA-256", "SHA-256 of the file"),
            column("path", Text, "收件目录下的路径", "Path below the inbox"),
            column("feed", Text, "接入", "Feed that set it aside"),
            column("kind", Text, "record 整条记录；cell 单元格", "record or cell"),
            column("source_sheet", Text, "工作表", "Sheet; empty for text files"),
            column("source_cell", Text, "地址", "Address: A1, or line:character"),
            column("source_row", Bigint, "行", "Row of the sheet, or line"),
            column("column_header", Text, "列的表头", "Header of the column"),
            column("reason", Text, "原因代码", "Reason, a code"),
            column("message", Text, "原因说明", "What was found and what would have been accepted"),
            column("raw_text", Text, "原文", "Content as it stands in the file"),
        ],
        fill: set_aside,
    },
];

fn source_files(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all: &[StagedFile] = from.staging.map_or(&[], |staging| &staging.files);
    let count = |of: fn(&StagedCounts) -> u64| bigint(all.iter().map(|file| Some(of(&file.counts))));
    vec![
        text(all.iter().map(|file| Some(&file.sha256))),
        text(all.iter().map(|file| Some(&file.path))),
        bigint(all.iter().map(|file| Some(file.other_paths))),
        text(all.iter().map(|file| file.format.as_ref())),
        text(all.iter().map(|file| file.encoding.as_ref())),
        text(all.iter().map(|file| file.feed.as_ref())),
        text(all.iter().map(|file| Some(file.status))),
        text(all.iter().map(|file| file.message.as_ref())),
        count(|counts| counts.records_in),
        count(|counts| counts.records_kept),
        count(|counts| counts.records_set_aside),
        count(|counts| counts.cells_in),
        count(|counts| counts.values),
        count(|counts| counts.missing),
        count(|counts| counts.cells_set_aside),
    ]
}

fn set_aside(from: &Sources<'_>) -> Vec<ArrayRef> {
    let all: &[StagedItem] = from.staging.map_or(&[], |staging| &staging.set_aside);
    vec![
        text(all.iter().map(|row| Some(&row.sha256))),
        text(all.iter().map(|row| Some(&row.path))),
        text(all.iter().map(|row| Some(&row.feed))),
        text(all.iter().map(|row| Some(&row.item.kind))),
        text(all.iter().map(|row| row.item.sheet.as_ref())),
        text(all.iter().map(|row| Some(&row.item.address))),
        bigint(all.iter().map(|row| Some(row.item.row))),
        text(all.iter().map(|row| row.item.column.as_ref())),
        text(all.iter().map(|row| Some(&row.item.reason))),
        text(all.iter().map(|row| Some(&row.item.message))),
        text(all.iter().map(|row| Some(&row.item.raw))),
    ]
}
