//! Tests of `helper.rs`.

use super::*;
use proptest::prelude::*;

#[test]
fn the_parts_of_the_scripts_are_short() {
    let scripts = [
        SCRIPT,
        include_str!("../scripts/minified/files.py"),
        include_str!("../scripts/minified/info.py"),
    ];
    for part in scripts.iter().flat_map(|script| script.split(PART_END)) {
        assert!(part.len() < 800, "{part}");
    }
}

#[test]
fn a_lost_helper_is_a_restart() {
    let lost = "NameError: name '_udpcli' isn't defined".to_owned();
    assert!(matches!(
        uncaught(&Doing::CleaningUp, lost),
        Err(Error::Restarted { .. })
    ));
    let damaged = "NameError: name '_udpbli' isn't defined".to_owned();
    assert_eq!(
        uncaught(&Doing::CleaningUp, damaged.clone()).unwrap(),
        CallResult::Uncaught(damaged)
    );
}

#[test]
fn an_exception_counts_when_it_occurs_again() {
    let mut repeats = Repeats::default();
    assert!(!repeats.has("AttributeError: 'module' object has no attribute 'x'"));
    assert!(!repeats.has("AttributeError: 'module' object has no attribute 'y'"));
    assert!(repeats.has("AttributeError: 'module' object has no attribute 'y'"));
    for of_the_line in ["SyntaxError: invalid syntax", "KeyboardInterrupt: "] {
        assert!(!repeats.has(of_the_line) && !repeats.has(of_the_line));
    }
}

#[test]
fn an_exception_is_parsed_as_a_reply() {
    let with_sum = |said: &str, tail: &str| {
        format!("{said}{tail}{:08x}", crc32(&[said.as_bytes()])).into_bytes()
    };
    let text = "OSError: 28";
    assert_eq!(
        read(&with_sum(&format!("half a li{text}"), "^000b")),
        Some(CallResult::Raised(text.to_owned()))
    );
    // Without a checksum, the exception has to occur again.
    let plain = format!("{text}^000b--------");
    assert_eq!(
        read(plain.as_bytes()),
        Some(CallResult::Uncaught(text.to_owned()))
    );
    assert_eq!(read(&with_sum(text, "^00ff")), None);
    // An exception without text.
    assert_eq!(
        read(&with_sum("UnicodeError: ", "^000e")),
        Some(CallResult::Raised("UnicodeError".to_owned()))
    );
}

proptest! {
    #[test]
    fn a_changed_reply_is_rejected(data in proptest::collection::vec(any::<u8>(), 0..40), at in 0usize..49, bit in 0u8..8) {
        let mut answer = data.clone();
        answer.extend(format!("~{:08x}", crc32(&[&data])).into_bytes());
        prop_assert_eq!(read(&answer), Some(CallResult::Answer(data)));
        let at = at % answer.len();
        answer[at] ^= 1 << bit;
        prop_assert_eq!(read(&answer), None);
    }

    #[test]
    fn any_reply_is_parsed_or_rejected_without_a_panic(answer in proptest::collection::vec(any::<u8>(), 0..30)) {
        let _ = read(&answer);
    }

    #[test]
    fn the_plain_checksum_stays_within_small_integers(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(plain_checksum(&bytes) < PLAIN_MODULUS);
        prop_assert!(u64::from(PLAIN_MODULUS) * u64::from(PLAIN_FACTOR) + 255 < 1 << 30);
    }
}
