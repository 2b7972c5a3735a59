//! Tests of `source.rs`.

use super::stream::*;
use super::*;
use crate::text::encoding::TextEncoding;
use crate::udp::payload::TextRules;
use proptest::prelude::*;
use std::io::Write as _;

fn rules() -> TextRules {
    TextRules {
        escapes: false,
        encoding: TextEncoding::default(),
        line_ending: "",
    }
}

fn all(mut source: Source, batch: usize) -> Result<Vec<Vec<u8>>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut payloads = Vec::new();
        loop {
            let mut outbox = Outbox::default();
            source.fill(&mut outbox, batch).await?;
            if outbox.is_empty() {
                return Ok(payloads);
            }
            assert!(outbox.len() <= batch);
            payloads.extend((0..outbox.len()).map(|index| outbox.payload(index).to_vec()));
        }
    })
}

fn of_file(content: &[u8], split: Split, rounds: u64, batch: usize) -> Result<Vec<Vec<u8>>, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    all(
        Source::stream(Input::File(file.path().to_owned()), split, Some(rounds)),
        batch,
    )
}

#[test]
fn lines_lose_their_endings_and_nothing_else() {
    let lines = of_file(b"a\r\n\n\xff b\r\r\nlast", Split::Lines(rules()), 1, 2).unwrap();
    assert_eq!(lines, [&b"a"[..], b"", b"\xff b\r", b"last"]);
    assert_eq!(
        of_file(b"a\n", Split::Lines(rules()), 3, 64).unwrap(),
        [b"a", b"a", b"a"]
    );
    assert!(
        of_file(b"", Split::Lines(rules()), 3, 64)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn lines_go_without_a_byte_order_mark_and_files_keep_it() {
    let lines = of_file(
        b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n",
        Split::Lines(rules()),
        2,
        64,
    )
    .unwrap();
    // Only at the start of a file are these bytes a byte-order mark.
    let round = [&b"a"[..], b"\xef\xbb\xbfb"];
    assert_eq!(lines, [round, round].concat());
    let whole = of_file(b"\xef\xbb\xbfa", Split::Whole, 1, 64).unwrap();
    assert_eq!(whole, [b"\xef\xbb\xbfa"]);
    for content in [&b"\xef"[..], b"\xef\xbb", b"\xff", b"\xef\xbbx"] {
        let lines = of_file(content, Split::Lines(rules()), 1, 64).unwrap();
        assert_eq!(lines, [content]);
    }
    assert!(
        of_file(b"\xef\xbb\xbf", Split::Lines(rules()), 1, 64)
            .unwrap()
            .is_empty()
    );
    let utf16 = b"\xff\xfea\0";
    assert_eq!(of_file(utf16, Split::Whole, 1, 64).unwrap(), [utf16]);
}

#[test]
fn chunks_and_whole_files() {
    assert_eq!(
        of_file(b"abcde", Split::Chunks(2), 2, 3).unwrap(),
        [&b"ab"[..], b"cd", b"e", b"ab", b"cd", b"e"]
    );
    assert!(of_file(b"", Split::Chunks(2), 1, 3).unwrap().is_empty());
    assert_eq!(of_file(b"", Split::Whole, 1, 3).unwrap(), [b""]);
    assert_eq!(
        of_file(&vec![7; 65_507], Split::Whole, 2, 3).unwrap(),
        [vec![7; 65_507], vec![7; 65_507]]
    );
    let error = of_file(&vec![7; 65_508], Split::Whole, 1, 3).unwrap_err();
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn a_line_that_cannot_be_a_datagram_is_named() {
    let mut content = b"ok\n".to_vec();
    content.resize(200_000, b'x');
    let error = of_file(&content, Split::Lines(rules()), 1, 64).unwrap_err();
    assert!(matches!(error, Error::OverLimit { .. }), "{error:?}");
    let told = error.to_string();
    assert!(told.contains("line=2"), "{told}");
    let fits = [vec![b'x'; 65_507], b"\r\n".to_vec()].concat();
    assert_eq!(
        of_file(&fits, Split::Lines(rules()), 1, 64).unwrap(),
        [vec![b'x'; 65_507]]
    );
}

#[test]
fn a_missing_file_is_an_error_of_the_environment() {
    let source = Source::stream(
        Input::File("/nonexistent/file".into()),
        Split::Whole,
        Some(1),
    );
    assert_eq!(all(source, 1).unwrap_err().exit_code(), 3);
}

#[test]
fn random_lengths_are_uniform_and_stay_in_their_range() {
    let source = Source::sequenced_of(20..=23, Random::new(Some(1)), Some(4000));
    let payloads = all(source.with_append("crc32".parse().ok()), 64).unwrap();
    assert_eq!(payloads.len(), 4000);
    for len in 24..=27 {
        let found = payloads.iter().filter(|payload| payload.len() == len);
        assert!((900..1100).contains(&found.count()), "{len}");
    }
    let mut source = Source::sequenced_of(16..=70_000, Random::new(None), None);
    assert!(source.limit(65_507, "IPv4").is_err());
}

#[test]
fn headers_are_written_into_payloads_of_any_length() {
    let mut outbox = Outbox::default();
    for payload in [&b"aa"[..], b"", b"bbb", b"cccc"] {
        outbox.push(payload);
    }
    assert!(!outbox.is_even());
    let taken: Vec<_> = outbox
        .uneven_payloads_mut(1, 2)
        .map(|payload| payload.to_vec())
        .collect();
    assert_eq!(taken, [&b""[..], b"bbb"]);
    outbox
        .uneven_payloads_mut(2, 9)
        .for_each(|payload| payload.fill(b'x'));
    assert_eq!(outbox.span(0, 4), b"aaxxxxxxx");
    assert_eq!(outbox.uneven_payloads_mut(4, 1).count(), 0);
}

proptest! {
    #[test]
    fn chunks_joined_are_the_file(content in prop::collection::vec(any::<u8>(), 0..3000), size in 1usize..700, batch in 1usize..9) {
        let chunks = of_file(&content, Split::Chunks(size), 1, batch).unwrap();
        prop_assert_eq!(chunks.concat(), content);
    }

    #[test]
    fn lines_are_what_std_makes_of_them(text in "[a-z\\r\\n]{0,300}", batch in 1usize..9) {
        let lines = of_file(text.as_bytes(), Split::Lines(rules()), 1, batch).unwrap();
        let expected: Vec<Vec<u8>> = text.split_inclusive('\n').map(|line| {
            let line = line.strip_suffix('\n').unwrap_or(line);
            line.strip_suffix('\r').unwrap_or(line).as_bytes().to_vec()
        }).collect();
        prop_assert_eq!(lines, expected);
    }
}
