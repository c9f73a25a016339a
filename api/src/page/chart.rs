//! Charts as SVG, drawn here: no script, readable on a phone, with every value in a title.
//!
//! Numbers become floating-point only to be placed on the paper; titles show them as they were answered. Series differ in
//! shape as well as colour. A missing value is a gap.

use std::fmt::Write as _;

use gongkai_catalog::dataset::ChartKind;

/// One answered row.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Place on the axis.
    pub x: String,
    /// The number as answered; none for a gap.
    pub y: Option<String>,
    /// Series.
    pub series: String,
}

/// What stands around the drawing.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// Title.
    pub title: &'a str,
    /// Unit of the numbers.
    pub unit: &'a str,
}

/// Width of the drawing: about that of a phone, so that texts keep their size there.
const WIDTH: f64 = 360.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 8.0;
/// Width of the names beside bars, and the characters that fit into it.
const NAMES: f64 = 114.0;
/// Points of a line beyond which only the line is drawn.
const MARKED: usize = 60;
const NAME_CHARACTERS: usize = 9;

/// Draws the rows; nothing where there is nothing to draw.
pub fn draw(kind: ChartKind, frame: &Frame<'_>, points: &[Point]) -> Option<String> {
    let has_values = points.iter().any(|point| number(point).is_some());
    has_values.then(|| match kind {
        ChartKind::Line => lines(frame, points),
        ChartKind::Bar => bars(frame, points),
    })
}

fn number(point: &Point) -> Option<f64> {
    point.y.as_ref()?.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Different texts in the order of their first appearance.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Round values from below the lowest to above the highest: steps of 1, 2 or 5 and zeros.
fn ticks(lowest: f64, highest: f64) -> Vec<f64> {
    let span = if highest > lowest { highest - lowest } else { highest.abs().max(1.0) };
    let rough = span / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|unit| unit * power).find(|step| *step >= rough).unwrap_or(power);
    let (first, last) = ((lowest / step).floor() as i64, (highest / step).ceil() as i64);
    (first..=last.max(first + 1)).map(|count| count as f64 * step).collect()
}

/// A tick without the noise of its multiplication.
fn shown(tick: f64) -> String {
    let text = format!("{tick:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn range(points: &[Point]) -> (f64, f64) {
    points
        .iter()
        .filter_map(number)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)))
}

fn open(svg: &mut String, frame: &Frame<'_>, height: f64) {
    let _ = write!(
        svg,
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>",
        title = escape(frame.title)
    );
    let _ = write!(svg, "<text class=\"unit\" x=\"2\" y=\"13\">{}</text>", escape(frame.unit));
}

/// Names of the series beside their marks, in rows below `y`.
fn legend(svg: &mut String, series: &[&str], y: f64) {
    if series.len() < 2 {
        return;
    }
    let mut x = LEFT;
    for (index, name) in series.iter().enumerate() {
        let kind = index % 4;
        let _ = write!(
            svg,
            "<g class=\"s{kind}\">{}<text class=\"name\" x=\"{}\" y=\"{}\">{}</text></g>",
            mark(kind, x + 5.0, y - 4.0),
            x + 14.0,
            y,
            escape(name)
        );
        x += 28.0 + name.chars().map(|character| if character.is_ascii() { 7.0 } else { 13.0 }).sum::<f64>();
    }
}

/// A mark whose shape tells the series.
fn mark(kind: usize, x: f64, y: f64) -> String {
    match kind {
        0 => format!("<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"),
        1 => format!("<rect class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" width=\"6\" height=\"6\"/>", x - 3.0, y - 3.0),
        2 => format!("<path class=\"mark\" d=\"M{x:.1} {:.1}l4 7h-8z\"/>", y - 4.0),
        _ => format!("<path class=\"mark\" d=\"M{x:.1} {:.1}l4 4-4 4-4-4z\"/>", y - 4.0),
    }
}

