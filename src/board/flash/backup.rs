//! Backs up flash piece by piece, verifies each piece, and restores backups. A JSON file beside each backup describes
//! it.
//!
//! Long because a backup, its description and its verification must agree on one format.

use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use espflash::target::Chip;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::chip::{ChipInfo, name, supported};
use super::description::{mac, partitions_json};
use super::error::{Error, FlashRefusal};
use super::files::own_chip::of_image;
use super::files::{self, Given, other_chip, other_chip_number};
use super::image::{self, Image, Partition, TABLE_OFFSET};
use super::layout::{FlashLayout, LayoutRow, RangeAction};
use super::read;
use super::session::FlashSession;
use super::write::{FlashRange, SECTOR};
use super::{FlashObserver, examine, kind};
use crate::atomic_file::AtomicFile;
use crate::board::port::TICK;
use crate::text::hex;
use crate::text::sentence::{Sentence, sentence};

/// Where to save the backup.
pub enum BackupTarget {
    /// A new file; `FILE.json` describes it.
    File(PathBuf),
    /// Standard output.
    Stream(Box<dyn io::Write + Send>),
}

impl std::fmt::Debug for BackupTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// A range of flash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// The partition's name; empty if the user gave an offset and a size.
    pub(crate) label: String,
    /// Where the range begins.
    pub(crate) offset: u32,
    /// Its size in bytes.
    pub(crate) size: u32,
}

/// Finds the part of flash that the user named: a partition, or `OFFSET+SIZE`.
///
/// # Errors
/// The partition does not exist, or the range ends beyond the flash.
fn region(only: Option<&str>, table: &[Partition], flash_size: u32) -> Result<Region, Error> {
    let Some(only) = only else {
        return Ok(Region {
            label: "flash".to_owned(),
            offset: 0,
            size: flash_size,
        });
    };
    let partition = table.iter().find(|partition| partition.name == only);
    let found = match (partition, only.split_once('+')) {
        (Some(partition), _) => Some((partition.offset, partition.size)),
        (None, Some((offset, size))) => files::offset(offset).ok().zip(files::offset(size).ok()),
        (None, None) => None,
    };
    let names: Vec<&str> = table
        .iter()
        .map(|partition| partition.name.as_str())
        .collect();
    let (offset, size) = found.ok_or_else(|| {
        Error::Refused(Box::new(FlashRefusal {
            what: format!("--only {only}").into(),
            expected: sentence!("flash.x-only"),
            found: if names.is_empty() {
                sentence!("flash.f-no-table")
            } else {
                sentence!("flash.f-partitions", names <- Sentence::verbatim_list(&names))
            },
            hint: None,
        }))
    })?;
    let end = u64::from(offset) + u64::from(size);
    // A copy that begins within a sector could not be restored, because flash is erased by whole sectors.
    if end > u64::from(flash_size) || size == 0 || !offset.is_multiple_of(SECTOR) {
        return Err(Error::Refused(Box::new(FlashRefusal {
            what: format!("--only {only}").into(),
            expected: sentence!("flash.x-sectors", end = format!("{flash_size:#x}")),
            found: range(offset.into(), end),
            hint: None,
        })));
    }
    Ok(Region {
        label: only.to_owned(),
        offset,
        size,
    })
}

/// A backup whose files exist and are still empty.
pub(super) struct Backup {
    /// Where the copy goes.
    output: OpenTarget,
}

/// A backup's destination, opened.
enum OpenTarget {
    File {
        path: PathBuf,
        data: AtomicFile,
        about: AtomicFile,
    },
    Stream(Box<dyn io::Write + Send>),
}

/// The result of a backup.
#[derive(Debug)]
pub(super) enum Made {
    /// The backup is in this file.
    File(PathBuf),
    /// The whole backup went to standard output.
    Streamed,
    /// The program that reads standard output closed it early.
    Abandoned,
}

/// The path of the JSON file that describes the backup.
fn about_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

impl Backup {
    /// Creates the files, and never overwrites an existing one: if the board no longer starts, that file may be the
    /// only backup.
    pub(super) fn begin(target: BackupTarget) -> Result<Self, Error> {
        let output = match target {
            BackupTarget::Stream(stream) => OpenTarget::Stream(stream),
            BackupTarget::File(path) => {
                let begin = |path: &Path| {
                    AtomicFile::create_new(path).map_err(|source| Error::Write {
                        path: path.to_owned(),
                        source,
                    })
                };
                // Create both files now, so that a description that cannot be written fails before minutes of reading.
                let (data, about) = (begin(&path)?, begin(&about_path(&path))?);
                OpenTarget::File { path, data, about }
            }
        };
        Ok(Self { output })
    }

