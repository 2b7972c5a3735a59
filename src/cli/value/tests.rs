use super::*;
use proptest::prelude::*;

#[test]
fn a_speed_is_a_factor_or_max() {
    assert_eq!(speed("max"), Ok(Speed::Max));
    assert_eq!(speed("0.5"), Ok(Speed::Times(0.5)));
    assert_eq!(speed("10X"), Ok(Speed::Times(10.0)));
    for text in ["0", "-1", "nan", "inf", "x", "", "1e9"] {
        assert!(speed(text).is_err(), "{text}");
    }
}

#[test]
fn durations_of_the_contract() {
    for (text, ms) in [
        ("250ms", 250),
        ("2s", 2000),
        ("1m30s", 90_000),
        ("0.5", 500),
        ("3", 3000),
        ("1.5s", 1500),
        ("1h", 3_600_000),
        ("２ｓ", 2000),
        ("１。５", 1500),
    ] {
        assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
    }
    for text in [
        "", "-1", "-2s", "x", "1x", "nan", "inf", "1e300", "2 s ago", "200y",
    ] {
        assert!(duration(text).is_err(), "{text}");
    }
    assert!(positive_duration("0").is_err());
}

#[test]
fn sizes_of_the_contract() {
    for (text, bytes) in [
        ("64k", 65_536),
        ("4MiB", 4 << 20),
        ("1024", 1024),
        ("0", 0),
        ("64KB", 64_000),
        ("1G", 1 << 30),
        ("６４ｋ", 65_536),
    ] {
        assert_eq!(size(text), Ok(bytes), "{text}");
    }
    for text in [
        "",
        "k",
        "-1",
        "+1",
        "1.5k",
        "1x",
        "99999999999999999999",
        "2000000g",
    ] {
        assert!(size(text).is_err(), "{text}");
    }
}

#[test]
fn local_addresses_with_and_without_port() {
    for (text, address) in [
        ("127.0.0.1", "127.0.0.1:0"),
        ("127.0.0.1:5", "127.0.0.1:5"),
        ("::1", "[::1]:0"),
        ("[::1]", "[::1]:0"),
        ("[::1]:5", "[::1]:5"),
        ("１２７.０。０.１：５", "127.0.0.1:5"),
    ] {
        assert_eq!(local_address(text), Ok(address.parse().unwrap()), "{text}");
    }
    for text in ["", "localhost", "1.2.3", "[::1", "1.2.3.4:70000"] {
        assert!(local_address(text).is_err(), "{text}");
    }
}

#[test]
fn numbers_have_a_range() {
    assert_eq!(baud("115200"), Ok(115_200));
    assert_eq!(baud("１１５２００"), Ok(115_200));
    for text in ["", "49", "12000001", "x", "-1", "99999999999999999999"] {
        assert!(baud(text).is_err(), "{text}");
    }
    #[cfg(feature = "board")]
    {
        assert_eq!(peer_port("６０００"), Ok(6000));
        assert!(peer_port("0").is_err() && peer_port("65536").is_err());
    }
    assert_eq!(byte("255"), Ok(255));
    assert_eq!(port("０"), Ok(0));
    assert_eq!(positive_count("１０"), Ok(10));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,12}") {
        let _ = (duration(&text), size(&text), local_address(&text));
    }
}
