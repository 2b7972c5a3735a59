//! What should stay small: errors of the pace, memory, and the cost of doing nothing.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::load::{self, Sink, Watch};
use crate::options::{Context, Section};
use crate::peers::{Summary, start_listen, udpcli};
use crate::process::{Result, TICK};
use crate::table::{Contender, Metric, Sample, Table, quantile};
use crate::trip;

const MILLISECOND: u64 = 1_000_000;

/// How evenly `send --rate` sends, by the kernel's clock at the receiver.
pub(crate) fn pacing(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        Section::Pacing,
        "PACING: udpcli send --rate N --size 64, by the kernel's arrival times",
        &[
            Metric::lower("rate error %"),
            Metric::lower("most within 1 ms"),
            Metric::lower("p50 gap us"),
            Metric::lower("p99 gap us"),
            Metric::lower("missing"),
        ],
        &[],
    );
    let duration = context.options.millis(500, 3000);
    let contenders = [100, 1_000, 10_000, 100_000]
        .into_iter()
        .map(|rate| {
            let gap = 1_000_000 / rate;
            let name = format!("udpcli --rate {rate} (gap {gap} us)");
            Contender::new(name, move || paced(context, rate, duration))
        })
        .collect();
    table.alternate(context.options.search_runs(), contenders);
    table
}

fn paced(context: &Context<'_>, rate: u32, duration: Duration) -> Result<Sample> {
    let sink = Sink::start(Watch::Times)?;
    let mut command = udpcli([
        "send",
        &sink.address.to_string(),
        "--rate",
        &rate.to_string(),
        "--size",
        "64",
        "--duration",
        &format!("{}", duration.as_secs_f64()),
    ]);
    context
        .stage
        .spawn(&mut command, Stdio::null(), None)?
        .finish()?;
    let mut times = sink.finish()?.times;
    times.sort_unstable();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Err("nothing arrived".into());
    };
    let seconds = (last - first) as f64 / 1e9;
    let mean = (times.len() as f64 - 1.0) / seconds;
    let gaps: Vec<f64> = times
        .iter()
        .zip(times.iter().skip(1))
        .map(|(before, after)| (after - before) as f64 / 1e3)
        .collect();
    let wanted = f64::from(rate) * duration.as_secs_f64();
    Ok(vec![
        (mean / f64::from(rate) - 1.0).abs() * 100.0,
        most_within(&times, MILLISECOND) as f64,
        quantile(gaps.clone(), 0.5).unwrap_or(f64::NAN),
        quantile(gaps, 0.99).unwrap_or(f64::NAN),
        (wanted - times.len() as f64).max(0.0),
    ])
}

/// The most of these sorted times in any window of this length.
fn most_within(times: &[u64], window: u64) -> usize {
    let mut most = 0;
    let mut oldest = times.iter().enumerate().peekable();
    for (index, time) in times.iter().enumerate() {
        while oldest
            .next_if(|(_, start)| **start + window <= *time)
            .is_some()
        {}
        if let Some((start, _)) = oldest.peek() {
            most = most.max(index + 1 - start);
        }
    }
    most
}

/// The listener's memory under load and its CPU time without any.
pub(crate) fn memory(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        Section::Memory,
        "MEMORY AND IDLENESS: udpcli listen",
        &[
            Metric::lower("VmHWM MiB"),
            Metric::lower("idle 2 s, ticks"),
            Metric::lower("idle 2 s, CPU us"),
            Metric::higher("peers"),
        ],
        &[],
    );
    let contenders = vec![
        Contender::new("udpcli, end to end", move || {
            let (_, memory) = trip::flow(context, context.options.millis(400, 3000))?;
            Ok(vec![mebibytes(memory), f64::NAN, f64::NAN, 1.0])
        }),
        Contender::new("udpcli, 10,000 peers", move || many_peers(context)),
        Contender::new("udpcli, nothing to do", move || idle(context)),
    ];
    table.alternate(context.options.search_runs(), contenders);
    table
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

fn many_peers(context: &Context<'_>) -> Result<Sample> {
    const PEERS: usize = 10_000;
    let args = ["--format", "raw", "--seq"];
    let (listener, port) = start_listen(context.stage, &args, Some(Stdio::null()))?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let payload = load::payload(64);
    // The system chooses random ports, so some occur twice.
    let mut ports = BTreeSet::new();
    for _ in 0..10 * PEERS {
        if ports.len() == PEERS {
            break;
        }
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        if ports.insert(socket.local_addr()?.port()) {
            socket.send_to(&payload, address)?;
        }
    }
    trip::drained(&listener, port)?;
    let memory = listener.peak_memory()?;
    listener.interrupt()?;
    let summary = Summary::read(&listener.finish()?.log)?;
    Ok(vec![mebibytes(memory), f64::NAN, f64::NAN, summary.peers])
}

fn idle(context: &Context<'_>) -> Result<Sample> {
    let args = ["--format", "raw"];
    let (listener, _) = start_listen(context.stage, &args, Some(Stdio::null()))?;
    // The costs of the start are over when a few ticks pass without CPU time.
    let mut before = listener.cpu();
    listener.wait_for("its start to be over", |listener| {
        sleep(5 * TICK);
        let now = listener.cpu();
        let is_quiet = now == before;
        before = now;
        is_quiet.then_some(())
    })?;
    let ticks = listener.ticks();
    sleep(Duration::from_secs(2));
    let spent = listener.cpu().saturating_sub(before);
    Ok(vec![
        mebibytes(listener.peak_memory()?),
        (listener.ticks() - ticks) as f64,
        spent.as_secs_f64() * 1e6,
        0.0,
    ])
}
