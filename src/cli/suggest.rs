//! Suggests a working command line for a wrong one: for habits from other tools, and for typing mistakes. udpcli
//! suggests only command lines that parse.
//!
//! Long because the tests list what people type beside what works.

mod mpremote;

use std::ffi::OsString;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::Cli;
use crate::text::fullwidth;
use crate::udp::endpoint::Endpoint;
use crate::words::catalogue::say;

/// The port if the user gives none.
const PORT: &str = "6000";

/// The dashes that Chinese input methods and text editors write instead of `-`.
const DASHES: [char; 6] = ['—', '–', '－', '−', '‐', '‑'];

/// A message of `send` that is certainly a flag, and the intended command line, which parses with the flag. None after
/// `--`, where everything is a message.
pub(super) fn flag_among_messages(args: &[OsString]) -> Option<(String, String)> {
    let words: Option<Vec<&str>> = args.iter().skip(1).map(|arg| arg.to_str()).collect();
    let words = words?;
    // After `--`, arguments are never flags.
    if words.contains(&"--") {
        return None;
    }
    // -4 may be a number.
    let is_flag = |word: &&str| {
        let flag = word.trim_start_matches(DASHES);
        word.starts_with(DASHES) && flag.starts_with(|letter: char| letter.is_ascii_alphabetic())
    };
    let typed = *words.iter().skip(2).find(|word| is_flag(word))?;
    let owned: Vec<String> = words.iter().copied().map(str::to_owned).collect();
    let fixed = rewrite(&owned)?;
    let is_unchanged = fixed.iter().any(|word| word == typed);
    (!is_unchanged).then(|| (typed.to_owned(), command_line(&fixed)))
}

/// The hint for a command line that clap refused; `args` begin with the program's name.
pub(super) fn hint(args: &[OsString]) -> Option<String> {
    let words: Option<Vec<String>> = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_str().map(str::to_owned))
        .collect();
    let words = words?;
    if let Some(hint) = mpremote::hint(&words) {
        return Some(hint);
    }
    let fixed = rewrite(&words)?;
    let line = command_line(&fixed);
    Some(match (words.as_slice(), fixed.as_slice()) {
        ([command, number], [_, _, port]) if command == "listen" && number == port => {
            if port == PORT {
                say!("usage.listen-on-default", port = port, line = line)
            } else {
                say!("usage.listen-on", port = port, line = line)
            }
        }
        _ => say!("usage.write", line = line),
    })
}

/// The arguments as they would have worked.
fn rewrite(words: &[String]) -> Option<Vec<String>> {
    let mut words = words.to_vec();
    let first = words.first_mut()?;
    match first.as_str() {
        "client" | "sender" | "tx" => "send".clone_into(first),
        "server" | "receive" | "recv" | "receiver" | "rx" => "listen".clone_into(first),
        _ => {}
    }
    let command = words.first()?.clone();
    if !["send", "listen"].contains(&command.as_str()) {
        return None;
    }
    let rest = words.split_off(1);
    let rest = long_flags(&command, rest);
    let rest = if command == "send" {
        send(rest)
    } else {
        listen(rest)
    };
    words.extend(rest);
    let parses = |words: &[String]| {
        let args = std::iter::once("udpcli").chain(words.iter().map(String::as_str));
        Cli::try_parse_from(args).is_ok()
    };
    // A suggestion that is wrong as well would cost more trust than none.
    parses(&words).then_some(words)
}

/// `-port` is `--port`, `--json` is `--format json`.
fn long_flags(command: &str, words: Vec<String>) -> Vec<String> {
    let cli = Cli::command();
    let known = |name: &str| {
        let arguments = cli.find_subcommand(command).into_iter();
        arguments
            .flat_map(clap::Command::get_arguments)
            .any(|argument| argument.get_long() == Some(name))
    };
    let mut out = Vec::with_capacity(words.len() + 1);
    for word in words {
        let word = with_ascii_dashes(word, known);
        let name = word.split('=').next().unwrap_or_default();
        let format = word.strip_prefix("--").filter(|name| !known(name));
        match (name.strip_prefix('-'), format) {
            (Some(long), _) if long.len() > 1 && known(long) => out.push(format!("-{word}")),
            (_, Some(format)) if ["text", "board", "hex", "json", "raw"].contains(&format) => {
                out.extend(["--format".to_owned(), format.to_owned()]);
            }
            // Flags of nc and similar programs.
            (_, Some("udp")) => {}
            _ if ["-u", "-l", "-lu", "-ul"].contains(&word.as_str()) => {}
            _ => out.push(word),
        }
    }
    out
}

/// The flag that a Chinese input method or a text editor turned into `——port`, `—port` or `－p`.
fn with_ascii_dashes(word: String, known: impl Fn(&str) -> bool) -> String {
    let flag = word.trim_start_matches(DASHES);
    let name = flag.split('=').next().unwrap_or_default();
    if flag.len() == word.len() {
        word
    } else if known(name) {
        format!("--{flag}")
    } else if is_short_flags(flag) && !flag.is_empty() {
        format!("-{flag}")
    } else {
        word
    }
}

