//! The programs to compare with, and how each is started.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::process::{Result, Running, Stage, free_port, tcp_listens, udp_port};

/// Where the peers are, if they are installed.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) nc: Option<PathBuf>,
    pub(crate) ncat: Option<PathBuf>,
    pub(crate) socat: Option<PathBuf>,
    pub(crate) iperf3: Option<PathBuf>,
}

impl Peers {
    pub(crate) fn find() -> Self {
        let find = |names: &[&str]| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            names
                .iter()
                .flat_map(|name| std::env::split_paths(&path).map(move |dir| dir.join(name)))
                .find(|candidate| candidate.is_file())
        };
        Self {
            // Several packages offer "nc"; this is the one with -k and -N.
            nc: find(&["nc.openbsd", "nc"]),
            ncat: find(&["ncat"]),
            socat: find(&["socat"]),
            iperf3: find(&["iperf3"]),
        }
    }

    pub(crate) fn missing(&self) -> Vec<&'static str> {
        [
            ("nc", &self.nc),
            ("ncat", &self.ncat),
            ("socat", &self.socat),
            ("iperf3", &self.iperf3),
        ]
        .into_iter()
        .filter_map(|(name, path)| path.is_none().then_some(name))
        .collect()
    }
}

/// `udpcli`, free of the caller's environment.
pub(crate) fn udpcli<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_udpcli"));
    command
        .args(args)
        .env_remove("UDPCLI_LOG")
        .env_remove("NO_COLOR");
    command
}

/// This program in another part.
pub(crate) fn own_part<'a>(args: impl IntoIterator<Item = &'a str>) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args);
    Ok(command)
}

/// Starts `udpcli listen` on a free port, waits until it listens; its port.
pub(crate) fn start_listen<'a>(
    stage: &'a Stage,
    args: &[&str],
    stdout: Option<Stdio>,
) -> Result<(Running<'a>, u16)> {
    let own = ["listen", "--port", "0", "--bind", "127.0.0.1"];
    let mut command = udpcli(own.iter().chain(args).copied());
    let running = stage.spawn(&mut command, Stdio::null(), stdout)?;
    let port = running.wait_for("the listening line", |running| {
        let log = running.log();
        let (_, rest) = log.split_once("listening on 127.0.0.1:")?;
        let (port, _) = rest.split_once([';', '\n'])?;
        port.parse().ok()
    })?;
    Ok((running, port))
}

/// Starts a command that listens on this UDP port, waits until it does.
pub(crate) fn start_on<'a>(
    stage: &'a Stage,
    command: &mut Command,
    port: u16,
    stdout: Option<Stdio>,
) -> Result<Running<'a>> {
    let running = stage.spawn(command, Stdio::null(), stdout)?;
    running.wait_for("its port", |_| udp_port(port))?;
    Ok(running)
}

/// Our summary line: the last that counts datagrams.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summary {
    pub(crate) datagrams: f64,
    pub(crate) rate: f64,
    pub(crate) peers: f64,
}

impl Summary {
    pub(crate) fn read(log: &str) -> Result<Self> {
        log.lines()
            .rev()
            .find_map(|line| {
                Some(Self {
                    datagrams: number_before(line, " datagrams,")
                        .or_else(|| number_before(line, " datagram,"))?,
                    rate: number_before(line, " datagrams/s")?,
                    peers: number_before(line, " peer").unwrap_or(0.0),
                })
            })
            .ok_or_else(|| format!("no summary in: {}", log.trim()).into())
    }
}

/// The number that stands before `unit`.
fn number_before(line: &str, unit: &str) -> Option<f64> {
    let (head, _) = line.split_once(unit)?;
    head.rsplit(' ').next()?.parse().ok()
}

/// An iperf3 server, listening.
#[derive(Debug)]
pub(crate) struct IperfServer<'a> {
    pub(crate) running: Running<'a>,
    program: &'a Path,
    port: u16,
}

/// What one iperf3 run reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IperfRun {
    pub(crate) sent: f64,
    pub(crate) lost: f64,
    pub(crate) seconds: f64,
    /// CPU time of the client.
    pub(crate) cpu: Duration,
}

impl<'a> IperfServer<'a> {
    pub(crate) fn start(stage: &'a Stage, program: &'a Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["-s", "-B", "127.0.0.1", "-p", &port.to_string()]);
        let running = stage.spawn(&mut command, Stdio::null(), None)?;
        running.wait_for("its port", |_| tcp_listens(port).then_some(()))?;
        Ok(Self {
            running,
            program,
            port,
        })
    }

    /// One run of a client: `rate` in datagrams a second or as fast as it can, `amount` as iperf3 takes it.
    pub(crate) fn run(
        &self,
        stage: &Stage,
        size: usize,
        rate: Option<f64>,
        amount: &[&str],
    ) -> Result<IperfRun> {
        let bits = rate.map_or(0.0, |rate| rate * size as f64 * 8.0);
        let mut command = Command::new(self.program);
        command
            .args(["-c", "127.0.0.1", "-u", "-J", "-p", &self.port.to_string()])
            .args(["-b", &format!("{bits:.0}"), "-l", &size.to_string()])
            .args(amount);
        let ended = stage.spawn(&mut command, Stdio::null(), None)?.finish()?;
        let report: Value = serde_json::from_str(&ended.output)?;
        let number = |name: &str| {
            report
                .pointer(&format!("/end/sum/{name}"))
                .and_then(Value::as_f64)
                .ok_or_else(|| format!("iperf3 reports no {name}"))
        };
        Ok(IperfRun {
            sent: number("packets")?,
            lost: number("lost_packets")?,
            seconds: number("seconds")?,
            cpu: ended.cpu,
        })
    }
}
