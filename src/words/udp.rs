//! The errors of sockets, addresses, payloads and files, in words.
//!
//! Long because each error has its message and its hint, and both lists name every error.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::config::PROJECT_FILE;
use crate::file;
use crate::text::sentence::Sentence;
use crate::text::shorten::shortened;
use crate::text::template::{self, Fields, TemplateAdvice};
use crate::text::{encoding, pattern, seconds};
use crate::udp::error::{Error, Purpose};
use crate::udp::{MAX_PAYLOAD_V4, Rejected, family_name, interface};
use crate::words::catalogue::say;

/// What failed, and on what.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::Refused { peer } => say!("udp.refused", peer = peer),
        Error::NoReply { peer, wait, .. } => {
            say!("udp.no-reply", peer = peer, wait = seconds(*wait))
        }
        Error::NoNeighbour { peer, interface } => {
            say!("udp.no-neighbour", host = peer.ip(), interface = interface)
        }
        Error::TooFewReplies {
            peer,
            got,
            wanted,
            wait,
        } => say!(
            "udp.too-few-replies",
            got = got,
            wanted = wanted,
            peer = peer,
            wait = seconds(*wait)
        ),
        Error::Unexpected { peer, got } => say!("udp.unexpected-reply", got: *got, peer = peer),
        Error::Message {
            number,
            count,
            name,
            ..
        } => say!(
            "named.failed",
            number = number,
            count = count,
            name = shortened(name)
        ),
        Error::NoDatagram { timeout, .. } => {
            say!("udp.no-datagram", timeout = seconds(*timeout))
        }
        Error::TooLong {
            what,
            len,
            max,
            family,
        } => say!(
            "udp.too-long",
            what => what.clone(),
            len = len,
            family = family,
            max = max
        ),
        Error::OverLimit { what, max, family } => say!(
            "messages.over-limit",
            what => what.clone(),
            max = max,
            family = family
        ),
        Error::Escape { what, .. } => say!("udp.escape", what => what.clone()),
        Error::Hex { what, .. } => say!("udp.hex", what => what.clone()),
        Error::Encode { what, .. } => say!("udp.encode", what => what.clone()),
        Error::Pattern { what, .. } => say!("messages.pattern", what => what.clone()),
        Error::Template { what, .. } => say!("messages.template", what => what.clone()),
        Error::NotUtf8 { what } => say!("udp.not-utf8", what => what.clone()),
        Error::TooLongToRepeat { what, limit } => {
            say!("udp.too-long-to-repeat", what => what.clone(), limit = limit >> 20)
        }
        Error::AmbiguousZone {
            address,
            first,
            second,
        } => say!(
            "udp.ambiguous-zone",
            address = address,
            first = first,
            second = second
        ),
        Error::OtherFamily { local, peer } => {
            say!("udp.other-family", local = local, peer = peer)
        }
        Error::NothingReplayed {
            name,
            is_empty: true,
        } => say!("replay.empty", name => name.clone()),
        Error::NothingReplayed { name, .. } => say!("replay.nothing-sent", name => name.clone()),
        Error::Capture { what, .. } => say!("replay.failed", what => what.clone()),
        Error::Start { what, .. } => say!("udp.start", what = what.key()),
        Error::File(error) => file_message(error),
        _ => system_message(error),
    }
}

/// Errors of the operating system.
fn system_message(error: &Error) -> String {
    match error {
        Error::Resolve { host, .. } => say!("udp.resolve", host = host),
        Error::NoSuchFamily { host, family } => {
            say!("udp.no-such-family", host = host, family = family)
        }
        Error::NoInterface { name, .. } => say!("udp.no-interface", name = name),
        Error::NoInterfaceAddress { name, family } => {
            say!("udp.no-interface-address", name = name, family = family)
        }
        Error::Socket { object, .. } => say!("udp.socket", object = object),
        Error::Option { option, .. } => say!("udp.option", option = option),
        Error::Bind { local, .. } => say!("udp.bind", local = local),
        Error::NoFreePort { local, .. } => say!("udp.no-free-port", local = local),
        Error::Join { group, .. } => say!("udp.join", group = group),
        Error::Send { peer, .. } => say!("udp.send", peer = peer),
        Error::SendSome {
            peer,
            failed,
            total,
            ..
        } => say!("udp.send-some", failed = failed, total = total, peer = peer),
        Error::Receive { local, .. } => say!("udp.receive", local = local),
        // `message` handles the other errors.
        other => other.to_string(),
    }
}

