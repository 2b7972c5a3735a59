//! Where the loops hand datagrams to: the output, or a test.

use serde_json::Value;

use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::text::sentence::Sentence;
use crate::udp::error::Error;

/// Whether the sink wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Whoever read the output has gone.
    ReaderGone,
}

/// Takes datagrams as they come.
pub trait Sink {
    /// Datagrams that came together, with the notes of each, or none where there is nothing to note; errors wait for
    /// [`Sink::flush`].
    fn run(&mut self, run: &Run<'_>, notes: &[Notes]);

    /// No more datagrams are at hand: everything goes out now.
    ///
    /// # Errors
    /// The output or a file cannot be written.
    fn flush(&mut self) -> Result<Flow, Error>;

    /// The counts so far, every so often: as text, and for programs.
    fn stats(&mut self, _clauses: &dyn Fn() -> Vec<Sentence>, _json: &dyn Fn() -> Value) {}

    /// An interface or an address came or went.
    fn network_changed(&mut self) {}
}