fn lines(frame: &Frame<'_>, points: &[Point]) -> String {
    let (xs, series) = (
        distinct(points.iter().map(|point| point.x.as_str())),
        distinct(points.iter().map(|point| point.series.as_str())),
    );
    let (lowest, highest) = range(points);
    let ticks = ticks(lowest, highest);
    let (bottom_value, top_value) = (ticks[0], ticks[ticks.len() - 1]);
    let legend_height = if series.len() > 1 { 20.0 } else { 0.0 };
    let (top, bottom, height) = (24.0 + legend_height, 204.0 + legend_height, 226.0 + legend_height);
    let place_x = |index: usize| LEFT + (WIDTH - LEFT - RIGHT) * (index as f64 + 0.5) / xs.len() as f64;
    let place_y = |value: f64| bottom - (bottom - top) * (value - bottom_value) / (top_value - bottom_value);
    let mut svg = String::new();
    open(&mut svg, frame, height);
    for tick in &ticks {
        let y = place_y(*tick);
        let _ = write!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{}\"/>", WIDTH - RIGHT);
        let _ = write!(svg, "<text class=\"tick\" x=\"{}\" y=\"{:.1}\">{}</text>", LEFT - 5.0, y + 4.0, shown(*tick));
    }
    // As many names as fit side by side.
    let widest = xs.iter().map(|name| name.chars().count()).max().unwrap_or(1) as f64 * 8.5 + 8.0;
    let every = ((widest * xs.len() as f64) / (WIDTH - LEFT)).ceil().max(1.0) as usize;
    let between = place_x(every) - place_x(0);
    for (index, name) in xs.iter().enumerate().step_by(every) {
        // A name stands below its point, and whole within the drawing; one that would meet its neighbour for it is left out.
        let x = place_x(index).min(WIDTH - widest / 2.0);
        if index > 0 && x < place_x(index) - (between - widest) {
            continue;
        }
        let _ = write!(svg, "<text class=\"x\" x=\"{x:.1}\" y=\"{}\">{}</text>", bottom + 17.0, escape(name));
    }
    for (order, name) in series.iter().enumerate() {
        let kind = order % 4;
        let mut path = String::new();
        let mut marks = String::new();
        let mut is_gap = true;
        for (index, x) in xs.iter().enumerate() {
            let point = points.iter().find(|point| point.x == *x && point.series == *name);
            let Some((point, value)) = point.and_then(|point| Some((point, number(point)?))) else {
                is_gap = true;
                continue;
            };
            let (px, py) = (place_x(index), place_y(value));
            let _ = write!(path, "{}{px:.1} {py:.1}", if is_gap { 'M' } else { 'L' });
            is_gap = false;
            let title = format!("{name} {x}: {}", point.y.as_deref().unwrap_or_default());
            if xs.len() > MARKED {
                continue;
            }
            let _ = write!(marks, "<g><title>{}</title>{}</g>", escape(&title), mark(kind, px, py));
        }
        let _ = write!(svg, "<g class=\"s{kind}\"><path class=\"line\" d=\"{path}\"/>{marks}</g>");
    }
    legend(&mut svg, &series, 36.0);
    svg.push_str("</svg>");
    svg
}

