//! A transcript without processes.

use super::*;

/// Keeps the lines, and ends the demo after `most` of them.
struct Kept {
    lines: Vec<String>,
    most: usize,
}

impl DemoObserver for Kept {
    fn event(&mut self, event: DemoEvent<'_>) -> bool {
        if let DemoEvent::Data(_, line) | DemoEvent::Note(_, line) = event {
            self.lines.push(line.to_owned());
        }
        self.lines.len() < self.most
    }
}

/// Does `work` with the output of the processes.
fn read<T>(
    said: impl IntoIterator<Item = (Side, DemoLine)>,
    most: usize,
    work: impl FnOnce(&mut Transcript<'_>) -> T,
) -> (T, Vec<String>) {
    let (sender, heard) = channel();
    for said in said {
        sender.send(said).unwrap();
    }
    let mut kept = Kept {
        lines: Vec::new(),
        most,
    };
    let mut transcript = Transcript::new(heard, Shutdown::by_hand(), &mut kept);
    let result = work(&mut transcript);
    (result, kept.lines)
}

fn note(line: &str) -> (Side, DemoLine) {
    (Side::Listen, DemoLine::Note(line.to_owned()))
}

#[test]
fn the_listeners_address_is_read_from_its_notes() {
    let said = [
        note("something"),
        note("listening on 127.0.0.1:5; Ctrl-C ends"),
    ];
    let address = |transcript: &mut Transcript<'_>| {
        let address = transcript.listening_address();
        address.ok()
    };
    let (found, lines) = read(said, 9, address);
    assert_eq!(found.as_deref(), Some("127.0.0.1:5"));
    assert_eq!(lines.len(), 2);

    let said = [note("something"), (Side::Listen, DemoLine::Closed)];
    assert_eq!(read(said, 9, address).0, None);
}

#[test]
fn a_datagram_that_nobody_printed_is_a_failure() {
    let data = |side, line: &str| (side, DemoLine::Data(line.to_owned()));
    let hello = r"127.0.0.1:5 28 hello message from mPython\r\n";
    let said = [
        data(Side::Listen, hello),
        data(Side::Send, hello),
        data(Side::Listen, hello),
        data(Side::Listen, "127.0.0.1:5 6 你好"),
        (Side::Listen, DemoLine::Closed),
    ];
    let (failure, _) = read(said, 9, |transcript| {
        transcript.read_until_closed(Side::Listen, 1)?;
        transcript.check()
    });
    let is_told = matches!(
        failure,
        Err(DemoFailure::Counted {
            side: Side::Listen,
            hello: 2,
            chinese: 1
        })
    );
    assert!(is_told, "{failure:?}");
}

#[test]
fn the_demo_ends_when_nobody_reads() {
    let (failure, lines) = read([note("a"), note("b")], 1, |transcript| {
        transcript.read_until_closed(Side::Listen, 1)
    });
    assert!(matches!(failure, Err(DemoFailure::Unread)));
    assert_eq!(lines, ["a"]);
}