/// Whether it is a port that datagrams can be sent to.
fn is_port(word: &str) -> bool {
    fullwidth::to_ascii(word)
        .parse::<u16>()
        .is_ok_and(|port| port > 0)
}

/// The port after `:`, an address before it, or either alone.
fn listen(words: Vec<String>) -> Vec<String> {
    let mut out = Vec::new();
    let mut is_value = false;
    for typed in words {
        let word = fullwidth::to_ascii(&typed).into_owned();
        let (host, port) = word.rsplit_once(':').unwrap_or(("", &word));
        let is_address = |text: &str| text.parse::<std::net::Ipv4Addr>().is_ok();
        if !is_value && is_port(port) && (host.is_empty() || is_address(host)) {
            if !host.is_empty() {
                out.extend(["--bind".to_owned(), host.to_owned()]);
            }
            out.extend(["--port".to_owned(), port.to_owned()]);
        } else if !is_value && is_address(&word) {
            out.extend(["--bind".to_owned(), word]);
        } else {
            is_value = typed.starts_with('-') && !typed.contains('=');
            out.push(typed);
            continue;
        }
        is_value = false;
    }
    out
}

/// `HOST PORT`, `--host HOST --port PORT`, a host without a port, and messages that begin with `-`.
fn send(words: Vec<String>) -> Vec<String> {
    let mut host = None;
    let mut port = None;
    let mut rest: Vec<String> = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--host" | "--ip" | "--address" | "--addr" | "--to" | "--dest" | "--server" | "-h"
                if words.peek().is_some_and(|next| !next.starts_with('-')) =>
            {
                host = words.next();
            }
            "--port" | "-p" if words.peek().is_some_and(|next| is_port(next)) => {
                port = words.next();
            }
            _ => rest.push(word),
        }
    }
    if host.is_none() && rest.first().is_some_and(|first| !first.starts_with('-')) {
        host = Some(rest.remove(0));
    }
    let Some(host) = host else {
        return rest;
    };
    let host = with_colon(clean(&host));
    let mut out = Vec::new();
    if host.parse::<Endpoint>().is_ok() {
        out.push(host);
    } else {
        let port = port.unwrap_or_else(|| match rest.first() {
            Some(first) if is_port(first) => rest.remove(0),
            _ => PORT.to_owned(),
        });
        let port = fullwidth::to_ascii(&port);
        let bare = host.trim_matches(['[', ']']);
        let is_v6 = bare
            .split('%')
            .next()
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
        match bare.rsplit_once(':') {
            _ if is_v6 => out.push(format!("[{bare}]:{port}")),
            Some((address, port)) if address.contains(':') => {
                out.push(format!("[{}]:{port}", address.trim_matches(['[', ']'])));
            }
            // No host name contains these characters, so the intention is unclear.
            _ if bare.contains([';', ',', '/', '\\', '|', ' ']) => out.push(host),
            _ => out.push(format!("{bare}:{port}")),
        }
    }
    // Put messages after `--`, where no argument is a flag.
    let (dashed, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|word| is_message(word));
    out.extend(rest);
    if !dashed.is_empty() {
        out.push("--".to_owned());
        out.extend(dashed);
    }
    out
}

/// Without a scheme, in ASCII.
fn clean(host: &str) -> String {
    let host = fullwidth::to_ascii(host);
    let host = host.split_once("://").map_or(&*host, |(_, rest)| rest);
    host.trim_end_matches('/').to_owned()
}

/// `192.168.0.3;6000`, `192.168.0.3/6000`: another character instead of the colon. A number after a slash may also be a
/// prefix length.
fn with_colon(host: String) -> String {
    let parts = host.split_once([';', ',', '/', '\\', '|', ' ']);
    match parts {
        Some((address, port))
            if address.parse::<std::net::Ipv4Addr>().is_ok() && is_port(port) && port.len() > 2 =>
        {
            format!("{address}:{port}")
        }
        _ => host,
    }
}

/// Whether a word with one `-` in front is not a flag of udpcli: `-5`, `-hello`.
fn is_message(word: &str) -> bool {
    let Some(letters) = word.strip_prefix('-') else {
        return false;
    };
    !letters.is_empty() && !letters.starts_with('-') && !is_short_flags(letters)
}

/// Short flags, the last with its value attached or to come.
pub(super) fn is_short_flags(letters: &str) -> bool {
    const PLAIN: &str = "vqhVIe46";
    const WITH_VALUE: &str = "niwp";
    let mut chars = letters.chars();
    while let Some(letter) = chars.next() {
        if WITH_VALUE.contains(letter) {
            let value = chars.as_str();
            return value.is_empty() || value.starts_with(|c: char| c.is_ascii_digit() || c == '=');
        }
        if !PLAIN.contains(letter) {
            return false;
        }
    }
    true
}

