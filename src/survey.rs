//! What this PC has, what of it would keep datagrams or the board away, and which boards are near.

pub(crate) mod doctor;
#[cfg(feature = "board")]
mod drivers;
pub(crate) mod find;
#[cfg(feature = "board")]
mod serial;
pub(crate) mod severity;
