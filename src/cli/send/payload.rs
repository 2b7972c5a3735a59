//! The arguments of `udpcli send` -> what to send, how often, and which replies must come back.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};

use super::named::{self, NamedMessages};
use super::{DEFAULT_WAIT, LineEnding, MOST_CASES, SendArgs};
use crate::cli::value;
use crate::error::Error;
use crate::text::encoding::TextEncoding;
use crate::text::hex;
use crate::text::random::Random;
use crate::text::sentence::sentence;
use crate::text::shorten::quoted;
use crate::text::template::{self, RenderState};
use crate::udp;
use crate::udp::payload::replay::{Replay, ReplayOptions};
use crate::udp::payload::sequence;
use crate::udp::payload::source::{Input, Source, Split};
use crate::udp::payload::templates::{Item, Templates};
use crate::udp::payload::{TUTORIAL_MESSAGE, TextRules};
use crate::udp::send::{Exchange, ReplyPlan};
use crate::words::catalogue::say;

/// The payloads, and the required replies.
pub(super) struct Payloads {
    /// What to send.
    pub(super) source: Source,
    /// Which replies to wait for.
    pub(super) replies: Option<ReplyPlan>,
    /// The steps of a conversation.
    pub(super) steps: Option<Vec<Exchange>>,
    /// The encoding of the replies.
    pub(super) encoding: Option<TextEncoding>,
}

/// The kind of payload that the arguments select.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PayloadChoice {
    Tutorial,
    Messages,
    Lines,
    File,
    Hex,
    Size,
    /// A template without input lines.
    Template,
    /// A template that makes one datagram of each input line.
    TemplateOfLines,
    Interactive,
    Replay,
}

impl PayloadChoice {
    /// Whether the payloads are text of the user, to which escapes, encoding and line ending apply.
    pub(super) fn is_text(self) -> bool {
        match self {
            Self::Messages
            | Self::Lines
            | Self::Template
            | Self::TemplateOfLines
            | Self::Interactive => true,
            Self::Tutorial | Self::File | Self::Hex | Self::Size | Self::Replay => false,
        }
    }
}

/// The payload of a message. One that is not UTF-8, as a terminal with another encoding gives it, is sent byte for byte.
pub(super) fn payload(message: &OsStr, rules: TextRules) -> Result<Vec<u8>, Error> {
    let mut payload = Vec::new();
    if let Some(text) = message.to_str() {
        rules.append(text, || quoted(text).into(), &mut payload)?;
        return Ok(payload);
    }
    #[cfg(unix)]
    // With escapes or another encoding, bytes that are not text have no meaning.
    if rules.is_verbatim() {
        use std::os::unix::ffi::OsStrExt as _;

        payload.extend_from_slice(message.as_bytes());
        return Ok(payload);
    }
    Err(Error::Udp(udp::error::Error::NotUtf8 {
        what: format!("\"{}\"", message.as_encoded_bytes().escape_ascii()).into(),
    }))
}

impl SendArgs {
    /// The payloads, and the required replies.
    pub(super) fn payloads(
        &self,
        form: PayloadChoice,
        rules: TextRules,
    ) -> Result<Payloads, Error> {
        // Check this before reading a file: a mistake in the flags should show at once.
        self.check_pace(form)?;
        let mut named = named::of(self, rules)?;
        let rounds = self.rounds(form);
        self.check_report(named.as_ref(), rounds)?;
        let replies = match named.as_ref().and_then(NamedMessages::reply_plan) {
            Some(replies) => Some(replies),
            None => self.reply_plan(rules)?,
        };
        // A message that names its encoding talks to a device that answers in it.
        let encoding = named.as_ref().and_then(NamedMessages::encoding);
        let source = match &mut named {
            Some(named) => named.source(rounds),
            None => self.source(form, rules)?,
        };
        Ok(Payloads {
            source,
            replies,
            steps: named.and_then(|named| named.steps),
            encoding: encoding.or(self.encoding),
        })
    }

