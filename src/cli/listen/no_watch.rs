//! Replaces the live view in a build without it.

use crate::cli::output::DatagramOutput;
use crate::error::{Error, Feature};
use crate::names::BoardNames;
use crate::shutdown::Shutdown;
use crate::text::encoding::TextEncoding;
use crate::udp;
use crate::udp::listen::{ListenEnd, Listener};

#[derive(Debug)]
pub(super) struct WatchOptions {
    /// The encoding of payloads.
    pub(super) encoding: TextEncoding,
    /// Whether sequence numbers are read.
    pub(super) has_loss: bool,
    /// Whether to use colour.
    pub(super) color: bool,
}

/// A view that cannot be opened.
#[derive(Debug)]
pub(super) enum Watch {}

/// Where to tell the address.
#[derive(Debug)]
pub(super) enum AddressLine {}

impl AddressLine {
    pub(super) fn set(&self, _address: std::net::SocketAddr) {
        match *self {}
    }
}

impl Watch {
    #[expect(clippy::needless_pass_by_value, reason = "the view keeps them")]
    pub(super) fn new(options: WatchOptions, names: BoardNames) -> Result<Self, Error> {
        let WatchOptions {
            encoding,
            has_loss,
            color,
        } = options;
        tracing::debug!(?encoding, has_loss, color, ?names, "there is no view");
        Err(Error::LeftOut {
            feature: Feature::Board,
        })
    }

    pub(super) fn address(&self) -> AddressLine {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as the view's")]
    pub(super) async fn run(
        self,
        _listener: &mut Listener<'_>,
        _output: &mut DatagramOutput,
        _shutdown: &mut Shutdown,
    ) -> Result<Result<ListenEnd, udp::error::Error>, Error> {
        match self {}
    }
}
