//! The draft as TOML.

use std::fmt::Write;

use gongkai_catalog::Tier;

use super::guess::{Guess, Place};
use super::{Draft, Site};

/// Visible rows in which a header may begin beyond those that the file has above it.
const SLACK: usize = 5;

pub(super) fn write(site: &Site<'_>, name: &str, guess: Guess<'_>) -> Draft {
    let id = id_of(name);
    let publisher = guess.dataset.map_or("PUBLISHER", |dataset| dataset.publisher.as_str());
    let path = format!("feeds/{publisher}/{id}.toml");
    let mut toml = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut toml, site, name, &path, &guess);
    Draft { id, path, toml, to_decide: guess.to_decide }
}

fn write_all(toml: &mut String, site: &Site<'_>, name: &str, path: &str, guess: &Guess<'_>) -> std::fmt::Result {
    let table = site.table;
    let (first, last) = table.header_rows.unwrap_or_default();
    let depth = if site.grid.is_text() { table.body.0 - header_index(site) } else { (last - first + 1) as usize };
    let depth = depth - usize::from(table.column_numbers.is_some() && site.grid.is_text());
    writeln!(toml, "# Drafted from {}. It belongs in {path}.", comment(name))?;
    writeln!(toml, "# To decide:")?;
    for point in &guess.to_decide {
        writeln!(toml, "# - {}", comment(point))?;
    }
    for near in &guess.near {
        writeln!(toml, "#   a dataset of feeds that know such headers: {near}")?;
    }
    let title = table.title.as_ref().map_or(name, |title| title.text.as_str());
    writeln!(toml, "label = {{ zh = {}, en = {} }}", quoted(title), quoted(&id_of(name).replace('_', " ")))?;
    if let Some(dataset) = guess.dataset {
        writeln!(toml, "dataset = {}", quoted(&dataset.id))?;
    }
    writeln!(toml, "formats = [{}]", quoted(site.document.format.name()))?;
    writeln!(toml, "source_public = false")?;
    if !guess.filled.empty.is_empty() {
        writeln!(toml, "empty = {}", list(guess.filled.empty.iter().map(String::as_str)))?;
    }
    writeln!(toml, "\n[header]\ndepth = {depth}\nsearch_rows = {}", table.rows_above + SLACK)?;
    if let Some(title) = &guess.title {
        writeln!(toml, "\n[caption.title]\npattern = {}\nrequired = true", quoted(&title.pattern))?;
    }
    if let Some(dimension) = &guess.unit_dimension {
        let pattern = "单位[：:](?P<unit>[^（）()]+)";
        writeln!(toml, "\n[unit]\npattern = {}\ndimension = {}", quoted(pattern), quoted(dimension))?;
    }
    for label in &guess.labels {
        writeln!(toml, "\n[[label_column]]\nrole = {}\nheader = {}", quoted(&label.role), quoted(&label.pattern))?;
        if let Some(column) = &label.column {
            writeln!(toml, "column = {}", quoted(column))?;
        }
        if label.must_be_filled {
            writeln!(toml, "must_be_filled = true")?;
        }
    }
    write_body(toml, site, guess)?;
    write_time_and_place(toml, guess)?;
    write_lines(toml, site, guess)?;
    writeln!(toml, "\n[value]\nmissing = {}", list(guess.missing.iter().copied()))?;
    write_columns(toml, "value", guess.filled.value.iter().map(|(column, part)| (column, part_name(part))))?;
    if !guess.filled.printed.is_empty() {
        writeln!(toml, "\n[printed]")?;
        for column in &guess.filled.printed {
            writeln!(toml, "{column} = [\"title.year\"]")?;
        }
    }
    if !guess.filled.constants.is_empty() {
        writeln!(toml, "\n[constants]")?;
        for (column, value) in &guess.filled.constants {
            writeln!(toml, "{column} = {}", quoted(value))?;
        }
    }
    for value in &guess.values {
        let set: Vec<String> =
            value.set.iter().map(|(column, value)| format!("{column} = {}", quoted(value))).collect();
        let set = if set.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", set.join(", ")) };
        writeln!(toml, "\n[[value_column]]\nheader = {}\nset = {set}", quoted(&value.pattern))?;
        if let Some(unit) = &value.unit {
            writeln!(toml, "unit = {}", quoted(unit))?;
        }
    }
    Ok(())
}

/// Index of the header's first row in the grid.
fn header_index(site: &Site<'_>) -> usize {
    let first = site.table.header_rows.unwrap_or_default().0;
    site.grid.rows.iter().position(|row| row.number == first).unwrap_or_default()
}

