//! Programs in the board's memory.

use std::time::Duration;

use crate::board::error::Error;
use crate::board::files::Files;
use crate::board::literal;
use crate::board::repl::{Repl, Way};

/// Where a program goes that is too long for the board's memory.
const FILE: &str = "/.udpcli_run.py";

/// Up to this length a program is sent without asking how much memory is free.
const SURELY_FITS: usize = 4096;

/// Up to this rate programs go as plain bytes even where the firmware could pace them.
const PLAIN_BAUD: u32 = 230_400;

/// Asks whether anything but the boot has run in this interpreter, and for free memory. What programs leave are names
/// that are no modules, and modules of their own.
const PROBE: &str = "import sys,gc\ngc.collect()\nsys.stdout.write('%d %d'%(1 if[k for k in globals()if k[0]!='_'and type(globals()[k])is not type(sys)]or[m for m in sys.modules if m[0]!='_'and m not in('flashbdev','inisetup','boot','sys','gc','os')]else 0,gc.mem_free()))";

/// How a program was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// It lies in a file of ours on the board.
    file: bool,
}

impl Launch {
    /// Whether the program lies in a file of ours on the board, because it is too long for its memory.
    #[must_use]
    pub fn is_file(self) -> bool {
        self.file
    }
}

/// A file's bytes as the board's prompt takes them: without an editor's byte-order mark, every line end one LF. Python
/// reads the others as that too, but not every board's prompt hands them on unchanged.
#[must_use]
pub fn as_python(file: &[u8]) -> Vec<u8> {
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    if !text.contains(&b'\r') {
        return text.to_vec();
    }
    let mut source = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        source.push(if byte == b'\r' { b'\n' } else { byte });
        rest = match (byte, behind) {
            (b'\r', [b'\n', behind @ ..]) => behind,
            _ => behind,
        };
    }
    source
}

/// Starts a program. Where an earlier one left something behind, the interpreter is started anew before, if `fresh`;
/// `before` runs in between.
///
/// # Errors
/// The board does not take it.
pub fn start(
    repl: &mut Repl,
    source: &[u8],
    fresh: bool,
    before: impl FnOnce(&mut Repl) -> Result<(), Error>,
) -> Result<Launch, Error> {
    // The file of a long program that was left running is taken away.
    let probe =
        format!("{PROBE}\ntry:__import__('os').remove('{FILE}')\nexcept(OSError,ImportError):pass");
    let answer = repl.exec(
        "looking at the interpreter",
        probe.as_bytes(),
        Duration::from_secs(5),
    )?;
    let text = String::from_utf8_lossy(&answer);
    let mut numbers = text.split_whitespace();
    let used = numbers.next() != Some("0");
    let memory: usize = numbers
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(usize::MAX);
    if fresh && used {
        tracing::debug!("soft reset: an earlier program left something behind");
        repl.soft_reset()?;
    }
    before(repl)?;
    if let Some(way) = way(repl, source, memory)? {
        repl.submit(way, "starting the program", source)?;
        return Ok(Launch { file: false });
    }
    tracing::info!(
        "the program is too long for the board's memory ({memory} bytes free): it goes into a file and is run from there"
    );
    Files::with(repl, |files| files.put(FILE, source, &mut |_| {}))?;
    start_file(repl, FILE)?;
    Ok(Launch { file: true })
}

/// How a program goes into the board's memory; none if it must go by a file.
///
/// As plain bytes it is kept whole while it is compiled, and nothing holds the line while the board collects garbage: at
/// the usual rate its receive buffer lasts for that long. In raw-paste mode it is compiled as it comes, and what is made
/// of it is about as long.
fn way(repl: &mut Repl, source: &[u8], memory: usize) -> Result<Option<Way>, Error> {
    if source.iter().any(|byte| matches!(byte, 1..=5)) {
        return Ok(None);
    }
    let fits_plain = source.len() <= SURELY_FITS || source.len().saturating_mul(3) < memory;
    let is_slow = repl.link().address().baud <= PLAIN_BAUD;
    if fits_plain && is_slow {
        return Ok(Some(Way::Plain));
    }
    let fits_paced = source.len() < memory && repl.has_raw_paste()?;
    Ok((fits_plain || fits_paced).then_some(Way::Paced))
}

/// Looks whether a file is on the board.
///
/// # Errors
/// [`Error::NoSuchFile`] if it is not.
pub fn exists(repl: &mut Repl, path: &str) -> Result<(), Error> {
    let code = format!("open({}).close()", literal::quoted(path));
    match repl.exec(
        "looking for a file",
        code.as_bytes(),
        Duration::from_secs(5),
    ) {
        Err(Error::Refused { .. }) => Err(Error::NoSuchFile {
            path: path.to_owned(),
        }),
        result => result.map(drop),
    }
}

/// Runs a file on the board, as the program that the board starts by itself would run.
///
/// # Errors
/// The board does not take it.
pub fn start_file(repl: &mut Repl, path: &str) -> Result<(), Error> {
    repl.submit(
        Way::Plain,
        "starting the program",
        run_file(path).as_bytes(),
    )
}

/// Code that runs a file under the name `__main__`.
fn run_file(path: &str) -> String {
    let path = literal::quoted(path);
    format!("try:execfile\nexcept NameError:exec(open({path}).read())\nelse:execfile({path})")
}

/// Takes away what [`start`] put on the board.
pub fn clean_up(repl: &mut Repl, launch: Launch) {
    if !launch.file {
        return;
    }
    let code = format!(
        "try:import os\nexcept ImportError:import uos as os\ntry:os.remove('{FILE}')\nexcept OSError:pass"
    );
    if let Err(error) = repl.exec(
        "removing the program's file",
        code.as_bytes(),
        Duration::from_secs(5),
    ) {
        tracing::warn!("{FILE} may be left on the board: {error}");
    }
}
