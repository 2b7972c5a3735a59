//! The interface through which the loops hand datagrams to the output, or to a test.

use serde_json::Value;

use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::text::encoding::TextEncoding;
use crate::text::sentence::Sentence;
use crate::udp::error::Error;

/// Whether the sink wants more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Keep receiving.
    Continue,
    /// The program that reads the output closed its end of the pipe.
    ReaderGone,
}

/// A consumer of datagrams.
pub(crate) trait Sink {
    /// Writes the text before the first datagram, if there is any.
    ///
    /// # Errors
    /// As [`Sink::flush`].
    fn begin(&mut self) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }

    /// Takes a run of datagrams with one note each, or with no notes. May buffer the output; [`Sink::flush`] reports
    /// errors.
    fn run(&mut self, run: &Run<'_>, notes: &[Notes]);

    /// Sets the encoding of the text in the datagrams that follow.
    fn decode_with(&mut self, _encoding: TextEncoding) {}

    /// Writes out everything buffered. The loops call this once per batch.
    ///
    /// # Errors
    /// The output or a file cannot be written.
    fn flush(&mut self) -> Result<Flow, Error>;

    /// Takes the periodic statistics, as text and as JSON.
    fn stats(&mut self, _clauses: &dyn Fn() -> Vec<Sentence>, _json: &dyn Fn() -> Value) {}

    /// Called when an interface or address appeared or disappeared.
    // Most sinks need neither this nor the statistics, so the defaults do nothing.
    fn network_changed(&mut self) {}
}