/// The words as a shell takes them.
fn command_line(words: &[String]) -> String {
    let mut line = "udpcli".to_owned();
    for word in words {
        line.push(' ');
        let is_plain = |c: char| c.is_alphanumeric() || "-_=:.,/@%+".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            line.push_str(word);
        } else if cfg!(windows) || word.contains('\'') {
            line.push('"');
            line.push_str(word);
            line.push('"');
        } else {
            line.push('\'');
            line.push_str(word);
            line.push('\'');
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(line: &str) -> Option<String> {
        let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
        hint(&args)
    }

    #[test]
    fn what_people_type_becomes_what_works() {
        for (typed, meant) in [
            ("client 127.0.0.1:6000 hi", "send 127.0.0.1:6000 hi"),
            ("server", "listen"),
            ("server 6001", "listen --port 6001"),
            ("listen -port 6000", "listen --port 6000"),
            ("listen --json", "listen --format json"),
            (
                "listen 127.0.0.1:6001",
                "listen --bind 127.0.0.1 --port 6001",
            ),
            ("listen :6001 --echo", "listen --port 6001 --echo"),
            ("send 127.0.0.1 6000 hi", "send 127.0.0.1:6000 hi"),
            ("send 127.0.0.1 hi", "send 127.0.0.1:6000 hi"),
            ("send --host 127.0.0.1 --port 7 hi", "send 127.0.0.1:7 hi"),
            ("send -u 127.0.0.1 7 hi", "send 127.0.0.1:7 hi"),
            ("send ::1", "send '[::1]:6000'"),
            ("send ::1:7000 hi", "send '[::1:7000]:6000' hi"),
            ("send fe80::1%va", "send '[fe80::1%va]:6000'"),
            ("send udp://127.0.0.1:6000", "send 127.0.0.1:6000"),
            ("send 127.0.0.1；6000 hi", "send 127.0.0.1:6000 hi"),
            ("send 127.0.0.1;6000 hi", "send 127.0.0.1:6000 hi"),
            ("send 127.0.0.1/6000 hi", "send 127.0.0.1:6000 hi"),
            ("send 127.0.0.1，６０００ hi", "send 127.0.0.1:6000 hi"),
            ("send １２７.0.0.1 ６０００ hi", "send 127.0.0.1:6000 hi"),
            (
                "listen １２７。0.0.1：６００１",
                "listen --bind 127.0.0.1 --port 6001",
            ),
            ("listen ——port 6001", "listen --port 6001"),
            ("listen －n 3", "listen -n 3"),
            (
                "send 127.0.0.1:6000 -hello",
                "send 127.0.0.1:6000 -- -hello",
            ),
            (
                "send 127.0.0.1:6000 -5 -n 3",
                "send 127.0.0.1:6000 -n 3 -- -5",
            ),
        ] {
            if cfg!(windows) && meant.contains('\'') {
                continue;
            }
            assert_eq!(
                of(&format!("u {typed}")).as_deref(),
                Some(format!("write: udpcli {meant}").as_str()),
                "{typed}"
            );
        }
        assert_eq!(
            of("u listen 6000").unwrap(),
            "to listen on port 6000: udpcli listen --port 6000 (6000 is the default: udpcli listen)"
        );
        for typed in [
            "u send 127.0.0.1/24 hi",
            "u send board;local hi",
            "u nosuch",
            "u",
            "u listen --nosuch",
            "u send",
            "u send 1.2.3.4:5 --nosuch",
        ] {
            assert_eq!(of(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_flag_typed_with_a_chinese_input_method_is_no_message() {
        let of = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
            flag_among_messages(&args)
        };
        for (typed, word, meant) in [
            ("你好 —n 3", "—n", "你好 -n 3"),
            ("你好 －n 3", "－n", "你好 -n 3"),
            ("–n 3 hi", "–n", "-n 3 hi"),
            ("hi ——count 3", "——count", "hi --count 3"),
            ("hi —w2s", "—w2s", "hi -w2s"),
            ("hi ——expect=ok -w 1", "——expect=ok", "hi --expect=ok -w 1"),
        ] {
            let found = of(&format!("u send 127.0.0.1:7 {typed}"));
            let wanted = format!("udpcli send 127.0.0.1:7 {meant}");
            assert_eq!(found, Some((word.to_owned(), wanted)), "{typed}");
        }
        for message in [
            "-- —n 3",
            "—n",
            "hi —n x",
            "—4",
            "－6",
            "——你好",
            "—hello",
            "——",
            "a—n 3",
        ] {
            assert_eq!(
                of(&format!("u send 127.0.0.1:7 {message}")),
                None,
                "{message}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_words_panic(words in prop::collection::vec("(send|listen|client|-[a-z]{1,5}|--[a-z]{1,6}|\\PC{0,8}|[0-9.:]{1,9})", 0..6)) {
            let args: Vec<OsString> = std::iter::once("u".to_owned()).chain(words).map(Into::into).collect();
            let _ = hint(&args);
            let _ = flag_among_messages(&args);
        }
    }
}
