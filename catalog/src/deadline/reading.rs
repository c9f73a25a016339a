//! Texts of 公开时限 to rules.
//!
//! A text is brought to one width, then looked up in a table of whole phrases, then matched by patterns from the most particular
//! to the most general. What a text says beyond the rule that was found (a second span, another frequency, an exception for one
//! tier) makes it one for a person to review; the rule is that of what stands first.

use std::sync::LazyLock;

use chinese_number::{ChineseCountMethod, ChineseToNumber};
use regex::{Captures, Regex};

use super::{Anchor, DeadlineRule, Frequency, Roll, Span, SpanUnit};

/// What a text of 公开时限 was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The rule; none where the text says nothing that can be reckoned with.
    pub rule: Option<DeadlineRule>,
    /// Whether a person has to look at it.
    pub needs_review: bool,
}

impl Reading {
    fn sure(rule: DeadlineRule) -> Self {
        Self { rule: Some(rule), needs_review: false }
    }

    fn unread() -> Self {
        Self { rule: None, needs_review: true }
    }
}

/// Longest span that a text can mean; what is longer was misread.
const MOST: u32 = 3_660;

/// 及时 without more: what is expected, and what article 26 of the regulation allows.
const PROMPT: DeadlineRule = DeadlineRule::Prompt {
    soft: Span { n: 3, unit: SpanUnit::Workday },
    hard: GENERAL,
    anchor: Anchor::FormedOrChanged,
};

/// Article 26 of the regulation: twenty working days.
const GENERAL: Span = Span { n: 20, unit: SpanUnit::Workday };

const fn within(n: u32, unit: SpanUnit, anchor: Anchor) -> DeadlineRule {
    DeadlineRule::Within { n, unit, anchor, roll: Roll::None }
}

const fn recurring(freq: Frequency, n: u32, unit: SpanUnit) -> DeadlineRule {
    DeadlineRule::Recurring { freq, offset: Span { n, unit }, hour: None, roll: Roll::None }
}

/// Reads a text. `previous` is the rule of the row above, which 同上 repeats.
pub fn read(text: &str, previous: Option<&DeadlineRule>) -> Reading {
    let plain = plain(text);
    if plain.is_empty() {
        return Reading::unread();
    }
    if matches!(plain.as_str(), "同上" | "同前" | "〃") {
        return previous.cloned().map_or(Reading::unread(), Reading::sure);
    }
    if let Some(reading) = phrase(&plain) {
        return reading;
    }
    // What stands first counts; of two that begin at the same place, the more particular pattern.
    let found = PATTERNS.iter().filter_map(|pattern| {
        let found = pattern.regex.captures(&plain)?;
        let (rule, is_certain) = (pattern.rule)(&found, &plain)?;
        Some((found.get(0)?.range(), rule, is_certain))
    });
    let first = found.min_by_key(|(range, ..)| range.start);
    let general = || GENERAL_WORDS.is_match(&plain).then_some(within(GENERAL.n, GENERAL.unit, Anchor::FormedOrChanged));
    if first.is_none() && plain.contains("双公示") {
        return Reading::sure(within(7, SpanUnit::Workday, Anchor::Decision));
    }
    match first {
        Some((range, rule, is_certain)) => {
            let rest = format!("{}|{}", &plain[..range.start], &plain[range.end..]);
            Reading { rule: Some(rule), needs_review: !is_certain || SAYS_MORE.is_match(&rest) }
        }
        None => Reading { rule: general(), needs_review: true },
    }
}

