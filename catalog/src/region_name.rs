//! The forms in which a region's name is written.
//!
//! Departments shorten: 攀枝花市 → 攀枝花, 甘南藏族自治州 → 甘南州, 克孜勒苏柯尔克孜自治州 → 克孜勒苏自治州.
//! A name and its short forms meet in the same normal forms here; which of two regions is meant is for
//! [`crate::RegionList::resolve`] to decide.

/// Peoples named in the titles of autonomous units, longest first so that none cuts another.
const PEOPLES: [&str; 46] = [
    "柯尔克孜",
    "鄂伦春",
    "鄂温克",
    "维吾尔",
    "哈萨克",
    "土家族",
    "布依族",
    "仡佬族",
    "塔吉克",
    "蒙古族",
    "朝鲜族",
    "达斡尔族",
    "保安族",
    "东乡族",
    "撒拉族",
    "裕固族",
    "布朗族",
    "拉祜族",
    "哈尼族",
    "傈僳族",
    "景颇族",
    "独龙族",
    "普米族",
    "纳西族",
    "仫佬族",
    "毛南族",
    "锡伯",
    "蒙古",
    "藏族",
    "羌族",
    "彝族",
    "白族",
    "傣族",
    "壮族",
    "瑶族",
    "苗族",
    "侗族",
    "回族",
    "满族",
    "黎族",
    "土族",
    "水族",
    "佤族",
    "怒族",
    "畲族",
    "京族",
];

/// Every form under which a name is filed and sought, the name itself first.
pub fn short_forms(name: &str) -> Vec<String> {
    let name = without_blanks(name);
    let mut forms = vec![name.clone()];
    let mut add = |form: String| {
        if form.chars().count() >= 2 && !forms.contains(&form) {
            forms.push(form);
        }
    };
    if let Some(stem) = autonomous_stem(&name) {
        for (official, short) in [("自治州", "州"), ("自治县", "县"), ("自治旗", "旗"), ("自治区", "")] {
            if name.ends_with(official) {
                add(format!("{stem}{short}"));
                add(stem.clone());
            }
        }
    } else if let Some(stem) = name.strip_suffix("州").filter(|stem| stem.chars().count() >= 2) {
        add(stem.to_owned());
    }
    for suffix in ["特别行政区", "地区", "省", "市", "盟", "区", "县", "旗"] {
        if let Some(stem) = name.strip_suffix(suffix) {
            add(stem.to_owned());
            break;
        }
    }
    forms
}

/// A name without the blanks that departments put between its characters, seen or not.
pub(crate) fn without_blanks(name: &str) -> String {
    let is_unseen = |character: char| matches!(character, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}');
    name.chars().filter(|character| !character.is_whitespace() && !is_unseen(*character)).collect()
}

/// The part of an autonomous unit's name before the peoples it is named for.
fn autonomous_stem(name: &str) -> Option<String> {
    let mut stem = ["自治州", "自治县", "自治旗", "自治区"].iter().find_map(|suffix| name.strip_suffix(suffix))?;
    loop {
        let shorter = PEOPLES.iter().find_map(|people| {
            stem.strip_suffix(people)
                .or_else(|| stem.strip_suffix("族").and_then(|rest| rest.strip_suffix(people)))
                .or_else(|| stem.strip_suffix("各族"))
        });
        match shorter.filter(|rest| rest.chars().count() >= 2) {
            Some(rest) => stem = rest,
            None => return Some(stem.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(a: &str, b: &str) -> bool {
        short_forms(a).iter().any(|form| short_forms(b).contains(form))
    }

    #[test]
    fn written_short_forms_meet_the_official_name() {
        for (written, official) in [
            ("攀枝花", "攀枝花市"),
            ("甘南州", "甘南藏族自治州"),
            ("昌吉州", "昌吉回族自治州"),
            ("克孜勒苏自治州", "克孜勒苏柯尔克孜自治州"),
            ("阿坝州", "阿坝藏族羌族自治州"),
            ("新疆", "新疆维吾尔自治区"),
            ("黔东南州", "黔东南苗族侗族自治州"),
            ("伊犁州", "伊犁哈萨克自治州"),
            ("兴安", "兴安盟"),
            ("三都县", "三都水族自治县"),
            ("海  北 州", "海北藏族自治州"),
        ] {
            assert!(meet(written, official), "{written} / {official}");
        }
    }

    #[test]
    fn names_of_one_character_are_never_made() {
        assert_eq!(short_forms("东区"), ["东区"]);
    }
}
