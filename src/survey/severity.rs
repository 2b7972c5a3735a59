//! How much a finding matters.

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// The finding may block datagrams or the board, or udpcli cannot tell.
    Warning,
    /// The finding blocks datagrams or the board.
    Problem,
}

impl Severity {
    /// The value in JSON.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}