/// One width, no blanks, one wording for what is written in several ways.
fn plain(text: &str) -> String {
    let narrow: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && !matches!(character, '\u{200b}' | '\u{feff}'))
        .map(|character| match character {
            '〔' | '【' | '[' => '(',
            '〕' | '】' | ']' => ')',
            '。' | '；' | '、' => ';',
            '“' | '”' | '"' | '《' | '》' => '\'',
            '—' | '－' | '～' | '~' => '-',
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0).unwrap_or(character),
            other => other,
        })
        .collect();
    let mut plain = narrow.replace('\'', "");
    for (from, to) in [
        ("之内", "内"),
        ("以内", "内"),
        ("或者", "或"),
        ("之前", "前"),
        ("以前", "前"),
        ("廿", "二十"),
        ("个工作天", "个工作日"),
        ("工作天", "工作日"),
        ("自然日", "日"),
        ("日历日", "日"),
        ("日历天", "日"),
        ("每个", "每"),
        ("每季度", "每季"),
        ("按季度", "按季"),
        ("按月", "每月"),
        ("按季", "每季"),
        ("按年", "每年"),
        ("按周", "每周"),
        ("逐月", "每月"),
        ("每年度", "每年"),
    ] {
        plain = plain.replace(from, to);
    }
    let plain = YEAR_IN_WORDS.replace_all(&plain, |year: &Captures<'_>| {
        year[1]
            .chars()
            .map(|digit| match "零一二三四五六七八九".chars().position(|known| known == digit) {
                Some(digit) => digit.to_string(),
                None => "0".to_owned(),
            })
            .collect::<String>()
            + "年"
    });
    plain.trim_matches(|character| matches!(character, ';' | ',' | '.' | ':')).to_owned()
}

/// Whole phrases.
fn phrase(plain: &str) -> Option<Reading> {
    let rule = match plain.strip_suffix("公开").or_else(|| plain.strip_suffix("公布")).unwrap_or(plain) {
        "及时" | "及时主动" | "主动及时" | "第一时间" => PROMPT,
        "实时" | "实时更新" => DeadlineRule::Realtime { n: 1, unit: SpanUnit::Hour },
        "即时" | "立即" | "随时" => within(1, SpanUnit::Hour, Anchor::Event),
        "每日" | "每天" | "按日" | "逐日" => DeadlineRule::Recurring {
            freq: Frequency::Daily,
            offset: Span { n: 1, unit: SpanUnit::Day },
            hour: Some(12),
            roll: Roll::None,
        },
        "每周" => recurring(Frequency::Weekly, 2, SpanUnit::Workday),
        "每季" => recurring(Frequency::Quarterly, 15, SpanUnit::Day),
        "每半年" | "半年" => recurring(Frequency::Halfyearly, 31, SpanUnit::Day),
        "长期" | "长期有效" | "常年" | "常年有效" | "长期公示" => DeadlineRule::LongTerm,
        "动态更新" | "按实际更新" | "变更后更新" | "动态" | "动态调整" | "实际更新" | "变更后及时更新" => {
            DeadlineRule::OnChange { n: GENERAL.n, unit: GENERAL.unit }
        }
        "按照有关规定" | "按有关规定" | "依法" | "按规定" | "依规" | "依法依规" | "按照规定" | "按要求"
        | "依法及时" => {
            return Some(Reading {
                rule: Some(within(GENERAL.n, GENERAL.unit, Anchor::FormedOrChanged)),
                needs_review: true,
            });
        }
        // How long after the period it does not say.
        "每月" | "定期" => {
            return Some(Reading { rule: Some(recurring(Frequency::Monthly, 15, SpanUnit::Day)), needs_review: true });
        }
        "每年" | "年度" => {
            return Some(Reading { rule: Some(recurring(Frequency::Yearly, 31, SpanUnit::Day)), needs_review: true });
        }
        "双公示" => within(7, SpanUnit::Workday, Anchor::Decision),
        _ => return None,
    };
    Some(Reading::sure(rule))
}

/// A number in digits of either kind.
fn number(text: &str) -> Option<u32> {
    let number = match text.parse() {
        Ok(number) => number,
        Err(_) => text.replace('两', "二").replace('〇', "零").to_number(ChineseCountMethod::TenThousand).ok()?,
    };
    (1..=MOST).contains(&number).then_some(number)
}

fn unit(text: &str) -> SpanUnit {
    match text {
        "工作日" => SpanUnit::Workday,
        "小时" => SpanUnit::Hour,
        "分钟" => SpanUnit::Minute,
        "个月" => SpanUnit::Month,
        _ => SpanUnit::Day,
    }
}

