//! The highest rate that each program receives without loss, found by bisection.
//!
//! Long because each program that is compared starts and counts in its own way.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::load::{self, Load, Sent};
use crate::options::{Context, Section};
use crate::peers::{IperfServer, Summary, start_listen, start_on};
use crate::process::{Result, Running, free_port, udp_port};
use crate::table::{Contender, Metric, Sample, Table};

/// The columns: datagrams per second at the best step without loss, datagrams per second of a flood, CPU seconds per
/// million at the best step, and whether the sender was the limit (the best step was the flood itself).
const METRICS: [Metric; 4] = [
    Metric::higher("lossless/s"),
    Metric::higher("of a flood/s"),
    Metric::lower("CPU s/M"),
    Metric::higher("sender was the limit"),
];

/// At least this share must be delivered for a step to count as lossless.
const LOSSLESS: f64 = 0.999;

/// After the sender's end, the output counts as complete if it has not grown for this long.
const QUIET: Duration = Duration::from_millis(60);

/// Not worth halving further.
const CLOSE_ENOUGH: f64 = 0.95;

/// The lowest rate of the search.
const LEAST_RATE: f64 = 500.0;

/// One step of the search.
#[derive(Debug, Clone, Copy)]
struct Step {
    sent: f64,
    offered: f64,
    delivered: f64,
    /// Until the last one was delivered.
    seconds: f64,
    cpu: Duration,
}

impl Step {
    fn rate(&self) -> f64 {
        self.delivered / self.seconds
    }

    fn is_lossless(&self) -> bool {
        self.delivered >= self.sent * LOSSLESS
    }
}

/// A receiver that runs through the steps of a search.
trait Target {
    /// Sends at this rate, or as fast as it goes.
    fn step(&mut self, rate: Option<f64>) -> Result<Step>;
}

pub(crate) fn measure(context: &Context<'_>) -> Vec<Table> {
    let mut tables = Vec::new();
    for (size, batching) in [(64, true), (64, false), (1024, true), (1024, false)] {
        if context.options.quick && (size, batching) == (1024, false) {
            continue;
        }
        let sender = if batching {
            "a sender that batches (GSO, at most 1 ms at once)"
        } else {
            "a sender with one call a datagram"
        };
        let mut table = Table::new(
            Section::Receive,
            format!("RECEIVE: {size} bytes, into a file, from {sender}"),
            &METRICS,
            &["nc", "ncat", "socat"],
        );
        let contenders = contenders(context, size, batching);
        table.alternate(context.options.search_runs(), contenders);
        tables.push(table);
    }
    tables
}

fn contenders<'a>(context: &'a Context<'a>, size: usize, batching: bool) -> Vec<Contender<'a>> {
    let quick = context.options.quick;
    let formats: &[&'static str] = match (quick, size, batching) {
        (false, ..) | (true, 64, true) => &["raw", "text", "json", "hex"],
        _ => &["raw"],
    };
    let mut contenders: Vec<Contender<'a>> = formats
        .iter()
        .map(|format| {
            Contender::new(format!("udpcli --format {format}"), move || {
                let mut target = FileTarget::start(context, size, batching, |stdout| {
                    start_listen(context.stage, &["--format", format], Some(stdout))
                })?;
                search(context, &mut target)
            })
        })
        .collect();
    if !quick || (size == 64 && batching) {
        contenders.push(Contender::new("udpcli raw, /dev/null", move || {
            search(context, &mut SummaryTarget::new(context, size, batching))
        }));
    }
    for (name, program, args) in commands(context, quick) {
        contenders.push(Contender::new(name, move || {
            let mut target = FileTarget::start(context, size, batching, |stdout| {
                let port = free_port()?;
                let mut command = Command::new(program);
                command.args(
                    args.iter()
                        .map(|arg| arg.replace("PORT", &port.to_string())),
                );
                Ok((
                    start_on(context.stage, &mut command, port, Some(stdout))?,
                    port,
                ))
            })?;
            search(context, &mut target)
        }));
    }
    if let Some(iperf3) = &context.peers.iperf3
        && !batching
    {
        contenders.push(Contender::new("iperf3, its own sender", move || {
            let server = IperfServer::start(context.stage, iperf3)?;
            search(
                context,
                &mut IperfTarget {
                    context,
                    server,
                    size,
                },
            )
        }));
    }
    contenders
}

