//! How much a finding matters.

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// It may keep datagrams or the board away, or udpcli cannot tell.
    Warning,
    /// It keeps datagrams or the board away.
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