/// Errors of a file or a stream.
pub(super) fn file_message(error: &file::Error) -> String {
    match error {
        file::Error::Open { path, .. } => say!("udp.file-open", path = path.display()),
        file::Error::Read { object, .. } => say!("udp.file-read", object => object.clone()),
        file::Error::Write { object, .. } => say!("udp.file-write", object => object.clone()),
    }
}

/// Which program should receive at `peer`: a receiver on this PC helps only if the datagram was for this PC.
fn what_to_start(peer: SocketAddr) -> String {
    let (ip, port) = (peer.ip(), peer.port());
    if ip.is_loopback() || interface::own_addresses().contains(&ip) {
        say!("udp.refused.hint", host = ip, port = port)
    } else {
        say!("udp.refused.hint-elsewhere", host = ip, port = port)
    }
}

/// The hint, if there is one.
pub(super) fn hint(error: &Error) -> Option<String> {
    Some(match error {
        // The expectation of a named message is in its file, so a hint about --expect would not help.
        Error::Message { source, .. } if matches!(**source, Error::Unexpected { .. }) => {
            say!("udp.unexpected-reply.hint-message", file = PROJECT_FILE)
        }
        Error::Message { source, .. } => return hint(source),
        Error::NothingReplayed {
            is_empty: false, ..
        } => say!("replay.nothing-sent.hint"),
        Error::Refused { peer } => what_to_start(*peer),
        Error::NoReply {
            is_present: true,
            peer,
            ..
        } => say!("udp.no-reply.hint-present", host = peer.ip()),
        Error::NoReply { .. } => say!("udp.no-reply.hint"),
        Error::NoNeighbour { .. } => say!("udp.no-neighbour.hint"),
        Error::TooFewReplies { .. } => say!("udp.too-few-replies.hint"),
        Error::Unexpected { .. } => say!("udp.unexpected-reply.hint"),
        Error::NoDatagram {
            local, filtered, ..
        } => silence_hint(*local, *filtered),
        // A reply is one datagram, so the advice for `send` does not help.
        Error::TooLong { what, .. } if is_reply(what) => say!("messages.reply-too-long"),
        Error::OverLimit { what, .. } if what.id == "udp.datagram-of-template" => {
            say!("messages.template-too-long.hint", most = MAX_PAYLOAD_V4)
        }
        Error::TooLong { .. } | Error::OverLimit { .. } => say!("udp.too-long.hint"),
        Error::Capture { source, .. } => return capture_hint(source.id),
        Error::Escape { .. }
        | Error::Pattern {
            source: pattern::Error::Escape(_),
            is_cut: false,
            ..
        } => say!("udp.escape.hint"),
        Error::Hex { .. } => say!("udp.hex.hint"),
        Error::Resolve { host, .. } if host.starts_with("board:") => {
            say!("names.board-hint", name = host.trim_start_matches("board:"))
        }
        Error::Resolve { host, .. } if is_announced_by_devices(host) => {
            say!("udp.resolve.hint-local", host = host)
        }
        Error::Resolve { host, .. } => say!("udp.resolve.hint", host = host),
        Error::NoSuchFamily { family, .. } => say!("udp.no-such-family.hint", family = family),
        Error::NoInterface { known, .. } => {
            say!("udp.no-interface.hint", known <- Sentence::verbatim_list(known))
        }
        Error::NoInterfaceAddress { .. } => say!("udp.no-interface-address.hint"),
        Error::Bind {
            local,
            known,
            purpose,
            source,
        } => return bind_hint(local, known, *purpose, source),
        Error::NoFreePort { .. } => say!("udp.no-free-port.hint"),
        Error::Join { source, .. } => match source.kind() {
            // Linux reports EADDRINUSE for the second join of a group (net/ipv4/igmp.c).
            io::ErrorKind::AddrInUse => say!("udp.join.hint-twice"),
            _ => say!("udp.join.hint"),
        },
        Error::Send {
            peer,
            broadcast,
            source,
        } => return send_hint(peer, *broadcast, source),
        Error::SendSome { peer, source, .. } => return send_hint(peer, true, source),
        Error::Option { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            say!("udp.option.hint-denied")
        }
        Error::Pattern { source, is_cut, .. } => return pattern_hint(source, *is_cut),
        Error::Template {
            source,
            fields,
            is_cut,
            ..
        } => {
            if *is_cut && may_be_cut(source) {
                say!("messages.pattern.hint-cut")
            } else {
                template_hint(source, *fields)
            }
        }
        Error::NotUtf8 { .. } => say!("udp.not-utf8.hint"),
        Error::TooLongToRepeat { .. } => say!("udp.too-long-to-repeat.hint"),
        Error::AmbiguousZone { address, first, .. } => {
            say!("udp.ambiguous-zone.hint", address = address, first = first)
        }
        Error::OtherFamily { peer, .. } => {
            say!("udp.other-family.hint", family = family_name(peer))
        }
        Error::File(error) => return file_hint(error),
        Error::Encode { source, .. } => encode_hint(source),
        Error::Option { .. }
        | Error::Socket { .. }
        | Error::Receive { .. }
        | Error::NothingReplayed { .. }
        | Error::Start { .. } => return None,
    })
}

