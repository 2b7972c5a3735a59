//! Charts as SVG within the page; the style sheet refines their colours. Each has its figures as text, so the picture is never the only way to read them.

use std::fmt::Write as _;

use super::escaped;

/// The start and length of the bars, and the width of the picture, in units of the picture.
const LEFT: f64 = 205.0;
const LENGTH: f64 = 260.0;
const WIDTH: f64 = 640.0;

/// The height of a line.
const LINE: f64 = 20.0;

/// A bar: its length is the number of sent datagrams, and the filled part those that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// What it is about.
    pub(crate) name: String,
    /// How many were sent.
    pub(crate) sent: u64,
    /// How many arrived.
    pub(crate) received: u64,
    /// The figures in words.
    pub(crate) figures: String,
}

/// How widely times spread.
#[derive(Debug, Clone)]
pub(crate) struct TimeSpread {
    /// What it is about.
    pub(crate) name: String,
    /// Minimum, median, 99th percentile and maximum, in ms.
    pub(crate) quantiles: [f64; 4],
}

/// The names of the marks of a spread.
#[derive(Debug, Clone)]
pub(crate) struct Marks {
    /// Minimum, median, 99th percentile and maximum.
    pub(crate) names: [String; 4],
    /// The separator between two marks.
    pub(crate) separator: String,
}

fn open(lines: usize, out: &mut String) {
    let height = LINE * lines as f64;
    let _ = writeln!(
        out,
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="group">"#
    );
}

/// One line per bar.
pub(super) fn bars(bars: &[Bar], out: &mut String) {
    open(bars.len(), out);
    for (index, bar) in bars.iter().enumerate() {
        let top = LINE * index as f64;
        let share = if bar.sent == 0 {
            0.0
        } else {
            (bar.received as f64 / bar.sent as f64).min(1.0)
        };
        let (filled, rest) = (LENGTH * share, LENGTH * (1.0 - share));
        let (y, base) = (top + 4.0, top + 14.5);
        let lost = if rest < 0.1 {
            String::new()
        } else {
            format!(
                r#"<rect class="lost" fill="none" stroke="currentColor" x="{:.1}" y="{y}" width="{rest:.1}" height="12"/>"#,
                LEFT + filled
            )
        };
        let _ = writeln!(
            out,
            r#"<text font-size="12.5" fill="currentColor" x="0" y="{base}">{}</text><rect class="arrived" fill="currentColor" x="{LEFT}" y="{y}" width="{filled:.1}" height="12"/>{lost}<text font-size="12.5" fill="currentColor" x="{:.1}" y="{base}">{}</text>"#,
            escaped(&bar.name),
            LEFT + LENGTH + 10.0,
            escaped(&bar.figures)
        );
    }
    out.push_str("</svg>\n");
}

/// Two lines per spread: the picture on a scale from 0 to the greatest maximum, and the figures below it.
pub(super) fn spreads(spreads: &[TimeSpread], marks: &Marks, out: &mut String) {
    let greatest = spreads
        .iter()
        .map(|spread| spread.quantiles[3])
        .fold(0.0, f64::max);
    let place = |ms: f64| {
        let share = if greatest > 0.0 { ms / greatest } else { 0.0 };
        LEFT + LENGTH * share.clamp(0.0, 1.0)
    };
    open(spreads.len() * 2, out);
    for (index, spread) in spreads.iter().enumerate() {
        let top = LINE * 2.0 * index as f64;
        let [min, median, p99, max] = spread.quantiles.map(place);
        let (y, base, middle) = (top + 4.0, top + 14.5, top + 10.0);
        let _ = writeln!(
            out,
            r#"<text font-size="12.5" fill="currentColor" x="0" y="{base}">{}</text><path class="axis" stroke="currentColor" stroke-width="1" d="M{LEFT} {middle}h{LENGTH}"/><rect class="spread" fill="currentColor" fill-opacity="0.4" x="{min:.1}" y="{y}" width="{:.1}" height="12"/><path class="median" stroke="currentColor" stroke-width="2.5" d="M{median:.1} {top}v20"/><path class="tail" stroke="currentColor" stroke-width="1" d="M{p99:.1} {y}v12M{max:.1} {y}v12"/>"#,
            escaped(&spread.name),
            (p99 - min).max(1.0)
        );
        let figures: Vec<String> = marks
            .names
            .iter()
            .zip(spread.quantiles)
            .map(|(name, ms)| format!("{} {ms:.3}", escaped(name)))
            .collect();
        let _ = writeln!(
            out,
            r#"<text font-size="12.5" fill="currentColor" x="{LEFT}" y="{}">{} ms</text>"#,
            base + LINE,
            figures.join(&marks.separator)
        );
    }
    out.push_str("</svg>\n");
}

