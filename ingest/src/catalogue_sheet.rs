//! A disclosure catalogue in the layout of 基层政务公开标准目录, read into declarations of items.
//!
//! Departments and other cities hold their catalogues as workbooks: a header of two rows (公开事项 over 一级事项 and 二级事项, 公开对象,
//! 公开方式 and 公开层级 over their marks), first levels merged over their items, and channels as ■ and □. What comes out is the TOML of
//! `catalog/disclosure/items`, for a person to review: codes are numbered in the order of the sheet, English labels are left to be
//! written, and deadlines that cannot be read with certainty say so.

use std::sync::LazyLock;

use gongkai_catalog::deadline;
use gongkai_catalog::disclosure::CHANNELS;
use regex::Regex;
use serde::Serialize;

use crate::reader::{Document, Grid, Row};

/// A sheet that is no such catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SheetError {
    /// No sheet has the header.
    #[error("no sheet has a header with 一级事项 and 二级事项 (or 公开事项); found sheets: {sheets}")]
    NoHeader {
        /// Names of the sheets.
        sheets: String,
    },
}

/// Items of one sheet, as `catalog/disclosure/items/*.toml` declares them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldItems {
    /// Name of the sheet.
    #[serde(skip)]
    pub sheet: String,
    /// First levels by their two digits.
    pub level1: Vec<(String, String)>,
    /// Items in the order of the sheet.
    pub items: Vec<SheetItem>,
}

/// One item of a sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetItem {
    /// Four digits: first level and number within it.
    pub code: String,
    /// Second level, or the whole item where the sheet has one level.
    pub label: String,
    /// `city`, `county`, `township`.
    pub tiers: Vec<&'static str>,
    /// What has to be in it.
    pub content: Vec<String>,
    /// Deadline as printed.
    pub deadline_text: String,
    /// Whether the deadline's text waits for a person.
    pub needs_review: bool,
    /// The rule that it is read as; 同上 is that of the row above.
    pub rule: Option<deadline::DeadlineRule>,
    /// Documents as printed.
    pub legal_basis: Vec<Basis>,
    /// Office whose duty it is.
    pub publisher: String,
    /// Channels that are marked, in the words of the code list; others as printed.
    pub channels: Vec<String>,
    /// Marked channels that are not on the code list.
    pub unknown_channels: Vec<String>,
    /// Whom it is for, where not everybody.
    pub audience_text: Option<String>,
    /// Whether it is published on request only.
    pub on_request: bool,
    /// Row of the sheet.
    pub row: u32,
}

/// A document that a duty follows from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Title.
    pub title: String,
    /// Number in brackets, where one is printed.
    pub doc_no: Option<String>,
    /// Article, where one is printed.
    pub article: Option<String>,
}

/// Columns by what their captions say.
#[derive(Debug, Default)]
struct Columns {
    level1: Option<u32>,
    level2: Option<u32>,
    content: Option<u32>,
    basis: Option<u32>,
    deadline: Option<u32>,
    publisher: Option<u32>,
    channels: Option<u32>,
    everybody: Option<u32>,
    specific: Option<u32>,
    proactive: Option<u32>,
    on_request: Option<u32>,
    city: Option<u32>,
    county: Option<u32>,
    township: Option<u32>,
}

fn caption(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && !"()（）/、".contains(*character)).collect()
}

impl Columns {
    /// Reads the captions of a row; whether it named the levels.
    fn read(&mut self, grid: &Grid, row: &Row) {
        for cell in grid.cells_of(row) {
            let text = caption(&cell.text);
            let column = cell.column;
            let place = match text.as_str() {
                "一级事项" => &mut self.level1,
                "二级事项" | "事项名称" => &mut self.level2,
                "全社会" => &mut self.everybody,
                "特定群体" | "特定群众" | "特定群体群众" | "特定对象" => &mut self.specific,
                "主动" | "主动公开" => &mut self.proactive,
                "依申请" | "依申请公开" => &mut self.on_request,
                "市级" => &mut self.city,
                "县级" | "县区级" | "区级" => &mut self.county,
                "乡级" | "乡村级" | "乡镇级" | "镇级" | "街镇" => &mut self.township,
                _ if text.starts_with("公开内容") => &mut self.content,
                _ if text.starts_with("公开依据") => &mut self.basis,
                _ if text.starts_with("公开时限") => &mut self.deadline,
                _ if text.starts_with("公开主体") || text.starts_with("责任主体") => &mut self.publisher,
                _ if text.starts_with("公开渠道") => &mut self.channels,
                _ => continue,
            };
            place.get_or_insert(column);
        }
    }

