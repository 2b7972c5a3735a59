use super::*;

#[test]
fn words_of_earlier_answers_are_told_from_failures() {
    assert!(is_of_an_answer(&io::ErrorKind::ConnectionReset.into()));
    assert!(!is_of_an_answer(&io::ErrorKind::NetworkDown.into()));
    if cfg!(windows) {
        for (code, is) in [(10054, true), (10052, true), (10050, false), (10040, false)] {
            assert_eq!(
                is_of_an_answer(&io::Error::from_raw_os_error(code)),
                is,
                "{code}"
            );
        }
    }
}
