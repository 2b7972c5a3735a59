//! Tests of `wait.rs`.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

const LONG: Duration = Duration::from_mins(1);

#[test]
fn sites_are_told_apart() {
    let names: std::collections::HashSet<String> = Site::ALL.iter().map(Site::to_string).collect();
    assert_eq!(names.len(), Site::ALL.len());
}

#[test]
fn a_call_is_waited_for_or_left() {
    let never = || false;
    let done = Wait::at(Site::Connect, &never).call(|| 7).unwrap();
    assert!(matches!(done, Waited::Done(7)));

    let (_keeps_it_waiting, forever) = sync_channel::<()>(0);
    let now = Instant::now();
    let left = Wait::at(Site::Connect, &never)
        .until(now + Duration::from_millis(30))
        .call(move || forever.recv())
        .unwrap();
    assert!(matches!(left, Waited::TimeUp));

    let (_keeps_it_waiting, forever) = sync_channel::<()>(0);
    let left = Wait::at(Site::Connect, &|| true)
        .call(move || forever.recv())
        .unwrap();
    assert!(matches!(left, Waited::Interrupted));
    assert!(now.elapsed() < LONG);
}

#[test]
fn a_call_that_panics_is_an_error() {
    let panics = Wait::at(Site::Connect, &|| false).call(|| {
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(panics.is_err());
}

#[test]
fn what_is_to_be_done_all_the_same_gets_its_time() {
    let mut wait = Wait::at(Site::WriteDevice, &|| true).with_grace(Duration::from_millis(30));
    assert_eq!(wait.look(), None);
    let asked = Instant::now();
    while wait.look().is_none() {
        assert!(asked.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(asked.elapsed() >= Duration::from_millis(25));
}

#[test]
fn a_look_sees_the_end_and_the_time() {
    let stopped = AtomicBool::new(false);
    let is_stopped = || stopped.load(Ordering::SeqCst);
    let mut wait = Wait::at(Site::Board, &is_stopped).until(Instant::now() + LONG);
    assert_eq!(wait.look(), None);
    assert!(wait.piece(LONG * 2) <= LONG);
    stopped.store(true, Ordering::SeqCst);
    assert_eq!(wait.look(), Some(Over::Interrupted));
    let mut wait = Wait::at(Site::Board, &|| false).until(Instant::now());
    assert_eq!(wait.look(), Some(Over::TimeUp));
}