fn bars(frame: &Frame<'_>, points: &[Point]) -> String {
    let (xs, series) = (
        distinct(points.iter().map(|point| point.x.as_str())),
        distinct(points.iter().map(|point| point.series.as_str())),
    );
    let (lowest, highest) = range(points);
    let ticks = ticks(lowest.min(0.0), highest.max(0.0));
    let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
    let legend_height = if series.len() > 1 { 20.0 } else { 0.0 };
    let top = 30.0 + legend_height;
    let thickness = if series.len() > 1 { 13.0 } else { 16.0 };
    let group = thickness * series.len() as f64 + 8.0;
    let bottom = top + group * xs.len() as f64;
    // Room at the right for the value of the longest bar.
    let place = |value: f64| NAMES + (WIDTH - NAMES - 58.0) * (value - first) / (last - first);
    let mut svg = String::new();
    open(&mut svg, frame, bottom + 20.0);
    for tick in &ticks {
        let x = place(*tick);
        let _ = write!(svg, "<path class=\"grid\" d=\"M{x:.1} {}V{bottom}\"/>", top - 4.0);
        let _ = write!(svg, "<text class=\"x\" x=\"{x:.1}\" y=\"{}\">{}</text>", bottom + 15.0, shown(*tick));
    }
    for (row, x) in xs.iter().enumerate() {
        let y = top + group * row as f64;
        let name: String = match x.chars().count() > NAME_CHARACTERS {
            true => x.chars().take(NAME_CHARACTERS - 1).chain(['…']).collect(),
            false => (*x).to_owned(),
        };
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{}\" y=\"{:.1}\">{}</text>",
            NAMES - 6.0,
            y + group / 2.0,
            escape(&name)
        );
        for (order, name) in series.iter().enumerate() {
            let Some(point) = points.iter().find(|point| point.x == *x && point.series == *name) else { continue };
            let Some(value) = number(point) else { continue };
            let (from, to) = (place(value.min(0.0)), place(value.max(0.0)));
            let bar = y + thickness * order as f64;
            let printed = point.y.as_deref().unwrap_or_default();
            let _ = write!(
                svg,
                "<g class=\"s{}\"><title>{}</title><rect class=\"bar\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>\
                 <text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                order % 4,
                escape(&format!("{x} {name}: {printed}")),
                bar + 1.0,
                (to - from).max(0.5),
                thickness - 2.0,
                to + 4.0,
                bar + thickness - 3.0,
                escape(printed)
            );
        }
    }
    legend(&mut svg, &series, 36.0);
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: &str, y: Option<&str>, series: &str) -> Point {
        Point { x: x.into(), y: y.map(str::to_owned), series: series.into() }
    }

    const FRAME: Frame<'static> = Frame { title: "限额 <与> 余额", unit: "亿元" };

    #[test]
    fn ticks_are_round_and_enclose_the_values() {
        assert_eq!(ticks(0.0, 415.8), [0.0, 200.0, 400.0, 600.0]);
        let narrow: Vec<String> = ticks(99.3, 102.8).into_iter().map(shown).collect();
        assert_eq!(narrow, ["99", "100", "101", "102", "103"]);
        assert_eq!(ticks(5.0, 5.0), [4.0, 6.0]);
    }

    #[test]
    fn a_line_breaks_where_a_value_is_missing_and_shows_values_as_answered() {
        let points = [point("1", Some("1.50"), "a"), point("2", None, "a"), point("3", Some("2.50"), "a")];
        let svg = draw(ChartKind::Line, &FRAME, &points).expect("drawn");
        let path = svg.split("class=\"line\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a path");
        assert_eq!(path.matches('M').count(), 2);
        assert!(svg.contains("<title>a 1: 1.50</title>"));
        assert!(svg.contains("限额 &lt;与&gt; 余额") && !svg.contains("<与>"));
    }

    #[test]
    fn names_below_a_line_stand_within_the_drawing_and_apart() {
        for count in [2, 5, 20, 72, 73, 75, 168] {
            let points: Vec<Point> =
                (0..count).map(|hour| point(&format!("03-01 {hour:03}:00"), Some("1"), "a")).collect();
            let svg = draw(ChartKind::Line, &FRAME, &points).expect("drawn");
            let names = svg.split("<text class=\"x\" x=\"").skip(1);
            let places: Vec<f64> = names.filter_map(|rest| rest.split('"').next()?.parse().ok()).collect();
            // 12 characters, about 8.5 wide.
            let half = 12.0 * 8.5 / 2.0;
            assert!(places.iter().all(|x| *x + half <= WIDTH), "{count}: {places:?}");
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 2.0 * half), "{count}: {places:?}");
            assert!(!places.is_empty());
        }
    }

    #[test]
    fn bars_carry_their_values_and_the_longest_is_the_largest() {
        let points = [point("教育", Some("20.00"), "s"), point("卫生", Some("10.00"), "s")];
        let svg = draw(ChartKind::Bar, &FRAME, &points).expect("drawn");
        let widths: Vec<f64> = svg
            .split("class=\"bar\"")
            .skip(1)
            .filter_map(|rest| rest.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert!((widths[0] / widths[1] - 2.0).abs() < 0.01, "{widths:?}");
        assert!(svg.contains("<title>教育 s: 20.00</title>"));
    }

    #[test]
    fn nothing_to_draw_draws_nothing() {
        assert_eq!(draw(ChartKind::Line, &FRAME, &[]), None);
        assert_eq!(draw(ChartKind::Bar, &FRAME, &[point("a", None, "s")]), None);
    }
}
