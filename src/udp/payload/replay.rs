//! The datagrams of a capture, with their times.
//!
//! A thread reads the capture, because reading may block (a pipe), and passes on the datagrams of each read call.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::capture::read::{self, CaptureReader, Recorded, SkippedPackets};
use crate::file;
use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::sentence::Sentence;
use crate::udp::error::{Error, SendPart};
use crate::udp::outbox::Outbox;
use crate::udp::payload::source::Input;
use crate::udp::prefix::Prefix;

/// The capacity, in reads, of the channel from the reading thread to the loop.
const READS_AHEAD: usize = 4;

/// If the schedule is behind by more than this, it starts again from now: a machine that wakes from sleep does not send
/// everything it missed.
const FORGIVEN: Duration = Duration::from_millis(200);

/// Which datagrams of a capture to send, and how fast.
#[derive(Debug, Clone)]
pub(crate) struct ReplayOptions {
    /// Only datagrams of these senders, if the list is not empty.
    pub(crate) from: Vec<Prefix>,
    /// Only datagrams to these ports, if the list is not empty.
    pub(crate) to_ports: Vec<u16>,
    /// How many times faster than recorded; `None` is as fast as possible.
    pub(crate) speed: Option<f64>,
    /// The encoding of the text in JSON lines.
    pub(crate) encoding: TextEncoding,
}

impl ReplayOptions {
    /// Whether to send a datagram; counts it if not.
    fn wants(&self, recorded: &Recorded<'_>, left_out: &mut SkippedPackets) -> bool {
        // In the capture of an IPv6 socket, IPv4 senders have the mapped form.
        let from = recorded.from.ip().to_canonical();
        if !self.from.is_empty() && !self.from.iter().any(|prefix| prefix.contains(from)) {
            left_out.other_sender += 1;
            return false;
        }
        if !self.to_ports.is_empty() && !self.to_ports.contains(&recorded.to_port) {
            left_out.other_port += 1;
            return false;
        }
        true
    }
}

/// Datagrams that came with one read call.
#[derive(Debug, Default)]
struct ReadBatch {
    /// The payloads, one after the other.
    bytes: Vec<u8>,
    /// The end of each payload, and its time since the first datagram.
    ends: Vec<(usize, Duration)>,
    /// What was passed over.
    left_out: SkippedPackets,
}

/// A message from the reading thread.
#[derive(Debug)]
enum CaptureEvent {
    Opened,
    Batch(ReadBatch),
}

/// A capture being replayed.
#[derive(Debug)]
pub(crate) struct Replay {
    input: Input,
    options: ReplayOptions,
    /// From the reading thread, once it runs.
    reads: Option<mpsc::Receiver<Result<CaptureEvent, Error>>>,
    batch: ReadBatch,
    /// The next datagram of the batch.
    next: usize,
    is_open: bool,
    /// Whether the thread has passed on everything.
    is_at_end: bool,
    /// The time of the first datagram of this round.
    start: Option<Instant>,
    /// Datagrams of this round so far.
    made: u64,
    left_out: SkippedPackets,
    /// The longest payload that the peer's address family carries.
    max: usize,
}

impl Replay {
    /// A capture from a file or from standard input.
    #[must_use]
    pub(crate) fn new(input: Input, options: ReplayOptions) -> Self {
        Self {
            input,
            options,
            reads: None,
            batch: ReadBatch::default(),
            next: 0,
            is_open: false,
            is_at_end: false,
            start: None,
            made: 0,
            left_out: SkippedPackets::default(),
            max: crate::udp::MAX_PAYLOAD_V4,
        }
    }

    pub(super) fn limit(&mut self, max: usize) {
        self.max = max;
    }

    pub(super) fn input(&self) -> &Input {
        &self.input
    }

    pub(super) fn left_out(&self) -> SkippedPackets {
        self.left_out
    }

    pub(super) async fn open(&mut self) -> Result<(), Error> {
        while !self.is_open {
            self.read().await?;
        }
        Ok(())
    }

    /// Waits for the reading thread's next message. Cancel safe.
    async fn read(&mut self) -> Result<(), Error> {
        let reads = match &mut self.reads {
            Some(reads) => reads,
            none => none.insert(read_on_thread(self.input.clone(), self.options.clone())?),
        };
        match reads.recv().await.transpose()? {
            None => {
                self.is_open = true;
                self.is_at_end = true;
            }
            Some(CaptureEvent::Opened) => self.is_open = true,
            Some(CaptureEvent::Batch(batch)) => {
                self.left_out.add(&batch.left_out);
                self.batch = batch;
                self.next = 0;
            }
        }
        Ok(())
    }

    fn has_next(&self) -> bool {
        self.next < self.batch.ends.len()
    }