/// The peers that write the received datagrams to stdout.
fn commands<'a>(
    context: &Context<'a>,
    quick: bool,
) -> Vec<(&'static str, &'a Path, &'static [&'static str])> {
    let peers = context.peers;
    let all: [(&str, &'a Option<PathBuf>, &[&str]); 4] = [
        ("nc", &peers.nc, &["-u", "-l", "-k", "127.0.0.1", "PORT"]),
        (
            // Some versions have no -k for UDP, so the sender stays the same.
            "ncat",
            &peers.ncat,
            &["-u", "-l", "127.0.0.1", "PORT"],
        ),
        (
            "socat",
            &peers.socat,
            &["-u", "UDP4-RECV:PORT,bind=127.0.0.1", "STDOUT"],
        ),
        (
            "socat, 4 MiB buffer",
            &peers.socat,
            &[
                "-u",
                "-b65536",
                "UDP4-RECV:PORT,bind=127.0.0.1,rcvbuf=4194304",
                "STDOUT",
            ],
        ),
    ];
    all.into_iter()
        .filter(|(name, ..)| !quick || *name != "socat, 4 MiB buffer")
        .filter_map(|(name, program, args)| Some((name, program.as_deref()?, args)))
        .collect()
}

/// Halves the range between the best rate without loss and the lowest rate with loss, on a logarithmic scale.
fn search(context: &Context<'_>, target: &mut dyn Target) -> Result<Sample> {
    let flood = target.step(None)?;
    let result = |best: Option<Step>, limited: bool| {
        vec![
            best.map_or(0.0, |best| best.rate()),
            flood.rate(),
            best.map_or(f64::NAN, |best| {
                best.cpu.as_secs_f64() / best.delivered * 1e6
            }),
            f64::from(u8::from(limited)),
        ]
    };
    if flood.is_lossless() {
        return Ok(result(Some(flood), true));
    }
    let mut best: Option<Step> = None;
    let mut high = flood.offered;
    let mut guess = (flood.rate() * 0.7).min(high * 0.7);
    for _ in 0..context.options.pick(4, 8) {
        if guess < LEAST_RATE {
            break;
        }
        let step = target.step(Some(guess))?;
        if step.is_lossless() {
            if best.is_none_or(|best| step.rate() > best.rate()) {
                best = Some(step);
            }
            if step.offered < guess * 0.8 {
                // The sender cannot pace this rate, so a higher one is useless.
                high = high.min(guess);
            }
        } else {
            high = guess;
        }
        guess = match best {
            Some(best) if best.offered > high * CLOSE_ENOUGH => break,
            Some(best) => (best.offered.min(high) * high).sqrt(),
            None => high / 4.0,
        };
    }
    Ok(result(best, false))
}

/// What the sender of a step does.
fn step_load(context: &Context<'_>, size: usize, batching: bool, rate: Option<f64>) -> Load {
    Load {
        size,
        rate,
        batching,
        duration: context.options.millis(150, 1000),
        most: u64::MAX,
    }
}

/// A program that writes to a file, in which the datagrams are counted.
struct FileTarget<'a> {
    context: &'a Context<'a>,
    running: Running<'a>,
    socket: UdpSocket,
    output: Output,
    /// Bytes of output for a datagram.
    unit: u64,
    size: usize,
    batching: bool,
}

