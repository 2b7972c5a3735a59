//! `udpcli send HOST:PORT MESSAGE ..` without clap, whose definitions take longer to build than everything else that one
//! datagram needs.
//!
//! Only command lines whose meaning is plain: the peer, messages, and the flags in [`Flags`]. Any other one is clap's.

use std::env::var_os;
use std::ffi::OsString;
use std::net::IpAddr;

use super::{LineEnding, SendArgs};
use crate::cli::language::Choice;
use crate::cli::logging::Summary;
use crate::cli::{Cli, Color, Command, GlobalArgs};
use crate::udp::endpoint::Endpoint;

/// The flags of every command that a brief command line may have.
#[derive(Debug, Default)]
struct Flags {
    verbose: u8,
    quiet: u8,
}

impl Flags {
    /// Counts `word`, if it is one of the flags.
    fn take(&mut self, word: &str) -> Option<()> {
        match word {
            "-v" | "--verbose" => self.verbose += 1,
            "-vv" => self.verbose += 2,
            "-q" | "--quiet" => self.quiet += 1,
            _ => return None,
        }
        Some(())
    }
}

/// Parses a brief command line. `None` for any other one, right or wrong.
pub(in crate::cli) fn parse(args: &[OsString]) -> Option<Cli> {
    let lang = match var_os("UDPCLI_LANG") {
        None => Choice::Auto,
        Some(name) => Choice::of_name(name.to_str()?)?,
    };
    // The list of names is an argument too.
    if var_os("UDPCLI_NAMES").is_some() {
        return None;
    }
    parse_in(args, lang)
}

/// The same, with what the environment says.
fn parse_in(args: &[OsString], lang: Choice) -> Option<Cli> {
    let mut words = args.iter().skip(1);
    let mut flags = Flags::default();
    loop {
        match words.next()?.to_str()? {
            "send" => break,
            word => flags.take(word)?,
        }
    }
    let is_flag_before = flags.verbose + flags.quiet > 0;
    let mut peer = None;
    let mut messages = Vec::new();
    while let Some(word) = words.next() {
        if word == "--" {
            messages.extend(words.cloned());
            break;
        }
        if word.as_encoded_bytes().starts_with(b"-") {
            // clap does not add up what stands before the command and behind it.
            if is_flag_before {
                return None;
            }
            flags.take(word.to_str()?)?;
        } else if peer.is_none() {
            peer = Some(word.to_str()?.parse().ok()?);
        } else {
            messages.push(word.clone());
        }
    }
    // A flag given twice, or both of them, is an error, for which clap has the words. So may be many `-v`.
    if flags.quiet > 1 || flags.verbose > 3 || (flags.quiet > 0 && flags.verbose > 0) {
        return None;
    }
    Some(Cli {
        global: GlobalArgs {
            verbose: flags.verbose,
            quiet: flags.quiet > 0,
            color: Color::Auto,
            lang,
            no_batching: false,
        },
        command: Command::Send(Box::new(SendArgs::brief(peer?, messages))),
    })
}

impl SendArgs {
    /// The arguments of a command line that has only a peer and messages.
    fn brief(peer: Endpoint, messages: Vec<OsString>) -> Self {
        Self {
            is_brief: true,
            peer,
            names: None,
            messages,
            lines: false,
            file: None,
            chunk: None,
            hex: None,
            size: None,
            template: None,
            replay: None,
            speed: None,
            from: Vec::new(),
            to_port: Vec::new(),
            interactive: false,
            escape: false,
            line_ending: LineEnding::None,
            encoding: None,
            append: None,
            count: None,
            interval: None,
            rate: None,
            pattern: None,
            ramp: false,
            duration: None,
            wait: None,
            replies: None,
            expect: None,
            summary: Summary::Text,
            histogram: false,
            format: None,
            v4: false,
            v6: false,
            bind: None,
            reuse_addr: false,
            reuse_port: false,
            broadcast: false,
            ttl: None,
            multicast_if: None,
            multicast_loop: None,
            interface: None,
            tos: None,
            send_buffer: None,
        }
    }

    /// Whether the run is usually over without a wait: messages for a numeric address, and nothing else.
    pub(crate) fn is_over_at_once(&self) -> bool {
        // The file that says what a named message is may be a FIFO.
        let is_text = |message: &OsString| !message.as_encoded_bytes().starts_with(b"@");
        self.is_brief
            && self.peer.host.parse::<IpAddr>().is_ok()
            && !self.messages.is_empty()
            && self.messages.iter().all(is_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    /// What is parsed here is what clap makes of it.
    #[test]
    fn a_brief_command_line_means_what_it_means_to_clap() {
        for line in [
            "udpcli send 127.0.0.1:6000",
            "udpcli send 127.0.0.1:6000 hello",
            "udpcli send 127.0.0.1:6000 hello world @name é",
            "udpcli send localhost:6000 hello -v",
            "udpcli send -vv [::1]:6000 hello",
            "udpcli send -v --verbose [::1]:6000 hello",
            "udpcli -q send 127.0.0.1:6000 hello",
            "udpcli -v --verbose send 127.0.0.1:6000 hello",
            "udpcli send board:weather --quiet a",
            "udpcli send -q 127.0.0.1:6000 -- -n 3 -- --lang",
            "udpcli send 127.0.0.1:6000 -- ",
        ] {
            let args = words(line);
            let lang = Choice::of_name(&std::env::var("UDPCLI_LANG").unwrap_or_default());
            let brief = parse_in(&args, lang.unwrap());
            let by_clap = Cli::try_parse_from(&args).unwrap();
            let brief = format!("{:?}", brief.expect(line));
            assert_eq!(
                brief.replace("is_brief: true", "is_brief: false"),
                format!("{by_clap:?}"),
                "{line}"
            );
        }
    }

    #[test]
    fn everything_else_is_claps() {
        for line in [
            "udpcli",
            "udpcli send",
            "udpcli send -q",
            "udpcli send -- 127.0.0.1:6000 hello",
            "udpcli -q send 127.0.0.1:6000 hello -q",
            "udpcli --lang en send 127.0.0.1:6000 hello",
            "udpcli listen 127.0.0.1:6000",
            "udpcli send 127.0.0.1 hello",
            "udpcli send 127.0.0.1:6000 hello -h",
            "udpcli send 127.0.0.1:6000 hello -",
            "udpcli send 127.0.0.1:6000 hello -n 3",
            "udpcli send 127.0.0.1:6000 hello --lang en",
            "udpcli send 127.0.0.1:6000 hello -q -q",
            "udpcli send 127.0.0.1:6000 hello -q -v",
            "udpcli send 127.0.0.1:6000 hello -qv",
        ] {
            assert!(parse_in(&words(line), Choice::Auto).is_none(), "{line}");
        }
    }

    #[test]
    fn a_run_that_may_wait_is_not_over_at_once() {
        let is_over_at_once = |line: &str| {
            let cli = parse_in(&words(line), Choice::Auto).expect(line);
            matches!(cli.command, Command::Send(args) if args.is_over_at_once())
        };
        assert!(is_over_at_once("udpcli send 127.0.0.1:6000 hello -v"));
        assert!(is_over_at_once("udpcli send [::1]:6000 -- -n"));
        assert!(!is_over_at_once("udpcli send localhost:6000 hello"));
        assert!(!is_over_at_once("udpcli send 127.0.0.1:6000"));
        assert!(!is_over_at_once("udpcli send 127.0.0.1:6000 @name"));
    }
}
