//! `udpcli listen`: arguments to plan, run, report.

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::cli::{GlobalArgs, value};
use crate::error::{Error, Outcome};
use crate::logging;
use crate::net::answer::Answer;
use crate::net::batch::{Clock, ReceiveOptions};
use crate::net::interface;
use crate::net::listen::{End, ListenPlan, Listener};
use crate::net::prefix::Prefix;
use crate::net::sink::Flow;
use crate::net::socket::{self, Bound, Group, ListenOptions, Sharing};
use crate::open::{self, Waited};
use crate::output::Output;
use crate::panel::server::ServerPanel;
use crate::payload::TextRules;
use crate::payload::encoding::TextEncoding;
use crate::payload::escape::Audience;
use crate::render::{Format, Renderer, Style};
use crate::save::{Kind, Saver};
use crate::shutdown::Shutdown;

/// Receive datagrams: the board's UDP server, on the PC
///
/// Prints what arrives until Ctrl-C, and says which address to type into the board's program.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli listen                                   port 6000, as in the tutorial
  udpcli listen --port 6000 --echo                send everything back
  udpcli listen -n 1 --timeout 10s                one datagram, or exit code 1
  udpcli listen --format json | jq .text
  udpcli listen --encoding auto                   Chinese text in UTF-8 or GBK
  udpcli listen --format board --recv-size 1024   to the byte what the board would print
  udpcli listen --join 239.1.2.3@eth0
  udpcli listen --save lesson.pcapng              open it with Wireshark
  udpcli listen --seq --stats 1s --format raw > /dev/null")]
pub struct ListenArgs {
    /// UDP port; 0 picks a free one
    #[arg(short, long, value_name = "N", default_value = "6000", value_parser = value::port, action = clap::ArgAction::Append)]
    port: Vec<u16>,
    /// Our own address to listen on; :: is IPv6 and IPv4
    #[arg(long, value_name = "IP", default_value = "0.0.0.0", value_parser = value::address, action = clap::ArgAction::Append)]
    bind: Vec<SocketAddr>,

    /// How datagrams are printed
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,
    /// With --format raw: between datagrams (escapes are read)
    #[arg(long, value_name = "TEXT", help_heading = "Output")]
    separator: Option<String>,
    /// Decode payload text: utf-8, gbk, big5, shift_jis .., or auto (UTF-8, then GBK)
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "utf-8",
        hide_default_value = true,
        help_heading = "Output"
    )]
    encoding: TextEncoding,
    /// Where arrival times come from
    #[arg(long, value_enum, default_value_t = Timestamps::Kernel, help_heading = "Output")]
    timestamps: Timestamps,
    /// Draw the panel that the tutorial's server would show (on a terminal)
    #[arg(long, help_heading = "Output")]
    oled: bool,
    /// Write every datagram to FILE as well: .pcap, .pcapng or .jsonl
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save: Option<PathBuf>,
    /// Report the counts every D
    #[arg(long, value_name = "D", value_parser = value::report_period, help_heading = "Output")]
    stats: Option<Duration>,
    /// Read sequence numbers (send --size): loss, duplicates, reordering, delay
    #[arg(long, help_heading = "Output")]
    seq: bool,

    /// End after N datagrams
    #[arg(short = 'n', long, value_name = "N", value_parser = value::positive_count, help_heading = "End")]
    count: Option<u64>,
    /// End when no datagram came for D; exit code 1 if none ever did
    #[arg(long, value_name = "D", value_parser = value::positive_duration, help_heading = "End")]
    timeout: Option<Duration>,
    /// End after D
    #[arg(long, value_name = "D", value_parser = value::positive_duration, help_heading = "End")]
    duration: Option<Duration>,

    /// Send every datagram back
    #[arg(long, help_heading = "Answers", conflicts_with = "reply")]
    echo: bool,
    /// Answer every datagram with TEXT
    #[arg(long, value_name = "TEXT", help_heading = "Answers")]
    reply: Option<String>,
    /// Read \n \r \t \0 \\ \xNN \u{NNNN} in --reply
    #[arg(short, long, requires = "reply", help_heading = "Answers")]
    escape: bool,
    /// Answers per second and peer at most
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Answers")]
    reply_rate: u32,

    /// Set SO_REUSEADDR: share the port; unicast goes to one of the programs (on Windows: undefined which)
    #[arg(long, help_heading = "Socket")]
    reuse_addr: bool,
    /// Set SO_REUSEPORT: share the port; senders are spread over the programs (not on Windows)
    #[arg(long, help_heading = "Socket")]
    reuse_port: bool,
    /// Join a multicast group, on one interface or on all
    #[arg(long, value_name = "GROUP[@IFACE]", help_heading = "Socket")]
    join: Vec<Group>,
    /// Receive by this interface only, where the system can
    #[arg(long, value_name = "NAME", help_heading = "Socket")]
    interface: Option<String>,
    /// Bytes that may wait to be read (SO_RCVBUF) [default: as many as the system allows]
    #[arg(long, value_name = "SIZE", value_parser = value::buffer_size, help_heading = "Socket")]
    recv_buffer: Option<usize>,
    /// Bytes kept of a datagram; 1024 behaves like the tutorial
    #[arg(long, value_name = "N", value_parser = value::positive_size, default_value = "65535", help_heading = "Socket")]
    recv_size: usize,
    /// Hear these senders only
    #[arg(long, value_name = "IP[/PREFIX]", help_heading = "Socket")]
    from: Vec<Prefix>,
}

