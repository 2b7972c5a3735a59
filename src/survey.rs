//! What this PC has, and what of it would keep datagrams or the board away.

pub mod doctor;
#[cfg(feature = "board")]
mod serial;
pub mod severity;
