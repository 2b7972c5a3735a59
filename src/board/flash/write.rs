//! Writes only what differs, compressed, and verifies it by MD5.
//!
//! The stub acknowledges a block before it inflates, erases and writes it, has two buffers of 16 KB, and ignores
//! sequence numbers. So udpcli sends one block at a time, an error shows in the next reply, and after any error it is
//! only safe to restart the run. Runs are small, so a restart costs little.

mod blocks;

use std::ops::Range;
use std::sync::mpsc;
use std::time::Duration;

use md5::{Digest as _, Md5};

use self::blocks::{prepare, send};
use super::FlashObserver;
use super::error::Error;
use super::layout::{Erase, FlashLayout};
use super::loader::{CommandFault, Op, words};
use super::session::FlashSession;
use crate::text::sentence::{Sentence, sentence};

/// The number of bytes per MD5 comparison.
const PIECE: usize = 128 << 10;

/// Adjacent pieces are merged into runs of at most this many bytes.
const RUN: usize = 512 << 10;

/// The unit in which flash is erased.
pub(super) const SECTOR: u32 = 0x1000;

/// How many samples decide whether any part of a file is already in flash.
const SAMPLES: usize = 8;

/// How often to write a file again if its final MD5 is wrong.
const VERIFY_ATTEMPTS: u32 = 3;

/// Bytes for one place in flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashRange {
    /// The name for messages: the file's name, or the name of a part of the file.
    pub(crate) name: Sentence,
    /// Its offset, a multiple of the sector size.
    pub(crate) offset: u32,
    /// The bytes to write, a multiple of 4.
    pub(crate) data: Vec<u8>,
}

impl FlashRange {
    /// The range of flash that it occupies.
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        let start = u64::from(self.offset);
        start..start + self.data.len() as u64
    }
}

/// The options for writing.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Erase the whole flash first.
    pub erase_all: bool,
    /// Verify each file by MD5 at the end.
    pub verify: bool,
    /// Compress the data on the line (deflate).
    pub compress: bool,
    /// Find out what would be written, and write nothing.
    pub dry_run: bool,
}

/// The amounts of a finished write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// The bytes in all files.
    pub total: u64,
    /// The bytes that differed and were written.
    pub(crate) changed: u64,
    /// The bytes that went over the serial line for them.
    pub(crate) sent: u64,
}

/// Erases and writes what `layout` says.
pub(super) fn write(
    session: &mut FlashSession<'_>,
    layout: &FlashLayout,
    options: Options,
    report: &mut dyn FlashObserver,
) -> Result<Written, Error> {
    let parts = &layout.parts;
    let mut written = Written {
        total: parts.iter().map(|part| part.data.len() as u64).sum(),
        ..Written::default()
    };
    if options.erase_all && !options.dry_run {
        erase_all(session, report)?;
    }
    if !options.dry_run {
        for erase in &layout.erase {
            erase_region(session, erase, report)?;
        }
    }
    // After an erase there is nothing to compare with.
    let blank = options.erase_all;
    let mut work = Vec::new();
    for part in parts {
        let runs = if blank {
            runs(part, &vec![true; part.data.len().div_ceil(PIECE)])
        } else {
            differing(session, part, report)?
        };
        work.push((part, runs));
    }
    let mut due: u64 = work
        .iter()
        .flat_map(|(_, runs)| runs)
        .map(|run| run.len() as u64)
        .sum();
    if options.dry_run {
        written.changed = due;
        return Ok(written);
    }
    for attempt in 1.. {
        let runs = Runs {
            work: &work,
            due,
            compress: options.compress,
        };
        transfer(session, &runs, &mut written, report)?;
        if !options.verify {
            break;
        }
        let mut wrong = Vec::new();
        for (part, runs) in work.drain(..) {
            // A part without differences has just been verified by the comparison.
            if runs.is_empty() || verified(session, part, report)? {
                continue;
            }
            if attempt == VERIFY_ATTEMPTS {
                return Err(Error::Verify {
                    what: part.name.clone(),
                    times: attempt,
                });
            }
            report.note(&sentence!("flash.not-right-yet", what => part.name.clone()));
            wrong.push((part, differing(session, part, report)?));
        }
        if wrong.is_empty() {
            break;
        }
        work = wrong;
        due = work
            .iter()
            .flat_map(|(_, runs)| runs)
            .map(|run| run.len() as u64)
            .sum();
    }
    Ok(written)
}