/// Where arrival times come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Timestamps {
    /// The kernel, where it tells
    Kernel,
    /// This program, when it reads the datagram
    User,
}

/// Runs `udpcli listen`.
///
/// # Errors
/// The arguments contradict each other, the environment refuses, or nothing came in time.
pub async fn run(
    args: Box<ListenArgs>,
    global: &GlobalArgs,
    shutdown: &mut Shutdown,
) -> Result<Outcome, Error> {
    let begun = Instant::now();
    let answer = args.answer()?;
    let style = args.style(global)?;
    let save = match args.save.as_deref() {
        Some(path) => Some((path, Kind::of(path)?)),
        None => None,
    };
    let receive = ReceiveOptions {
        recv_size: args.recv_size,
        clock: match args.timestamps {
            Timestamps::Kernel => Clock::Kernel,
            Timestamps::User => Clock::User,
        },
        batching: !global.no_batching,
    };
    let wanted = args.sockets(receive)?;
    let mut sockets = Vec::new();
    for options in &wanted {
        sockets.push(socket::open_listener(options)?);
    }
    // After the sockets: a taken port must not cost an old capture.
    let saver = match save {
        None => None,
        Some((path, kind)) => {
            let deadline = args.duration.map(|duration| begun + duration);
            match open::for_writing(&Saver::open_options(), path, shutdown, deadline).await? {
                Waited::Done(opened) => {
                    Some(Saver::new(path, kind, opened, args.encoding, shutdown)?)
                }
                Waited::Interrupted => return Ok(Outcome::Interrupted),
                Waited::TimeUp => {
                    tracing::warn!(
                        "nothing was received: no other program opened {} for reading",
                        path.display()
                    );
                    return Ok(Outcome::Done);
                }
            }
        }
    };
    let opening = begun.elapsed();
    for (bound, options) in sockets.iter().zip(&wanted) {
        tracing::info!("{}", announcement(bound, options));
    }
    let plan = ListenPlan {
        receive,
        from: args.from.clone(),
        answer,
        reply_rate: args.reply_rate,
        sequenced: args.seq,
        count: args.count,
        timeout: args.timeout,
        duration: args
            .duration
            .map(|duration| value::remaining(duration, opening)),
        stats_every: args.stats,
    };
    let mut output = Output::new(
        Renderer::new(style),
        saver,
        args.panel(&sockets),
        shutdown.clone(),
    );
    let mut listener = Listener::new(&plan, &sockets);
    let end = match output.begin()? {
        Flow::ReaderGone => Ok(End::ReaderGone),
        Flow::Continue => listener.run(&mut output, shutdown).await,
    };
    output.end();
    if matches!(end, Ok(End::Asked)) {
        logging::end_interrupted_line();
    }
    tracing::info!("{}", listener.report());
    let has_end = args.count.is_some() || args.duration.is_some();
    match end? {
        End::Asked if has_end => Ok(Outcome::Interrupted),
        // Left behind, as the end was asked for.
        End::ReaderGone if has_end && shutdown.is_asked() => Ok(Outcome::Interrupted),
        End::Silence if listener.datagrams() == 0 => Err(Error::NoDatagram {
            timeout: args.timeout.unwrap_or_default(),
            local: sockets.first().map(|bound| bound.local),
            filtered: listener.filtered(),
        }),
        End::Asked | End::Silence | End::Complete | End::ReaderGone => Ok(Outcome::Done),
    }
}

impl ListenArgs {
    fn answer(&self) -> Result<Option<Answer>, Error> {
        if self.echo {
            return Ok(Some(Answer::Echo));
        }
        let Some(text) = &self.reply else {
            return Ok(None);
        };
        let rules = TextRules {
            escapes: self.escape,
            encoding: self.encoding,
            line_ending: "",
        };
        let mut payload = Vec::new();
        rules.append(text, &format!("--reply {text:?}"), &mut payload)?;
        if payload.len() > crate::net::MAX_PAYLOAD_V4 {
            let (len, max) = (payload.len() as u64, crate::net::MAX_PAYLOAD_V4);
            return Err(Error::TooLong {
                what: "the reply".to_owned(),
                len,
                max,
                family: "IPv4",
            });
        }
        Ok(Some(Answer::Fixed(payload)))
    }

