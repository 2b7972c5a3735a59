//! The state of the live view, and its keys.

mod draw;

use std::collections::VecDeque;
use std::time::Instant;

use super::feed::Pending;
use super::sender::SenderCounts;
use super::table::{NameOf, SenderTable, SortOrder};
use crate::datagram::Timestamp;
use crate::render::clock::LocalClock;
use crate::terminal::keys::Key;
use crate::terminal::sanitize;
use crate::text::encoding::TextEncoding;

/// The number of messages to keep and show.
const LOG: usize = 3;

/// The number of rows that can be sorted in negligible time.
const QUICKLY_SORTED: usize = 2000;

/// The longest filter.
const MAX_FILTER: usize = 64;

/// An action of a key outside the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing more.
    Nothing,
    /// The end of the run.
    End,
    /// The table as a file.
    Save,
}

/// The settings of the view.
pub(super) struct ViewOptions {
    /// The line about the address.
    pub(super) title: String,
    /// The encoding of payloads.
    pub(super) encoding: TextEncoding,
    /// Whether sequence numbers are read.
    pub(super) has_loss: bool,
    /// Whether to use colour.
    pub(super) color: bool,
    /// The user's name for a sender.
    pub(super) name_of: NameOf,
}

/// All that is shown.
pub(super) struct SendersView {
    /// The settings of the view.
    options: ViewOptions,
    /// What is known.
    table: SenderTable,
    /// The table as it was when the view was paused.
    paused: Option<(SenderTable, Timestamp)>,
    /// The column that gives the order.
    order: SortOrder,
    /// Whether the order is reversed.
    is_reversed: bool,
    /// What the rows must contain.
    filter: String,
    /// Whether keys go into the filter.
    is_typing: bool,
    /// The rows in their order.
    rows: Vec<usize>,
    /// Whether the rows must be sorted again.
    is_stale: bool,
    /// The first visible row, and the number of visible rows.
    offset: usize,
    room: usize,
    /// The last messages.
    log: VecDeque<String>,
    /// Formats times.
    clock: LocalClock,
    /// Whether the user has ended the view.
    is_ending: bool,
}

impl SendersView {
    /// A view before the first datagram.
    pub(super) fn new(options: ViewOptions, now: Instant) -> Self {
        Self {
            table: SenderTable::new(options.encoding, now),
            options,
            paused: None,
            order: SortOrder::Address,
            is_reversed: false,
            filter: String::new(),
            is_typing: false,
            rows: Vec::new(),
            is_stale: true,
            offset: 0,
            room: 1,
            log: VecDeque::new(),
            clock: LocalClock::default(),
            is_ending: false,
        }
    }

    /// The visible table, and the time to which its ages refer.
    pub(super) fn shown(&self) -> (&SenderTable, Timestamp) {
        match &self.paused {
            Some((table, time)) => (table, *time),
            None => (&self.table, Timestamp::now()),
        }
    }

    /// The senders that are shown, in their order.
    pub(super) fn senders(&self) -> impl Iterator<Item = &SenderCounts> {
        let (table, _) = self.shown();
        self.rows.iter().filter_map(|row| table.senders.get(*row))
    }

    /// Adds the data since the last call.
    pub(super) fn add(&mut self, pending: &mut Pending, now: Instant) {
        self.table.tick(now);
        self.table.add(pending, &mut self.options.name_of);
        if let Some(address) = pending.address.take() {
            self.options.title = address;
        }
    }

    /// A line for the log.
    pub(super) fn message(&mut self, line: String) {
        while self.log.len() >= LOG {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    /// The end was asked for.
    pub(super) fn ending(&mut self) {
        self.is_ending = true;
    }

    /// Puts the rows into their order.
    pub(super) fn sort(&mut self) {
        let (table, _) = self.shown();
        self.rows = table.ordered(self.order, self.is_reversed, &self.filter);
        self.is_stale = false;
    }

    /// Whether a key has changed the order or the filter.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// Whether there are new senders, and few enough to put all rows into their order at each drawing.
    pub(super) fn has_new_rows(&self) -> bool {
        let senders = self.shown().0.senders.len();
        self.filter.is_empty() && senders != self.rows.len() && senders < QUICKLY_SORTED
    }

    /// Acts on a key.
    pub(super) fn key(&mut self, key: &Key) -> Wish {
        match key {
            Key::Bytes(bytes) if self.is_typing => self.typed(bytes),
            Key::Paste(text) if self.is_typing => {
                for character in text.chars() {
                    self.type_in(character);
                }
                Wish::Nothing
            }
            Key::Bytes(bytes) => self.pressed(bytes),
            _ => Wish::Nothing,
        }
    }

    /// Acts on a key outside the filter.
    fn pressed(&mut self, key: &[u8]) -> Wish {
        let page = self.room.saturating_sub(1).max(1);
        match key {
            b"q" | b"\x03" => return Wish::End,
            b"w" => return Wish::Save,
            b"s" => {
                let has_names = self.shown().0.has_names;
                self.order = self.order.next(has_names, self.options.has_loss);
            }
            b"r" => self.is_reversed = !self.is_reversed,
            b"/" => self.is_typing = true,
            b"p" | b" " => {
                // Copy the table, because the counts continue while the view is paused.
                self.paused = match self.paused.take() {
                    Some(_) => None,
                    None => Some((self.table.clone(), Timestamp::now())),
                };
            }
            b"\x1b" => self.filter.clear(),
            b"\x1b[A" | b"k" => self.offset = self.offset.saturating_sub(1),
            b"\x1b[B" | b"j" => self.offset = self.offset.saturating_add(1),
            b"\x1b[5~" => self.offset = self.offset.saturating_sub(page),
            b"\x1b[6~" => self.offset = self.offset.saturating_add(page),
            b"\x1b[H" | b"g" => self.offset = 0,
            // The drawing cuts it to the last page.
            b"\x1b[F" | b"G" => self.offset = usize::MAX,
            _ => return Wish::Nothing,
        }
        self.is_stale = true;
        Wish::Nothing
    }

    /// Acts on a key, while the filter is typed.
    fn typed(&mut self, key: &[u8]) -> Wish {
        match key {
            b"\x03" => return Wish::End,
            b"\r" => self.is_typing = false,
            b"\x1b" => {
                self.is_typing = false;
                self.filter.clear();
            }
            b"\x7f" => drop(self.filter.pop()),
            _ => {
                for character in String::from_utf8_lossy(key).chars() {
                    self.type_in(character);
                }
            }
        }
        self.is_stale = true;
        Wish::Nothing
    }

    /// Adds a character to the filter.
    fn type_in(&mut self, character: char) {
        if !sanitize::acts(character) && self.filter.chars().count() < MAX_FILTER {
            self.filter.push(character);
            self.is_stale = true;
        }
    }
}
