//! Whether a rule matches a datagram of which not everything is known.

/// Whether a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    No,
    Maybe,
    Yes,
}

impl Match {
    pub(super) fn of(is_match: bool) -> Self {
        if is_match { Self::Yes } else { Self::No }
    }

    #[cfg(any(target_os = "linux", test))]
    pub(super) fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}
