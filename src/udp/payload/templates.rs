//! Payloads with fields, rendered just before they are sent; with `{line}`, one for each input line.

use jiff::Timestamp;

use crate::text::checksum::Append;
use crate::text::sentence::{Sentence, sentence};
use crate::text::template::{RenderError, RenderState, Template, Values};
use crate::udp::error::Error;
use crate::udp::outbox::Outbox;
use crate::udp::payload::source::Source;

/// How many input lines to take at once.
const LINES: usize = 256;

/// A template and the checksum after it.
#[derive(Debug)]
pub(crate) struct Item {
    /// The template.
    pub(crate) template: Template,
    /// The checksum.
    pub(crate) append: Option<Append>,
}

/// Templates that take turns.
#[derive(Debug)]
pub(crate) struct Templates {
    /// The templates in their order.
    items: Vec<Item>,
    /// The template whose turn it is.
    next: usize,
    /// The number of the next datagram.
    seq: u64,
    /// The buffers for rendering, reused for each datagram.
    state: RenderState,
    /// The input lines, if the templates have `{line}`.
    lines: Option<InputLines>,
    /// The longest payload, which depends on the peer's address family.
    max: usize,
    /// The name of that family, for errors.
    family: &'static str,
}

/// The input lines of a template.
#[derive(Debug)]
struct InputLines {
    /// Gives the lines.
    source: Source,
    /// Lines that were read but not rendered yet.
    read: Outbox,
    /// The first line that was not rendered.
    next: usize,
    /// Whether no more lines come.
    is_at_end: bool,
}

impl Templates {
    /// The templates `items`, without input lines.
    #[must_use]
    pub(crate) fn new(items: Vec<Item>, state: RenderState) -> Self {
        Self {
            items,
            next: 0,
            seq: 0,
            state,
            lines: None,
            max: crate::udp::MAX_PAYLOAD_V4,
            family: "IPv4",
        }
    }

    /// One datagram for each line of `source`.
    #[must_use]
    pub(crate) fn with_lines(mut self, source: Source) -> Self {
        self.lines = Some(InputLines {
            source,
            read: Outbox::default(),
            next: 0,
            is_at_end: false,
        });
        self
    }

    pub(super) fn limit(&mut self, max: usize, family: &'static str) {
        (self.max, self.family) = (max, family);
    }

    pub(super) fn is_live(&self) -> bool {
        let lines = self.lines.as_ref();
        lines.is_some_and(|lines| lines.source.is_live())
    }

    pub(super) fn input_name(&self) -> Option<Sentence> {
        self.lines.as_ref()?.source.input_name()
    }

    /// Whether all input lines have been rendered.
    pub(super) fn is_at_end(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| lines.is_at_end)
    }

    /// Whether the next datagram can be rendered without further input.
    pub(super) fn has_more(&self) -> bool {
        let lines = self.lines.as_ref();
        lines.is_none_or(|lines| lines.next < lines.read.len())
    }

    /// Waits for an input line, if the templates need one. Cancel safe: lines that were read stay.
    pub(super) async fn ready(&mut self) -> Result<(), Error> {
        let Some(lines) = &mut self.lines else {
            return Ok(());
        };
        if lines.next < lines.read.len() || lines.is_at_end {
            return Ok(());
        }
        if lines.next > 0 {
            lines.next = 0;
            lines.read.clear();
        }
        // Boxed because `fill` also calls this function; a call reads many lines.
        Box::pin(lines.source.fill(&mut lines.read, LINES)).await?;
        lines.is_at_end = lines.read.is_empty();
        Ok(())
    }

    /// Renders one datagram. Returns whether this ends a round; with input lines, these count the rounds.
    pub(super) fn render(&mut self, outbox: &mut Outbox) -> Result<bool, Error> {
        let Self {
            items,
            next,
            seq,
            state,
            lines,
            max,
            family,
        } = self;
        let Some(item) = items.get(*next) else {
            return Ok(true);
        };
        let now = Timestamp::now();
        let (max, family) = (*max, *family);
        let mut render = |line: &[u8]| {
            let values = Values {
                seq: *seq,
                now,
                line,
                from: None,
                group: |_| None,
                is_text: true,
            };
            *seq += 1;
            let room = max.saturating_sub(item.append.map_or(0, Append::len));
            outbox.push_with(|out| {
                let start = out.len();
                let result = item.template.render(&values, state, room, out);
                result.map_err(|error| failed(error, *seq, max, family))?;
                if let Some(append) = item.append {
                    append.append(start, out);
                }
                Ok::<(), Error>(())
            })
        };
        if let Some(lines) = lines {
            if lines.next < lines.read.len() {
                render(lines.read.payload(lines.next))?;
                lines.next += 1;
            }
            return Ok(false);
        }
        render(&[])?;
        *next = (*next + 1) % items.len().max(1);
        Ok(*next == 0)
    }
}

/// What is wrong with datagram `number`.
fn failed(error: RenderError, number: u64, max: usize, family: &'static str) -> Error {
    match error {
        RenderError::TooLong => Error::OverLimit {
            what: sentence!("udp.datagram-of-template", number = number),
            max,
            family,
        },
        RenderError::NotUtf8 => Error::NotUtf8 {
            what: sentence!("udp.line-of-input", line = number),
        },
        RenderError::Encode(source) => Error::Encode {
            what: sentence!("udp.datagram-of-template", number = number),
            source,
        },
    }
}
