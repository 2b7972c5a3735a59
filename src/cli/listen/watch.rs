//! `udpcli listen --watch`: a live view of the senders. A separate thread draws it, so that no datagram waits for the
//! terminal.

mod cells;
mod feed;
mod save;
mod sender;
mod table;
mod view;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::names;
use crate::cli::output::DatagramOutput;
use crate::datagram::Notes;
use crate::datagram::run::Run;
use crate::error::{Error, Startable};
use crate::file;
use crate::names::BoardNames;
use crate::shutdown::{Asker, Shutdown};
use crate::terminal::full_screen::FullScreen;
use crate::terminal::keys;
use crate::text::encoding::TextEncoding;
use crate::text::sentence::{Sentence, sentence};
use crate::udp;
use crate::udp::listen::{ListenEnd, Listener};
use crate::udp::sink::{Flow, Sink};
use crate::words::catalogue::say;
use feed::{Pending, SharedWithView, WatchFeed};
use table::NameOf;
use view::{SendersView, ViewOptions, Wish};

/// How often the view checks the keyboard and the end of the run.
const LOOK: Duration = Duration::from_millis(40);

/// How often the view draws without a key.
const DRAW: Duration = Duration::from_millis(125);

/// How often the view sorts the rows without a key.
const SORT: Duration = Duration::from_millis(500);

/// The settings of the view.
#[derive(Debug, Clone, Copy)]
pub(super) struct WatchOptions {
    /// The encoding of payloads.
    pub(super) encoding: TextEncoding,
    /// Whether sequence numbers are read.
    pub(super) has_loss: bool,
    /// Whether to use colour.
    pub(super) color: bool,
}

/// A view that is not open yet.
#[derive(Debug)]
pub(super) struct Watch {
    /// How to show it.
    options: WatchOptions,
    /// The user's names for the senders.
    names: BoardNames,
    /// The line about the address.
    address: AddressLine,
}

/// The line about the address, which changes with the network.
#[derive(Debug, Clone, Default)]
pub(super) struct AddressLine(SharedWithView);

impl AddressLine {
    /// Shows another address.
    pub(super) fn set(&self, address: SocketAddr) {
        let ip = address.ip();
        // The same words as without the view: a board cannot send to these two.
        self.0.set_address(if ip.is_unspecified() {
            say!("listen.at-no-network", local = address)
        } else if ip.is_loopback() {
            say!("listen.at-loopback", local = address)
        } else {
            say!("listen-watch.title", address = ip, port = address.port())
        });
    }
}

/// Takes datagrams for the view and for a capture.
struct Both<'a> {
    /// Leaves datagrams for the view.
    feed: WatchFeed,
    /// Saves them.
    output: &'a mut DatagramOutput,
}

impl Sink for Both<'_> {
    fn run(&mut self, run: &Run<'_>, notes: &[Notes]) {
        self.feed.run(run, notes);
        if self.output.saves() {
            self.output.run(run, notes);
        }
    }

    fn flush(&mut self) -> Result<Flow, udp::error::Error> {
        self.output.flush()
    }

    fn stats(&mut self, clauses: &dyn Fn() -> Vec<Sentence>, json: &dyn Fn() -> Value) {
        self.output.stats(clauses, json);
    }

    fn network_changed(&mut self) {
        self.output.network_changed();
    }
}

impl Watch {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a build without the view has none"
    )]
    pub(super) fn new(options: WatchOptions, names: BoardNames) -> Result<Self, Error> {
        Ok(Self {
            options,
            names,
            address: AddressLine::default(),
        })
    }

    /// Where to tell the address.
    pub(super) fn address(&self) -> AddressLine {
        self.address.clone()
    }

    /// Receives and shows until the listener ends, or until the user ends the view.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) async fn run(
        self,
        listener: &mut Listener<'_>,
        output: &mut DatagramOutput,
        shutdown: &mut Shutdown,
    ) -> Result<Result<ListenEnd, udp::error::Error>, Error> {
        let AddressLine(shared) = self.address;
        let name_of: NameOf = match names::of_senders(self.names) {
            Some(name_of) => Box::new(name_of),
            None => Box::new(|_| None),
        };
        let mut sink = Both {
            feed: WatchFeed::new(shared.clone()),
            output,
        };
        let options = ViewOptions {
            title: String::new(),
            encoding: self.options.encoding,
            has_loss: self.options.has_loss,
            color: self.options.color,
            name_of,
        };
        let asker = shutdown.asker();
        let (running, is_over) = channel::<()>();
        let view = std::thread::Builder::new()
            .name("view".to_owned())
            .spawn(move || {
                let shown = show(&shared, options, &is_over, &asker);
                // If the window is closed or the view cannot be drawn, the run ends.
                if !matches!(shown, Ok(Closed::RunOver)) {
                    asker.ask();
                }
                shown.map(drop)
            })
            .map_err(|source| Error::Start {
                what: Startable::EventLoop,
                source,
            })?;
        let end = listener.run(&mut sink, shutdown).await;
        drop(running);
        // The view checks for the end all the time; a terminal that accepts no bytes blocks it until Ctrl-C, like
        // stdout.
        match view.join() {
            Ok(Err(source)) => Err(Error::File(file::Error::Write {
                object: sentence!("listen-watch.the-terminal"),
                source,
            })),
            _ => Ok(end),
        }
    }
}

/// Why the view closed.
enum Closed {
    /// The listener has ended.
    RunOver,
    /// Nobody looks any more.
    Gone,
}

/// Shows the view until the run is over, or until the terminal is gone.
fn show(
    shared: &SharedWithView,
    options: ViewOptions,
    is_over: &Receiver<()>,
    asker: &Asker,
) -> io::Result<Closed> {
    let mut view = SendersView::new(options, Instant::now());
    let mut pending = Pending::default();
    let mut screen = FullScreen::open()?;
    let (mut drawn, mut sorted) = (None::<Instant>, None::<Instant>);
    loop {
        let now = Instant::now();
        let is_due = |last: Option<Instant>, every| last.is_none_or(|last| now >= last + every);
        let has_key = view.is_stale();
        // Eight times a second is enough for the eye; a key takes effect at once.
        if has_key || is_due(drawn, DRAW) {
            pending = shared.take(pending);
            view.add(&mut pending, now);
            for message in screen.messages() {
                view.message(message);
            }
            if has_key || view.has_new_rows() || is_due(sorted, SORT) {
                view.sort();
                sorted = Some(now);
            }
            if !screen.draw(|frame| view.draw(frame))? {
                return Ok(Closed::Gone);
            }
            drawn = Some(now);
        }
        if let Err(RecvTimeoutError::Disconnected) = is_over.recv_timeout(LOOK) {
            return Ok(Closed::RunOver);
        }
        // A closed window has no keys: the next drawing notices it.
        while let Ok(Some(key)) = keys::next(Duration::from_millis(1)) {
            match view.key(&key) {
                Wish::Nothing => {}
                Wish::Save => {
                    let saved = save::senders(&view);
                    view.message(saved);
                }
                Wish::End => {
                    view.ending();
                    // Like a second signal, a second key ends the run at once.
                    asker.interrupt();
                }
            }
        }
    }
}
