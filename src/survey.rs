//! What this PC has, what of it would keep datagrams or the board away, and which boards are near.

pub mod doctor;
#[cfg(feature = "board")]
mod drivers;
pub mod find;
#[cfg(feature = "board")]
mod serial;
pub mod severity;
