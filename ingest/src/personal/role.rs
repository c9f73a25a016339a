//! What a header, or the label before a value, says of the values: the part of the rules that words decide.

use std::sync::LazyLock;

use regex::Regex;

/// What the words promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Role {
    /// Identity numbers.
    Identity,
    /// Bank accounts and cards.
    Account,
    /// Telephones.
    Phone,
    /// Telephones that have to be public: 举报电话, 监督电话.
    Hotline,
    /// Numbers of things: codes, orders, documents, counts.
    Thing,
    /// Names of persons who receive something or are looked after; never public.
    Beneficiary,
    /// Names of persons whose part is not told.
    Name,
    /// Names of persons responsible for a unit or project; public by decision 27.
    Official,
    /// Days of birth.
    Birth,
    /// Where a household lives.
    Address,
    /// Illness, disability, cause of poverty.
    Health,
    /// Passports, permits, vehicle plates, mail and messenger accounts.
    Other,
}

impl Role {
    /// Whether what stands in the column is a person's by itself, and no number.
    pub fn is_of_persons(self) -> bool {
        matches!(self, Self::Beneficiary | Self::Name | Self::Birth | Self::Address | Self::Health | Self::Other)
    }
}

/// Headers are short; a sentence is none.
const LONGEST_HEADER_CHARS: usize = 24;

/// In this order: the first that matches holds.
static HEADERS: LazyLock<Vec<(Role, Regex)>> = LazyLock::new(|| {
    [
        (Role::Hotline, "(举报|监督|投诉|咨询|服务|办公|值班|监管)(电话|热线|号码)"),
        (Role::Thing, "信用代码|机构代码|纳税人识别号"),
        (Role::Other, "护照|通行证|军官证|车牌|微信|邮箱|电子邮件|(?i:e-?mail|passport|plate)"),
        (Role::Health, "致贫原因|健康状况|病种|疾病名称|患病|残疾(证|类别|等级)|(?i:hiv)"),
        (Role::Identity, "身份证|证件号|公民身份|身份号码|(?i:id_?(card|no|number)|identity)"),
        (Role::Account, "账号|帐号|卡号|账户|帐户|一卡通|存折|(?i:(bank_?)?(account|card)_?(no|number))"),
        (Role::Phone, "手机|电话|联系方式|移动号码|(?i:mobile|phone|^tel)"),
        (Role::Birth, "出生(日期|年月|时间)|生日|(?i:birth_?da(te|y)|date_?of_?birth|^dob$)"),
        (
            Role::Beneficiary,
            "^.{0,4}(户主|(贫困户|学生|患者|残疾人|低保户|五保户)姓名|受益人|领款人|领取人|持卡人|收款人|帮扶责任人|帮扶干部|\
             家庭成员|投诉人|举报人)(姓名|名字)?([（(].*)?$",
        ),
        (Role::Official, "责任人|负责人|法定代表人|法人代表|经办人|审核人|填报人|填表人|制表人"),
        (Role::Name, "^.{0,4}(姓名|户名|联系人|申请人)([（(].*)?$"),
        (Role::Address, "家庭(住址|地址)|户籍(地|地址|所在地)|现?住址"),
        (
            Role::Thing,
            "编码|代码|编号|文号|序号|单号|流水|订单|[数量额值计元]$|[数量额值元][（(]|累计|\
             (?i:code|count|amount|order|total|value|number|_?id$)",
        ),
    ]
    .into_iter()
    .map(|(role, pattern)| (role, Regex::new(pattern).expect("a pattern of this list")))
    .collect()
});

static ANY: LazyLock<Regex> = LazyLock::new(|| {
    let all: Vec<&str> = HEADERS.iter().map(|(_, pattern)| pattern.as_str()).collect();
    Regex::new(&all.join("|")).expect("patterns of this list")
});

