//! What to measure, how long and how often.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::peers::Peers;
use crate::process::{Result, Stage};
use crate::say;

/// The parts of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Send,
    Receive,
    EndToEnd,
    OneShot,
    RoundTrip,
    Pacing,
    Memory,
}

impl Section {
    pub(crate) const ALL: [Self; 7] = [
        Self::Send,
        Self::Receive,
        Self::EndToEnd,
        Self::OneShot,
        Self::RoundTrip,
        Self::Pacing,
        Self::Memory,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
            Self::EndToEnd => "e2e",
            Self::OneShot => "oneshot",
            Self::RoundTrip => "rtt",
            Self::Pacing => "pacing",
            Self::Memory => "memory",
        }
    }
}

/// What every section needs.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) peers: &'a Peers,
    pub(crate) options: &'a Options,
}

/// The command line.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) json: PathBuf,
    only: Vec<Section>,
    runs: Option<usize>,
}

const HELP: &str = "\
cargo bench --bench peers -- [OPTIONS]
  --quick        shorter and fewer runs: rough figures in under a minute
  --only PART    send, receive, e2e, oneshot, rtt, pacing or memory; repeatable
  --runs N       so many runs of each measurement
  --json PATH    raw results go there [default: bench/peers.json in the target directory]";

impl Options {
    /// `None` if only help was asked for.
    pub(crate) fn parse(args: &[String]) -> Result<Option<Self>> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let mut options = Self {
            quick: false,
            json: target
                .parent()
                .unwrap_or(target)
                .join("bench")
                .join("peers.json"),
            only: Vec::new(),
            runs: None,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value\n{HELP}"));
            match arg.as_str() {
                "--bench" => {}
                "--quick" => options.quick = true,
                "--json" => options.json = PathBuf::from(value()?),
                "--runs" => match value()?.parse() {
                    Ok(runs) if runs > 0 => options.runs = Some(runs),
                    _ => return Err(format!("--runs takes a number above 0\n{HELP}").into()),
                },
                "--only" => {
                    let name = value()?;
                    let section = Section::ALL
                        .into_iter()
                        .find(|section| section.name() == name)
                        .ok_or(format!("--only {name}: there is no such part\n{HELP}"))?;
                    options.only.push(section);
                }
                "--help" | "-h" => {
                    say(HELP);
                    return Ok(None);
                }
                _ => return Err(format!("unknown option {arg}\n{HELP}").into()),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, section: Section) -> bool {
        self.only.is_empty() || self.only.contains(&section)
    }

    /// Runs of a measurement that takes about as long as it sends.
    pub(crate) fn runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 3 } else { 5 })
    }

    /// Runs of a search, which takes many steps.
    pub(crate) fn search_runs(&self) -> usize {
        self.runs.unwrap_or(if self.quick { 1 } else { 3 })
    }

    /// One of two values: the quick one, or that of a full run.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// One of two times in milliseconds.
    pub(crate) fn millis(&self, quick: u64, full: u64) -> Duration {
        Duration::from_millis(self.pick(quick, full))
    }
}
