//! The process on the emulated terminal: executes orders from a FIFO with udpcli's terminal layer.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;

use clap::Parser as _;
use udpcli::cli::Cli;
use udpcli::datagram::Notes;
use udpcli::datagram::run::Run;
use udpcli::datagram::{Addressed, Timestamp};
use udpcli::render::{Format, Renderer, Style};
use udpcli::shutdown::Shutdown;
use udpcli::terminal::full_screen::FullScreen;
use udpcli::terminal::panel::screen::{DrawMode, DrawnText, Screen};
use udpcli::terminal::panel::{Panel, PanelContent};
use udpcli::terminal::progress::{BarWords, Progress};
use udpcli::terminal::prompt;
use udpcli::terminal::raw_mode::RawMode;
use udpcli::terminal::sanitize::{Allowed, Filter};
use udpcli::terminal::status;
use udpcli::terminal::stdout::{self, Stdout};
use udpcli::text::encoding::TextEncoding;
use udpcli::text::escape::Audience;

/// The name by which the test binary runs this process.
pub(crate) const NAME: &str = "child::on_the_terminal";

/// The environment variable that names the folder with the FIFO.
pub(crate) const FOLDER: &str = "UDPCLI_TEST_FOLDER";

/// What the bar is of.
pub(crate) const TOTAL: u64 = 1000;

fn screen(text: &str) -> Screen {
    Screen {
        texts: vec![DrawnText {
            x: 0,
            y: 0,
            mode: DrawMode::Normal,
            text: text.to_owned(),
        }],
        whole: true,
        ..Screen::default()
    }
}

/// Fills the screen with new content in each frame.
fn fill(view: &mut ratatui::Frame<'_>, frame: usize) {
    let row = frame.to_string().repeat(100);
    let rows = vec![row.as_str(); 60].join("\n");
    view.render_widget(ratatui::widgets::Paragraph::new(rows), view.area());
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// Every path of outside bytes to a terminal that may show only lines with colours.
fn show_as_lines(bytes: &[u8], data: &mut Stdout) {
    let peer = SocketAddr::from(([127, 0, 0, 1], 6000));
    for format in [
        Format::Text,
        Format::Board,
        Format::Hex,
        Format::Json,
        Format::Raw,
    ] {
        for encoding in ["utf-8", "auto", "latin1"] {
            let mut renderer = Renderer::new(Style {
                format,
                audience: Audience::Terminal,
                color: true,
                encoding: encoding.parse::<TextEncoding>().unwrap(),
                separator: Vec::new(),
                microseconds: false,
            });
            let mut text = Vec::new();
            let run = Run::single(bytes, peer, peer, Addressed::Unicast, Timestamp::default());
            for datagram in run.datagrams() {
                renderer.render(&datagram, Notes::default(), &mut text);
            }
            data.write(&text).unwrap();
        }
    }
    let text = String::from_utf8_lossy(bytes);
    // Even if a caller forgot to escape.
    data.write(bytes).unwrap();
    stdout::print(bytes).unwrap();
    stdout::print_styled(&text).unwrap();
    status::print(&text);
    tracing::info!(target: "udpcli", "{text}");
    tracing::warn!(target: "udpcli", name = %text, "it");
}

#[test]
#[ignore = "only a process for the other tests here"]
fn on_the_terminal() {
    let cli = Cli::try_parse_from(["udpcli", "demo", "--color", "never"]).unwrap();
    udpcli::cli::logging::start(&cli.global);
    let shutdown = Shutdown::on_signal().unwrap();
    let (mut raw, mut screen_of_its_own) = (None, None);
    let mut data = Stdout::new(shutdown.clone(), Allowed::Colors);
    let mut program = Stdout::new(shutdown.clone(), Allowed::Program);
    let mut filter = Filter::new(Allowed::Program);
    let mut panel = Some(Panel::new(PanelContent::Text, |note| format!("{note:?}")));
    let words = BarWords {
        wide: "{pos} of {len} bytes, {decimal_bytes_per_sec}, {eta} left".to_owned(),
        middle: "{decimal_bytes_per_sec}  {eta} left".to_owned(),
    };
    let mut progress = Progress::new(false, words.clone());
    let mut flash = Progress::with_ends(false, words);
    let mut answers = Vec::new();
    let folder = std::env::var_os(FOLDER).unwrap();
    let folder = Path::new(&folder);
    let orders = File::open(folder.join("orders")).unwrap();
    File::create(folder.join("open")).unwrap();
    for order in BufReader::new(orders).lines() {
        let order = order.unwrap();
        let (verb, rest) = order.split_once(' ').unwrap_or((&order, ""));
        match verb {
            // Ignore the output of the test harness.
            "begin" => {
                program.write(b"\n\x1b[2J\x1b[H").unwrap();
            }
            "log" => tracing::info!(target: "udpcli", "{rest}"),
            "warn" => tracing::warn!(target: "udpcli", "{rest}"),
            "data" => {
                data.write(rest.as_bytes()).unwrap();
            }
            "line" => {
                data.write(format!("{rest}\n").as_bytes()).unwrap();
            }
            "panel" => {
                let panel = panel.as_mut().unwrap();
                panel.stage(&screen(rest));
                panel.draw();
            }
            "progress" => {
                let (done, name) = rest.split_once(' ').unwrap();
                progress.at(name, done.parse().unwrap(), TOTAL);
            }
            "flash" => {
                let (done, name) = rest.split_once(' ').unwrap();
                flash.at(name, done.parse().unwrap(), TOTAL);
            }
            "done" => progress.end(),
            "keep" => panel.take().unwrap().keep(),
            "lines" => show_as_lines(&unhex(rest), &mut data),
            "program" => {
                let bytes = unhex(rest);
                program.write(&bytes).unwrap();
                status::pass(&bytes, &mut filter);
            }
            "area" => {
                let text = String::from_utf8_lossy(&unhex(rest)).into_owned();
                let panel = panel.as_mut().unwrap();
                panel.stage(&screen(&text));
                panel.draw();
                progress.at(&text, 420, TOTAL);
                data.write(text.as_bytes()).unwrap();
            }
            "raw" => raw = Some(RawMode::on().unwrap()),
            "cooked" => drop(raw.take()),
            "screen" => screen_of_its_own = Some(FullScreen::open().unwrap()),
            "frames" => {
                let screen = screen_of_its_own.as_mut().unwrap();
                let mut frame = 0;
                while screen.draw(|view| fill(view, frame)).unwrap() {
                    frame += 1;
                }
                drop(screen_of_its_own.take());
                // The harness writes to the terminal, too.
                File::create(folder.join("over")).unwrap();
                return;
            }
            "ask" => {
                let question = format!("{rest}: ");
                answers.push(std::thread::spawn(move || prompt::password(&question)));
            }
            "answer" => {
                let answer = answers.pop().unwrap().join().unwrap().unwrap();
                tracing::info!(target: "udpcli", "answered {}", answer.unwrap());
            }
            "first" => drop(screen_of_its_own.take()),
            "panic" => panic!("as it was told"),
            "twice" => {
                let asker = shutdown.asker();
                asker.interrupt();
                asker.interrupt();
            }
            "end" => {
                program.end().unwrap();
            }
            _ => panic!("{order}"),
        }
    }
}
