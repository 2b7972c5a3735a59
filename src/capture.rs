//! Captures: writes received datagrams to a file (pcap and pcapng for Wireshark and tshark, or JSON lines); `read` reads them.
//!
//! A capture contains IP packets (link type RAW, 101). The headers are synthesised from the addresses, with correct
//! lengths and checksums. Records are buffered and written whole, so that after a full disk or a kill the file can
//! still be opened.

mod ip_packet;
pub mod read;

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError, TsResolution};

use crate::datagram::Datagram;
use crate::datagram::Notes;
use crate::file::{Error, Opened, STDOUT};
use crate::render::{Format, Renderer, Style};
use crate::shutdown::Shutdown;
use crate::terminal::sanitize::Allowed;
use crate::terminal::stdout::Stdout;
use crate::terminal::stream::{self, WriteOutcome};
use crate::text::encoding::TextEncoding;
use crate::text::escape::Audience;
use ip_packet::append_packet;

/// Flush the buffer at this size; the loop also flushes once per batch.
const FLUSH_AT: usize = 256 << 10;

/// The file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureFormat {
    /// `.pcap`, nanosecond resolution.
    Pcap,
    /// `.pcapng`.
    PcapNg,
    /// `.jsonl`, in the format of `--format json`.
    JsonLines,
}

impl CaptureFormat {
    /// The format for the file name's extension; `None` if it is unknown.
    #[must_use]
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("pcap") => Some(Self::Pcap),
            Some("pcapng") => Some(Self::PcapNg),
            Some("jsonl") => Some(Self::JsonLines),
            _ => None,
        }
    }
}

/// An open capture.
#[derive(Debug)]
pub(crate) struct Saver {
    /// For error messages; `-` for standard output.
    path: PathBuf,
    /// Where the records go.
    target: RecordSink,
    /// Writes records in the format.
    writer: RecordWriter,
    /// Complete records that are not written yet.
    gathered: Gathered,
    /// A buffer for the synthesised packet.
    packet: Vec<u8>,
    /// A buffer for a truncated payload, padded with zeros to its original length for the checksum.
    whole: Vec<u8>,
    /// Whether the reader of standard output is gone.
    reader_gone: bool,
}

/// The destination of the records.
#[derive(Debug)]
enum RecordSink {
    /// A regular file, and how many bytes of complete records it contains.
    File { file: File, written: u64 },
    /// A FIFO, a process substitution or a device, which another program reads concurrently.
    Stream(stream::StreamWriter),
    /// Standard output, which then carries nothing else.
    Stdout(Stdout),
    /// The reader stalled or is gone, so further records are discarded.
    Abandoned,
}

/// A writer per format.
enum RecordWriter {
    Pcap(PcapWriter<Gathered>),
    PcapNg(PcapNgWriter<Gathered>),
    JsonLines(Box<Renderer>),
}

/// The buffer of complete records, shared between the format writers, which fill it, and the [`Saver`], which drains
/// it.
#[derive(Debug, Clone, Default)]
struct Gathered(Rc<RefCell<Vec<u8>>>);

impl io::Write for Gathered {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for RecordWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pcap(_) => "Pcap",
            Self::PcapNg(_) => "PcapNg",
            Self::JsonLines(_) => "JsonLines",
        })
    }
}

