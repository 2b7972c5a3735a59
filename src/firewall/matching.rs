//! Whether a rule matches a datagram of which not everything is known.

/// Whether a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
// In this order, so that the least of several conditions is their conjunction, and the greatest their disjunction.
pub(super) enum Match {
    /// The rule does not match.
    No,
    /// The match depends on something unknown, such as the sender.
    Maybe,
    /// The rule matches.
    Yes,
}

impl Match {
    /// A condition that is known.
    pub(super) fn of(is_match: bool) -> Self {
        if is_match { Self::Yes } else { Self::No }
    }

    /// The opposite; what is unknown stays unknown.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}
