//! One datagram at a time: the time of a whole program run for one datagram, and its round-trip time.

use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::load;
use crate::options::{Context, Section};
use crate::peers::{own_part, start_listen, start_on, udpcli};
use crate::process::{Result, Running, free_port};
use crate::table::{Contender, Metric, Row, Sample, Table, quantile};

/// A datagram that takes longer than this is lost.
const LOST_AFTER: Duration = Duration::from_secs(1);

/// Wall time from the start of a program that sends one datagram to its end.
pub(crate) fn one_shot(context: &Context<'_>) -> Result<Table> {
    let mut table = Table::new(
        Section::OneShot,
        "ONE SHOT: start, send one datagram, end; milliseconds",
        &[Metric::lower("median ms"), Metric::lower("p90 ms")],
        &["nc", "socat"],
    );
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    receiver.set_read_timeout(Some(LOST_AFTER))?;
    let address = receiver.local_addr()?.to_string();
    let port = receiver.local_addr()?.port().to_string();
    let input = context.stage.new_path(".hello");
    fs::write(&input, "hello")?;
    let mut commands = vec![("udpcli -q send", udpcli(["-q", "send", &address, "hello"]))];
    let mut add = |name, program: &Option<PathBuf>, args: &[&str]| {
        if let Some(program) = program {
            let mut command = Command::new(program);
            command.args(args);
            commands.push((name, command));
        }
    };
    let peers = context.peers;
    add("nc", &peers.nc, &["-u", "-w0", "127.0.0.1", &port]);
    let to = format!("UDP4-SENDTO:{address}");
    add("socat", &peers.socat, &["-u", "STDIN", &to]);
    if !context.options.quick {
        let args = ["-u", "--send-only", "127.0.0.1", &port];
        add("ncat", &peers.ncat, &args);
    }
    let mut rows: Vec<(Row, Vec<f64>, u32)> = commands
        .iter()
        .map(|(name, _)| {
            let row = Row {
                name: (*name).to_owned(),
                samples: Vec::new(),
                note: None,
            };
            (row, Vec::new(), 0)
        })
        .collect();
    for _ in 0..context.options.pick(30, 100) {
        for ((_, command), (row, times, lost)) in commands.iter_mut().zip(&mut rows) {
            if row.note.is_some() {
                continue;
            }
            match shot(command, &input, &receiver) {
                Ok(Some(time)) => times.push(time.as_secs_f64() * 1e3),
                Ok(None) => *lost += 1,
                Err(error) => row.note = Some(format!("failed: {error}")),
            }
        }
    }
    for (mut row, times, lost) in rows {
        if lost > 0 {
            row.note = Some(format!("{lost} did not arrive, and do not count"));
        }
        if let (Some(median), Some(p90)) = (quantile(times.clone(), 0.5), quantile(times, 0.9)) {
            row.samples.push(vec![median, p90]);
        }
        table.rows.push(row);
    }
    fs::remove_file(&input)?;
    Ok(table)
}

/// One run; `None` if its datagram did not come.
fn shot(command: &mut Command, input: &Path, receiver: &UdpSocket) -> Result<Option<Duration>> {
    command
        .stdin(File::open(input)?)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let start = Instant::now();
    // The program ends within milliseconds, or with the benchmark at Ctrl-C.
    let mut child = command.spawn()?;
    let status = child.wait()?;
    let time = start.elapsed();
    if !status.success() {
        return Err(format!("{status}").into());
    }
    let mut buffer = [0; 64];
    Ok(receiver.recv(&mut buffer).is_ok().then_some(time))
}

/// The round-trip time with one datagram in flight, against any echo program.
pub(crate) fn round_trip(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        Section::RoundTrip,
        "ROUND TRIP: 64 bytes, one in flight; microseconds",
        &[
            Metric::lower("p50 us"),
            Metric::lower("p99 us"),
            Metric::lower("lost"),
        ],
        &["socat PIPE"],
    );
    let mut contenders = vec![Contender::new("udpcli listen --echo", move || {
        let args = ["--echo", "--reply-rate", "1000000", "--format", "raw"];
        let (running, port) = start_listen(context.stage, &args, Some(Stdio::null()))?;
        trips(context, &running, port)
    })];
    let echoes: [(&'static str, &Option<PathBuf>, &'static [&'static str]); 3] = [
        (
            "socat PIPE",
            &context.peers.socat,
            &["-b65536", "UDP4-LISTEN:PORT,bind=127.0.0.1", "PIPE"],
        ),
        (
            "socat fork PIPE",
            &context.peers.socat,
            &["UDP4-RECVFROM:PORT,bind=127.0.0.1,fork", "PIPE"],
        ),
        (
            "ncat --exec cat",
            &context.peers.ncat,
            &["-u", "-l", "127.0.0.1", "PORT", "--exec", "/bin/cat"],
        ),
    ];
    for (name, program, args) in echoes {
        let Some(program) = program else { continue };
        contenders.push(Contender::new(name, move || {
            let port = free_port()?;
            let mut command = Command::new(program);
            command.args(
                args.iter()
                    .map(|arg| arg.replace("PORT", &port.to_string())),
            );
            let running = start_on(context.stage, &mut command, port, None)?;
            trips(context, &running, port)
        }));
    }
    contenders.push(Contender::new("limit: recvfrom, sendto", move || {
        let mut command = own_part(["echo"])?;
        let running = context.stage.spawn(&mut command, Stdio::null(), None)?;
        let port = running.wait_for("its port", |running| {
            running.output().trim().rsplit_once(':')?.1.parse().ok()
        })?;
        trips(context, &running, port)
    }));
    table.alternate(context.options.runs(), contenders);
    table
}

fn trips(context: &Context<'_>, _echo: &Running<'_>, port: u16) -> Result<Sample> {
    let socket = load::connect((Ipv4Addr::LOCALHOST, port).into())?;
    socket.set_read_timeout(Some(LOST_AFTER))?;
    let mut payload = load::payload(64);
    let mut buffer = [0; 64];
    let mut times = Vec::new();
    let mut lost = 0.0;
    let end = Instant::now() + context.options.millis(150, 2000);
    let mut number: u64 = 0;
    while Instant::now() < end {
        number += 1;
        // A late echo must not count for the next datagram.
        if let Some(head) = payload.first_chunk_mut() {
            *head = number.to_be_bytes();
        }
        let start = Instant::now();
        socket.send(&payload)?;
        let is_back = loop {
            match socket.recv(&mut buffer) {
                Ok(len) if buffer.get(..len) == Some(payload.as_slice()) => break true,
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        let time = start.elapsed();
        match (is_back, number) {
            (false, _) => lost += 1.0,
            // The first finds nothing warm.
            (true, ..=10) => {}
            (true, _) => times.push(time.as_secs_f64() * 1e6),
        }
        if lost > 3.0 {
            return Err("it does not echo".into());
        }
    }
    let p50 = quantile(times.clone(), 0.5).ok_or("nothing came back")?;
    let p99 = quantile(times, 0.99).unwrap_or(p50);
    Ok(vec![p50, p99, lost])
}
