//! What `udpcli send` tells the user before the first datagram: what it does, and which flags have no effect.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use super::SendArgs;
use super::payload::PayloadChoice;
use crate::capture::CaptureFormat;
use crate::udp::payload::TUTORIAL_MESSAGE;
use crate::udp::send::SendPlan;
use crate::udp::send::addresses::AddressEvent;
use crate::words;
use crate::words::catalogue::say;

impl SendArgs {
    /// Tells the user which address of the host is tried next.
    pub(super) fn tell(&self, form: PayloadChoice, event: AddressEvent<'_>) {
        match event {
            AddressEvent::Opened {
                plan,
                is_first,
                is_ourselves,
            } => {
                if is_first {
                    self.say_start(form, plan);
                }
                if is_ourselves {
                    tracing::warn!(say = "send.to-itself", peer = %plan.peer);
                }
            }
            AddressEvent::Next {
                peer,
                problem,
                next,
            } => {
                let problem = problem.map(|error| words::message(&error.into()));
                self.say_next(peer, problem, next);
            }
        }
    }

    /// Tells the user what is happening if the run may take a while.
    fn say_start(&self, form: PayloadChoice, plan: &SendPlan) {
        match form {
            PayloadChoice::Tutorial if self.count.is_none() => {
                let message = format!("{:?}", String::from_utf8_lossy(TUTORIAL_MESSAGE));
                tracing::info!(say = "send.start-tutorial", message, peer = %plan.peer);
            }
            PayloadChoice::Interactive => {
                tracing::info!(say = "send.start-interactive", peer = %plan.peer);
            }
            _ => {}
        }
        let is_escape = |message: &OsString| {
            let text = message.to_string_lossy();
            [r"\n", r"\r", r"\t", r"\x"]
                .iter()
                .any(|escape| text.contains(escape))
        };
        // The user probably expects a line end, and sends a backslash and a letter.
        if !self.escape && self.messages.iter().any(is_escape) {
            tracing::info!(say = "send.backslashes");
        }
        self.warn_of_unused(form, plan);
    }

    /// Warns about options without effect, because the user expects one.
    fn warn_of_unused(&self, form: PayloadChoice, plan: &SendPlan) {
        // A single datagram has no pace.
        let is_single = self.rounds(form) == Some(1)
            && match form {
                PayloadChoice::Messages => self.messages.len() == 1,
                PayloadChoice::Hex | PayloadChoice::Size | PayloadChoice::Template => true,
                PayloadChoice::File => self.chunk.is_none(),
                PayloadChoice::Tutorial
                | PayloadChoice::Lines
                | PayloadChoice::TemplateOfLines
                | PayloadChoice::Interactive
                | PayloadChoice::Replay => false,
            };
        // The text of recorded JSON lines is encoded again; other captures hold the bytes themselves.
        let is_binary = |path: &Path| {
            matches!(
                CaptureFormat::of(path),
                Some(CaptureFormat::Pcap | CaptureFormat::PcapNg)
            )
        };
        let replays_text = self.replay.as_deref().is_some_and(|path| !is_binary(path));
        let sends_text = form.is_text() || replays_text;
        let is_group = plan.peer.ip().is_multicast();
        let unused = |is_unused: bool, flag: &str, why: fn(&str) -> String| {
            if is_unused {
                tracing::warn!("{}", why(flag));
            }
        };
        let once = |flag: &str| say!("send.no-effect-once", flag = flag);
        let no_group = |flag: &str| say!("send.no-effect-group", flag = flag);
        let no_port = |flag: &str| say!("send.no-effect-port", flag = flag);
        unused(self.interval.is_some() && is_single, "--interval", once);
        unused(self.rate.is_some() && is_single, "--rate", once);
        unused(
            self.multicast_if.is_some() && !is_group,
            "--multicast-if",
            no_group,
        );
        unused(
            self.multicast_loop.is_some() && !is_group,
            "--multicast-loop",
            no_group,
        );
        unused(
            // Without `--bind` the system chooses a free port, which nobody shares.
            self.reuse_addr && self.bind.is_none(),
            "--reuse-addr",
            no_port,
        );
        unused(
            self.reuse_port && self.bind.is_none(),
            "--reuse-port",
            no_port,
        );
        unused(
            self.format.is_some() && plan.replies.is_none(),
            "--format",
            |flag| say!("send.no-effect-format", flag = flag),
        );
        unused(
            self.histogram && plan.replies.is_none(),
            "--histogram",
            |flag| say!("send.no-effect-format", flag = flag),
        );
        unused(
            self.encoding.is_some() && plan.replies.is_none() && !sends_text,
            "--encoding",
            |flag| say!("send.no-effect-encoding", flag = flag),
        );
    }

    /// Tells the user that another address of the host comes next.
    fn say_next(&self, peer: SocketAddr, problem: Option<String>, next: SocketAddr) {
        let host = &self.peer.host;
        match problem {
            Some(problem) => tracing::info!(
                say = "send.next-address",
                peer = %peer,
                problem,
                next = %next,
                host = %host,
            ),
            None => tracing::info!(
                say = "send.next-address-refused",
                peer = %peer,
                next = %next,
                host = %host,
            ),
        }
    }
}