/// Whether the sentence is about a reply of `listen`.
fn is_reply(what: &Sentence) -> bool {
    matches!(
        what.id,
        "listen.the-reply" | "messages.reply-of" | "messages.reply-of-rule"
    )
}

/// The hint for a capture that cannot be replayed, by what is wrong with it.
fn capture_hint(problem: &str) -> Option<String> {
    Some(match problem {
        "replay.no-capture" => say!("replay.no-capture.hint"),
        "replay.link-type" => say!("replay.link-type.hint"),
        "replay.too-many-interfaces" => say!("replay.too-many-interfaces.hint"),
        "replay.line" => say!("replay.failed.hint-lines"),
        "replay.short-header"
        | "replay.short"
        | "replay.damaged-block"
        | "replay.too-long-record" => say!("replay.failed.hint-damaged"),
        _ => return None,
    })
}

/// The hint for a file or a stream.
pub(super) fn file_hint(error: &file::Error) -> Option<String> {
    match error {
        file::Error::Open { source, .. }
        | file::Error::Read { source, .. }
        | file::Error::Write { source, .. }
            if source.kind() == io::ErrorKind::IsADirectory =>
        {
            Some(say!("udp.file-read.hint-folder"))
        }
        file::Error::Write { object, source } if source.kind() == io::ErrorKind::StorageFull => {
            Some(if *object == file::stdout_name() {
                say!("udp.file-write.hint-full-stdout")
            } else {
                say!("udp.file-write.hint-full")
            })
        }
        _ => None,
    }
}

/// Whether the name ends in `.local`, which mDNS uses (RFC 6762).
fn is_announced_by_devices(host: &str) -> bool {
    // A full name may end in the dot of the root (RFC 1034, section 3.1).
    host.trim_end_matches('.')
        .rsplit('.')
        .next()
        .is_some_and(|last| last.eq_ignore_ascii_case("local"))
}