    /// Reads the flash and writes the backup.
    pub(super) fn make(
        self,
        session: &mut FlashSession<'_>,
        chip: &ChipInfo,
        only: Option<&str>,
        report: &mut dyn FlashObserver,
    ) -> Result<Made, Error> {
        let table = examine::read_table(session, report)?;
        let region = region(only, table.as_deref().unwrap_or_default(), chip.flash_size)?;
        match self.output {
            OpenTarget::Stream(stream) => streamed(session, stream, &region, report),
            OpenTarget::File {
                path,
                mut data,
                mut about,
            } => {
                let failed = |source| Error::Write {
                    path: path.clone(),
                    source,
                };
                // Reading takes minutes: find out first whether the disk has space for both files.
                let zeros = vec![0; 1 << 16];
                for _ in 0..region.size.div_ceil(1 << 16) {
                    data.write_all(&zeros).map_err(failed)?;
                }
                data.rewind().map_err(failed)?;
                // The description is shorter than that, so there will be space for it.
                about.write_all(&zeros).map_err(failed)?;
                about.rewind().map_err(failed)?;
                let mut hash = Sha256::new();
                read::pieces(
                    session,
                    (region.offset, region.size),
                    &sentence!("flash.doing-backing-up"),
                    report,
                    |_, bytes| {
                        hash.update(bytes);
                        data.write_all(bytes).map_err(failed)
                    },
                )?;
                data.set_len(region.size.into()).map_err(failed)?;
                let text = description(chip, &region, table.as_deref(), &hash.finalize());
                about.write_all(text.as_bytes()).map_err(failed)?;
                about.set_len(text.len() as u64).map_err(failed)?;
                // Finish the copy before its description: a copy alone is still useful, a description alone is not.
                data.commit().map_err(failed)?;
                about.commit().map_err(|source| Error::Write {
                    path: about_path(&path),
                    source,
                })?;
                Ok(Made::File(path))
            }
        }
    }
}

/// Streams flash to standard output. A reader that stalls blocks neither the serial line nor Ctrl-C.
fn streamed(
    session: &mut FlashSession<'_>,
    mut stream: Box<dyn io::Write + Send>,
    region: &Region,
    report: &mut dyn FlashObserver,
) -> Result<Made, Error> {
    // A bounded channel: a stalled reader must not make this program hold the whole flash.
    let (pieces, to_write) = mpsc::sync_channel::<Vec<u8>>(2);
    let writer = std::thread::spawn(move || {
        for piece in to_write {
            stream.write_all(&piece)?;
        }
        stream.flush()
    });
    let sent = read::pieces(
        session,
        (region.offset, region.size),
        &sentence!("flash.doing-backing-up"),
        report,
        |session, bytes| {
            let mut piece = bytes.to_vec();
            loop {
                match pieces.try_send(piece) {
                    Ok(()) => return Ok(()),
                    // The writer thread has ended; its own error is reported below.
                    Err(mpsc::TrySendError::Disconnected(_)) => return Err(Error::Unwritten),
                    Err(mpsc::TrySendError::Full(same)) => piece = same,
                }
                session.pause(TICK, &sentence!("flash.doing-backing-up"))?;
            }
        },
    );
    drop(pieces);
    match sent {
        Ok(()) | Err(Error::Unwritten) => {}
        Err(error) => return Err(error),
    }
    // The reader has not taken the last pieces yet; Ctrl-C still ends the wait.
    while !writer.is_finished() {
        session.pause(
            Duration::from_millis(5),
            &sentence!("flash.doing-backing-up"),
        )?;
    }
    match writer.join() {
        Ok(Ok(())) => Ok(Made::Streamed),
        Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Made::Abandoned),
        Ok(Err(source)) => Err(Error::Write {
            path: crate::file::STDOUT.into(),
            source,
        }),
        Err(_) => Err(Error::Unwritten),
    }
}

