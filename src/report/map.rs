//! A map of a walk: values over time one below the other, on one time axis, and the bad stretches across all of them.

use std::fmt::Write as _;

use super::escaped;

/// The width of the picture, and the heights of a name, of a row's picture and of a lane, in units of the picture.
const WIDTH: f64 = 640.0;
const NAME: f64 = 17.0;
const ROW: f64 = 30.0;
const LANE: f64 = 8.0;
const GAP: f64 = 4.0;

/// The space above the rows for the numbers of the stretches.
const TOP: f64 = 14.0;

/// A map.
#[derive(Debug, Clone)]
pub(crate) struct TimeMap {
    /// The pictures, from the top.
    pub(crate) rows: Vec<MapRow>,
    /// Lanes below the pictures: which state applied at which time.
    pub(crate) lanes: Vec<Lane>,
    /// The bad stretches, in the order of time.
    pub(crate) stretches: Vec<MapStretch>,
    /// The time axis: the place from 0 to 1, and the time in words.
    pub(crate) ticks: Vec<(f64, String)>,
}

/// A picture of one value.
#[derive(Debug, Clone)]
pub(crate) struct MapRow {
    /// The name of the value, with its unit.
    pub(crate) name: String,
    /// The values at equal distances, from 0 (bottom) to 1 (top); `None` without data.
    pub(crate) values: Vec<Option<f64>>,
    /// The meaning of the bottom and the top.
    pub(crate) scale: String,
    /// A line across the picture at the threshold for bad values.
    pub(crate) limit: Option<f64>,
    /// Whether a high value is bad.
    pub(crate) is_bad: bool,
}

/// When something was so.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    /// What.
    pub(crate) name: String,
    /// When, at the same distances as the values.
    pub(crate) cells: Vec<bool>,
}

/// A bad stretch.
#[derive(Debug, Clone)]
pub(crate) struct MapStretch {
    /// The number above the stretch.
    pub(crate) label: String,
    /// The start and end, from 0 to 1.
    pub(crate) range: (f64, f64),
}

/// The height of the rows and lanes.
fn inner_height(map: &TimeMap) -> f64 {
    (NAME + ROW + GAP) * map.rows.len() as f64 + (NAME + LANE + GAP) * map.lanes.len() as f64
}

pub(super) fn map(map: &TimeMap, out: &mut String) {
    let bottom = TOP + inner_height(map);
    let height = bottom + 20.0;
    let _ = writeln!(
        out,
        r#"<svg class="map" viewBox="0 0 {WIDTH} {height}" role="group">"#
    );
    for stretch in &map.stretches {
        let (from, to) = stretch.range;
        let x = WIDTH * from.clamp(0.0, 1.0);
        let width = (WIDTH * to.clamp(0.0, 1.0) - x).max(2.0);
        let middle = (x + width / 2.0).clamp(4.0, WIDTH - 4.0);
        let _ = writeln!(
            out,
            r#"<rect class="stretch" fill="currentColor" fill-opacity="0.14" x="{x:.1}" y="{TOP}" width="{width:.1}" height="{:.1}"/><text font-size="12" font-weight="bold" fill="currentColor" x="{middle:.1}" y="11" text-anchor="middle">{}</text>"#,
            bottom - TOP,
            escaped(&stretch.label)
        );
    }
    let mut top = TOP;
    for line in &map.rows {
        row(line, top, out);
        top += NAME + ROW + GAP;
    }
    for line in &map.lanes {
        lane(line, top, out);
        top += NAME + LANE + GAP;
    }
    for (place, time) in &map.ticks {
        let x = WIDTH * place.clamp(0.0, 1.0);
        let anchor = match *place {
            place if place < 0.05 => "start",
            place if place > 0.95 => "end",
            _ => "middle",
        };
        let _ = writeln!(
            out,
            r#"<path class="axis" stroke="currentColor" stroke-width="1" d="M{x:.1} {bottom}v4"/><text font-size="11" fill="currentColor" x="{x:.1}" y="{:.1}" text-anchor="{anchor}">{}</text>"#,
            bottom + 15.0,
            escaped(time)
        );
    }
    out.push_str("</svg>\n");
}

/// The name, and the text at its right, at the top of a row or lane.
fn heading(name: &str, right: &str, top: f64, out: &mut String) {
    let y = top + NAME - 4.0;
    let _ = writeln!(
        out,
        r#"<text font-size="12.5" fill="currentColor" x="0" y="{y}">{}</text><text font-size="11" fill="currentColor" x="{WIDTH}" y="{y}" text-anchor="end">{}</text>"#,
        escaped(name),
        escaped(right)
    );
}

fn row(row: &MapRow, top: f64, out: &mut String) {
    heading(&row.name, &row.scale, top, out);
    let (upper, base) = (top + NAME, top + NAME + ROW);
    let step = WIDTH / row.values.len().max(1) as f64;
    let (mut columns, mut unknown) = (String::new(), String::new());
    for (index, value) in row.values.iter().enumerate() {
        let x = step * index as f64;
        match value {
            // Make the column visible, however low the value is.
            Some(value) if *value > 0.0 => {
                let height = (ROW * value.min(1.0)).max(1.0);
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
    let class = if row.is_bad { "high" } else { "arrived" };
    let limit = row.limit.map_or_else(String::new, |limit| {
        let y = base - ROW * limit.clamp(0.0, 1.0);
        format!(
            r#"<path class="limit" stroke="currentColor" stroke-width="1" stroke-dasharray="4 3" d="M0 {y:.1}h{WIDTH}"/>"#
        )
    });
    let _ = writeln!(
        out,
        r#"<path class="axis" stroke="currentColor" stroke-width="1" d="M0 {upper}h{WIDTH}M0 {base}h{WIDTH}"/><path class="{class}" fill="currentColor" d="{columns}"/><path class="unknown" fill="currentColor" fill-opacity="0.4" d="{unknown}"/>{limit}"#
    );
}

fn lane(lane: &Lane, top: f64, out: &mut String) {
    heading(&lane.name, "", top, out);
    let upper = top + NAME;
    let step = WIDTH / lane.cells.len().max(1) as f64;
    let mut cells = String::new();
    for (index, is_so) in lane.cells.iter().enumerate() {
        if *is_so {
            let x = step * index as f64;
            let _ = write!(cells, "M{x:.1} {upper}h{step:.2}v{LANE}h-{step:.2}z");
        }
    }
    let _ = writeln!(
        out,
        r#"<path class="axis" stroke="currentColor" stroke-width="1" d="M0 {}h{WIDTH}"/><path class="lane" fill="currentColor" d="{cells}"/>"#,
        upper + LANE
    );
}
