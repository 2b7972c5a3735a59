//! Keeps the output of parallel jobs apart: each job has its own thread and, on it, a lane. Its lines on stdout and its
//! warnings begin with its name; its other messages and its progress are notes, and the job's row shows the last one.
//!
//! The lane belongs to the thread, because the code of a job is the same as for a single job, and does not know about
//! lanes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::sanitize;

/// The longest incomplete line to keep.
const MAX_LINE: usize = 4096;

thread_local! {
    static CURRENT: RefCell<Option<JobOutput>> = const { RefCell::new(None) };
}

/// Writes to stdout are whole lines of one lane.
static TURN: Mutex<()> = Mutex::new(());

/// A job's name and its last message.
#[derive(Debug, Clone)]
pub(crate) struct JobOutput(Arc<Mutex<JobState>>);

#[derive(Debug)]
struct JobState {
    /// The place of the job, such as a port.
    place: String,
    /// The job's name for people, once known.
    name: Option<String>,
    /// What it said last.
    note: String,
    /// Whether lines on stdout begin with the name. JSON contains the name itself.
    names_lines: bool,
    /// The beginning of a line on stdout.
    line: Vec<u8>,
}

impl JobOutput {
    /// A lane for the job at `place`; `name` is its name for people.
    #[must_use]
    pub(crate) fn new(place: String, name: Option<String>, names_lines: bool) -> Self {
        Self(Arc::new(Mutex::new(JobState {
            place,
            name,
            note: String::new(),
            names_lines,
            line: Vec::new(),
        })))
    }

    /// The lane of this thread.
    #[must_use]
    pub(crate) fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Does `work` on this thread in this lane.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                // Also after a panic: the thread may get another job.
                CURRENT.set(None);
            }
        }
        CURRENT.set(Some(self.clone()));
        let _leave = Leave;
        work()
    }

    /// Where the job is done.
    #[must_use]
    pub(crate) fn place(&self) -> String {
        self.state().place.clone()
    }

    /// What people call the job.
    #[must_use]
    pub(crate) fn name(&self) -> Option<String> {
        self.state().name.clone()
    }

    /// Sets the job's name, once it is known.
    pub(crate) fn set_name(&self, name: String) {
        self.state().name = Some(name);
    }

    /// What it said last.
    #[must_use]
    pub(crate) fn note(&self) -> String {
        self.state().note.clone()
    }

    /// Takes what it says.
    pub(crate) fn set_note(&self, note: String) {
        self.state().note = note;
    }

    /// The prefix of the job's lines: its name, or else its place.
    #[must_use]
    pub(crate) fn prefix(&self) -> String {
        self.state().prefix()
    }

    /// Puts the prefix before each line of a message.
    pub(super) fn prefixed(&self, text: &str) -> String {
        let prefix = self.prefix();
        let lines = text.split_inclusive('\n');
        lines.flat_map(|line| [prefix.as_str(), line]).collect()
    }

    /// The lines that these bytes complete, as they go to stdout.
    pub(super) fn lines<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut state = self.state();
        if !state.names_lines {
            return Cow::Borrowed(bytes);
        }
        let prefix = state.prefix();
        let mut out = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            state.line.extend_from_slice(piece);
            // A program that never ends its line would otherwise show nothing and use up memory.
            let is_long = state.line.len() >= MAX_LINE;
            if piece.ends_with(b"\n") || is_long {
                out.extend_from_slice(prefix.as_bytes());
                out.append(&mut state.line);
                if !piece.ends_with(b"\n") {
                    out.push(b'\n');
                }
            }
        }
        Cow::Owned(out)
    }

    /// The incomplete line of the job's output.
    pub(super) fn rest(&self) -> Vec<u8> {
        let mut state = self.state();
        if state.line.is_empty() {
            return Vec::new();
        }
        let mut out = state.prefix().into_bytes();
        out.append(&mut state.line);
        out.push(b'\n');
        out
    }

    /// The state; a panic of another thread cannot leave it inconsistent.
    fn state(&self) -> MutexGuard<'_, JobState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobState {
    fn prefix(&self) -> String {
        let who = self.name.as_ref().unwrap_or(&self.place);
        format!("{}: ", sanitize::for_terminal(who))
    }
}

/// Waits until no other lane writes to stdout.
pub(super) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(names_lines: bool) -> JobOutput {
        JobOutput::new(
            "COM3".to_owned(),
            Some("小\u{1b}明".to_owned()),
            names_lines,
        )
    }

    #[test]
    fn whole_lines_bear_the_name_with_its_control_characters_escaped() {
        let lane = lane(true);
        assert_eq!(*lane.lines(b"a\r\nb"), *"小\\u{1b}明: a\r\n".as_bytes());
        assert_eq!(
            *lane.lines(b"c\n\nd"),
            *"小\\u{1b}明: bc\n小\\u{1b}明: \n".as_bytes()
        );
        assert_eq!(lane.rest(), "小\\u{1b}明: d\n".as_bytes());
        assert!(lane.rest().is_empty());
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_for_ever() {
        let lane = lane(true);
        let mut len = 0;
        for _ in 0..100 {
            len += lane.lines(&[b'x'; 1000]).len();
        }
        assert!(len > 95_000 && lane.rest().len() < 2 * MAX_LINE);
    }

    #[test]
    fn json_stays_as_it_is() {
        assert_eq!(*lane(false).lines(b"{}\n{"), *b"{}\n{");
    }

    #[test]
    fn a_lane_is_that_of_its_thread_and_ends_with_its_work() {
        let lane = lane(true);
        lane.during(|| {
            assert!(JobOutput::current().is_some());
            std::thread::spawn(|| assert!(JobOutput::current().is_none()))
                .join()
                .unwrap();
        });
        assert!(JobOutput::current().is_none());
    }
}
