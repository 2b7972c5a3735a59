//! Random numbers for test traffic: repeatable from a seed, not secret.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// The generator `SplitMix64` (Steele, Lea, Flood, *Fast Splittable Pseudorandom Number Generators*, 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed, which is always the same, or, without one, a sequence that differs in each run.
    #[must_use]
    pub fn new(seed: Option<u64>) -> Self {
        Self(seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// The next number.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `first` to `last`, both included; at most 65 bits lie between them.
    pub(crate) fn between(&mut self, first: i128, last: i128) -> i128 {
        let span = last.saturating_sub(first).unsigned_abs() + 1;
        // The high half of a product is equally likely to within 2^-64. More than 64 bits take a second number.
        let drawn = u128::from(self.draw());
        let offset = if span <= 1 << 64 {
            (drawn * span) >> 64
        } else {
            (drawn << 64 | u128::from(self.draw())) % span
        };
        first.saturating_add_unsigned(offset)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn happens(&mut self, percent: f64) -> bool {
        self.fraction() * 100.0 < percent
    }

    /// An exponentially distributed number with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        // The logarithm of 0 is infinite, so take the fraction from 1.
        -(1.0 - self.fraction()).ln() * mean
    }

    /// A number from 0 to below 1.
    fn fraction(&mut self) -> f64 {
        // 53 bits are what an f64 holds exactly.
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_draws_stay_in_range() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..5).map(|_| random.draw()).collect::<Vec<_>>()
        };
        assert_eq!(draw(Some(1)), draw(Some(1)));
        assert_ne!(draw(Some(1)), draw(Some(2)));
        assert_ne!(draw(None), draw(None));
        let mut random = Random::new(Some(7));
        let mut seen = [0; 3];
        for _ in 0..3000 {
            let drawn = random.between(-1, 1);
            seen[usize::try_from(drawn + 1).unwrap()] += 1;
        }
        // 1000 are expected, with a standard deviation of 26.
        assert!(seen.iter().all(|&count| count > 800), "{seen:?}");
        let (least, most) = (i128::from(i64::MIN), i128::from(u64::MAX));
        let drawn: Vec<i128> = (0..1000).map(|_| random.between(least, most)).collect();
        assert!(drawn.iter().all(|number| (least..=most).contains(number)));
        assert!(drawn.iter().any(|&number| number < 0));
        assert!(drawn.iter().any(|&number| number > i128::from(i64::MAX)));
        let drawn = random.between(0, most);
        assert!((0..=most).contains(&drawn));
        assert_eq!(random.between(5, 5), 5);
        let happened = (0..100_000).filter(|_| random.happens(5.0)).count();
        // 5000 are expected, with a standard deviation of 69.
        assert!((4_500..5_500).contains(&happened), "{happened}");
        assert!((0..1000).all(|_| !random.happens(0.0) && random.happens(100.0)));
    }
}
