//! Surveys this PC: what blocks datagrams or the board, and which boards are nearby.

pub(crate) mod doctor;
#[cfg(feature = "board")]
mod drivers;
pub(crate) mod find;
#[cfg(feature = "board")]
mod serial;
pub(crate) mod severity;
