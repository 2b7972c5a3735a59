use super::*;
use proptest::prelude::*;

fn feed() -> ProgramInput {
    ProgramInput::new(InputUse::Readline).unwrap()
}

fn shown(feed: &mut ProgramInput, bytes: &[u8]) -> String {
    let mut shown = Vec::new();
    feed.output(bytes, &mut shown, Instant::now());
    String::from_utf8(shown).unwrap()
}

fn due(feed: &mut ProgramInput) -> Option<Vec<u8>> {
    feed.due(Instant::now())
}

#[test]
fn a_line_goes_over_once_the_program_waits_and_its_echo_is_removed() {
    let mut feed = feed();
    assert_eq!(due(&mut feed), None);
    feed.typed(Typed::Bytes(b"Bo".to_vec()));
    assert_eq!(due(&mut feed), None);
    feed.typed(Typed::Bytes(b"b\r\nnext\n".to_vec()));
    assert_eq!(due(&mut feed).unwrap(), PROBE);
    assert_eq!(due(&mut feed), None);
    assert_eq!(
        shown(&mut feed, b"busy `\x08 name? `\x08"),
        "busy `\x08 name? "
    );
    assert_eq!(due(&mut feed), None);
    assert_eq!(shown(&mut feed, b"\x1b[K"), "");
    assert_eq!(due(&mut feed).unwrap(), b"Bob");
    assert_eq!(due(&mut feed), None);
    assert_eq!(shown(&mut feed, b"Bo(tick)b"), "(tick)");
    assert_eq!(due(&mut feed).unwrap(), b"\r");
    assert_eq!(shown(&mut feed, b"\r\nBob\r\n"), "Bob\r\n");
    assert!(!feed.may_be_left());
    assert_eq!(due(&mut feed).unwrap(), PROBE);
    assert!(feed.may_be_left());
}

#[test]
fn the_end_is_ctrl_d_on_an_empty_line_and_ends_a_begun_one() {
    let mut feed = feed();
    feed.typed(Typed::Bytes(b"last".to_vec()));
    feed.typed(Typed::End);
    assert_eq!(due(&mut feed).unwrap(), PROBE);
    shown(&mut feed, PROBE_ECHO);
    assert_eq!(due(&mut feed).unwrap(), b"last");
    shown(&mut feed, b"last");
    assert_eq!(due(&mut feed).unwrap(), b"\r");
    shown(&mut feed, b"\r\n");
    // Not before the program is silent.
    assert_eq!(due(&mut feed), None);
    let later = Instant::now() + SILENT * 2;
    assert_eq!(feed.due(later).unwrap(), PROBE);
    shown(&mut feed, PROBE_ECHO);
    assert_eq!(due(&mut feed).unwrap(), b"\x04");
    assert!(!feed.may_be_left());
}

#[test]
fn nothing_that_readline_acts_on_is_sent_and_a_long_line_in_pieces() {
    let mut feed = feed();
    feed.typed(Typed::Bytes("\x03\x04\x1b\ta你".into()));
    feed.typed(Typed::Bytes(vec![b'x'; 300]));
    assert_eq!(feed.notice(Instant::now()), Some(Notice::NotAscii));
    assert_eq!(feed.notice(Instant::now()), None);
    assert_eq!(due(&mut feed).unwrap(), PROBE);
    shown(&mut feed, PROBE_ECHO);
    let piece = due(&mut feed).unwrap();
    assert_eq!(piece.len(), PIECE);
    assert!(piece.starts_with(b" ax"), "{piece:?}");
    // A damaged echo is not waited for without end.
    shown(&mut feed, b" ax");
    assert_eq!(due(&mut feed), None);
    assert_eq!(feed.due(Instant::now() + ECHO * 2), None);
    assert_eq!(due(&mut feed).unwrap().len(), PIECE);
}

#[test]
fn a_program_that_reads_stdin_gets_the_bytes_as_they_are() {
    let mut feed = ProgramInput::new(InputUse::Stdin).unwrap();
    feed.typed(Typed::Bytes("你\n\x04".into()));
    feed.typed(Typed::Bytes(vec![b'x'; 300]));
    assert!(!feed.may_be_left());
    assert_eq!(due(&mut feed).unwrap(), "你\n".as_bytes());
    assert_eq!(due(&mut feed).unwrap().len(), PIECE - 4);
    assert_eq!(due(&mut feed), None);
    assert_eq!(shown(&mut feed, b"x"), "x");
    assert_eq!(due(&mut feed).unwrap().len(), PIECE);
    let later = Instant::now() + UNSEEN * 2;
    // 48 are left: not a line, and more may come.
    assert_eq!(feed.due(later), None);
    feed.typed(Typed::End);
    assert_eq!(feed.due(later).unwrap().len(), 48);
    assert!(feed.may_be_left());
    let later = later + UNSEEN * 2;
    assert_eq!(feed.notice(later), Some(Notice::Ended));
}

proptest! {
    #[test]
    fn output_is_neither_lost_nor_changed_without_input(bytes in proptest::collection::vec(prop_oneof![Just(b'`'), Just(8u8), Just(0x1b), any::<u8>()], 0..64)) {
        let mut feed = feed();
        let mut shown = Vec::new();
        feed.output(&bytes, &mut shown, Instant::now());
        prop_assert_eq!(&shown, &bytes);
    }

    #[test]
    fn with_a_probe_on_its_way_only_its_echo_is_removed(pieces in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'`'), Just(8u8), Just(0x1b), Just(b'['), any::<u8>()], 0..8), 0..8)) {
        let mut feed = feed();
        feed.typed(Typed::Bytes(b"x\n".to_vec()));
        due(&mut feed);
        let mut shown = Vec::new();
        for piece in &pieces {
            feed.output(piece, &mut shown, Instant::now());
        }
        feed.release(&mut shown, Instant::now(), true);
        let mut all = pieces.concat();
        if !matches!(feed.state, EscapeState::Probing(_)) {
            let at = memchr::memmem::find(&all, PROBE_ECHO).unwrap();
            all.drain(at..at + PROBE_ECHO.len());
        }
        prop_assert_eq!(shown, all);
    }

    #[test]
    fn what_is_sent_holds_no_control_characters_but_the_line_end(bytes in any::<Vec<u8>>()) {
        for usage in [InputUse::Readline, InputUse::Stdin, InputUse::Both] {
            let mut feed = ProgramInput::new(usage).unwrap();
            feed.typed(Typed::Bytes(bytes.clone()));
            while let Some(piece) = feed.due(Instant::now()) {
                if piece != PROBE {
                    prop_assert!(piece.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..)));
                }
                let echo = if piece == PROBE { PROBE_ECHO.to_vec() } else if piece == b"\r" { b"\r\n".to_vec() } else { piece };
                feed.output(&echo, &mut Vec::new(), Instant::now());
            }
        }
    }
}
