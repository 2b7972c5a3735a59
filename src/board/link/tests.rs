//! The line over ports that record what is done to them.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

fn address() -> Address {
    Address {
        port: "COM5".to_owned(),
        baud: 115_200,
        timeout: Duration::from_secs(1),
        wire: None,
        line_rate: LineRate::Keep,
    }
}

/// A port that accepts no bytes and counts how often its output buffer is discarded.
#[derive(Debug)]
struct Full(Arc<AtomicUsize>);

impl Port for Full {
    fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
        Ok(0)
    }

    fn write(&mut self, _: &[u8], _: Duration) -> io::Result<usize> {
        Ok(0)
    }

    fn discard_output(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A port that records what is done to its control lines.
#[derive(Debug)]
struct Lines(Arc<Mutex<Vec<&'static str>>>);

impl Lines {
    fn note(&self, high: &'static str, low: &'static str, level: bool) {
        self.0.lock().unwrap().push(if level { high } else { low });
    }
}

impl Port for Lines {
    fn read(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
        Ok(0)
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn set_dtr(&mut self, level: bool) -> io::Result<()> {
        self.note("DTR on", "DTR off", level);
        Ok(())
    }

    fn set_rts(&mut self, level: bool) -> io::Result<()> {
        self.note("RTS on", "RTS off", level);
        Ok(())
    }

    fn show_reader(&mut self) {
        self.note("reader", "", true);
    }
}

#[test]
fn a_reset_pulls_rts_with_dtr_off_and_then_shows_a_reader_again() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let port = Box::new(Lines(Arc::clone(&lines)));
    let mut link = Link::over(port, &address(), Shutdown::by_hand());
    link.hard_reset().unwrap();
    let wanted = ["DTR off", "RTS on", "RTS off", "reader"];
    assert_eq!(*lines.lock().unwrap(), wanted);
}

#[test]
fn unsent_bytes_do_not_delay_the_clean_up() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let shutdown = Shutdown::by_hand();
    let port = Box::new(Full(Arc::clone(&dropped)));
    let mut link = Link::over(port, &address(), shutdown.clone());
    shutdown.asker().ask();
    assert!(matches!(link.send(b"code"), Err(Error::Interrupted)));
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    // The clean-up's own bytes are not discarded.
    link.heed_shutdown(false);
    assert!(matches!(link.fill(Instant::now()), Ok(false)));
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}
