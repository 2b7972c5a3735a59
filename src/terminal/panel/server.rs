//! The panel as the tutorial's server draws it: its own address at (0, 0) until the first datagram, then only the
//! datagram's text at (0, 15) and `from` with the sender's address at (0, 31): the server's `fill(0)` clears the address.

use std::fmt::Write as _;

use crate::datagram::Datagram;
use crate::terminal::panel::screen::{DrawMode, DrawnText, Screen};
use crate::terminal::panel::text::MISSING;
use crate::terminal::panel::{Panel, PanelContent};
use crate::text::encoding::{DecodedPart, TextEncoding};

/// The server's screen, drawn as every panel is.
#[derive(Debug)]
pub(crate) struct ServerPanel {
    /// Draws the screen.
    panel: Panel,
    /// What the server would show.
    screen: Screen,
    /// Whether the screen has changed since it was staged.
    is_new: bool,
    /// The encoding of payloads.
    encoding: TextEncoding,
    /// A buffer for decoded text.
    scratch: String,
}

impl ServerPanel {
    /// A panel with `address` in the first row, as the server draws it at its start.
    #[must_use]
    pub(crate) fn new(address: &str, encoding: TextEncoding) -> Self {
        let screen = Screen {
            texts: vec![text(0, address.to_owned())],
            whole: true,
            ..Screen::default()
        };
        Self {
            // The tutorial's server never turns its display off, and nothing of its screen is lost.
            panel: Panel::new(PanelContent::Text, |_| String::new()),
            screen,
            is_new: true,
            encoding,
            scratch: String::new(),
        }
    }

    /// Sets a new server address, which shows until the first datagram. Does not draw yet.
    pub(crate) fn set_address(&mut self, address: &str) {
        if let [only] = self.screen.texts.as_mut_slice() {
            address.clone_into(&mut only.text);
            self.is_new = true;
        }
    }

    /// Replaces the screen by what the server draws for this datagram; does not draw yet.
    pub(crate) fn show(&mut self, datagram: &Datagram<'_>) {
        // The strings of the datagram before are used again: this runs for every datagram.
        let [shown, from] = match self.screen.texts.as_mut_slice() {
            [shown, from] => [shown, from].map(|text| std::mem::take(&mut text.text)),
            _ => [const { String::new() }; 2],
        };
        let (mut shown, mut from) = (shown, from);
        shown.clear();
        self.encoding
            .parts(datagram.payload, &mut self.scratch, |part| match part {
                DecodedPart::Text(part) => shown.push_str(part),
                // A box replaces a character that cannot be shown.
                DecodedPart::Bytes(bytes) => shown.extend(bytes.iter().map(|_| MISSING)),
            });
        from.clear();
        // Writing to a String cannot fail.
        let _ = write!(from, "from{}", datagram.peer.ip());
        self.is_new = true;
        self.screen.texts.clear();
        self.screen.texts.extend([text(15, shown), text(31, from)]);
    }

    /// The panel shows this with the next write to the terminal, or with [`Self::draw`].
    pub(crate) fn stage(&mut self) {
        if std::mem::take(&mut self.is_new) {
            self.panel.stage(&self.screen);
        }
    }

    /// Draws the staged screen, unless it is already on the terminal.
    pub(crate) fn draw(&self) {
        self.panel.draw();
    }

    /// Leaves the panel on the terminal: later output goes below it.
    pub(crate) fn keep(self) {
        self.panel.keep();
    }
}

/// A text as `DispChar` draws it, at the left edge.
fn text(y: i16, text: String) -> DrawnText {
    DrawnText {
        x: 0,
        y,
        mode: DrawMode::Normal,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datagram::Timestamp;
    use crate::terminal::panel::{TerminalLimits, lines};

    fn panel(payloads: &[&[u8]]) -> Vec<String> {
        let mut panel = ServerPanel::new("192.168.0.10:6000", TextEncoding::default());
        let (peer, local) = (
            "192.168.0.5:49153".parse().unwrap(),
            "192.168.0.10:6000".parse().unwrap(),
        );
        let time = Timestamp::from_nanos(0);
        for payload in payloads {
            panel.show(&Datagram {
                payload,
                peer,
                local,
                time,
                full_len: payload.len(),
            });
        }
        let terminal = TerminalLimits {
            columns: 80,
            rows: 24,
            unicode: true,
            color: false,
        };
        lines(&panel.screen, PanelContent::Text, terminal, |_| {
            String::new()
        })
        .lines
    }

    #[test]
    fn the_panel_shows_the_address_until_the_first_datagram_and_then_text_and_sender_only() {
        assert_eq!(
            panel(&[]),
            [
                "┌─────────────────────┐",
                "│192.168.0.10:6000    │",
                "│                     │",
                "│                     │",
                "│                     │",
                "└─────────────────────┘",
            ]
        );
        let last = "你好 mPython\r\n".as_bytes();
        for payloads in [&[last][..], &[b"an earlier, longer one", last]] {
            assert_eq!(
                panel(payloads),
                [
                    "┌─────────────────────┐",
                    "│                     │",
                    "│你好 mPython         │",
                    "│from192.168.0.5      │",
                    "│                     │",
                    "└─────────────────────┘",
                ]
            );
        }
    }

    #[test]
    fn long_and_hostile_text_stays_in_its_frame() {
        assert_eq!(
            panel(&["你你你你你你你你你你你".as_bytes()])[2],
            "│你你你你你你你你你你…│"
        );
        assert_eq!(
            panel(&["a你你你你你你你你你你".as_bytes()])[2],
            "│a你你你你你你你你你你│"
        );
        assert_eq!(
            panel(&["ab你你你你你你你你你你".as_bytes()])[2],
            "│ab你你你你你你你你你…│"
        );
        assert_eq!(
            panel(&[b"\x1b[2J\xff\xe2\x80\xae"])[2],
            "│□[2J□□               │"
        );
    }
}