/// What to do about an address or a port that cannot be bound.
fn bind_hint(
    local: &SocketAddr,
    known: &[IpAddr],
    purpose: Purpose,
    source: &io::Error,
) -> Option<String> {
    let port = local.port();
    Some(match source.kind() {
        io::ErrorKind::AddrInUse => {
            // No port follows 65535.
            let other = port.checked_add(1).unwrap_or(6000);
            let address = SocketAddr::new(local.ip(), other);
            match purpose {
                Purpose::Listen => {
                    say!("udp.bind.hint-in-use-listen", port = port, other = other)
                }
                Purpose::Send => say!("udp.bind.hint-in-use-send", port = port, other = address),
                Purpose::Relay if local.ip().is_unspecified() => {
                    say!("relay.in-use", port = port, other = other)
                }
                Purpose::Relay => say!("relay.in-use", port = port, other = address),
            }
        }
        io::ErrorKind::AddrNotAvailable if known.is_empty() => say!("udp.bind.hint-not-ours"),
        io::ErrorKind::AddrNotAvailable => {
            say!("udp.bind.hint-ours-are", known <- Sentence::verbatim_list(known))
        }
        io::ErrorKind::PermissionDenied => {
            // A relay cannot share its port.
            if cfg!(windows) && purpose == Purpose::Relay {
                say!("relay.denied-windows", port = port)
            } else {
                denied_hint(port, cfg!(windows))
            }
        }
        _ => return None,
    })
}

/// Why the operating system may deny a port. Windows reserves no ports for administrators, but reports this error for a
/// port that another program does not share, and for the ports that Windows reserves (*Using `SO_REUSEADDR` and
/// `SO_EXCLUSIVEADDRUSE`*, learn.microsoft.com).
fn denied_hint(port: u16, is_windows: bool) -> String {
    if is_windows {
        say!("udp.bind.hint-denied-windows", port = port)
    } else if port < 1024 {
        say!("udp.bind.hint-denied-low")
    } else {
        say!("udp.bind.hint-denied")
    }
}

/// Why a listener that the user ended may have received nothing. Only the tutorial's port has such a text: those who chose
/// another one know what they wait for.
pub(super) fn silence(local: SocketAddr, filtered: u64) -> Option<String> {
    if local.port() != TUTORIAL_PORT {
        return None;
    }
    Some(if filtered > 0 {
        silence_hint(Some(local), filtered)
    } else {
        say!("boards.nothing-arrived-6000", own = reachable(local))
    })
}

/// Why a listener on `local` may have received nothing.
fn silence_hint(local: Option<SocketAddr>, filtered: u64) -> String {
    if filtered > 0 {
        return say!("udp.no-datagram.hint-filtered", filtered: filtered);
    }
    let Some(local) = local else {
        return say!("udp.no-datagram.hint");
    };
    let own = reachable(local);
    if local.port() == TUTORIAL_PORT {
        return say!("boards.no-datagram-6000", own = own);
    }
    say!("udp.no-datagram.hint-try", own = own)
}

/// The address at which this PC itself reaches the listener.
fn reachable(local: SocketAddr) -> SocketAddr {
    // The wildcard is an address to listen on. As a destination Windows refuses it.
    let own: IpAddr = match local.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    SocketAddr::new(own, local.port())
}

/// The port of the tutorial's programs.
const TUTORIAL_PORT: u16 = 6000;

/// What to do about a character that the encoding does not have.
fn encode_hint(error: &encoding::Error) -> String {
    say!(
        "messages.no-character-hint",
        character = error.character,
        encoding = error.encoding
    )
}

/// What to do about a pattern of a reply; empty if the problem needs no hint. `is_cut` says that another `=` follows
/// the one at which it ends.
fn pattern_hint(error: &pattern::Error, is_cut: bool) -> Option<String> {
    Some(match error {
        pattern::Error::Escape(_) => say!("udp.escape.hint"),
        pattern::Error::RegexTooLarge | pattern::Error::TooLargeTogether => {
            say!("messages.too-large-together.hint")
        }
        pattern::Error::Encode(source) => encode_hint(source),
        pattern::Error::TooLong => return None,
        _ if is_cut => say!("messages.pattern.hint-cut"),
        _ => say!("messages.pattern.hint"),
    })
}

