//! How long the pieces are that a file goes over in.
//!
//! A long piece wastes the least on the time between two; a short one is the least likely to be hit by a byte that the
//! line loses, and the cheapest to send again. On a line that loses one byte in `1/p`, pieces of about
//! `sqrt(cost/p)` bytes are the fastest, where `cost` is what each piece costs besides its own bytes. The rate of
//! losses is counted over the session, so that later files begin with the length that the line was found to carry.

/// The longest piece of code: long enough that the time between two pieces does not matter at 921,600 baud.
const LONGEST: usize = 16_384;

/// The shortest worth trying.
const SHORTEST: usize = 256;

/// Damage does not shorten pieces below this.
const SHORTEST_AFTER_DAMAGE: usize = 2 * SHORTEST;

/// What a piece costs besides its own bytes, in bytes of the line: its frame, the answer, and the turn-around of both
/// ends, which takes 5 to 20 ms.
const COST: f64 = 200.0;

/// The length of pieces over a session.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PieceLength {
    /// What the board has memory for.
    most: usize,
    /// Bytes that were sent, and how many pieces of them were damaged.
    sent: usize,
    hits: u32,
    /// Shorter than the session's length, after damage of the piece that is being sent.
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
    /// What the board has memory for.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.clamp(SHORTEST, LONGEST);
    }

    /// How long the next piece is.
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

    /// A piece went over.
    pub(super) fn went_well(&mut self, len: usize) {
        self.sent = self.sent.saturating_add(len);
        self.at_most = None;
    }

    /// A piece was damaged. False if it was as short as it gets.
    pub(super) fn was_damaged(&mut self, len: usize) -> bool {
        let shortest = SHORTEST_AFTER_DAMAGE.min(self.most);
        let was_long = self.now() > shortest;
        self.sent = self.sent.saturating_add(len);
        self.hits = self.hits.saturating_add(1);
        // What was too long once is not tried a second time for the same bytes.
        self.at_most = Some((self.at_most.unwrap_or(len).min(len) / 4).max(shortest));
        was_long
    }

    /// The board had no memory for a piece. False if it was as short as it gets.
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
        // One byte in 5,000.
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
    fn a_piece_that_is_hit_again_and_again_becomes_as_short_as_it_gets() {
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
    fn a_board_without_memory_gets_shorter_pieces_for_good() {
        let mut piece = fresh();
        while piece.found_no_memory() {}
        assert_eq!(piece.now(), SHORTEST);
        piece.went_well(100);
        assert_eq!(piece.now(), SHORTEST);
        assert!(!piece.was_damaged(SHORTEST));
    }
}