/// Erases the whole flash.
fn erase_all(session: &mut FlashSession<'_>, report: &mut dyn FlashObserver) -> Result<(), Error> {
    let size = session.chip.as_ref().map_or(0, |info| info.flash_size);
    session.changed(sentence!("flash.state-partly-erased"));
    erase(
        session,
        0,
        size,
        &sentence!("flash.doing-erasing-all"),
        report,
    )?;
    session.changed(sentence!("flash.state-empty"));
    Ok(())
}

/// Erases a range, unless it is blank already.
fn erase_region(
    session: &mut FlashSession<'_>,
    region: &Erase,
    report: &mut dyn FlashObserver,
) -> Result<(), Error> {
    let doing = sentence!("flash.doing-erasing", what = &region.label);
    let digest = digest_of(session, region.offset, region.size, &doing, report)?;
    if digest == blank_digest(region.size) {
        return Ok(());
    }
    session.changed(sentence!("flash.state-region-erased", what = &region.label));
    erase(session, region.offset, region.size, &doing, report)
}

/// Erases whole sectors, a few at a time, so that there is progress to show and Ctrl-C works.
fn erase(
    session: &mut FlashSession<'_>,
    start: u32,
    size: u32,
    doing: &Sentence,
    report: &mut dyn FlashObserver,
) -> Result<(), Error> {
    // One command per step: the chip does not report its progress, so the progress moves between the commands.
    const STEP: u32 = 512 << 10;
    for done in (0..size).step_by(STEP as usize) {
        report.progress(doing, u64::from(done), u64::from(size));
        let len = STEP.min(size - done);
        // The longest time in the datasheets is 2 s for a block of 64 KB.
        let timeout = Duration::from_secs(4 + u64::from(len >> 16) * 2);
        session.persist(doing, report, |loader, _| {
            loader.command(Op::EraseRegion, &words(&[start + done, len]), timeout)
        })?;
    }
    report.progress(doing, u64::from(size), u64::from(size));
    Ok(())
}

/// The pieces that differ, merged into runs of at most [`RUN`] bytes.
fn differing(
    session: &mut FlashSession<'_>,
    part: &FlashRange,
    report: &mut dyn FlashObserver,
) -> Result<Vec<Range<usize>>, Error> {
    let pieces: Vec<&[u8]> = part.data.chunks(PIECE).collect();
    // One sample would take as long as comparing the only piece.
    if pieces.len() > 1 && !resembles(session, part, report)? {
        return Ok(runs(part, &vec![true; pieces.len()]));
    }
    let mut differs = Vec::with_capacity(pieces.len());
    let mut at = part.offset;
    let doing = sentence!("flash.doing-comparing-part", what => part.name.clone());
    for piece in pieces {
        report.progress(&doing, u64::from(at - part.offset), part.data.len() as u64);
        let len = u32::try_from(piece.len()).unwrap_or(u32::MAX);
        let digest = digest_of(session, at, len, &doing, report)?;
        differs.push(digest != <[u8; 16]>::from(Md5::digest(piece)));
        at += len;
    }
    report.progress(&doing, part.data.len() as u64, part.data.len() as u64);
    Ok(runs(part, &differs))
}