    /// Whether all datagrams of this round have been given.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end && !self.has_next()
    }

    /// Waits until there is a datagram, or the end. Cancel safe.
    pub(super) async fn ready(&mut self) -> Result<(), Error> {
        self.skip_too_long();
        while !self.has_next() && !self.is_at_end {
            self.read().await?;
            self.skip_too_long();
        }
        Ok(())
    }

    /// The payload of the next datagram.
    fn payload(&self) -> &[u8] {
        let end_of = |index: usize| self.batch.ends.get(index).map_or(0, |(end, _)| *end);
        let start = self.next.checked_sub(1).map_or(0, end_of);
        let range = start..end_of(self.next);
        self.batch.bytes.get(range).unwrap_or_default()
    }

    /// Skips datagrams that the peer's address family cannot carry.
    fn skip_too_long(&mut self) {
        while self.has_next() && self.payload().len() > self.max {
            self.next += 1;
            self.left_out.too_long += 1;
        }
    }

    /// When the next datagram is due; `now` if there is none.
    pub(super) fn due(&mut self, now: Instant) -> Instant {
        let Some((_, offset)) = self.batch.ends.get(self.next) else {
            return now;
        };
        let Some(speed) = self.options.speed else {
            return now;
        };
        let offset = Duration::try_from_secs_f64(offset.as_secs_f64() / speed)
            .unwrap_or(Duration::MAX)
            // So that the sum does not overflow.
            .min(Duration::from_secs(1 << 32));
        let start = *self.start.get_or_insert(now);
        let due = start + offset;
        if now > due + FORGIVEN {
            self.start = Some(start + now.saturating_duration_since(due));
            return now;
        }
        due
    }

    /// Moves the datagrams that are due to the outbox, at least one if there is one.
    pub(super) fn take(
        &mut self,
        outbox: &mut Outbox,
        limit: usize,
        limit_bytes: usize,
        append: Option<Append>,
    ) {
        let now = Instant::now();
        while self.has_next()
            && outbox.len() < limit
            && outbox.byte_len() < limit_bytes
            && (outbox.is_empty() || self.due(now) <= now)
        {
            super::source::push(outbox, self.payload(), append);
            self.made += 1;
            self.next += 1;
            self.skip_too_long();
        }
    }

    /// Rewinds for another round; returns whether this one had any datagrams.
    pub(super) fn rewind(&mut self) -> bool {
        self.reads = None;
        self.is_open = false;
        self.is_at_end = false;
        self.start = None;
        self.batch = ReadBatch::default();
        self.next = 0;
        std::mem::take(&mut self.made) > 0
    }
}

/// The batch that the thread is filling, and its receiver.
#[derive(Debug)]
struct Filling {
    batch: ReadBatch,
    sender: mpsc::Sender<Result<CaptureEvent, Error>>,
}

impl Filling {
    /// Sends the batch to the loop; an error if the loop has ended.
    fn flush(&mut self) -> io::Result<()> {
        if self.batch.ends.is_empty() && self.batch.left_out == SkippedPackets::default() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        let sent = self.sender.blocking_send(Ok(CaptureEvent::Batch(batch)));
        sent.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// The input; it passes on the batch before it reads further, because reading may block.
struct Flushing {
    stream: Box<dyn Read + Send>,
    filling: Rc<RefCell<Filling>>,
}

impl Read for Flushing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.filling.borrow_mut().flush()?;
        self.stream.read(buffer)
    }
}

/// Starts the thread that reads.
fn read_on_thread(
    input: Input,
    options: ReplayOptions,
) -> Result<mpsc::Receiver<Result<CaptureEvent, Error>>, Error> {
    let (sender, receiver) = mpsc::channel(READS_AHEAD);
    let read = move || {
        if let Err(error) = read_all(&input, &options, &sender) {
            // Ignore the error: if the receiver is gone, the loop has ended.
            let _ = sender.blocking_send(Err(error));
        }
    };
    match std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(read)
    {
        Ok(_) => Ok(receiver),
        Err(source) => Err(Error::Start {
            what: SendPart::InputThread,
            source,
        }),
    }
}

/// Reads the capture to its end, on the thread.
fn read_all(
    input: &Input,
    options: &ReplayOptions,
    sender: &mpsc::Sender<Result<CaptureEvent, Error>>,
) -> Result<(), Error> {
    let (stream, _) = input.open()?;
    if sender.blocking_send(Ok(CaptureEvent::Opened)).is_err() {
        return Ok(());
    }
    let filling = Rc::new(RefCell::new(Filling {
        batch: ReadBatch::default(),
        sender: sender.clone(),
    }));
    let flushing = Flushing {
        stream,
        filling: Rc::clone(&filling),
    };
    let failed = |error| match error {
        read::Error::Read(source) => Error::File(file::Error::Read {
            object: input.name(),
            source,
        }),
        read::Error::Wrong(source) => Error::Capture {
            what: input.name(),
            source,
        },
    };
    let mut reader = CaptureReader::new(flushing, options.encoding);
    let mut first = None;
    let mut last = Duration::ZERO;
    let result = loop {
        let mut left_out = SkippedPackets::default();
        let result = match reader.next_datagram() {
            Ok(Some(recorded)) => {
                if options.wants(&recorded, &mut left_out) {
                    let since = recorded.time - *first.get_or_insert(recorded.time);
                    let since =
                        u64::try_from(since).unwrap_or(if since < 0 { 0 } else { u64::MAX });
                    // Interfaces may be recorded out of order.
                    last = last.max(Duration::from_nanos(since));
                    let batch = &mut filling.borrow_mut().batch;
                    batch.bytes.extend_from_slice(recorded.payload);
                    batch.ends.push((batch.bytes.len(), last));
                }
                None
            }
            Ok(None) => Some(Ok(())),
            Err(error) => Some(Err(failed(error))),
        };
        left_out.add(&reader.take_left_out());
        filling.borrow_mut().batch.left_out.add(&left_out);
        if let Some(result) = result {
            break result;
        }
    };
    // The datagrams before the error are still sent.
    let _ = filling.borrow_mut().flush();
    result
}

impl Replay {
    pub(super) fn input_name(&self) -> Sentence {
        self.input.name()
    }
}
