//! How many datagrams a second each program sends, as fast as it can.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::load::{self, Arrivals, Sink, Watch};
use crate::options::{Context, Section};
use crate::peers::{IperfServer, Summary, own_part, udpcli};
use crate::process::{DEADLINE, Result};
use crate::table::{Contender, Metric, Sample, Table};

const SIZE: usize = 64;

/// The columns: sent datagrams per second, the share that reached the sink, and the sender's CPU seconds per million.
const METRICS: [Metric; 3] = [
    Metric::higher("datagrams/s"),
    Metric::higher("arrived %"),
    Metric::lower("CPU s/M"),
];

/// The files to send.
struct Files {
    /// Lines of 64 bytes and a newline.
    lines: PathBuf,
    /// Lines of 1 to 127 bytes, no two in a row alike.
    mixed: PathBuf,
    /// Blocks of 64 bytes.
    blocks: PathBuf,
}

pub(crate) fn measure(context: &Context<'_>) -> Result<Table> {
    let files = write_files(context)?;
    let duration = context.options.millis(200, 2000);
    let mut table = Table::new(
        Section::Send,
        "SEND: datagrams of 64 bytes as fast as it goes, into a sink that keeps up",
        &METRICS,
        &["iperf3", "socat", "limit: GSO x64"],
    );
    table.alternate(
        context.options.runs(),
        contenders(context, &files, duration),
    );
    for path in [files.lines, files.mixed, files.blocks] {
        std::fs::remove_file(path)?;
    }
    Ok(table)
}

fn contenders<'a>(
    context: &'a Context<'a>,
    files: &'a Files,
    duration: Duration,
) -> Vec<Contender<'a>> {
    let seconds = format!("{}", duration.as_secs_f64());
    let message = String::from_utf8_lossy(&load::payload(SIZE)).into_owned();
    let size = SIZE.to_string();
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let ours = [
        ("udpcli --size 64", vec!["--size".to_owned(), size]),
        ("udpcli MESSAGE of 64 bytes", vec![message]),
        (
            "udpcli --lines of 64 bytes",
            vec![
                "--lines".to_owned(),
                "--file".to_owned(),
                path(&files.lines),
            ],
        ),
        (
            "udpcli --lines of 1 to 127 bytes",
            vec![
                "--lines".to_owned(),
                "--file".to_owned(),
                path(&files.mixed),
            ],
        ),
    ];
    let mut contenders: Vec<Contender<'a>> = ours
        .into_iter()
        .map(|(name, args)| {
            let seconds = seconds.clone();
            Contender::new(name, move || by_udpcli(context, &args, &seconds))
        })
        .collect();
    let peers = context.peers;
    if let Some(iperf3) = &peers.iperf3 {
        contenders.push(Contender::new("iperf3", move || {
            by_iperf3(context, iperf3, duration)
        }));
    }
    if let Some(socat) = &peers.socat {
        contenders.push(Contender::new("socat", move || {
            by_socat(context, socat, &files.blocks, duration)
        }));
    }
    for (name, program) in [("nc", &peers.nc), ("ncat", &peers.ncat)] {
        if let Some(program) = program {
            contenders.push(Contender::new(name, move || {
                by_feeding(context, program, duration)
            }));
        }
    }
    for (name, way) in [("limit: sendto", "single"), ("limit: GSO x64", "gso")] {
        contenders.push(Contender::new(name, move || {
            by_own_sender(context, way, duration)
        }));
    }
    contenders
}

fn sample(sent: f64, rate: f64, arrived: u64, cpu: Duration) -> Sample {
    vec![
        rate,
        arrived as f64 / sent * 100.0,
        cpu.as_secs_f64() / sent * 1e6,
    ]
}

fn by_udpcli(context: &Context<'_>, args: &[String], seconds: &str) -> Result<Sample> {
    let sink = Sink::start(Watch::Count)?;
    let address = sink.address.to_string();
    let own = ["send", "--rate", "max", "--duration", seconds, &address];
    let mut command = udpcli(own.into_iter().chain(args.iter().map(String::as_str)));
    let ended = context
        .stage
        .spawn(&mut command, Stdio::null(), None)?
        .finish()?;
    let arrivals = sink.finish()?;
    let summary = Summary::read(&ended.log)?;
    Ok(sample(
        summary.datagrams,
        summary.rate,
        arrivals.datagrams,
        ended.cpu,
    ))
}