/// Whether any of a few sampled sectors is already in flash. If none is, comparing all pieces only wastes time.
fn resembles(
    session: &mut FlashSession<'_>,
    part: &FlashRange,
    report: &mut dyn FlashObserver,
) -> Result<bool, Error> {
    let sector = SECTOR as usize;
    let sectors: Vec<&[u8]> = part.data.chunks(sector).collect();
    let step = sectors.len().div_ceil(SAMPLES).max(1);
    for (index, sample) in sectors.iter().enumerate().step_by(step) {
        let at = part.offset + u32::try_from(index * sector).unwrap_or(u32::MAX);
        let len = u32::try_from(sample.len()).unwrap_or(u32::MAX);
        let digest = digest_of(
            session,
            at,
            len,
            &sentence!("flash.doing-comparing"),
            report,
        )?;
        if digest == <[u8; 16]>::from(Md5::digest(sample)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Merges adjacent pieces that differ into runs.
fn runs(part: &FlashRange, differs: &[bool]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, _) in differs.iter().enumerate().filter(|(_, differs)| **differs) {
        let piece = index * PIECE..((index + 1) * PIECE).min(part.data.len());
        match runs.last_mut() {
            Some(run) if run.end == piece.start && piece.end - run.start <= RUN => {
                run.end = piece.end;
            }
            _ => runs.push(piece),
        }
    }
    runs
}

/// The MD5 of a range of flash, calculated by the stub.
pub(super) fn digest_of(
    session: &mut FlashSession<'_>,
    offset: u32,
    len: u32,
    doing: &Sentence,
    report: &mut dyn FlashObserver,
) -> Result<[u8; 16], Error> {
    // Espressif allows eight seconds per megabyte.
    let timeout = Duration::from_secs(3) + Duration::from_micros(u64::from(len) * 8);
    session.persist(doing, report, |loader, _| {
        let reply = loader.command(Op::SpiFlashMd5, &words(&[offset, len, 0, 0]), timeout)?;
        reply.data.try_into().map_err(|_| CommandFault::Silent)
    })
}

/// The MD5 of `len` erased bytes.
pub(super) fn blank_digest(len: u32) -> [u8; 16] {
    let sector = [0xff; SECTOR as usize];
    let mut hash = Md5::new();
    let mut left = len as usize;
    while let Some(bytes) = sector
        .get(..left.min(sector.len()))
        .filter(|bytes| !bytes.is_empty())
    {
        hash.update(bytes);
        left -= bytes.len();
    }
    hash.finalize().into()
}

/// Whether the flash holds the expected content of a part, by one MD5 over the whole part.
fn verified(
    session: &mut FlashSession<'_>,
    part: &FlashRange,
    report: &mut dyn FlashObserver,
) -> Result<bool, Error> {
    let doing = sentence!("flash.doing-verifying", what => part.name.clone());
    let len = part.data.len();
    report.progress(&doing, 0, len as u64);
    let expected: [u8; 16] = Md5::digest(&part.data).into();
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let right = digest_of(session, part.offset, len, &doing, report)? == expected
        // Try again: the reply has no checksum and may have been damaged.
        || digest_of(session, part.offset, len, &doing, report)? == expected;
    if right {
        report.progress(&doing, u64::from(len), u64::from(len));
    }
    Ok(right)
}

/// The runs to send.
struct Runs<'a> {
    /// The parts, each with the ranges that differ.
    work: &'a [(&'a FlashRange, Vec<Range<usize>>)],
    /// Their bytes in total.
    due: u64,
    /// Whether to compress them.
    compress: bool,
}

/// Sends every run, and compresses the next one meanwhile.
fn transfer(
    session: &mut FlashSession<'_>,
    runs: &Runs<'_>,
    written: &mut Written,
    report: &mut dyn FlashObserver,
) -> Result<(), Error> {
    let Runs {
        work,
        due,
        compress,
    } = *runs;
    let done = &mut 0;
    std::thread::scope(|scope| {
        // One run ahead is enough, because compressing is faster than the line; more would only take memory.
        let (ready, runs) = mpsc::sync_channel(1);
        scope.spawn(move || {
            for (part, stretches) in work {
                for stretch in stretches {
                    let bytes = part.data.get(stretch.clone()).unwrap_or_default();
                    let start = u32::try_from(stretch.start).unwrap_or(u32::MAX);
                    let run = prepare(part.offset + start, bytes, compress);
                    // The transfer has ended early.
                    if ready.send((&part.name, run)).is_err() {
                        return;
                    }
                }
            }
        });
        for (name, run) in runs {
            session.changed(sentence!(
                "flash.state-partly-written",
                done = *done,
                due = due
            ));
            let doing = sentence!("flash.doing-writing-part", what => name.clone());
            session.persist(&doing, report, |loader, report| {
                send(loader, &run, &mut |bytes| {
                    report.progress(&sentence!("flash.doing-writing"), *done + bytes, due);
                })
            })?;
            *done += run.len as u64;
            written.changed += run.len as u64;
            written.sent += run
                .blocks
                .iter()
                .map(|(block, _)| block.len() as u64)
                .sum::<u64>();
        }
        Ok::<(), Error>(())
    })?;
    if due > 0 {
        // The error after an interrupted verification must not say that the flash was verified.
        session.changed(sentence!("flash.state-unverified"));
    }
    Ok(())
}