    fn is_header(&self) -> bool {
        self.level2.is_some() && self.deadline.is_some()
    }
}

/// Every catalogue sheet of a document.
///
/// # Errors
///
/// No sheet has the header of a catalogue.
pub fn read(document: &Document) -> Result<Vec<FieldItems>, SheetError> {
    let fields: Vec<FieldItems> = document.grids.iter().filter_map(read_grid).collect();
    if fields.is_empty() {
        let names: Vec<&str> = document.grids.iter().map(|grid| grid.sheet.as_deref().unwrap_or("(text)")).collect();
        return Err(SheetError::NoHeader { sheets: names.join(", ") });
    }
    Ok(fields)
}

/// Rows that a header may begin in.
const SEARCH_ROWS: usize = 10;

fn read_grid(grid: &Grid) -> Option<FieldItems> {
    let mut columns = Columns::default();
    let mut body = None;
    for (index, row) in grid.rows.iter().take(SEARCH_ROWS).enumerate() {
        // The header ends with the row below its first one with both captions at the latest.
        if body.is_some_and(|body| index > body) {
            break;
        }
        if body.is_none_or(|body| index < body) {
            columns.read(grid, row);
        }
        // The row with the levels is the last of the header: groups stand above them.
        if body.is_none() && columns.is_header() {
            body = Some(index + 1);
        }
    }
    let mut items: Vec<SheetItem> = Vec::new();
    let mut level1: Vec<(String, String)> = Vec::new();
    let mut previous: Option<deadline::DeadlineRule> = None;
    let mut previous_review = true;
    let mut first = "其他".to_owned();
    for row in grid.rows.get(body?..)? {
        let text = |column: Option<u32>| column.map_or("", |column| grid.text(row, column)).trim();
        let label = text(columns.level2);
        if label.is_empty() {
            continue;
        }
        // A first level is merged over its items: only the topmost cell has it.
        if !text(columns.level1).is_empty() {
            text(columns.level1).clone_into(&mut first);
        }
        if !level1.iter().any(|(_, name)| *name == first) {
            level1.push((format!("{:02}", level1.len() + 1), first.clone()));
        }
        let digits = level1.iter().find(|(_, name)| *name == first).map_or("01", |(digits, _)| digits.as_str());
        let number = items.iter().filter(|item| item.code.starts_with(digits)).count() + 1;
        let reading = deadline::read(text(columns.deadline), previous.as_ref());
        // 同上 is as certain as what stands above it.
        let repeats = reading.rule.is_some() && deadline::read(text(columns.deadline), None).rule.is_none();
        let needs_review = reading.needs_review || (repeats && previous_review);
        previous_review = needs_review;
        let (channels, unknown_channels) = channels(text(columns.channels));
        let tiers = [("city", columns.city), ("county", columns.county), ("township", columns.township)];
        let specific = text(columns.specific);
        items.push(SheetItem {
            code: format!("{digits}{number:02}"),
            label: label.to_owned(),
            tiers: tiers.into_iter().filter(|(_, column)| is_marked(text(*column))).map(|(tier, _)| tier).collect(),
            content: lines(text(columns.content)),
            deadline_text: text(columns.deadline).to_owned(),
            needs_review,
            rule: reading.rule.clone(),
            legal_basis: lines(text(columns.basis)).iter().map(|line| basis(line)).collect(),
            publisher: text(columns.publisher).to_owned(),
            channels,
            unknown_channels,
            audience_text: (is_marked(specific) && !is_marked(text(columns.everybody))).then(|| specific.to_owned()),
            on_request: is_marked(text(columns.on_request)) && !is_marked(text(columns.proactive)),
            row: row.number,
        });
        previous = reading.rule;
    }
    let sheet = grid.sheet.clone().unwrap_or_default();
    Some(FieldItems { sheet, level1, items }).filter(|field| !field.items.is_empty())
}

