//! What differs between operating systems, in one place: each file here offers the same names.
//!
//! Where a system lacks something, its file says so to the user (an error that names the option) or falls back to the
//! plain way with the same result.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;

#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::*;