    /// The form of the payload.
    pub(super) fn form(&self) -> PayloadChoice {
        if !self.messages.is_empty() {
            PayloadChoice::Messages
        } else if self.hex.is_some() {
            PayloadChoice::Hex
        } else if self.size.is_some() {
            PayloadChoice::Size
        } else if let Some(template) = &self.template {
            // Decide by the text, because the parser must know whether there are lines.
            if template.contains("{line}") {
                PayloadChoice::TemplateOfLines
            } else {
                PayloadChoice::Template
            }
        } else if self.replay.is_some() {
            PayloadChoice::Replay
        } else if self.interactive {
            PayloadChoice::Interactive
        } else if self.lines {
            PayloadChoice::Lines
        } else if self.file.is_some() {
            PayloadChoice::File
        // Without a pipe and a payload, the user wants to see something arrive.
        } else if io::stdin().is_terminal() {
            PayloadChoice::Tutorial
        } else {
            PayloadChoice::Lines
        }
    }

    /// How many times to send the messages; `None` if only a duration or Ctrl-C ends the run.
    pub(super) fn rounds(&self, form: PayloadChoice) -> Option<u64> {
        match self.count {
            Some(count) => Some(count),
            None if form == PayloadChoice::Tutorial
                || (self.duration.is_some()
                    && !matches!(
                        form,
                        PayloadChoice::Interactive
                            | PayloadChoice::Lines
                            | PayloadChoice::TemplateOfLines
                            | PayloadChoice::Replay
                    )) =>
            {
                None
            }
            None => Some(1),
        }
    }

    /// How many datagrams `-n` means, if that is known before the first is sent.
    pub(super) fn planned(&self, form: PayloadChoice) -> Option<u64> {
        let per_round = match form {
            PayloadChoice::Messages => self.messages.len() as u64,
            PayloadChoice::Tutorial
            | PayloadChoice::Hex
            | PayloadChoice::Size
            | PayloadChoice::Template => 1,
            PayloadChoice::File if self.chunk.is_none() => 1,
            PayloadChoice::File
            | PayloadChoice::Lines
            | PayloadChoice::TemplateOfLines
            | PayloadChoice::Interactive
            | PayloadChoice::Replay => {
                return None;
            }
        };
        Some(self.count?.saturating_mul(per_round))
    }

    /// The payloads, unless one of the messages is named.
    fn source(&self, form: PayloadChoice, rules: TextRules) -> Result<Source, Error> {
        let rounds = self.rounds(form);
        // An error instead of a warning: the receiver would get other bytes than the user means.
        if !form.is_text()
            && ((self.escape && self.expect.is_none()) || self.line_ending != LineEnding::None)
        {
            return Err(Error::usage(say!("send.not-for-text")));
        }
        let input = match &self.file {
            Some(path) if path.as_os_str() != "-" => Input::File(path.clone()),
            _ => Input::Stdin,
        };
        let append = self.append;
        Ok(match form {
            PayloadChoice::Template | PayloadChoice::TemplateOfLines => {
                return self.templates(form, rules);
            }
            PayloadChoice::Replay => self.replayed(rules.encoding)?,
            PayloadChoice::Tutorial => Source::fixed(vec![TUTORIAL_MESSAGE.to_vec()], rounds),
            PayloadChoice::Messages => {
                let mut payloads = Vec::with_capacity(self.messages.len());
                for message in &self.messages {
                    payloads.push(payload(&named::literal(message), rules)?);
                }
                Source::fixed(payloads, rounds)
            }
            PayloadChoice::Hex => {
                let text = self.hex.as_deref().unwrap_or_default();
                let payload = hex::parse(text).map_err(|source| {
                    Error::Udp(udp::error::Error::Hex {
                        what: quoted(text).into(),
                        source,
                    })
                })?;
                Source::fixed(vec![payload], rounds)
            }
            PayloadChoice::Size => {
                let lens = self.size.clone().unwrap_or(0..=0);
                let len = *lens.start();
                // `--size` numbers its datagrams, and the header must fit.
                if len < sequence::HEADER_LEN {
                    return Err(Error::usage_hint(
                        say!(
                            "send.size-too-small",
                            len = len,
                            header = sequence::HEADER_LEN
                        ),
                        say!("send.size-too-small.hint"),
                    ));
                }
                if lens.end() == lens.start() {
                    Source::sequenced(len, rounds)
                } else {
                    Source::sequenced_of(lens, Random::new(None), rounds)
                }
            }
            PayloadChoice::Lines | PayloadChoice::Interactive => {
                Source::stream(input, Split::Lines(rules), rounds)
            }
            PayloadChoice::File => Source::stream(
                input,
                self.chunk.map_or(Split::Whole, Split::Chunks),
                rounds,
            ),
        }
        .with_append(append))
    }

