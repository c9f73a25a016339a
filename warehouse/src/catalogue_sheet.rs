//! The catalogue of a region as a workbook in the layout of 基层政务公开标准目录: one sheet a field, items in merged first levels,
//! and channels with ■ for those that are chosen and □ for the others.

use gongkai_catalog::Tier;
use gongkai_catalog::disclosure::{
    CHANNELS, Disclosure, DisclosureRegion, ItemAudience, ItemMode, LegalBasis, RegionItem,
};
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

/// Captions of the header: name, and for a group the captions below it.
const HEADER: [(&str, &[&str]); 10] = [
    ("序号", &[]),
    ("公开事项", &["一级事项", "二级事项"]),
    ("公开内容（要素）", &[]),
    ("公开依据", &[]),
    ("公开时限", &[]),
    ("公开主体", &[]),
    ("公开渠道和载体", &[]),
    ("公开对象", &["全社会", "特定群体"]),
    ("公开方式", &["主动", "依申请公开"]),
    ("公开层级", &["市级", "县级", "乡级"]),
];

const WIDTHS: [f64; 15] = [6.0, 12.0, 20.0, 32.0, 40.0, 22.0, 16.0, 46.0, 8.0, 14.0, 6.0, 11.0, 6.0, 6.0, 6.0];
const COLUMNS: u16 = 15;

/// The mark of what is chosen.
const CHOSEN: &str = "√";

/// The items that a region has on a day, as the bytes of a workbook. The same items give the same bytes.
///
/// # Errors
///
/// The workbook cannot be made.
pub fn workbook(
    disclosure: &Disclosure,
    region: &DisclosureRegion,
    day: chrono::NaiveDate,
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    for field in &disclosure.fields {
        let items: Vec<&RegionItem> = region.items_on(day).filter(|own| own.field == field.number).collect();
        if items.is_empty() {
            continue;
        }
        let sheet = book.add_worksheet();
        sheet.set_name(format!("{}{}", field.number, field.label.zh))?;
        write_field(sheet, &format!("{}{}领域政务公开标准目录", region.name, field.label.zh), &items)?;
    }
    book.save_to_buffer()
}

fn write_field(sheet: &mut Worksheet, title: &str, items: &[&RegionItem]) -> Result<(), XlsxError> {
    let cell = Format::new().set_text_wrap().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
    let centred = cell.clone().set_align(FormatAlign::Center);
    let heading = centred.clone().set_bold();
    for (column, width) in (0..COLUMNS).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    let large = Format::new().set_bold().set_font_size(16).set_align(FormatAlign::Center);
    sheet.merge_range(0, 0, 0, COLUMNS - 1, title, &large)?;
    let mut column = 0;
    for (name, below) in HEADER {
        if below.is_empty() {
            sheet.merge_range(1, column, 2, column, name, &heading)?;
            column += 1;
            continue;
        }
        let last = column + below.len() as u16 - 1;
        sheet.merge_range(1, column, 1, last, name, &heading)?;
        for caption in below {
            sheet.write_string_with_format(2, column, *caption, &heading)?;
            column += 1;
        }
    }
    sheet.set_freeze_panes(3, 0)?;
    sheet.set_landscape().set_paper_size(8).set_print_fit_to_pages(1, 0);
    for (row, own) in (3_u32..).zip(items) {
        let item = &own.item;
        sheet.write_number_with_format(row, 0, f64::from(row - 2), &centred)?;
        sheet.write_string_with_format(row, 2, &item.label.zh, &cell)?;
        let content: Vec<String> = item.content.iter().map(|element| format!("●{element}")).collect();
        sheet.write_string_with_format(row, 3, content.join("\n"), &cell)?;
        let basis: Vec<String> = item.legal_basis.iter().map(LegalBasis::citation).collect();
        sheet.write_string_with_format(row, 4, basis.join("\n"), &cell)?;
        sheet.write_string_with_format(row, 5, &item.deadline_text, &cell)?;
        sheet.write_string_with_format(row, 6, &item.publisher.zh, &cell)?;
        let channels = CHANNELS.map(|channel| {
            let mark = if item.channels.iter().any(|chosen| chosen == channel) { "■" } else { "□" };
            format!("{mark}{channel}")
        });
        sheet.write_string_with_format(row, 7, channels.join(" "), &cell)?;
        let wrapped = [
            (2, item.label.zh.clone()),
            (3, content.join("\n")),
            (4, basis.join("\n")),
            (5, item.deadline_text.clone()),
            (6, item.publisher.zh.clone()),
            (7, channels.join(" ")),
        ];
        let lines = wrapped.iter().map(|(column, text)| lines(text, WIDTHS[*column])).max().unwrap_or(1);
        sheet.set_row_height(row, LINE_HEIGHT * f64::from(lines))?;
        let is_public = item.audience == ItemAudience::Public;
        let specific = item.audience_text.as_deref().unwrap_or(CHOSEN);
        let proactive = item.mode == ItemMode::Proactive;
        let marks = [
            if is_public { CHOSEN } else { "" },
            if is_public { "" } else { specific },
            if proactive { CHOSEN } else { "" },
            if proactive { "" } else { CHOSEN },
            if item.tiers.contains(&Tier::City) { CHOSEN } else { "" },
            if item.tiers.contains(&Tier::County) { CHOSEN } else { "" },
            if item.tiers.contains(&Tier::Township) { CHOSEN } else { "" },
        ];
        for (column, mark) in (8..).zip(marks) {
            sheet.write_string_with_format(row, column, mark, &centred)?;
        }
    }
    write_first_levels(sheet, items, &cell)
}

/// Height of a line of text, in points.
const LINE_HEIGHT: f64 = 15.0;

/// Lines that a text takes in a column: a Chinese character is as wide as two digits.
fn lines(text: &str, width: f64) -> u32 {
    let of_line = |line: &str| {
        let wide: u32 = line.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum();
        (f64::from(wide) / (width - 1.0)).ceil().max(1.0) as u32
    };
    text.lines().map(of_line).sum::<u32>().max(1)
}

/// First levels, each merged over its items.
fn write_first_levels(sheet: &mut Worksheet, items: &[&RegionItem], cell: &Format) -> Result<(), XlsxError> {
    let mut row = 3;
    for group in items.chunk_by(|one, other| one.item.level1 == other.item.level1) {
        let last = row + group.len() as u32 - 1;
        let name = &group[0].item.level1.zh;
        if group.len() == 1 {
            sheet.write_string_with_format(row, 1, name, cell)?;
        } else {
            sheet.merge_range(row, 1, last, 1, name, cell)?;
        }
        row = last + 1;
    }
    Ok(())
}