/// What a header says; `None` for one that says nothing of persons, and for texts that are no header.
pub(super) fn role_of(header: &str) -> Option<Role> {
    let is_header_long = (2..=LONGEST_HEADER_CHARS * 4).contains(&header.len());
    if !is_header_long || !(ANY.is_match(header) || header.contains(char::is_whitespace)) {
        return None;
    }
    let plain: String = header.chars().filter(|character| !character.is_whitespace()).collect();
    if plain.chars().count() > LONGEST_HEADER_CHARS || plain.bytes().filter(u8::is_ascii_digit).count() > 6 {
        return None;
    }
    let role = HEADERS.iter().find(|(_, pattern)| pattern.is_match(&plain))?.0;
    // 受益贫困户数, 残疾证人数: counts of persons are no persons.
    let is_count = plain.ends_with('数') || plain.contains("数（") || plain.contains("数(");
    Some(if is_count { Role::Thing } else { role })
}

/// What the words around a number say, where no header does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints {
    pub identity: bool,
    pub account: bool,
    pub phone: bool,
    pub hotline: bool,
    pub thing: bool,
    pub credit_code: bool,
}

impl Hints {
    /// Adds what a text says.
    pub fn read(&mut self, text: &str) {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        self.identity |= has(&["身份证", "证件号", "身份号码"]);
        self.account |= has(&["账号", "帐号", "卡号", "一卡通", "存折"]);
        self.phone |= has(&["手机", "电话", "联系方式"]);
        self.hotline |= has(&["举报电话", "监督电话", "投诉电话", "咨询电话", "服务电话", "热线"]);
        self.credit_code |= has(&["信用代码"]);
    }

    /// Adds what a column's header says.
    pub fn with_role(mut self, role: Option<Role>) -> Self {
        match role {
            Some(Role::Identity) => self.identity = true,
            Some(Role::Account) => self.account = true,
            Some(Role::Phone) => self.phone = true,
            Some(Role::Hotline) => self.hotline = true,
            Some(Role::Thing) => self.thing = true,
            _ => {}
        }
        self
    }
}

/// Whether a text looks like the name of a person: two to four Chinese characters, or parts joined by a point.
pub(super) fn looks_like_name(text: &str) -> bool {
    const UNITS: [char; 16] =
        ['局', '村', '镇', '乡', '县', '市', '区', '省', '司', '厅', '部', '办', '院', '校', '社', '户'];
    let plain: Vec<char> = text.chars().filter(|character| !character.is_whitespace()).collect();
    let is_han = |character: &char| ('\u{4E00}'..='\u{9FFF}').contains(character);
    let has_point = plain.iter().any(|character| matches!(character, '·' | '•'));
    if has_point {
        return plain.len() <= 16 && plain.iter().all(|character| is_han(character) || matches!(character, '·' | '•'));
    }
    (2..=4).contains(&plain.len())
        && plain.iter().all(is_han)
        && !plain.last().is_some_and(|last| UNITS.contains(last))
        && !["合计", "小计", "总计", "姓名", "户主", "其他", "无"].contains(&plain.iter().collect::<String>().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_what_stands_below_them() {
        for (header, role) in [
            ("身份证号码", Some(Role::Identity)),
            ("户 主 姓 名", Some(Role::Beneficiary)),
            ("帮扶责任人", Some(Role::Beneficiary)),
            ("责任人", Some(Role::Official)),
            ("举报电话", Some(Role::Hotline)),
            ("统一社会信用代码", Some(Role::Thing)),
            ("联系电话", Some(Role::Phone)),
            ("受益贫困户数", Some(Role::Thing)),
            ("贫困户主要劳动力培训", None),
            ("与户主关系", None),
            ("残疾人事业", None),
            ("Birth Population (person)", None),
            ("地区", None),
        ] {
            assert_eq!(role_of(header), role, "{header}");
        }
    }

    #[test]
    fn names_of_persons_are_short_and_name_no_unit() {
        assert!(looks_like_name("张三丰") && looks_like_name("阿依·古丽"));
        assert!(!looks_like_name("财政局") && !looks_like_name("张*丰") && !looks_like_name("合计"));
    }
}