    /// The datagrams of `--replay`.
    fn replayed(&self, encoding: TextEncoding) -> Result<Source, Error> {
        let rounds = self.rounds(PayloadChoice::Replay);
        let input = match &self.replay {
            Some(path) if path.as_os_str() != "-" => Input::File(path.clone()),
            // A pipe can be read only once.
            _ if rounds != Some(1) => {
                return Err(Error::usage_hint(
                    say!("replay.stdin-again"),
                    say!("replay.stdin-again.hint"),
                ));
            }
            _ => Input::Stdin,
        };
        let options = ReplayOptions {
            from: self.from.clone(),
            to_ports: self.to_port.clone(),
            speed: self.speed.map_or(Some(1.0), value::Speed::times),
            encoding,
        };
        Ok(Source::replay(Replay::new(input, options), rounds))
    }

    /// The payloads of `--template`.
    fn templates(&self, form: PayloadChoice, rules: TextRules) -> Result<Source, Error> {
        let text = self.template.as_deref().unwrap_or_default();
        let has_lines = self.lines || !io::stdin().is_terminal();
        let what = || format!("--template {}", quoted(text)).into();
        let place = template::Place::Message { lines: has_lines };
        let item = Item {
            template: named::parsed(text, what, place, rules)?,
            append: self.append,
        };
        let templates = Templates::new(vec![item], RenderState::new(Random::new(None)));
        let rounds = self.rounds(form);
        if form == PayloadChoice::Template {
            return Ok(Source::templates(templates, rounds));
        }
        // A line goes into the template unchanged: escapes and encoding apply to the template.
        let verbatim = TextRules {
            escapes: false,
            encoding: TextEncoding::default(),
            line_ending: "",
        };
        let lines = Source::stream(Input::Stdin, Split::Lines(verbatim), rounds);
        Ok(Source::templates(templates.with_lines(lines), None))
    }

    /// A report has a case for every message: it needs messages of a known number.
    fn check_report(
        &self,
        named: Option<&NamedMessages>,
        rounds: Option<u64>,
    ) -> Result<(), Error> {
        if !self.wants_report() {
            return Ok(());
        }
        let Some(named) = named else {
            return Err(Error::usage_hint(
                say!("named.report-without-messages"),
                say!("named.report-without-messages.hint"),
            ));
        };
        let cases = rounds.map(|rounds| rounds.saturating_mul(named.len() as u64));
        if cases.is_none_or(|cases| cases > MOST_CASES) {
            return Err(Error::usage_hint(
                say!("named.report-too-long", most = MOST_CASES),
                say!("named.report-too-long.hint"),
            ));
        }
        Ok(())
    }

    /// Which replies to wait for; `None` without any flag for replies.
    fn reply_plan(&self, rules: TextRules) -> Result<Option<ReplyPlan>, Error> {
        if self.wait.is_none()
            && self.replies.is_none()
            && self.expect.is_none()
            && !self.interactive
        {
            return Ok(None);
        }
        let expect = match &self.expect {
            None => None,
            Some(text) => {
                let mut payload = Vec::new();
                TextRules {
                    line_ending: "",
                    ..rules
                }
                .append(
                    text,
                    || sentence!("send.the-expected-text"),
                    &mut payload,
                )?;
                Some(payload)
            }
        };
        Ok(Some(ReplyPlan {
            wait: self.wait.unwrap_or(DEFAULT_WAIT),
            wanted: self.replies,
            expect,
        }))
    }
}