/// A file that a child appends to; cut to nothing between steps, removed at the end.
struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl<'a> FileTarget<'a> {
    fn start(
        context: &'a Context<'a>,
        size: usize,
        batching: bool,
        start: impl FnOnce(Stdio) -> Result<(Running<'a>, u16)>,
    ) -> Result<Self> {
        let path = context.stage.new_path(".data");
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let output = Output { path, file };
        let (running, port) = start(output.file.try_clone()?.into())?;
        let socket = load::connect((Ipv4Addr::LOCALHOST, port).into())?;
        // The first datagram is for programs that learn their peer from it, and shows the output per datagram.
        socket.send(&load::payload(size))?;
        running.wait_for("the first datagram in its output", |_| {
            output.len().ok().filter(|&len| len > 0)
        })?;
        let mut target = Self {
            context,
            running,
            socket,
            output,
            unit: 1,
            size,
            batching,
        };
        let (unit, _) = target.settle(None)?;
        target.unit = unit;
        Ok(target)
    }

    /// Waits until there are `complete` bytes or no more come; returns their number, and the time of the last.
    fn settle(&self, complete: Option<u64>) -> Result<(u64, Instant)> {
        let mut changed = Instant::now();
        let mut len = self.output.len()?;
        while complete.is_none_or(|complete| len < complete) && changed.elapsed() < QUIET {
            sleep(Duration::from_micros(500));
            let now_len = self.output.len()?;
            if now_len != len {
                len = now_len;
                changed = Instant::now();
            }
        }
        Ok((len, changed))
    }
}

impl Target for FileTarget<'_> {
    fn step(&mut self, rate: Option<f64>) -> Result<Step> {
        self.output.file.set_len(0)?;
        let most_bytes = self.context.options.pick(256 << 20, 1 << 30);
        let load = Load {
            most: most_bytes / self.unit,
            ..step_load(self.context, self.size, self.batching, rate)
        };
        let cpu = self.running.cpu();
        let start = Instant::now();
        let sent = load::send(&self.socket, &load)?;
        let (len, end) = self.settle(Some(sent.datagrams * self.unit))?;
        if len % self.unit != 0 {
            return Err(format!("{len} bytes of output are no multiple of {}", self.unit).into());
        }
        Ok(Step {
            sent: sent.datagrams as f64,
            offered: offered(sent),
            delivered: (len / self.unit) as f64,
            seconds: (end - start).as_secs_f64(),
            cpu: self.running.cpu().saturating_sub(cpu),
        })
    }
}

fn offered(sent: Sent) -> f64 {
    sent.datagrams as f64 / sent.elapsed.as_secs_f64()
}

/// `udpcli listen`, which counts the datagrams itself; its output is discarded. A new process for each step.
struct SummaryTarget<'a> {
    context: &'a Context<'a>,
    size: usize,
    batching: bool,
}

impl<'a> SummaryTarget<'a> {
    fn new(context: &'a Context<'a>, size: usize, batching: bool) -> Self {
        Self {
            context,
            size,
            batching,
        }
    }
}

impl Target for SummaryTarget<'_> {
    fn step(&mut self, rate: Option<f64>) -> Result<Step> {
        let args = ["--format", "raw"];
        let (running, port) = start_listen(self.context.stage, &args, Some(Stdio::null()))?;
        let socket = load::connect((Ipv4Addr::LOCALHOST, port).into())?;
        let cpu = running.cpu();
        let start = Instant::now();
        let load = step_load(self.context, self.size, self.batching, rate);
        let sent = load::send(&socket, &load)?;
        running.wait_for("an empty queue", |_| {
            udp_port(port)
                .is_some_and(|state| state.queued == 0)
                .then_some(())
        })?;
        let seconds = start.elapsed().as_secs_f64();
        let cpu = running.cpu().saturating_sub(cpu);
        running.interrupt()?;
        let summary = Summary::read(&running.finish()?.log)?;
        Ok(Step {
            sent: sent.datagrams as f64,
            offered: offered(sent),
            delivered: summary.datagrams,
            seconds,
            cpu,
        })
    }
}

/// iperf3 counts the datagrams itself, and accepts only its own client.
struct IperfTarget<'a> {
    context: &'a Context<'a>,
    server: IperfServer<'a>,
    size: usize,
}

impl Target for IperfTarget<'_> {
    fn step(&mut self, rate: Option<f64>) -> Result<Step> {
        let cpu = self.server.running.cpu();
        let seconds = self.context.options.millis(150, 1000).as_secs_f64();
        // This many datagrams, or a whole second.
        let count = rate
            .map_or(0, |rate| load::whole(rate * seconds))
            .to_string();
        let amount = match rate {
            Some(_) => ["-k", &count],
            None => ["-t", "1"],
        };
        let mut refusals = 0;
        let run = loop {
            match self
                .server
                .run(self.context.stage, self.size, rate, &amount)
            {
                // The server may still be busy with the end of the run before.
                Err(_) if refusals < 5 => {
                    refusals += 1;
                    sleep(Duration::from_millis(20));
                }
                result => break result?,
            }
        };
        Ok(Step {
            sent: run.sent,
            offered: run.sent / run.seconds,
            delivered: run.sent - run.lost,
            seconds: run.seconds,
            cpu: self.server.running.cpu().saturating_sub(cpu),
        })
    }
}