fn write_body(toml: &mut String, site: &Site<'_>, guess: &Guess<'_>) -> std::fmt::Result {
    let mut lines = Vec::new();
    if site.table.column_numbers.is_some() {
        lines.push(format!("skip = {}", list(["^栏次$", r"^\d$"])));
    }
    if !site.table.notes.is_empty() {
        lines.push(format!(
            "end = {}",
            list([r"^注\d*[：:.、．]", "^(说明|备注|资料来源|数据来源)[：:]", "^(填报|制表|审核)"])
        ));
    }
    if let Some(column) = &guess.filled.hidden {
        lines.push(format!("hidden_rows = \"keep\"\nhidden_column = {}", quoted(column)));
    }
    if lines.is_empty() { Ok(()) } else { writeln!(toml, "\n[body]\n{}", lines.join("\n")) }
}

fn write_time_and_place(toml: &mut String, guess: &Guess<'_>) -> std::fmt::Result {
    if let Some(moment) = &guess.moment {
        writeln!(toml, "\n[time]\ndate = {}", quoted(&moment.role))?;
        writeln!(toml, "date_formats = {}", list(moment.formats.iter().copied()))?;
        match &moment.hour {
            Some(hour) => writeln!(toml, "hour_ending = {}", quoted(hour))?,
            None if !moment.is_month => writeln!(toml, "period = \"day\"")?,
            None => {}
        }
        write_columns(toml, "time", guess.filled.time.iter().map(|(column, part)| (column, part_name(part))))?;
    }
    let tiers = match &guess.place {
        Place::Label { role, tiers } => {
            writeln!(toml, "\n[place]\nlabel = {}", quoted(role))?;
            tiers
        }
        Place::Printed { tiers } => {
            writeln!(toml, "\n[place]\nprinted = [\"title.region\"]")?;
            tiers
        }
        Place::Unknown => return Ok(()),
    };
    writeln!(toml, "tiers = {}", list(tiers.iter().map(|tier: &Tier| tier.name())))?;
    if guess.moment.is_none() {
        match (&guess.title, &guess.year_role) {
            (_, Some(role)) => writeln!(toml, "year_label = {}", quoted(role))?,
            (Some(title), None) if title.has_year => writeln!(toml, "year = \"title.year\"")?,
            _ => {}
        }
    }
    write_columns(toml, "place", guess.filled.place.iter().map(|(column, part)| (column, part_name(part))))
}

fn write_lines(toml: &mut String, site: &Site<'_>, guess: &Guess<'_>) -> std::fmt::Result {
    let Some(lines) = guess.lines.as_ref().filter(|_| !guess.filled.line.is_empty()) else { return Ok(()) };
    let table = guess.dataset.map(|dataset| dataset.table.as_str()).unwrap_or_default();
    let rule = site.feeds.iter().filter(|feed| feed.table == table).find_map(|feed| feed.line.as_ref());
    writeln!(toml, "\n[line]")?;
    if let Some(code) = &lines.code {
        let digits: Vec<String> = lines.digits.iter().map(usize::to_string).collect();
        writeln!(toml, "code = {}\ndigits = [{}]", quoted(code), digits.join(", "))?;
    }
    writeln!(toml, "name = {}", quoted(&lines.name))?;
    let total = rule.map_or("^(合计|总计|.*(收入|支出)(合计|总计))$", |rule| rule.total.as_str());
    let numbering = rule
        .map_or("^([一二三四五六七八九十]+、|（[一二三四五六七八九十]+）|\\d+[.、])", |rule| {
            rule.numbering.as_str()
        });
    writeln!(toml, "total = {}\nnumbering = {}", quoted(total), quoted(numbering))?;
    write_columns(toml, "line", guess.filled.line.iter().map(|(column, part)| (column, part_name(part))))
}

fn write_columns<'a>(
    toml: &mut String,
    part: &str,
    columns: impl Iterator<Item = (&'a String, String)>,
) -> std::fmt::Result {
    writeln!(toml, "\n[{part}.columns]")?;
    for (column, takes) in columns {
        writeln!(toml, "{column} = \"{takes}\"")?;
    }
    Ok(())
}

/// The name of a part in declarations: that of its variant, in lower case.
fn part_name(part: impl std::fmt::Debug) -> String {
    let mut name = String::new();
    for character in format!("{part:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// A text that cannot end its comment.
fn comment(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The name of a file as an identifier.
fn id_of(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_lowercase();
    let mut id = String::new();
    for character in stem.chars() {
        match character {
            'a'..='z' | '0'..='9' => id.push(character),
            _ if id.ends_with('_') || id.is_empty() => {}
            _ => id.push('_'),
        }
    }
    let id = id.trim_matches('_').to_owned();
    if id.starts_with(|first: char| first.is_ascii_lowercase()) {
        id
    } else {
        format!("feed_{id}").trim_end_matches('_').to_owned()
    }
}
