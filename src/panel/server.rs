//! The panel as the tutorial's server would draw it: its address at (0, 0), a datagram's text at (0, 15), and `from` with
//! the sender's address at (0, 31).

use std::fmt::Write as _;

use crate::net::Datagram;
use crate::panel::screen::{Mode, Screen, Text};
use crate::panel::text::MISSING;
use crate::panel::{Panel, View};
use crate::payload::encoding::{Part, TextEncoding};

/// The server's screen, drawn as every panel is.
#[derive(Debug)]
pub struct ServerPanel {
    panel: Panel,
    screen: Screen,
    encoding: TextEncoding,
    scratch: String,
}

impl ServerPanel {
    /// A panel whose first row says `address`, as the server draws when it starts.
    #[must_use]
    pub fn new(address: &str, encoding: TextEncoding) -> Self {
        let text = |y, text: &str| Text {
            x: 0,
            y,
            mode: Mode::Normal,
            text: text.to_owned(),
        };
        let screen = Screen {
            texts: vec![text(0, address), text(15, ""), text(31, "")],
            whole: true,
            ..Screen::default()
        };
        Self {
            panel: Panel::new(View::Text, false),
            screen,
            encoding,
            scratch: String::new(),
        }
    }

    /// Takes what the server would draw for this datagram; nothing is drawn yet.
    pub fn show(&mut self, datagram: &Datagram<'_>) {
        let [_, text, from] = self.screen.texts.as_mut_slice() else {
            return;
        };
        let (text, from) = (&mut text.text, &mut from.text);
        text.clear();
        self.encoding
            .parts(datagram.payload, &mut self.scratch, |part| match part {
                Part::Text(part) => text.push_str(part),
                // What cannot be shown is a box.
                Part::Bytes(bytes) => text.extend(bytes.iter().map(|_| MISSING)),
            });
        from.clear();
        // Writing to a String cannot fail.
        let _ = write!(from, "from{}", datagram.peer.ip());
    }

    /// Draws the panel where the cursor is, or over itself; not where it does not fit.
    pub fn draw(&self) {
        self.panel.draw(&self.screen, "");
    }

    /// Leaves the panel where it is: what follows is written below.
    pub fn leave(&self) {
        self.panel.leave();
    }

    /// Takes the panel off the screen, so that lines can be printed where it stood.
    pub fn make_way(&self) {
        self.panel.make_way();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Addressed, Timestamp};
    use crate::panel::{Terminal, lines};

    fn panel(payload: &[u8]) -> Vec<String> {
        let mut panel = ServerPanel::new("192.168.0.10:6000", TextEncoding::default());
        let (peer, local) = (
            "192.168.0.5:49153".parse().unwrap(),
            "192.168.0.10:6000".parse().unwrap(),
        );
        let time = Timestamp::from_nanos(0);
        panel.show(&Datagram {
            payload,
            peer,
            local,
            addressed: Addressed::Unicast,
            time,
            full_len: payload.len(),
        });
        let terminal = Terminal {
            columns: 80,
            rows: 24,
            unicode: true,
            color: false,
        };
        lines(&panel.screen, View::Text, terminal).lines
    }

    #[test]
    fn the_panel_shows_address_text_and_sender() {
        assert_eq!(
            panel("你好 mPython\r\n".as_bytes()),
            [
                "┌─────────────────────┐",
                "│192.168.0.10:6000    │",
                "│你好 mPython         │",
                "│from192.168.0.5      │",
                "│                     │",
                "└─────────────────────┘",
            ]
        );
    }

    #[test]
    fn long_and_hostile_text_stays_in_its_frame() {
        assert_eq!(
            panel("你你你你你你你你你你你".as_bytes())[2],
            "│你你你你你你你你你你…│"
        );
        assert_eq!(
            panel("a你你你你你你你你你你".as_bytes())[2],
            "│a你你你你你你你你你你│"
        );
        assert_eq!(
            panel("ab你你你你你你你你你你".as_bytes())[2],
            "│ab你你你你你你你你你…│"
        );
        assert_eq!(
            panel(b"\x1b[2J\xff\xe2\x80\xae")[2],
            "│□[2J□□               │"
        );
    }
}