/// Whether a template's problem may come from a pattern that was cut at the wrong `=`.
fn may_be_cut(error: &template::Error) -> bool {
    matches!(
        error,
        template::Error::NoGroup { .. }
            | template::Error::Unknown { nearest: None, .. }
            | template::Error::Unclosed { .. }
            | template::Error::Stray { .. }
            | template::Error::Escape(_)
    )
}

/// Lists the fields that a template may have in its place.
fn template_hint(wrong: &template::Error, fields: Fields) -> String {
    let nearest = match wrong {
        template::Error::Unknown { nearest, .. } => nearest.as_ref(),
        _ => None,
    };
    match wrong {
        template::Error::Escape(_) => return say!("udp.escape.hint"),
        template::Error::Encode(source) => return encode_hint(source),
        template::Error::TooLong => {
            return say!("messages.template-too-long.hint", most = MAX_PAYLOAD_V4);
        }
        _ => {}
    }
    match (nearest, wrong.advice(), fields) {
        (Some(nearest), ..) => say!("messages.template.hint-nearest", nearest = nearest),
        (_, Some(TemplateAdvice::Pipe), _) => say!("messages.template.hint-pipe"),
        (_, Some(TemplateAdvice::Braces), Fields::WithLine) => {
            say!("messages.template.hint-braces")
        }
        (_, Some(TemplateAdvice::Braces), Fields::WithoutLine) => {
            say!("messages.template.hint-braces-no-line")
        }
        (_, Some(TemplateAdvice::Braces), Fields::Reply) => {
            say!("messages.template.hint-braces-reply")
        }
        (_, None, Fields::WithLine) => say!("messages.template.hint"),
        (_, None, Fields::WithoutLine) => say!("messages.template.hint-no-line"),
        (_, None, Fields::Reply) => say!("messages.template.hint-reply"),
    }
}

/// What to do about a datagram that could not be sent.
fn send_hint(peer: &SocketAddr, broadcast: bool, source: &io::Error) -> Option<String> {
    let port = peer.port();
    if let Some(rejected) = source.get_ref().and_then(|inner| inner.downcast_ref()) {
        return Some(match rejected {
            Rejected { by: None } => say!("udp.send.hint-firewall-here", port = port),
            Rejected { by: Some(by) } => {
                say!("udp.send.hint-firewall-there", by = by, port = port)
            }
        });
    }
    Some(match source.kind() {
        io::ErrorKind::HostUnreachable => say!("udp.no-neighbour.hint"),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            say!("udp.send.hint-no-route")
        }
        // Linux reports EACCES for a broadcast address without `SO_BROADCAST` (ip(7)).
        io::ErrorKind::PermissionDenied if !broadcast => say!("udp.send.hint-broadcast"),
        io::ErrorKind::PermissionDenied => say!("udp.send.hint-forbidden"),
        // Linux refuses a link-local destination without its interface (`EINVAL`, net/ipv6/datagram.c).
        io::ErrorKind::InvalidInput if lacks_zone(peer) => say!(
            "udp.send.hint-zone",
            host = peer.ip(),
            interface = interface::for_link_local(),
            port = port
        ),
        io::ErrorKind::InvalidInput => say!("udp.send.hint-own-address"),
        _ => return None,
    })
}

/// Whether it is a link-local address without its interface: `fe80::1` and not `fe80::1%eth0`.
fn lacks_zone(peer: &SocketAddr) -> bool {
    matches!(peer, SocketAddr::V6(v6) if v6.scope_id() == 0 && v6.ip().is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_port_has_another_meaning_on_windows() {
        assert!(denied_hint(80, false).contains("administrator"));
        let windows = denied_hint(80, true);
        assert!(!windows.contains("administrator"), "{windows}");
        assert!(windows.contains("UDP port 80") && windows.contains("both must set --reuse-addr"));
        assert!(windows.contains("excludedportrange udp"));
    }
}