/// A number with its unit; weeks are days.
fn span(n: &str, of: &str) -> Option<Span> {
    let n = number(n)?;
    Some(Span { n: if of == "周" { n * 7 } else { n }, unit: unit(of) })
}

/// Words that name an event, the particular before the general.
const ANCHORS: [(&str, Anchor); 25] = [
    ("批复", Anchor::Replied),
    ("批准", Anchor::Approved),
    ("审议通过", Anchor::Approved),
    ("表决通过", Anchor::Approved),
    ("下达", Anchor::Allocated),
    ("分配", Anchor::Allocated),
    ("拨付", Anchor::Allocated),
    ("决定", Anchor::Decision),
    ("受理", Anchor::Accepted),
    ("收到", Anchor::Received),
    ("收文", Anchor::Received),
    ("形成", Anchor::FormedOrChanged),
    ("变更", Anchor::FormedOrChanged),
    ("生成", Anchor::FormedOrChanged),
    ("产生", Anchor::FormedOrChanged),
    ("制作", Anchor::FormedOrChanged),
    ("获取", Anchor::FormedOrChanged),
    ("印发", Anchor::FormedOrChanged),
    ("更新", Anchor::FormedOrChanged),
    ("发生", Anchor::Event),
    ("事发", Anchor::Event),
    ("结束", Anchor::PeriodEnd),
    ("终了", Anchor::PeriodEnd),
    ("期满", Anchor::PeriodEnd),
    ("届满", Anchor::PeriodEnd),
];

/// The event that a span is counted from: the one named last before it, else the first after it. Hours and minutes are counted
/// from what happens, days from when the information is there.
fn anchor(text: &str, at: usize, unit: SpanUnit) -> Anchor {
    let (before, after) = text.split_at(at);
    let nearest =
        ANCHORS.iter().filter_map(|(word, anchor)| Some((before.rfind(word)?, *anchor))).max_by_key(|(at, _)| *at);
    let next =
        || ANCHORS.iter().filter_map(|(word, anchor)| Some((after.find(word)?, *anchor))).min_by_key(|(at, _)| *at);
    let unnamed = match unit {
        SpanUnit::Hour | SpanUnit::Minute => Anchor::Event,
        _ if text.contains("双公示") => Anchor::Decision,
        _ => Anchor::FormedOrChanged,
    };
    nearest.or_else(next).map_or(unnamed, |(_, anchor)| anchor)
}

/// 二〇一九年.
static YEAR_IN_WORDS: LazyLock<Regex> = LazyLock::new(|| regex("([〇零一二三四五六七八九]{4})年"));

/// Words that leave everything to the law: twenty working days, for a person to look at.
static GENERAL_WORDS: LazyLock<Regex> = LazyLock::new(|| regex("依法|规定|依规|要求"));

/// Another span, frequency, date or exception beside the rule that was found.
static SAYS_MORE: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"N个?(工作日|日|天|小时|分钟)|N[时点]前|N个月|N月|每(日|天|周|月|季|半年|年)|实时|年底|年内|除外|另有")
});

struct Pattern {
    regex: Regex,
    /// The rule, and whether the text is certain; none where the pattern does not hold after all.
    rule: fn(&Captures<'_>, &str) -> Option<(DeadlineRule, bool)>,
}

/// A pattern in which `N` is a number.
fn regex(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "the patterns stand below and are all compiled by every test")]
    Regex::new(&pattern.replace('N', r"(?:\d+|[〇零一二两三四五六七八九十百]+)")).expect("a pattern of this file")
}

fn day_of_year(month: &str, day: &str) -> Option<(u32, u32)> {
    let (month, day) = (number(month)?, number(day)?);
    // A leap year, so that the 29th of February is a day.
    chrono::NaiveDate::from_ymd_opt(2020, month, day).map(|_| (month, day))
}

