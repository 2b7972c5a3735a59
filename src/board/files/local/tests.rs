//! Tests of names on this PC.

use super::*;
use proptest::prelude::*;
use std::path::Component;

const SYSTEMS: [(&str, NameRules); 3] = [
    ("Linux", NameRules::LINUX),
    ("macOS", NameRules::MACOS),
    ("Windows", NameRules::WINDOWS),
];

/// Whether this system can open paths that were made by `rules`.
/// On Windows, a colon or a backslash changes the meaning of what other systems treat as a name.
fn can_be_tried(rules: NameRules) -> bool {
    !cfg!(windows) || rules == NameRules::WINDOWS
}

fn places(rules: NameRules, paths: &[&[u8]]) -> Vec<Result<String, Unnameable>> {
    let mut places = Places::of(rules, paths.iter().copied());
    paths
        .iter()
        .map(|path| {
            places
                .place(path)
                .map(|place| place.path.to_str().unwrap().replace('\\', "/"))
        })
        .collect()
}

#[test]
fn each_system_gets_names_that_it_accepts() {
    // The name on the board, then on Linux, macOS and Windows; `None` if it is the same.
    let table: [(&[u8], [Option<&str>; 3]); 24] = [
        (b"main.py", [None; 3]),
        ("你好.py".as_bytes(), [None; 3]),
        (b"50%", [None; 3]),
        (b".hidden", [None; 3]),
        (b"Fr\x81hst.wav", [Some("Fr%81hst.wav"); 3]),
        (b"a\x1b[31m\nb", [Some("a%1b[31m%0ab"); 3]),
        (b"a\x7fb", [Some("a%7fb"); 3]),
        (b"a:b", [None, Some("a%3ab"), Some("a%3ab")]),
        (b"a\\b", [None, None, Some("a%5cb")]),
        (b"a*b?c", [None, None, Some("a%2ab%3fc")]),
        (b"\"<|>\"", [None, None, Some("%22%3c%7c%3e%22")]),
        (b"CON", [None, None, Some("%43ON")]),
        (b"nul", [None, None, Some("%6eul")]),
        (b"con.txt", [None, None, Some("%63on.txt")]),
        (b"Aux .tar.gz", [None, None, Some("%41ux .tar.gz")]),
        (b"COM1", [None, None, Some("%43OM1")]),
        (b"lpt9.log", [None, None, Some("%6cpt9.log")]),
        ("COM²".as_bytes(), [None, None, Some("%43OM²")]),
        (b"COM10", [None; 3]),
        (b"CONSOLE", [None; 3]),
        (b"end.", [None, None, Some("end%2e")]),
        (b"end. ", [None, None, Some("end.%20")]),
        (b"...", [None, None, Some("..%2e")]),
        (
            b"lib/CON/a:b",
            [None, Some("lib/CON/a%3ab"), Some("lib/%43ON/a%3ab")],
        ),
    ];
    for (name, expected) in table {
        for ((system, rules), expected) in SYSTEMS.into_iter().zip(expected) {
            if !can_be_tried(rules) {
                continue;
            }
            let same = || String::from_utf8(name.to_vec()).unwrap();
            let expected = expected.map_or_else(same, str::to_owned);
            let expected = expected.replace('\\', "/");
            assert_eq!(places(rules, &[name]), [Ok(expected)], "{system}: {name:?}");
        }
    }
}

#[test]
fn colliding_names_get_different_places() {
    for (paths, unfolded, folded) in [
        (
            &[b"A.py".as_slice(), b"a.py"][..],
            &["A.py", "a.py"][..],
            &["A.py", "%61.py"][..],
        ),
        (
            &[b"Lib/x", b"lib/x", b"lib/y"],
            &["Lib/x", "lib/x", "lib/y"],
            &["Lib/x", "%6cib/x", "%6cib/y"],
        ),
        (
            &["Ä".as_bytes(), "ä".as_bytes()],
            &["Ä", "ä"],
            &["Ä", "%c3%a4"],
        ),
        // A name that can stay does, regardless of the order.
        (
            &[b"a\x81", b"a%81"],
            &["%61%81", "a%81"],
            &["%61%81", "a%81"],
        ),
        (
            &[b"A", b"a", b"%61"],
            &["A", "a", "%61"],
            &["A", "%61%", "%61"],
        ),
    ] {
        for (system, rules) in SYSTEMS {
            let expected = if rules.ignores_case { folded } else { unfolded };
            let placed: Vec<String> = places(rules, paths)
                .into_iter()
                .map(Result::unwrap)
                .collect();
            assert_eq!(placed, expected, "{system}");
        }
    }
}

#[test]
fn only_invalid_and_too_long_names_are_refused() {
    for (_, rules) in SYSTEMS {
        for path in ["../x", "a/../../x", "a/", ".", "..", "/etc/passwd", "a//b"] {
            assert_eq!(
                places(rules, &[path.as_bytes(), b"fine"]),
                [Err(Unnameable::LeadsElsewhere), Ok("fine".to_owned())],
                "{path}"
            );
        }
    }
    let (long, fits) = ("x".repeat(256), "x".repeat(255));
    let wide = "好".repeat(100);
    for ((system, rules), wide_fits) in SYSTEMS.into_iter().zip([false, false, true]) {
        let placed = places(
            rules,
            &[long.as_bytes(), fits.as_bytes(), wide.as_bytes(), b"y"],
        );
        assert_eq!(placed[0], Err(Unnameable::TooLong), "{system}");
        assert_eq!(placed[1], Ok(fits.clone()), "{system}");
        assert_eq!(placed[2].is_ok(), wide_fits, "{system}");
        assert_eq!(placed[3], Ok("y".to_owned()), "{system}");
    }
}

proptest! {
    #[test]
    fn every_path_gets_a_unique_place_inside_the_folder(
        names in proptest::collection::btree_set(
            proptest::collection::vec(
                prop_oneof![Just(b'a'), Just(b'A'), Just(b'.'), Just(b'/'), Just(b':'), Just(b'%'), Just(b'6'), Just(b'1'), any::<u8>()],
                1..5,
            ),
            0..30,
        ),
    ) {
        for (_, rules) in SYSTEMS.into_iter().filter(|(_, rules)| can_be_tried(*rules)) {
            let mut places = Places::of(rules, names.iter().map(Vec::as_slice));
            let mut keys = HashSet::new();
            for name in &names {
                if let Ok(place) = places.place(name) {
                    let local = place.path.to_str().unwrap();
                    prop_assert!(place.path.components().all(|part| matches!(part, Component::Normal(_))));
                    prop_assert!(keys.insert(rules.key(local)), "{local}");
                    prop_assert!(!local.chars().any(char::is_control));
                }
            }
        }
    }
}