/// The JSON that describes a backup.
fn description(
    chip: &ChipInfo,
    region: &Region,
    table: Option<&[Partition]>,
    digest: &[u8],
) -> String {
    let digest = hex::encode(digest);
    let value = json!({
        "chip": name(chip.chip),
        "revision": format!("{}.{}", chip.revision.0, chip.revision.1),
        "mac": mac(chip.mac),
        "flash_size": chip.flash_size,
        "flash_id": chip.flash_id,
        "region": region.label,
        "offset": region.offset,
        "size": region.size,
        "sha256": digest,
        "time": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "partitions": table.map(partitions_json),
    });
    format!("{value:#}\n")
}

/// A backup to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// The file, for messages.
    name: String,
    /// What goes into flash.
    bytes: Vec<u8>,
    /// Where the backup goes; `None` means from 0 on, if it is as large as the whole flash.
    offset: Option<u32>,
    /// The copied part: `flash`, or a partition's name.
    label: String,
    /// The MAC address of the board that it was made from.
    mac: Option<String>,
    /// The chip that it is for, if the user, the description or the content says so.
    pub(crate) chip: Option<Chip>,
}

/// The limit for the JSON file; a real one has a few kilobytes.
const MAX_ABOUT: u64 = 1 << 20;

/// Loads a backup and the JSON file beside it.
///
/// # Errors
/// The file cannot be read, is damaged, belongs to another chip, or does not contain the partition.
pub(crate) fn load(
    given: &Given,
    only: Option<&str>,
    wanted: files::Wanted,
) -> Result<Copy, Error> {
    let path = &given.path;
    let bytes = files::read(path)?;
    let name = path.display().to_string();
    let about = about(&about_path(path))?;
    let text = |key: &str| about.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| {
        let number = about.get(key).and_then(Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok())
    };
    let told = text("chip").and_then(|told| supported().find(|chip| super::name(*chip) == told));
    // The user's word comes first, then the description, then the content.
    let chip = wanted.chip.or(told).or_else(|| of_image(&bytes));
    let rules = files::Wanted { chip, ..wanted }.rules();
    let this = super::name(rules.chip);
    if let Some(other) = text("chip").filter(|other| *other != this) {
        return Err(other_chip(name.as_str(), this, other));
    }
    let damaged = |found: Sentence| {
        Error::Refused(Box::new(FlashRefusal {
            what: name.as_str().into(),
            expected: sentence!("flash.x-copy", path = about_path(path).display()),
            found,
            hint: Some(sentence!("flash.another-copy")),
        }))
    };
    let digest = hex::encode(&Sha256::digest(&bytes));
    if !rules.force {
        if let Some(size) = number("size").filter(|&size| u64::from(size) != bytes.len() as u64) {
            return Err(damaged(sentence!(
                "flash.f-copy-size",
                len = bytes.len(),
                size = size
            )));
        }
        if text("sha256").is_some_and(|told| told != digest) {
            return Err(damaged(sentence!("flash.f-copy-digest")));
        }
        // Without a description, check that the file is not something else.
        if about.is_null()
            && let Some(found) = kind::not_firmware(&name, &bytes)
        {
            let hint = if found.is_packed() {
                sentence!("flash.unpack-restore")
            } else {
                sentence!("flash.right-file")
            };
            return Err(Error::Refused(Box::new(FlashRefusal {
                what: name.into(),
                expected: sentence!("flash.x-a-copy"),
                found: found.what,
                hint: Some(hint),
            })));
        }
    }
    files::for_this_chip(&name, &bytes, rules.chip)?;
    let offset = given.offset.or_else(|| number("offset"));
    let start = offset.unwrap_or(0);
    let within = |at: u32| bytes.get(at.checked_sub(start)? as usize..);
    if let Some(Ok(Image {
        chip_id: Some(id), ..
    })) = within(rules.chip.boot_address()).map(Image::parse)
        && id != rules.chip.id()
    {
        return Err(other_chip_number(name.as_str(), this, id));
    }
    let mut copy = Copy {
        chip,
        label: text("region").unwrap_or_else(|| "flash".to_owned()),
        mac: text("mac"),
        offset,
        name,
        bytes: Vec::new(),
    };
    if only.is_some() {
        let table = within(TABLE_OFFSET).and_then(image::partitions);
        let end = u32::try_from(bytes.len())
            .unwrap_or(u32::MAX)
            .saturating_add(start);
        let region = region(only, table.as_deref().unwrap_or_default(), end)?;
        let part = within(region.offset).and_then(|bytes| bytes.get(..region.size as usize));
        copy.bytes = part
            .ok_or_else(|| {
                Error::Refused(Box::new(FlashRefusal {
                    what: copy.name.as_str().into(),
                    expected: sentence!("flash.x-in-it", what = &region.label),
                    found: range(start.into(), end.into()),
                    hint: None,
                }))
            })?
            .to_vec();
        copy.offset = Some(region.offset);
        copy.label = region.label;
    } else {
        copy.bytes = bytes;
    }
    copy.bytes
        // Flash is written in words of 4 bytes.
        .resize(copy.bytes.len().next_multiple_of(4), 0xff);
    Ok(copy)
}