/// A number at the beginning: of a day or an hour.
static NUMBER_FIRST: LazyLock<Regex> = LazyLock::new(|| regex("^N(?:[日号时点]|:00)"));

fn ends_with_number(text: &str) -> bool {
    text.ends_with(|last: char| last.is_ascii_digit() || "〇零一二两三四五六七八九十百".contains(last))
}

/// Last day of a month; 28 in February.
fn last_day(month: u32) -> Option<u32> {
    chrono::NaiveDate::from_ymd_opt(2019, month, 1)?.checked_add_months(chrono::Months::new(1))?.pred_opt().map(|day| {
        use chrono::Datelike as _;
        day.day()
    })
}

fn freq(word: &str) -> Option<Frequency> {
    Some(match word {
        "日" | "天" => Frequency::Daily,
        "周" => Frequency::Weekly,
        "月" | "月度" | "月份" => Frequency::Monthly,
        "季" | "季度" => Frequency::Quarterly,
        "半年" | "半年度" => Frequency::Halfyearly,
        "年" | "年度" | "年终" => Frequency::Yearly,
        _ => return None,
    })
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let pattern = |text: &str, rule| Pattern { regex: regex(text), rule };
    vec![
        // 公示期不少于10天; 张贴时间不少于七个工作日.
        pattern(
            r"(?:公示|张贴|展示|公告)[()]*(?:期限|时间|期间|时限|期)?[()]*(?:为|是|应当|应|一般)*(?:不得少于|不少于|不低于|不短于|至少|满)?为?(?:(N)(?:-|至|到))?(N)个?(工作日|日|天|周)(?:以上)?\)?",
            |found, _| {
                let Span { n, unit } = span(&found[2], &found[3])?;
                Some((DeadlineRule::MinDisplay { n, unit }, found.get(1).is_none()))
            },
        ),
        // 每年3月31日前, 次年6月30日前公开上一年度.
        pattern(r"(每年|次年|下一年|下年)(N)月(N)[日号]前?", |found, _| {
            let (month, day) = day_of_year(&found[2], &found[3])?;
            Some((DeadlineRule::ByDate { month, day, year: None }, true))
        }),
        pattern(r"每年(N)月(?:底|末)前?", |found, _| {
            let month = number(&found[1])?;
            Some((DeadlineRule::ByDate { month, day: last_day(month)?, year: None }, true))
        }),
        pattern(r"每年(?:年底|年末|年终|底)前?", |_, _| {
            Some((DeadlineRule::ByDate { month: 12, day: 31, year: None }, true))
        }),
        // 每月第5个工作日前.
        pattern(r"(?:每月|次月)(?:的)?第(N)个?工作日(?:前|内)?", |found, _| {
            Some((recurring(Frequency::Monthly, number(&found[1])?, SpanUnit::Workday), true))
        }),
        // 每季(首月15日前), 每季后15日内.
        pattern(
            r"每(季|半年)(?:\(|,|;|后|结束后|终了后)*(?:次季首月|季后首月|季后次月|下季首月|首月|次月|次季度首月)?的?(N)(个?工作日|[日号天])(?:前|内)\)?",
            |found, _| {
                let unit = if found[3].ends_with("工作日") { SpanUnit::Workday } else { SpanUnit::Day };
                Some((recurring(freq(&found[1])?, number(&found[2])?, unit), true))
            },
        ),
        // 每月10日前, 次月20日前.
        pattern(r"(?:每月\(?,?(?:次月)?|次月|每月的|下月)(N)[日号]前\)?", |found, _| {
            let day = number(&found[1])?;
            (day <= 31).then(|| (recurring(Frequency::Monthly, day, SpanUnit::Day), true))
        }),
        // 每周(周后2个工作日内).
        pattern(r"每周\(?(?:周后|次周)?(N)个?(工作日|日|天)内?\)?", |found, _| {
            let Span { n, unit } = span(&found[1], &found[2])?;
            Some((recurring(Frequency::Weekly, n, unit), true))
        }),
        // 每日(次日12时前).
        pattern(r"每[日天]\(?(?:次日|第二日|次天)(N)[时点]前\)?", |found, _| {
            let hour = number(&found[1]).filter(|hour| *hour <= 24)?;
            let offset = Span { n: 1, unit: SpanUnit::Day };
            Some((DeadlineRule::Recurring { freq: Frequency::Daily, offset, hour: Some(hour), roll: Roll::None }, true))
        }),
        // 每日17时前.
        pattern(r"每[日天](N)(?:[时点]|:00)前?", |found, _| {
            let hour = number(&found[1]).filter(|hour| *hour <= 24)?;
            let offset = Span { n: 0, unit: SpanUnit::Day };
            Some((DeadlineRule::Recurring { freq: Frequency::Daily, offset, hour: Some(hour), roll: Roll::None }, true))
        }),
        // 年度结束后20个工作日内, 月度终了后15日内.
        pattern(
            r"(?:每)?(半年度?|年度|年终|月份|月度|季度?|年|月|周)(?:结束|终了)(?:之日起|后|之后)*(?:的)?(N)个?(工作日|日|天)内",
            |found, _| {
                let Span { n, unit } = span(&found[2], &found[3])?;
                Some((recurring(freq(&found[1])?, n, unit), true))
            },
        ),
        // 2019年底前, 2019年12月31日前, 年内.
        pattern(r"(\d{4})年(N)月(N)[日号]前?", |found, _| {
            let (month, day) = day_of_year(&found[2], &found[3])?;
            let year = found[1].parse().ok()?;
            chrono::NaiveDate::from_ymd_opt(year, month, day)?;
            Some((DeadlineRule::ByDate { month, day, year: Some(year) }, true))
        }),
        pattern(r"(\d{4})年(N)月(?:底|末)前?", |found, _| {
            let month = number(&found[2])?;
            Some((DeadlineRule::ByDate { month, day: last_day(month)?, year: found[1].parse().ok() }, true))
        }),
        pattern(r"(\d{4})年?(?:年底|年末|年内|底|末|内)前?(?:完成)?", |found, _| {
            Some((DeadlineRule::ByDate { month: 12, day: 31, year: found[1].parse().ok() }, true))
        }),
        pattern(r"(?:当年|本年)?(?:年底|年末|年内|年终)前?", |found, text| {
            if ends_with_number(&text[..found.get(0)?.start()]) {
                return None;
            }
            Some((DeadlineRule::ByDate { month: 12, day: 31, year: None }, true))
        }),
        pattern(r"(N)月(?:底|末)前", |found, _| {
            let month = number(&found[1])?;
            Some((DeadlineRule::ByDate { month, day: last_day(month)?, year: None }, true))
        }),
        pattern(r"(N)月(N)[日号]前", |found, text| {
            if text[..found.get(0)?.start()].ends_with('年') {
                return None;
            }
            let (month, day) = day_of_year(&found[1], &found[2])?;
            Some((DeadlineRule::ByDate { month, day, year: None }, true))
        }),
        // 实时公开, 最迟不超过2小时.
        pattern(r"实时.{0,12}?(N)个?(小时|分钟)内?", |found, _| {
            let Span { n, unit } = span(&found[1], &found[2])?;
            Some((DeadlineRule::Realtime { n, unit }, true))
        }),
        // 5-10个工作日内: the later end, for a person to look at.
        pattern(
            r"(N)(?:个?(?:工作日|日|天|小时|周)|个月)?(?:-|至|到)(N)个?(工作日|日|天|小时|个月|周)内?",
            |found, text| {
                let Span { n, unit } = span(&found[2], &found[3])?;
                Some((within(n, unit, anchor(text, found.get(0)?.start(), unit)), false))
            },
        ),
        // …之日起20个工作日内. 召开5日前 is no span after an event.
        pattern(r"(N)(?:个?(工作日|日|天|小时|分钟|周)|(个月))(内|前)?", |found, text| {
            if found.get(4).is_some_and(|word| word.as_str() == "前") {
                return None;
            }
            let whole = found.get(0)?;
            let before = &text[..whole.start()];
            if before.ends_with(['月', '第', '.'])
                || before.ends_with('前')
                || before.ends_with("每")
                || before.ends_with('年')
            {
                return None;
            }
            let of = found.get(2).or(found.get(3)).map_or("", |unit| unit.as_str());
            let Span { n, unit } = span(&found[1], of)?;
            Some((within(n, unit, anchor(text, whole.start(), unit)), true))
        }),
        pattern(r"定期(?:公开|公布|发布|更新|公示)|\(定期\)", |found, text| {
            let is_denied = text[..found.get(0)?.start()].ends_with('不');
            (!is_denied).then(|| (recurring(Frequency::Monthly, 15, SpanUnit::Day), false))
        }),
        pattern(r"每(季|半年|周|日|天|月)", |found, text| {
            // What follows names a day or an hour that there is not.
            if NUMBER_FIRST.is_match(&text[found.get(0)?.end()..]) {
                return None;
            }
            let rule = match freq(&found[1])? {
                Frequency::Daily => DeadlineRule::Recurring {
                    freq: Frequency::Daily,
                    offset: Span { n: 1, unit: SpanUnit::Day },
                    hour: Some(12),
                    roll: Roll::None,
                },
                Frequency::Weekly => recurring(Frequency::Weekly, 2, SpanUnit::Workday),
                Frequency::Halfyearly => recurring(Frequency::Halfyearly, 31, SpanUnit::Day),
                other => recurring(other, 15, SpanUnit::Day),
            };
            // Of a month it does not say how long after it.
            Some((rule, &found[1] != "月"))
        }),
        pattern(r"实时", |_, _| Some((DeadlineRule::Realtime { n: 1, unit: SpanUnit::Hour }, true))),
        pattern(r"即时|立即|马上", |_, _| Some((within(1, SpanUnit::Hour, Anchor::Event), true))),
        pattern(r"动态(?:更新|调整)|(?:变更|变化|调整)后(?:及时)?更新", |_, _| {
            Some((DeadlineRule::OnChange { n: GENERAL.n, unit: GENERAL.unit }, true))
        }),
        pattern(r"及时|第一时间|尽快", |_, _| Some((PROMPT, true))),
        // 中长期规划 is a plan.
        pattern(r"长期|常年", |found, text| {
            (!text[..found.get(0)?.start()].ends_with('中')).then_some((DeadlineRule::LongTerm, true))
        }),
    ]
});

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The list was written from the table of phrases of the specification alone.
    #[test]
    fn phrases_are_read_as_they_are_meant() {
        let mut reader = csv::Reader::from_reader(include_str!("phrases.csv").as_bytes());
        let mut wrong = Vec::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for record in reader.records() {
            let record = record.expect("a line of four fields");
            let (text, rule, needs_review) = (&record[0], &record[1], &record[2] == "true");
            let expected: Option<DeadlineRule> = (!rule.is_empty())
                .then(|| serde_json::from_str(rule).unwrap_or_else(|error| panic!("{text}: {error}")));
            *counts.entry(expected.as_ref().map_or("refused", DeadlineRule::kind)).or_default() += 1;
            let found = read(text, None);
            if found.rule != expected || found.needs_review != needs_review {
                let printed = found.rule.as_ref().map(|rule| serde_json::to_string(rule).expect("JSON"));
                wrong.push(format!(
                    "{text:?}\n  expected {rule} {needs_review}\n  found    {} {}",
                    printed.unwrap_or_default(),
                    found.needs_review
                ));
            }
        }
        assert!(counts.values().sum::<usize>() >= 300, "{counts:?}");
        assert!(counts.get("refused").is_some_and(|count| *count >= 40), "{counts:?}");
        assert!(wrong.is_empty(), "{} of {counts:?}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn the_same_as_above_repeats_the_rule_above() {
        let above = read("批准后20日内", None);
        assert_eq!(read("同上", above.rule.as_ref()), above);
        assert_eq!((read("同上", None).rule, read("同上", None).needs_review), (None, true));
    }
}
