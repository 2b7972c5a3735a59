//! The length of the pieces in which a file is sent.
//!
//! A long piece wastes the least time between pieces. A short one is less likely to contain a byte that the line loses,
//! and cheaper to send again. On a line that loses one byte in `1/p`, pieces of about `sqrt(cost/p)` bytes are the
//! fastest, where `cost` is the overhead of a piece. The loss rate is counted over the session, so that later files
//! start with a length that suits the line.

/// The longest piece of code: with it, the time between two pieces does not matter even at 921,600 baud.
const LONGEST: usize = 16_384;

/// The shortest piece that is useful.
const SHORTEST: usize = 256;

/// Damage does not shorten pieces below this.
const SHORTEST_AFTER_DAMAGE: usize = 2 * SHORTEST;

/// The overhead of a piece, in bytes of the line: its frame, the reply, and the turn-around time of both ends, which is
/// 5 to 20 ms.
// At 115,200 baud, 200 bytes take 17 ms.
const COST: f64 = 200.0;

/// The piece length over a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PieceLength {
    /// The limit from the board's memory.
    most: usize,
    /// How many bytes were sent, and how many pieces of them were damaged.
    sent: usize,
    /// How many pieces were damaged.
    hits: u32,
    /// A temporary limit, after damage of the current piece.
    at_most: Option<usize>,
}

impl Default for PieceLength {
    fn default() -> Self {
        Self {
            most: SHORTEST,
            sent: 0,
            hits: 0,
            at_most: None,
        }
    }
}

impl PieceLength {
    /// Sets the limit from the board's memory.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.clamp(SHORTEST, LONGEST);
    }

    /// The length of the next piece.
    pub(super) fn now(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the square root of a count, and clamped"
        )]
        let fastest = match self.hits {
            0 => LONGEST,
            hits => (COST * self.sent as f64 / f64::from(hits)).sqrt() as usize,
        };
        fastest
            .max(SHORTEST_AFTER_DAMAGE)
            .min(self.at_most.unwrap_or(LONGEST))
            .min(self.most)
    }

    /// Counts a piece that arrived complete.
    pub(super) fn went_well(&mut self, len: usize) {
        self.sent = self.sent.saturating_add(len);
        self.at_most = None;
    }

    /// Counts a damaged piece. False if it already had the minimum length.
    pub(super) fn was_damaged(&mut self, len: usize) -> bool {
        let shortest = SHORTEST_AFTER_DAMAGE.min(self.most);
        let was_long = self.now() > shortest;
        self.sent = self.sent.saturating_add(len);
        self.hits = self.hits.saturating_add(1);
        // Do not try a length again that was too long for the same bytes.
        self.at_most = Some((self.at_most.unwrap_or(len).min(len) / 4).max(shortest));
        was_long
    }

    /// The board had no memory for a piece. False if it already had the minimum length.
    pub(super) fn found_no_memory(&mut self) -> bool {
        let now = self.now();
        self.most = (now / 2).max(SHORTEST);
        now > SHORTEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> PieceLength {
        let mut piece = PieceLength::default();
        piece.set_most(usize::MAX);
        piece
    }

    #[test]
    fn a_good_line_gets_the_longest_piece() {
        let mut piece = fresh();
        piece.went_well(10);
        assert_eq!(piece.now(), LONGEST);
    }

    #[test]
    fn one_hit_does_not_make_every_later_piece_short() {
        let mut piece = fresh();
        assert!(piece.was_damaged(LONGEST));
        assert!(piece.now() < LONGEST / 4);
        for _ in 0..1000 {
            piece.went_well(piece.now());
        }
        assert_eq!(piece.now(), LONGEST);
    }

    #[test]
    fn a_line_that_loses_bytes_keeps_short_pieces_for_later_files() {
        let mut piece = fresh();
        // A loss of one byte in 5,000.
        for _ in 0..50 {
            let mut left: usize = 5000;
            while left > 0 {
                let now = piece.now();
                if now > left {
                    piece.was_damaged(now);
                } else {
                    piece.went_well(now);
                }
                left = left.saturating_sub(now);
            }
        }
        piece.went_well(piece.now());
        assert!((700..1500).contains(&piece.now()), "{}", piece.now());
    }

    #[test]
    fn repeated_damage_shortens_a_piece_to_the_minimum() {
        let mut piece = fresh();
        for _ in 0..200 {
            piece.went_well(LONGEST);
        }
        let mut tries = 0;
        while piece.was_damaged(piece.now()) {
            tries += 1;
            assert!(tries < 6);
        }
        assert_eq!(piece.now(), SHORTEST_AFTER_DAMAGE);
    }

    #[test]
    fn lack_of_memory_shortens_all_later_pieces() {
        let mut piece = fresh();
        while piece.found_no_memory() {}
        assert_eq!(piece.now(), SHORTEST);
        piece.went_well(100);
        assert_eq!(piece.now(), SHORTEST);
        assert!(!piece.was_damaged(SHORTEST));
    }
}