    fn style(&self, global: &GlobalArgs) -> Result<Style, Error> {
        if self.separator.is_some() && self.format != Format::Raw {
            return Err(Error::usage(
                "--separator stands between the payloads of --format raw only",
            ));
        }
        let mut separator = Vec::new();
        let rules = TextRules {
            escapes: true,
            encoding: TextEncoding::default(),
            line_ending: "",
        };
        rules.append(
            self.separator.as_deref().unwrap_or_default(),
            "--separator",
            &mut separator,
        )?;
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        if is_terminal && self.format == Format::Raw {
            tracing::info!(
                "on a terminal raw payloads are shown escaped; a pipe or a file gets the exact bytes"
            );
        }
        Ok(Style {
            format: self.format,
            audience: if is_terminal {
                Audience::Terminal
            } else {
                Audience::Pipe
            },
            color: logging::wants_color(global.color.into(), &stdout),
            encoding: self.encoding,
            separator,
        })
    }

    /// One socket for each address and port.
    fn sockets(&self, receive: ReceiveOptions) -> Result<Vec<ListenOptions>, Error> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for &address in &self.bind {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let v4_wildcard = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let joins_v6 = self.join.iter().any(|group| group.address.is_ipv6());
        if joins_v6 && addresses == [v4_wildcard] {
            addresses.push((Ipv6Addr::UNSPECIFIED, 0).into());
        }
        let only_v6 = addresses.contains(&v4_wildcard);
        let takes = |address: &SocketAddr, group: &Group| match group.address {
            // An IPv6 wildcard that hears IPv4 can be in IPv4's groups.
            IpAddr::V4(_) => address.is_ipv4() || (address.ip().is_unspecified() && !only_v6),
            IpAddr::V6(_) => address.is_ipv6(),
        };
        for group in &self.join {
            if !addresses.iter().any(|address| takes(address, group)) {
                return Err(Error::usage_hint(
                    format!("no --bind address can receive group {}", group.address),
                    "leave --bind out, or bind an address of the group's family",
                ));
            }
        }
        let mut ports: Vec<u16> = Vec::new();
        for &port in &self.port {
            if port == 0 || !ports.contains(&port) {
                ports.push(port);
            }
        }
        let mut sockets = Vec::new();
        for &port in &ports {
            for address in &addresses {
                let mut local = *address;
                local.set_port(port);
                sockets.push(ListenOptions {
                    sharing: Sharing {
                        reuse_addr: self.reuse_addr,
                        reuse_port: self.reuse_port,
                        interface: self.interface.clone(),
                    },
                    local,
                    only_v6,
                    groups: self
                        .join
                        .iter()
                        .filter(|group| takes(address, group))
                        .cloned()
                        .collect(),
                    recv_buffer: self.recv_buffer,
                    receive,
                });
            }
        }
        Ok(sockets)
    }

    fn panel(&self, sockets: &[Bound]) -> Option<ServerPanel> {
        if !self.oled {
            return None;
        }
        if !(std::io::stderr().is_terminal() && logging::obeys_escapes()) {
            tracing::warn!("--oled draws on a terminal only: no panel here");
            return None;
        }
        let local = sockets.first()?.local;
        let address = match interface::reachable_v4().first() {
            Some((address, _)) if local.ip().is_unspecified() => {
                SocketAddr::new((*address).into(), local.port())
            }
            _ => local,
        };
        Some(ServerPanel::new(&address.to_string(), self.encoding))
    }
}

/// What to type into the board's program.
fn announcement(bound: &Bound, options: &ListenOptions) -> String {
    let local = bound.local;
    let port = local.port();
    if local.ip().is_loopback() {
        return format!("listening on {local}; only programs on this PC reach it");
    }
    let takes_v4 = local.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        || (local.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && !options.only_v6);
    if !takes_v4 {
        return format!("listening on {local}");
    }
    let interface = options.sharing.interface.as_deref();
    let reachable: Vec<String> = interface::reachable_v4()
        .iter()
        .filter(|(address, name)| {
            interface.is_none_or(|wanted| wanted == name || wanted == address.to_string())
        })
        .map(|(address, name)| format!("{address}:{port} ({name})"))
        .collect();
    match interface {
        Some(name) if reachable.is_empty() => {
            format!("listening on {local}; by {name} only, which has no address of a network")
        }
        None if reachable.is_empty() => format!(
            "listening on {local}; this PC has no network address now: connect Wi-Fi or a cable so that the board can reach it"
        ),
        _ => format!(
            "listening on {local}; on this network the board reaches it at {}",
            reachable.join(" or ")
        ),
    }
}