/// Whether a cell says yes: any mark but an empty box or a dash.
fn is_marked(text: &str) -> bool {
    !matches!(text.trim(), "" | "□" | "×" | "-" | "—" | "/" | "否")
}

/// Lines of a cell, without their bullets and numbers.
fn lines(text: &str) -> Vec<String> {
    let bullets = ['●', '•', '·', '◆', '■', '－', '-'];
    let plain = text.lines().map(|line| line.trim().trim_start_matches(bullets).trim());
    plain.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The article at the end of a citation.
static ARTICLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"第[〇零一二三四五六七八九十百\d]+条.*$").ok());

/// `《预算法》 主席令第二十二号 第十四条`.
fn basis(line: &str) -> Basis {
    let article = ARTICLE.as_ref().and_then(|article| article.find(line));
    let before = article.map_or(line, |article| &line[..article.start()]).trim();
    let (title, rest) = match before.find('》') {
        Some(end) => before.split_at(end + '》'.len_utf8()),
        None => (before, ""),
    };
    let rest = rest.trim().trim_matches([',', '，', '、']).trim();
    // A number in brackets of its own: 《条例》（国务院令第711号）.
    let inner = rest.strip_prefix(['(', '（']).and_then(|rest| rest.strip_suffix([')', '）']));
    let rest = inner.unwrap_or(rest).trim();
    Basis {
        title: title.trim().to_owned(),
        doc_no: (!rest.is_empty()).then(|| rest.to_owned()),
        article: article.map(|article| article.as_str().trim().to_owned()),
    }
}

/// Marked channels: those of the code list in its words, and the others.
fn channels(text: &str) -> (Vec<String>, Vec<String>) {
    let bare = |name: &str| caption(name);
    let mut known = Vec::new();
    let mut others = Vec::new();
    // ■ begins a chosen channel, □ one that is not.
    let marked = text.split('■').skip(1).map(|part| part.split(['□', '■']).next().unwrap_or(part));
    for name in marked {
        let name = name.trim().trim_matches(|character| ";；,，、".contains(character)).trim();
        match CHANNELS.iter().find(|channel| bare(channel) == bare(name)) {
            Some(channel) => known.push((*channel).to_owned()),
            None if !name.is_empty() => others.push(name.to_owned()),
            None => {}
        }
    }
    (known, others)
}

