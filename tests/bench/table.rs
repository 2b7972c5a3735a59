//! Results: samples in rows and columns, as a table for people and as JSON.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::options::{Options, Section};
use crate::process::Result;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) better: Better,
}

impl Metric {
    pub(crate) const fn higher(name: &'static str) -> Self {
        Self {
            name,
            better: Better::Higher,
        }
    }

    pub(crate) const fn lower(name: &'static str) -> Self {
        Self {
            name,
            better: Better::Lower,
        }
    }
}

/// The values of one run, one per column; `NaN` if there is none.
pub(crate) type Sample = Vec<f64>;

/// Something to be measured, again and again.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnMut() -> Result<Sample> + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() -> Result<Sample> + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// A row: one program, one way to use it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
    pub(crate) note: Option<String>,
}

impl Row {
    fn column(&self, index: usize) -> Vec<f64> {
        self.samples
            .iter()
            .filter_map(|sample| sample.get(index).copied())
            .filter(|value| !value.is_nan())
            .collect()
    }

    fn median(&self, index: usize) -> Option<f64> {
        median(self.column(index))
    }
}

/// Results that belong together.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) section: Section,
    pub(crate) title: String,
    pub(crate) metrics: Vec<Metric>,
    /// The names of the rows with which the others are compared, in the first column.
    pub(crate) baselines: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(
        section: Section,
        title: impl Into<String>,
        metrics: &[Metric],
        baselines: &[&'static str],
    ) -> Self {
        Self {
            section,
            title: title.into(),
            metrics: metrics.to_vec(),
            baselines: baselines.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Runs all in turn (A B C A B C ..), so that a slow minute of the machine affects all of them. A program that
    /// fails is noted and left out of later turns.
    pub(crate) fn alternate(&mut self, runs: usize, contenders: Vec<Contender<'_>>) {
        let mut contenders: Vec<_> = contenders
            .into_iter()
            .map(|Contender { name, run }| {
                let row = Row {
                    name,
                    samples: Vec::new(),
                    note: None,
                };
                (row, run)
            })
            .collect();
        for _ in 0..runs {
            for (row, run) in &mut contenders {
                if row.note.is_some() {
                    continue;
                }
                match run() {
                    Ok(sample) => row.samples.push(sample),
                    Err(error) => row.note = Some(format!("failed: {error}")),
                }
            }
        }
        self.rows.extend(contenders.into_iter().map(|(row, _)| row));
    }

    /// Whether each of our own rows has a figure.
    pub(crate) fn has_all_of_ours(&self) -> bool {
        self.rows
            .iter()
            .filter(|row| row.name.starts_with("udpcli"))
            .all(|row| !row.samples.is_empty())
    }

    /// How many times better a row is than a baseline; below 1 it is worse.
    fn ratio(&self, row: &Row, baseline: &str) -> Option<f64> {
        let baseline = self
            .rows
            .iter()
            .find(|row| row.name == baseline)?
            .median(0)?;
        let own = row.median(0)?;
        let ratio = match self.metrics.first()?.better {
            Better::Higher => own / baseline,
            Better::Lower => baseline / own,
        };
        ratio.is_finite().then_some(ratio)
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let mut lines = vec![
            std::iter::once(String::new())
                .chain(self.metrics.iter().map(|metric| metric.name.to_owned()))
                .chain(self.baselines.iter().map(|name| format!("vs {name}")))
                .collect::<Vec<_>>(),
        ];
        for row in &self.rows {
            let mut line = vec![row.name.clone()];
            for index in 0..self.metrics.len() {
                line.push(spread(row.column(index)));
            }
            for baseline in &self.baselines {
                line.push(
                    self.ratio(row, baseline)
                        .map_or_else(|| "-".to_owned(), |ratio| format!("x{ratio:.2}")),
                );
            }
            line.extend(row.note.clone());
            lines.push(line);
        }
        lines
    }

    fn to_json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                let metrics: Vec<Value> = self
                    .metrics
                    .iter()
                    .enumerate()
                    .map(|(index, metric)| {
                        json!({
                            "name": metric.name,
                            "better": if metric.better == Better::Higher { "higher" } else { "lower" },
                            "median": row.median(index),
                            "samples": row.column(index),
                        })
                    })
                    .collect();
                let ratios: serde_json::Map<String, Value> = self
                    .baselines
                    .iter()
                    .map(|name| ((*name).to_owned(), json!(self.ratio(row, name))))
                    .collect();
                json!({ "name": row.name, "metrics": metrics, "ratios": ratios, "note": row.note })
            })
            .collect();
        json!({ "section": self.section.name(), "title": self.title, "rows": rows })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.title)?;
        let cells = self.cells();
        let columns = 1 + self.metrics.len() + self.baselines.len();
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                cells
                    .iter()
                    .filter_map(|line| line.get(column))
                    .map(String::len)
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for line in &cells {
            writeln!(f)?;
            for (column, cell) in line.iter().enumerate() {
                match widths.get(column) {
                    Some(&width) if column == 0 => write!(f, "  {cell:<width$}")?,
                    Some(&width) => write!(f, "  {cell:>width$}")?,
                    None => write!(f, "  {cell}")?,
                }
            }
        }
        Ok(())
    }
}

/// `median (min-max)`.
fn spread(values: Vec<f64>) -> String {
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let several = values.len() > 1;
    match median(values) {
        None => "-".to_owned(),
        Some(median) if several => {
            format!("{} ({}-{})", short(median), short(min), short(max))
        }
        Some(median) => short(median),
    }
}

/// Three digits or so.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2}M", value / 1e6),
        size if size >= 1e4 => format!("{:.1}k", value / 1e3),
        size if size >= 100.0 || size.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: Vec<f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantile for this share, interpolated between two values.
pub(crate) fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = crate::load::whole(place);
    let at = |index: u64| values.get(usize::try_from(index).ok()?).copied();
    let low = at(below)?;
    let high = at(below + 1).unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

/// What was measured on.
#[derive(Debug)]
pub(crate) struct Machine {
    kernel: String,
    cpus: usize,
    rmem_max: String,
    load: String,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let read = |path: &str| {
            fs::read_to_string(path)
                .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
        };
        Self {
            kernel: read("/proc/sys/kernel/osrelease"),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            rmem_max: read("/proc/sys/net/core/rmem_max"),
            load: read("/proc/loadavg"),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "udpcli {} on Linux {}, {} CPUs, net.core.rmem_max {}, load {}\n\
             median (min-max); x2 is twice as good as the peer, x0.5 half as good",
            env!("CARGO_PKG_VERSION"),
            self.kernel,
            self.cpus,
            self.rmem_max,
            self.load
        )
    }
}

/// Everything, for programs.
pub(crate) fn to_json(
    tables: &[Table],
    machine: &Machine,
    options: &Options,
    missing: &[&str],
) -> Value {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    json!({
        "udpcli": env!("CARGO_PKG_VERSION"),
        "unix_time": now,
        "quick": options.quick,
        "machine": {
            "kernel": machine.kernel,
            "cpus": machine.cpus,
            "rmem_max": machine.rmem_max,
            "load_before": machine.load,
        },
        "missing": missing,
        "tables": tables.iter().map(Table::to_json).collect::<Vec<_>>(),
    })
}

pub(crate) fn write_json(path: &Path, json: &Value) -> Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, format!("{json:#}\n"))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(())
}
