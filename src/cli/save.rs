//! Opens the capture file of `--save`, for `listen` and `relay`.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use crate::capture::{CaptureFormat, Saver};
use crate::error::{Error, Outcome};
use crate::file;
use crate::shutdown::Shutdown;
use crate::text::encoding::TextEncoding;
use crate::wait::Waited;

/// The capture file that the user named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Save<'a> {
    /// `-` for standard output, where the command allows it.
    pub(super) path: &'a Path,
    /// The format of the file.
    pub(super) format: CaptureFormat,
    /// The encoding of the payloads, for JSON lines.
    pub(super) encoding: TextEncoding,
}

/// Opens the file, if there is one. Opening a FIFO blocks until it has a reader, so the end of the run may come first:
/// then `Break` has the command's outcome, and `tell_no_reader` tells the user why nothing happened.
pub(super) async fn open(
    save: Option<Save<'_>>,
    deadline: Option<Instant>,
    shutdown: &mut Shutdown,
    tell_no_reader: impl FnOnce(&Path),
) -> Result<ControlFlow<Outcome, Option<Saver>>, Error> {
    let Some(Save {
        path,
        format,
        encoding,
    }) = save
    else {
        return Ok(ControlFlow::Continue(None));
    };
    if path == Path::new("-") {
        let saver = Saver::to_stdout(format, encoding, shutdown)?;
        return Ok(ControlFlow::Continue(Some(saver)));
    }
    let opened = file::for_writing(&Saver::open_options(), path, shutdown, deadline).await?;
    Ok(match opened {
        Waited::Done(file) => {
            let saver = Saver::new(path, format, file, encoding, shutdown)?;
            ControlFlow::Continue(Some(saver))
        }
        Waited::Interrupted => ControlFlow::Break(Outcome::Interrupted),
        Waited::TimeUp => {
            tell_no_reader(path);
            ControlFlow::Break(Outcome::Done)
        }
    })
}