/// The height of a course's picture.
const COURSE: f64 = 32.0;

/// A value that changes over time.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// The name of the value, with its unit.
    pub(crate) name: String,
    /// The values, at equal distances; `None` without data.
    pub(crate) values: Vec<Option<f64>>,
    /// The greatest value as text, for the top of the picture.
    pub(crate) top: String,
    /// The first and the last moment as text.
    pub(crate) ends: [String; 2],
    /// Whether a high value is bad.
    pub(crate) is_bad: bool,
}

/// For each course a line with its name, then a column per value.
pub(super) fn courses(courses: &[Course], out: &mut String) {
    for (index, course) in courses.iter().enumerate() {
        let greatest = course.values.iter().flatten().copied().fold(0.0, f64::max);
        let step = WIDTH / course.values.len().max(1) as f64;
        let (top, base) = (LINE, LINE + COURSE);
        let mut columns = String::new();
        let mut unknown = String::new();
        for (index, value) in course.values.iter().enumerate() {
            let x = step * index as f64;
            match value {
                // Make the column visible, however low the value is.
                Some(value) if *value > 0.0 => {
                    let height = (COURSE * value / greatest).max(1.0);
                    let _ = write!(
                        columns,
                        "M{x:.1} {base}v-{height:.1}h{step:.2}v{height:.1}z"
                    );
                }
                Some(_) => {}
                None => {
                    let _ = write!(unknown, "M{x:.1} {base}h{step:.2}v3h-{step:.2}z");
                }
            }
        }
        let class = if course.is_bad { "high" } else { "arrived" };
        // All have the same time below them, so it is written once.
        let ends = if index + 1 == courses.len() {
            let [first, last] = course.ends.each_ref().map(|end| escaped(end));
            let y = base + 15.0;
            format!(
                r#"<text font-size="11" fill="currentColor" x="0" y="{y}">{first}</text><text font-size="11" fill="currentColor" x="{WIDTH}" y="{y}" text-anchor="end">{last}</text>"#
            )
        } else {
            String::new()
        };
        let height = base + if ends.is_empty() { 4.0 } else { LINE };
        let _ = writeln!(
            out,
            r#"<svg class="course" viewBox="0 0 {WIDTH} {height}" role="group">
<text font-size="12.5" fill="currentColor" x="0" y="14">{}</text><text font-size="12.5" fill="currentColor" x="{WIDTH}" y="14" text-anchor="end">{}</text><path class="axis" stroke="currentColor" stroke-width="1" d="M0 {top}h{WIDTH}M0 {base}h{WIDTH}"/><path class="{class}" fill="currentColor" d="{columns}"/><path class="unknown" fill="currentColor" fill-opacity="0.4" d="{unknown}"/>{ends}</svg>"#,
            escaped(&course.name),
            escaped(&course.top),
        );
    }
}

/// A bar per step; the longest fills the line.
pub(super) fn histogram(steps: &[(String, u64)], out: &mut String) {
    let most = steps.iter().map(|(_, count)| *count).max().unwrap_or(0);
    open(steps.len(), out);
    for (index, (name, count)) in steps.iter().enumerate() {
        let top = LINE * index as f64;
        let width = LENGTH * *count as f64 / most.max(1) as f64;
        let _ = writeln!(
            out,
            r#"<text font-size="12.5" fill="currentColor" x="{}" y="{}" text-anchor="end">{}</text><rect class="spread" fill="currentColor" fill-opacity="0.4" x="{LEFT}" y="{}" width="{width:.1}" height="12"/><text font-size="12.5" fill="currentColor" x="{:.1}" y="{}">{count}</text>"#,
            LEFT - 8.0,
            top + 14.5,
            escaped(name),
            top + 4.0,
            LEFT + width + 8.0,
            top + 14.5,
        );
    }
    out.push_str("</svg>\n");
}
