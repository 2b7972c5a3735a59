//! Files from the board.

use std::time::{Duration, Instant};

use super::{Files, Found, hash};
use crate::board::error::Error;
use crate::board::literal;
use crate::board::repl::Way;

/// How often a file is asked for.
const TRIES: u32 = 3;

/// The longest file that is read: the length is the board's word, and a file is held in memory. The largest flash of
/// an ESP32 has 16 MiB, a card more.
const LONGEST: u64 = 256 << 20;

/// How long a board may pause within a file.
const PAUSE: Duration = Duration::from_secs(3);

impl Files<'_> {
    /// Reads a file that [`Files::look`] found, and checks it against its hash.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::NoSuchFile`], [`Error::TooLong`], [`Error::Interrupted`].
    pub fn get(
        &mut self,
        path: &str,
        found: &Found,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<u8>, Error> {
        let (len, expected) = match found {
            Found::File { len, hash } => (*len, hash),
            Found::Folder => {
                return Err(Error::IsFolder {
                    path: path.to_owned(),
                });
            }
            Found::Nothing => {
                return Err(Error::NoSuchFile {
                    path: path.to_owned(),
                });
            }
        };
        for turn in 1..=TRIES {
            progress(0);
            if let Some(content) = self.read(path, len, progress)?
                && hash(&content) == *expected
            {
                return Ok(content);
            }
            tracing::debug!("{path} was damaged on the way: read again");
            if turn + 1 < TRIES || !self.calm(&format!("reading {path}"))? {
                self.repl.reenter()?;
            }
        }
        Err(Error::Damaged {
            path: path.to_owned(),
            times: TRIES,
        })
    }

    /// The file's bytes, as they come; none if too few came.
    fn read(
        &mut self,
        path: &str,
        len: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<Vec<u8>>, Error> {
        let doing = format!("reading {path}");
        let Some(len) = usize::try_from(len).ok().filter(|_| len <= LONGEST) else {
            return Err(Error::TooLong {
                path: path.to_owned(),
                len,
                most: LONGEST,
            });
        };
        let code = format!("_udpcli['g']({})", literal::quoted(path));
        match self.repl.submit(Way::Plain, &doing, code.as_bytes()) {
            // The call or its answer was damaged on the way.
            Err(Error::NoAnswer { .. }) => return Ok(None),
            result => result?,
        }
        let mut content = Vec::with_capacity(len.min(1 << 20));
        let link = self.repl.link();
        while content.len() < len {
            let wanted = (len - content.len()).min(4096);
            if link.pending().is_empty() && !link.fill(Instant::now() + PAUSE)? {
                return Ok(None);
            }
            content.extend(link.take(wanted));
            progress(content.len() as u64);
        }
        // Anything else than the end means that bytes were lost and an exception's text was taken for the file's.
        let end = link.until(b"\x04\x04>", Instant::now() + PAUSE)?;
        Ok(end.filter(|end| end.len() == 3).map(|_| content))
    }
}
