//! `udpcli board get`.

use std::path::Path;
use std::time::Instant;

use super::{GetArgs, SerialArgs, TransferPrinter, conclude, session};
use crate::board::files::download;
use crate::board::repl::ToGo;
use crate::cli::{GlobalArgs, output};
use crate::error::{Error, Outcome};
use crate::text::sentence::sentence;
use crate::words::catalogue::say;

/// Downloads a file or a folder.
pub(in crate::cli::board) fn run(
    args: &GetArgs,
    serial: &SerialArgs,
    global: &GlobalArgs,
) -> Result<Outcome, Error> {
    let start = Instant::now();
    if let Some(local) = &args.local
        && crate::board::files::remote::without_colon(local.as_os_str()).is_some()
    {
        return Err(Error::usage_hint(
            say!("board-cli.get-takes-one", path = local.display()),
            say!("board-cli.get-takes-one.hint"),
        ));
    }
    let mut printer = TransferPrinter::new(global.quiet);
    if args.local.as_deref() == Some(Path::new("-")) {
        let content = session::with_files_for(
            serial,
            ToGo::Path(args.remote.as_bytes().to_vec()),
            |files| Ok(download::read(files, &args.remote, &mut printer)?),
        );
        return match content {
            Ok(content) => output::print(&content),
            Err(error) => conclude(
                Err(error),
                start,
                &sentence!("board-cli.stopped-get-stdout"),
            ),
        };
    }
    let result = session::with_files_for(
        serial,
        ToGo::Path(args.remote.as_bytes().to_vec()),
        |files| {
            let local = args.local.as_deref();
            Ok(download::get(files, &args.remote, local, &mut printer)?)
        },
    );
    conclude(result, start, &sentence!("board-cli.stopped-get"))
}
