//! From our sender to our listener.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::load::{self, Sink, Watch};
use crate::options::{Context, Section};
use crate::peers::{IperfServer, Summary, own_part, start_listen, udpcli};
use crate::process::{Result, Running, udp_port};
use crate::table::{Contender, Metric, Sample, Table};

/// The columns: received datagrams per second while sending, the lost share, and the CPU seconds per million received
/// of the sender and of the receiver.
const METRICS: [Metric; 4] = [
    Metric::higher("received/s"),
    Metric::lower("lost %"),
    Metric::lower("send CPU s/M"),
    Metric::lower("receive CPU s/M"),
];

pub(crate) fn end_to_end(context: &Context<'_>) -> Table {
    let mut table = Table::new(
        Section::EndToEnd,
        "END TO END: sender and receiver of one kind, 64 bytes, as fast as it goes",
        &METRICS,
        &["iperf3"],
    );
    let duration = context.options.millis(400, 3000);
    let mut contenders = vec![Contender::new(
        "udpcli send, udpcli listen --seq",
        move || flow(context, duration).map(|(sample, _)| sample),
    )];
    if let Some(iperf3) = &context.peers.iperf3 {
        contenders.push(Contender::new("iperf3", move || {
            by_iperf3(context, iperf3, duration)
        }));
    }
    contenders.push(Contender::new("limit: GSO x64 to GRO", move || {
        limit(context, duration)
    }));
    table.alternate(context.options.runs(), contenders);
    table
}

fn sample(sent: f64, received: f64, seconds: f64, send_cpu: Duration, cpu: Duration) -> Sample {
    vec![
        received / seconds,
        (sent - received) / sent * 100.0,
        send_cpu.as_secs_f64() / received * 1e6,
        cpu.as_secs_f64() / received * 1e6,
    ]
}

/// Waits until a listener has read all waiting datagrams.
pub(crate) fn drained(listener: &Running<'_>, port: u16) -> Result<()> {
    listener.wait_for("an empty queue", |_| {
        udp_port(port)
            .is_some_and(|state| state.queued == 0)
            .then_some(())
    })
}

/// `udpcli send` into `udpcli listen --seq`; also the listener's peak of memory in KiB.
pub(crate) fn flow(context: &Context<'_>, duration: Duration) -> Result<(Sample, u64)> {
    let args = ["--format", "raw", "--seq"];
    let (listener, port) = start_listen(context.stage, &args, Some(Stdio::null()))?;
    let before = listener.cpu();
    let mut command = udpcli([
        "send",
        &format!("127.0.0.1:{port}"),
        "--rate",
        "max",
        "--size",
        "64",
        "--duration",
        &format!("{}", duration.as_secs_f64()),
    ]);
    let sender = context
        .stage
        .spawn(&mut command, Stdio::null(), None)?
        .finish()?;
    drained(&listener, port)?;
    let cpu = listener.cpu().saturating_sub(before);
    let memory = listener.peak_memory()?;
    listener.interrupt()?;
    let received = Summary::read(&listener.finish()?.log)?;
    let sent = Summary::read(&sender.log)?;
    let seconds = sent.datagrams / sent.rate;
    let sample = sample(sent.datagrams, received.datagrams, seconds, sender.cpu, cpu);
    Ok((sample, memory))
}

fn by_iperf3(context: &Context<'_>, program: &Path, duration: Duration) -> Result<Sample> {
    let server = IperfServer::start(context.stage, program)?;
    let before = server.running.cpu();
    let seconds = duration.as_secs().max(1).to_string();
    let run = server.run(context.stage, 64, None, &["-t", &seconds])?;
    let cpu = server.running.cpu().saturating_sub(before);
    Ok(sample(
        run.sent,
        run.sent - run.lost,
        run.seconds,
        run.cpu,
        cpu,
    ))
}

/// The plain sender into the plain sink: the limit of the machine.
fn limit(context: &Context<'_>, duration: Duration) -> Result<Sample> {
    let sink = Sink::start(Watch::Count)?;
    let mut command = own_part([
        "sender",
        &sink.address.to_string(),
        "64",
        &duration.as_millis().to_string(),
        "max",
        "gso",
    ])?;
    let ended = context
        .stage
        .spawn(&mut command, Stdio::null(), None)?
        .finish()?;
    let sent = load::read_sent(&ended.output)?;
    let received = sink.finish()?.datagrams as f64;
    let mut sample = sample(
        sent.datagrams as f64,
        received,
        sent.elapsed.as_secs_f64(),
        ended.cpu,
        Duration::ZERO,
    );
    // The sink is a thread of the benchmark, so its cost is not measured separately.
    if let Some(last) = sample.last_mut() {
        *last = f64::NAN;
    }
    Ok(sample)
}
