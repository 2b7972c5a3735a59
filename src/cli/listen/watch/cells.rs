//! Figures and texts in columns of cells.

use unicode_width::UnicodeWidthStr as _;

use crate::datagram::Timestamp;
pub(super) use crate::text::cells::fit;

/// A count in few cells: `12345`, `1.2M`.
pub(super) fn short(count: u64) -> String {
    let scaled = |unit: f64| count as f64 / unit;
    match count {
        0..=999_999 => count.to_string(),
        1_000_000..=999_999_999 => format!("{:.2}M", scaled(1e6)),
        1_000_000_000..=999_999_999_999 => format!("{:.2}G", scaled(1e9)),
        _ => format!("{:.2}T", scaled(1e12)),
    }
}

/// `0 %`, `0.3 %`, `12 %`; a loss is never shown as 0.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent <= 0.0 {
        "0 %".to_owned()
    } else if percent < 0.1 {
        "<0.1 %".to_owned()
    } else if percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// How long ago that was.
pub(super) fn age(now: Timestamp, time: Timestamp) -> String {
    let nanos = now.as_nanos().saturating_sub(time.as_nanos()).max(0);
    let seconds = nanos / 1_000_000_000;
    match seconds {
        0..=9 => format!("{}.{} s", seconds, nanos / 100_000_000 % 10),
        10..=99 => format!("{seconds} s"),
        100..=5999 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

/// The text, filled up with blanks at its right to this many cells.
pub(super) fn left(text: &str, cells: usize) -> String {
    let text = fit(text, cells);
    let blanks = cells.saturating_sub(text.width());
    text + &" ".repeat(blanks)
}

/// The same with the blanks at its left.
pub(super) fn right(text: &str, cells: usize) -> String {
    let text = fit(text, cells);
    " ".repeat(cells.saturating_sub(text.width())) + &text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_their_columns() {
        assert_eq!(short(999_999), "999999");
        assert_eq!(short(1_234_567), "1.23M");
        assert!(short(u64::MAX).len() <= 12);
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(0.000_1), "<0.1 %");
        assert_eq!(percent(0.034), "3.4 %");
        assert_eq!(percent(1.0), "100 %");
        let ago = |seconds: i64| {
            age(
                Timestamp::from_nanos(seconds * 1_000_000_000),
                Timestamp::from_nanos(0),
            )
        };
        assert_eq!(
            [ago(0), ago(12), ago(200), ago(7300)],
            ["0.0 s", "12 s", "3 min", "2 h"]
        );
        assert_eq!(ago(-5), "0.0 s");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(left("你", 4), "你  ");
        assert_eq!(right("abc", 2), "a…");
    }
}