impl FieldItems {
    /// The declaration as TOML, under a number and a title of the field.
    pub fn to_toml(&self, field: &str, label: &str) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let both = |text: &str| format!("{{ zh = {}, en = {} }}", quoted(text), quoted(text));
        let list =
            |texts: &[String]| format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "));
        let publisher = self.items.first().map_or("", |item| item.publisher.as_str());
        let mut out = format!(
            "# Read from the sheet {}. English labels are to be written.\nfield = {}\nlabel = {}\npublisher = {}\n\n[level1]\n",
            quoted(&self.sheet),
            quoted(field),
            both(label),
            both(publisher)
        );
        for (digits, name) in &self.level1 {
            out += &format!("{digits} = {}\n", both(name));
        }
        for item in &self.items {
            out += &format!("\n[[item]]\n# Row {} of the sheet.\n", item.row);
            for channel in &item.unknown_channels {
                out += &format!("# A channel that is not on the code list: {}\n", channel.replace(['\n', '\r'], " "));
            }
            if item.needs_review {
                out += "# The deadline cannot be read with certainty: declare a `rule` and `reviewed = true`.\n";
            }
            out += &format!("code = {}\nlabel = {}\n", quoted(&item.code), both(&item.label));
            let tiers: Vec<String> = item.tiers.iter().map(|tier| (*tier).to_owned()).collect();
            out += &format!("tiers = {}\ncontent = {}\n", list(&tiers), list(&item.content));
            out += &format!("deadline_text = {}\n", quoted(&item.deadline_text));
            // What stands in the row above no text can say by itself.
            let alone = deadline::read(&item.deadline_text, None).rule;
            if let Some(rule) = item.rule.as_ref().filter(|rule| alone.as_ref() != Some(rule)) {
                let inline = toml::Value::try_from(rule).map(|rule| rule.to_string()).unwrap_or_default();
                out += &format!("rule = {inline}\n");
                if !item.needs_review {
                    out += "reviewed = true\n";
                }
            }
            let basis = item.legal_basis.iter().map(|basis| {
                let mut parts = vec![format!("title = {}", quoted(&basis.title))];
                parts.extend(basis.doc_no.iter().map(|number| format!("doc_no = {}", quoted(number))));
                parts.extend(basis.article.iter().map(|article| format!("article = {}", quoted(article))));
                format!("{{ {} }}", parts.join(", "))
            });
            out += &format!("legal_basis = [{}]\n", basis.collect::<Vec<_>>().join(", "));
            if item.publisher != publisher {
                out += &format!("publisher = {}\n", both(&item.publisher));
            }
            out += &format!("channels = {}\n", list(&item.channels));
            match &item.audience_text {
                Some(text) => out += &format!("audience = \"specific\"\naudience_text = {}\n", quoted(text)),
                None => out += "audience = \"public\"\n",
            }
            if item.on_request {
                out += "mode = \"on_request\"\n";
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, read_document};

    const SHEET: &str = "\
攀枝花市仁和区扶贫领域政务公开标准目录,,,,,,,,,,,,,,
序号,公开事项,,公开内容（要素）,公开依据,公开时限,公开主体,公开渠道和载体,公开对象,,公开方式,,公开层级,,
,一级事项,二级事项,,,,,,全社会,特定群体（群众）,主动,依申请公开,市级,县级,乡、村级
1,扶贫对象,贫困人口识别,\"●识别标准
●名单\",《中华人民共和国政府信息公开条例》（国务院令第711号）第二十条,自信息形成或变更之日起20个工作日内,乡镇人民政府,□政府网站 ■公开查阅点 ■社区/企事业单位/村公示栏（电子屏） ■村务微信群,,本行政村村民,√,,,,√
2,,扶贫成效,●年度减贫,《信息公开条例》,同上,区扶贫局,■政府网站 □政府公报,√,,√,,,√,√
3,资金,资金分配结果,●金额,国开办发〔2018〕11号,每月10日前；每年6月5日前,区扶贫局,■政府网站,√,,,√,√,√,
4,,项目进展,●进展,国开办发〔2018〕11号,同上,区扶贫局,■政府网站,√,,√,,,√,
";

    #[test]
    fn a_sheet_with_merged_levels_marks_and_boxes_is_read() {
        let document = read_document(SHEET.as_bytes(), &Limits::default()).expect("reads");
        let fields = read(&document).expect("a catalogue");
        let [field] = &fields[..] else { panic!("{fields:?}") };
        assert_eq!(field.level1, [("01".into(), "扶贫对象".into()), ("02".into(), "资金".into())]);
        let [first, second, third, fourth] = &field.items[..] else { panic!("{:?}", field.items) };
        assert_eq!((first.code.as_str(), second.code.as_str(), third.code.as_str()), ("0101", "0102", "0201"));
        assert_eq!(first.content, ["识别标准", "名单"]);
        let basis = &first.legal_basis[0];
        assert_eq!(basis.title, "《中华人民共和国政府信息公开条例》");
        assert_eq!((basis.doc_no.as_deref(), basis.article.as_deref()), (Some("国务院令第711号"), Some("第二十条")));
        assert_eq!(first.channels, ["公开查阅点", "社区/企事业单位/村公示栏(电子屏)"]);
        assert_eq!(first.unknown_channels, ["村务微信群"]);
        assert_eq!((first.audience_text.as_deref(), &first.tiers[..]), (Some("本行政村村民"), &["township"][..]));
        // 同上 repeats what stands above it, and is certain.
        assert!(!second.needs_review && second.audience_text.is_none());
        assert_eq!(second.tiers, ["county", "township"]);
        assert!(third.needs_review && third.on_request);
        // It is no more certain than what it repeats.
        assert!(fourth.needs_review && fourth.rule == third.rule);
        let declared: toml::Table = toml::from_str(&field.to_toml("14", "扶贫")).expect("TOML");
        let items = declared["item"].as_array().expect("items");
        assert_eq!(items.len(), 4);
        assert_eq!(items[3].get("reviewed"), None);
        assert_eq!(items[1]["rule"]["n"].as_integer(), Some(20));
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_refused() {
        let document = read_document("a,b\n1,2\n".as_bytes(), &Limits::default()).expect("reads");
        assert!(matches!(read(&document), Err(SheetError::NoHeader { .. })));
    }
}