/// The JSON beside a backup; null if there is none.
fn about(path: &Path) -> Result<Value, Error> {
    use std::io::Read as _;
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Value::Null),
        file => file.map_err(failed)?,
    };
    let mut text = Vec::new();
    file.take(MAX_ABOUT)
        .read_to_end(&mut text)
        .map_err(failed)?;
    serde_json::from_slice(&text).map_err(|error| {
        Error::Refused(Box::new(FlashRefusal {
            what: Sentence::verbatim(path.display()),
            expected: sentence!("flash.x-beside"),
            found: error.to_string().into(),
            hint: Some(sentence!("flash.move-away")),
        }))
    })
}

/// The range between two offsets, as a sentence.
fn range(start: u64, end: u64) -> Sentence {
    sentence!(
        "flash.f-range",
        start = format!("{start:#x}"),
        end = format!("{end:#x}")
    )
}

/// Decides what restoring `copy` does to this board.
pub(super) fn lay_out(
    copy: Copy,
    session: &mut FlashSession<'_>,
    chip: &ChipInfo,
    force: bool,
    report: &mut dyn FlashObserver,
) -> Result<FlashLayout, Error> {
    let len = copy.bytes.len() as u64;
    let offset = match copy.offset {
        Some(offset) => offset,
        None if len == u64::from(chip.flash_size) => 0,
        None => {
            return Err(Error::NeedsOffset {
                what: copy.name.clone(),
                found: sentence!("flash.n-copy", len = len, size = chip.flash_size),
                example: format!("--restore {}@0x200000", copy.name).into(),
            });
        }
    };
    let end = u64::from(offset) + len;
    if end > u64::from(chip.flash_size) || !offset.is_multiple_of(SECTOR) {
        return Err(Error::Refused(Box::new(FlashRefusal {
            what: copy.name.into(),
            expected: sentence!(
                "flash.x-sectors-flash",
                end = format!("{:#x}", chip.flash_size)
            ),
            found: range(offset.into(), end),
            hint: None,
        })));
    }
    // A single partition must lie where the board's partition table expects it.
    if u64::from(TABLE_OFFSET) < u64::from(offset) && !force {
        let table = examine::read_table(session, report)?.unwrap_or_default();
        let torn = table.iter().find(|partition| {
            let range = partition.range();
            let overlaps = range.start < end && u64::from(offset) < range.end;
            overlaps && (u64::from(offset) < range.start || end > range.end)
        });
        if let Some(partition) = torn {
            return Err(Error::Refused(Box::new(FlashRefusal {
                what: copy.name.into(),
                expected: sentence!(
                    "flash.x-part",
                    name = format!("{:?}", partition.name),
                    at = format!("{:#x}", partition.offset),
                    size = format!("{:#x}", partition.size)
                ),
                found: range(offset.into(), end),
                hint: Some(sentence!("flash.restore-whole")),
            })));
        }
    }
    let mut layout = FlashLayout::default();
    let this = mac(chip.mac);
    if let Some(other) = copy.mac.filter(|other| *other != this) {
        layout
            .notes
            .push(sentence!("flash.other-board", mac = other));
    }
    layout.rows.push(LayoutRow {
        label: copy.label,
        offset,
        size: u32::try_from(len).unwrap_or(u32::MAX),
        action: RangeAction::Write,
        why: sentence!("flash.row-as-in", file = &copy.name),
    });
    layout.parts.push(FlashRange {
        name: copy.name.into(),
        offset,
        data: copy.bytes,
    });
    Ok(layout)
}