fn by_own_sender(context: &Context<'_>, way: &str, duration: Duration) -> Result<Sample> {
    let sink = Sink::start(Watch::Count)?;
    let mut command = own_part([
        "sender",
        &sink.address.to_string(),
        &SIZE.to_string(),
        &duration.as_millis().to_string(),
        "max",
        way,
    ])?;
    let ended = context
        .stage
        .spawn(&mut command, Stdio::null(), None)?
        .finish()?;
    let arrivals = sink.finish()?;
    let sent = load::read_sent(&ended.output)?;
    Ok(sample(
        sent.datagrams as f64,
        sent.datagrams as f64 / sent.elapsed.as_secs_f64(),
        arrivals.datagrams,
        ended.cpu,
    ))
}

fn by_iperf3(context: &Context<'_>, program: &Path, duration: Duration) -> Result<Sample> {
    let server = IperfServer::start(context.stage, program)?;
    // iperf3 accepts only whole seconds.
    let seconds = duration.as_secs().max(1).to_string();
    let run = server.run(context.stage, SIZE, None, &["-t", &seconds])?;
    let arrived = load::whole(run.sent - run.lost);
    Ok(sample(run.sent, run.sent / run.seconds, arrived, run.cpu))
}

fn by_socat(
    context: &Context<'_>,
    program: &Path,
    blocks: &Path,
    duration: Duration,
) -> Result<Sample> {
    let sink = Sink::start(Watch::Count)?;
    let mut command = Command::new(program);
    command
        .args(["-u", &format!("-b{SIZE}")])
        .arg(format!("OPEN:{},rdonly", blocks.display()))
        .arg(format!("UDP4-SENDTO:{}", sink.address));
    let running = context.stage.spawn(&mut command, Stdio::null(), None)?;
    running.wait_for("its first datagram", |_| sink.has_begun().then_some(()))?;
    let before = running.cpu();
    sleep(duration);
    let cpu = running.cpu().saturating_sub(before);
    drop(running);
    counted(&sink.finish()?, cpu)
}

/// A program that sends the bytes of each read of its stdin: a socket keeps the datagrams apart.
fn by_feeding(context: &Context<'_>, program: &Path, duration: Duration) -> Result<Sample> {
    let sink = Sink::start(Watch::Count)?;
    let (ours, theirs) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None)?;
    // A stuck reader does not hold us up.
    ours.set_write_timeout(Some(Duration::from_millis(100)))?;
    let mut command = Command::new(program);
    command.args(["-u", "127.0.0.1", &sink.address.port().to_string()]);
    let stdin = Stdio::from(std::os::fd::OwnedFd::from(theirs));
    let running = context.stage.spawn(&mut command, stdin, None)?;
    let payload = load::payload(SIZE);
    let feed = || match ours.send(&payload) {
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => {
            Err(format!("it stopped reading: {error}"))
        }
        _ => Ok(()),
    };
    let patience = Instant::now() + DEADLINE;
    while !sink.has_begun() {
        feed()?;
        if Instant::now() > patience {
            return Err("nothing arrived".into());
        }
    }
    let before = running.cpu();
    let end = Instant::now() + duration;
    while Instant::now() < end {
        feed()?;
    }
    let cpu = running.cpu().saturating_sub(before);
    drop(running);
    counted(&sink.finish()?, cpu)
}

/// For programs that do not report what they sent: the datagrams that arrived or were dropped at the sink, divided by
/// the time between the first and the last.
fn counted(arrivals: &Arrivals, cpu: Duration) -> Result<Sample> {
    let sent = (arrivals.datagrams + arrivals.drops) as f64;
    if arrivals.datagrams < 2 || arrivals.span.is_zero() {
        return Err("nothing arrived".into());
    }
    let rate = sent / arrivals.span.as_secs_f64();
    Ok(sample(sent, rate, arrivals.datagrams, cpu))
}

fn write_files(context: &Context<'_>) -> Result<Files> {
    let files = Files {
        lines: context.stage.new_path(".lines"),
        mixed: context.stage.new_path(".mixed"),
        blocks: context.stage.new_path(".blocks"),
    };
    let payload = load::payload(SIZE);
    // Enough for 200 and 2,000 ms at several million, and at several hundred thousand, a second.
    let count = context.options.pick(1_000_000, 6_000_000);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&files.lines)?);
    for _ in 0..count {
        out.write_all(&payload)?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    let long = load::payload(2 * SIZE);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&files.mixed)?);
    for index in 0..count / 4 {
        // 37 and 127 have no common divisor, so all lengths occur, and none twice in a row.
        let len = index * 37 % 127 + 1;
        out.write_all(long.get(..len).unwrap_or(&long))?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&files.blocks)?);
    for _ in 0..count / 4 {
        out.write_all(&payload)?;
    }
    out.flush()?;
    Ok(files)
}
