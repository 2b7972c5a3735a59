//! What the OLED mirror costs a program: its start, the time of a show, the delay of a change.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use udpcli::board::mirror::Mirror;
use udpcli::board::mirror::agent::{self, Display, OledReport};

use crate::client::kinds;
use crate::oled::{enter, run};
use crate::oled_faults::start;
use crate::support::VirtualBoard;

#[test]
fn a_program_that_imports_mpython_starts_at_most_300_ms_later() {
    for (kind, options) in kinds() {
        let board = options.ready();
        let mut repl = enter(&board);
        let program = b"from mpython import *\nprint('begun')\n";
        let limit = Duration::from_secs(10);
        // Take the fastest of three runs, because other tests use this machine.
        let mut fastest = |agent: Option<Vec<u8>>| {
            let time = |_| {
                repl.soft_reset().unwrap();
                let start = Instant::now();
                if let Some(agent) = &agent {
                    repl.exec("the agent", agent, limit).unwrap();
                }
                repl.exec("the program", program, limit).unwrap();
                start.elapsed()
            };
            (0..3).map(time).min().unwrap()
        };
        let alone = fastest(None);
        let mirrored = fastest(Some(agent::packed(OledReport::Everything, Display::Oled)));
        println!("{kind}: begun after {alone:?}, with the mirror {mirrored:?}");
        assert!(
            mirrored < alone + Duration::from_millis(300),
            "{kind}: {alone:?}, {mirrored:?}"
        );
    }
}

#[test]
fn a_show_takes_little_of_the_boards_time() {
    const PROGRAM: &str = "\
from mpython import *
import time
def least(draw):
 m=s=1<<30
 for i in range(40):
  draw(i)
  t=time.ticks_us()
  oled.show()
  u=time.ticks_us()
  type(oled).show(oled)
  m=min(m,time.ticks_diff(u,t))
  s=min(s,time.ticks_diff(time.ticks_us(),u))
 return m-s
def same(i):pass
def message(i):
 oled.fill(0)
 oled.DispChar('192.168.0.3:6000',0,0)
 oled.DispChar('hello message %d'%i,0,15)
 oled.DispChar('from192.168.0.5',0,31)
def noise(i):
 for k in range(1024):oled.buffer[k]=k*37+i*k&255
oled.show()
print('|%d %d %d'%(least(same),least(message),least(noise)),end='|')
";
    for (kind, options) in kinds() {
        let board = options.baud(0).ready();
        let mut repl = enter(&board);
        let (bytes, _) = run(&mut repl, OledReport::Everything, PROGRAM);
        let mut output = Vec::new();
        Mirror::new().feed(&bytes, &mut output, |_| {});
        let text = String::from_utf8(output).unwrap();
        println!("{kind}: microseconds a show: unchanged, message, every byte: {text}");
        let times: Vec<i64> = text
            .trim_matches('|')
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        assert!(times[0] < 1_000 && times[2] < 20_000, "{kind}: {text}");
    }
}

#[test]
fn a_change_is_printed_within_20_ms() {
    let main = "\
from mpython import *
import time
for i in range(41):
 time.sleep(0.05)
 oled.fill(0)
 oled.DispChar('hello %d'%i,0,15)
 oled.DispChar('from192.168.0.5',0,31)
 oled.DispChar(str(time.time_ns()),0,0)
 oled.show()
";
    // Exclude the time on the line: here it is unlimited.
    let board = VirtualBoard::options()
        .baud(0)
        .file("main.py", main)
        .ready();
    let mut running = start(&board, &["oled", "--format", "json"]);
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let mut late: Vec<u128> = lines
        .map(|line| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let screen: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let texts = screen["texts"].as_array().unwrap();
            let shown: u128 = texts[2]["text"].as_str().unwrap().parse().unwrap();
            now.as_nanos().saturating_sub(shown) / 1000
        })
        .collect();
    late.sort_unstable();
    assert_eq!(late.len(), 41);
    println!(
        "microseconds: least {}, median {}, most {}",
        late[0], late[20], late[40]
    );
    // Check a quarter of the values, because this machine may be busy with other tests.
    assert!(late[10] < 20_000, "{late:?}");
}