impl Saver {
    /// The options with which to open the file.
    #[must_use]
    pub(crate) fn open_options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        options
    }

    /// Starts a capture in an open file and writes the file header.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn new(
        path: &Path,
        kind: CaptureFormat,
        opened: Opened,
        encoding: TextEncoding,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        if opened.len.is_none() && opened.file.is_terminal() {
            return Err(Error::Write {
                object: path.display().to_string().into(),
                source: io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "it is a terminal, which would obey control sequences in the datagrams",
                ),
            });
        }
        // Only a regular file has a length, and only there can a record be taken back that was written in part.
        let target = match opened.len {
            Some(_) => RecordSink::File {
                file: opened.file,
                written: 0,
            },
            None => RecordSink::Stream(stream::StreamWriter::fifo(opened.file, shutdown.clone())),
        };
        Self::start(path, kind, target, encoding)
    }

    /// Starts a capture on standard output, for a program that reads it concurrently.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(crate) fn to_stdout(
        kind: CaptureFormat,
        encoding: TextEncoding,
        shutdown: &Shutdown,
    ) -> Result<Self, Error> {
        let target = RecordSink::Stdout(Stdout::new(shutdown.clone(), Allowed::Colors));
        Self::start(Path::new(STDOUT), kind, target, encoding)
    }

    /// Writes the file header at once, so that Wireshark can open the capture before the first datagram.
    fn start(
        path: &Path,
        kind: CaptureFormat,
        target: RecordSink,
        encoding: TextEncoding,
    ) -> Result<Self, Error> {
        let gathered = Gathered::default();
        let writer = RecordWriter::new(kind, encoding, &gathered)
            .map_err(|error| write_error(path, error))?;
        let mut saver = Self {
            path: path.to_owned(),
            target,
            writer,
            gathered,
            packet: Vec::new(),
            whole: Vec::new(),
            reader_gone: false,
        };
        saver.flush()?;
        Ok(saver)
    }

    /// Whether the capture goes to standard output, and its reader is gone.
    #[must_use]
    pub(crate) fn reader_is_gone(&self) -> bool {
        self.reader_gone
    }

    /// Adds one datagram.
    ///
    /// # Errors
    /// The file cannot be written; it contains only complete records.
    pub(crate) fn add(&mut self, datagram: &Datagram<'_>, notes: Notes) -> Result<(), Error> {
        if let RecordWriter::JsonLines(renderer) = &mut self.writer {
            renderer.render(datagram, notes, &mut self.gathered.0.borrow_mut());
        } else {
            let time = datagram.time.since_epoch();
            self.packet.clear();
            // From the whole payload, so that the lengths and the checksum in the headers are those of the real
            // datagram.
            append_packet(datagram, &mut self.whole, &mut self.packet);
            // A UDP datagram with its headers fits in a `u32` by far.
            let len = u32::try_from(self.packet.len()).unwrap_or(u32::MAX);
            // The record keeps the length before truncation by --recv-size as its original length.
            let cut = datagram.full_len.saturating_sub(datagram.payload.len());
            let kept = self.packet.len().saturating_sub(cut);
            self.packet.truncate(kept);
            let result = match &mut self.writer {
                RecordWriter::Pcap(writer) => {
                    writer.write_packet(&PcapPacket::new(time, len, &self.packet))
                }
                RecordWriter::PcapNg(writer) => writer.write_pcapng_block(EnhancedPacketBlock {
                    interface_id: 0,
                    timestamp: time,
                    original_len: len,
                    data: self.packet.as_slice().into(),
                    options: Vec::new(),
                }),
                RecordWriter::JsonLines(_) => Ok(0),
            };
            result.map_err(|error| write_error(&self.path, error))?;
        }
        if self.gathered.0.borrow().len() >= FLUSH_AT {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes the buffered records.
    ///
    /// # Errors
    /// The file cannot be written. A partially written record is removed again.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        let mut gathered = self.gathered.0.borrow_mut();
        if gathered.is_empty() {
            return Ok(());
        }
        let result = match &mut self.target {
            RecordSink::File { file, written } => {
                let result = file.write_all(&gathered);
                if result.is_ok() {
                    *written += gathered.len() as u64;
                } else {
                    // Best effort: truncate to the last complete record, so that Wireshark opens the file without an
                    // error.
                    let _ = file.set_len(*written);
                    let _ = file.seek(SeekFrom::Start(*written));
                }
                result
            }
            RecordSink::Stream(writer) => match writer.write(&gathered) {
                Ok(WriteOutcome::Whole) => Ok(()),
                Ok(WriteOutcome::Abandoned(lost)) => {
                    tracing::warn!(say = "udp.reader-stopped", path = %self.path.display(), lost);
                    self.target = RecordSink::Abandoned;
                    Ok(())
                }
                Err(error) => Err(error),
            },
            RecordSink::Stdout(stdout) => match stdout.write(&gathered) {
                Ok(WriteOutcome::Whole) => Ok(()),
                Ok(WriteOutcome::Abandoned(lost)) => {
                    tracing::warn!(say = "udp.reader-stopped", path = STDOUT, lost);
                    self.target = RecordSink::Abandoned;
                    self.reader_gone = true;
                    Ok(())
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.target = RecordSink::Abandoned;
                    self.reader_gone = true;
                    Ok(())
                }
                Err(error) => Err(error),
            },
            RecordSink::Abandoned => Ok(()),
        };
        // Also after an error: the records would otherwise be written twice if a later flush succeeds.
        gathered.clear();
        result.map_err(|source| Error::Write {
            object: self.path.display().to_string().into(),
            source,
        })
    }
}

/// The error of a format writer, which can only come from below it.
fn write_error(path: &Path, error: PcapError) -> Error {
    Error::Write {
        object: path.display().to_string().into(),
        source: io::Error::other(error),
    }
}

impl RecordWriter {
    fn new(
        kind: CaptureFormat,
        encoding: TextEncoding,
        gathered: &Gathered,
    ) -> Result<Self, PcapError> {
        Ok(match kind {
            CaptureFormat::Pcap => Self::Pcap(PcapWriter::with_header(
                gathered.clone(),
                PcapHeader {
                    datalink: DataLink::RAW,
                    // The kernel's times have nanoseconds; a file with microseconds would show one time for the
                    // datagrams of a burst.
                    ts_resolution: TsResolution::NanoSecond,
                    endianness: Endianness::Little,
                    // The value that tcpdump and Wireshark write: some readers refuse packets that are longer than
                    // it.
                    snaplen: 1 << 18,
                    ..PcapHeader::default()
                },
            )?),
            CaptureFormat::PcapNg => {
                let application = format!("udpcli {}", env!("CARGO_PKG_VERSION"));
                let mut writer = PcapNgWriter::with_section_header(
                    gathered.clone(),
                    SectionHeaderBlock {
                        endianness: Endianness::Little,
                        options: vec![SectionHeaderOption::UserApplication(application.into())],
                        ..SectionHeaderBlock::default()
                    },
                )?;
                // Resolution 9: nanoseconds.
                let options = vec![
                    InterfaceDescriptionOption::IfName("udp".into()),
                    InterfaceDescriptionOption::IfTsResol(9),
                ];
                writer.write_pcapng_block(InterfaceDescriptionBlock {
                    linktype: DataLink::RAW,
                    snaplen: 0,
                    options,
                })?;
                Self::PcapNg(writer)
            }
            CaptureFormat::JsonLines => {
                let style = Style {
                    format: Format::Json,
                    audience: Audience::Pipe,
                    color: false,
                    encoding,
                    separator: Vec::new(),
                    microseconds: false,
                };
                Self::JsonLines(Box::new(Renderer::new(style)))
            }
        })
    }
}
