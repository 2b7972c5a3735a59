//! The key that saves: the senders as a table for a spreadsheet.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::view::SendersView;
use crate::atomic_file::AtomicFile;
use crate::render::clock::DateClock;
use crate::words::catalogue::say;

/// Files of one second.
const MOST: u32 = 100;

/// Saves the shown senders, in their order, to a new file in the current folder. Returns the result as a sentence.
pub(super) fn senders(view: &SendersView) -> String {
    match save(view) {
        Ok((path, count)) => say!("listen-watch.saved", path = path.display(), n: count),
        Err(error) => say!("listen-watch.not-saved", error = error),
    }
}

/// Writes the table.
fn save(view: &SendersView) -> io::Result<(PathBuf, usize)> {
    let (table, now) = view.shown();
    let mut clock = DateClock::default();
    let time = String::from_utf8_lossy(clock.format(now)).into_owned();
    let stamp: String = time
        .chars()
        .take_while(|character| *character != '.')
        .map(|character| match character {
            ' ' => '-',
            other => other,
        })
        .filter(|character| *character != ':')
        .collect();
    let (path, mut file) = new_file(&stamp)?;
    // Spreadsheets read a file with this beginning as UTF-8.
    let mut text = "\u{feff}".as_bytes().to_vec();
    let mut writer = csv::Writer::from_writer(&mut text);
    writer.write_record([
        "name",
        "address",
        "datagrams",
        "bytes",
        "rate",
        "loss",
        "last time",
        "last text",
    ])?;
    let mut count = 0;
    for sender in view.senders() {
        let time = String::from_utf8_lossy(clock.format(sender.time)).into_owned();
        let loss = sender
            .loss()
            .map_or_else(String::new, |loss| format!("{loss:.6}"));
        writer.write_record([
            &cell(&sender.name),
            &sender.address,
            &sender.datagrams.to_string(),
            &sender.bytes.to_string(),
            &table.rate_of(sender),
            &loss,
            &time,
            &cell(&table.text(&sender.last)),
        ])?;
        count += 1;
    }
    writer.flush()?;
    drop(writer);
    file.write_all(&text)?;
    file.commit()?;
    Ok((path, count))
}

/// A new file name with this time.
fn new_file(stamp: &str) -> io::Result<(PathBuf, AtomicFile)> {
    let mut number = 1;
    loop {
        let name = if number == 1 {
            format!("udpcli-senders-{stamp}.csv")
        } else {
            format!("udpcli-senders-{stamp}-{number}.csv")
        };
        let path = Path::new(&name);
        match AtomicFile::create_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST => {
                number += 1;
            }
            opened => return Ok((path.to_owned(), opened?)),
        }
    }
}

/// A text from outside as a cell: a spreadsheet must not take it for a formula.
fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_a_formula() {
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("你好"), "你好");
    }
}
