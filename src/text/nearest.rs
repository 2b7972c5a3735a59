//! The word that was probably meant, for errors about unknown names.

/// The known word with the smallest edit distance to `typed`, if it is close enough.
#[must_use]
pub(crate) fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let of_all = known.iter().map(|&known| (distance(&typed, known), known));
    let (distance, nearest) = of_all.min()?;
    // Close enough: at least half of the letters are right.
    (distance <= nearest.len() / 2).then_some(nearest)
}

/// The edit distance: letters to insert, remove, replace, or swap with their neighbour (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // The last two rows of the dynamic-programming table; each iteration computes the next one.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    // Only a swap of neighbours looks two rows back.
    let mut above: Vec<usize> = Vec::new();
    let mut previous = None;
    // Limit the work for an extremely long word, which is not close to any known one anyway.
    for (index, letter) in from.chars().take(64).enumerate() {
        let mut next = vec![index + 1];
        let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
        for (column, &other) in to.iter().enumerate() {
            let replaced = at(&row, column) + usize::from(letter != other);
            let mut best = replaced
                .min(at(&row, column + 1) + 1)
                .min(at(&next, column) + 1);
            let is_swapped =
                column > 0 && previous == Some(other) && to.get(column - 1) == Some(&letter);
            if is_swapped {
                best = best.min(at(&above, column - 1) + 1);
            }
            next.push(best);
        }
        above = std::mem::replace(&mut row, next);
        previous = Some(letter);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_the_one_that_was_meant() {
        let known = ["exclude", "messages", "names", "replies"];
        for (typed, meant) in [
            ("mesages", Some("messages")),
            ("message", Some("messages")),
            ("Messages", Some("messages")),
            ("excldue", Some("exclude")),
            ("name", Some("names")),
            ("reply", Some("replies")),
            ("n", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, &known), meant, "{typed}");
        }
        assert_eq!(distance("baud", "buad"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }
}
