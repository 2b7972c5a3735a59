//! The guided menu for a user who double-clicks `udpcli.exe`: without it, the window would close at once.
//!
//! Each choice shows the command line that it runs, so that the user learns it, and runs it as a program of its own.

use std::ffi::OsString;
use std::io::BufRead as _;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use crate::cli::output;
use crate::error::{Error, Outcome, Startable};
use crate::shutdown::Shutdown;
use crate::terminal::{self, sanitize};
use crate::text::fullwidth::to_ascii;
use crate::wait::{Site, Wait, Waited};
use crate::words::catalogue::say;
use crate::words::language;

/// For tests, and for consoles that udpcli does not recognise as its own: shows the menu wherever `udpcli` is started
/// alone.
const VARIABLE: &str = "UDPCLI_MENU";

/// How many consecutive wrong answers end the menu, because then no user reads it.
const MAX_WRONG: usize = 20;

/// How long a command may take to end after a signal. Ctrl-C reaches it too; SIGTERM reaches only the menu.
const GRACE: Duration = Duration::from_millis(1950);

/// How often to look whether a command has ended.
const TICK: Duration = Duration::from_millis(20);

/// The port of the tutorial.
const PORT: u16 = 6000;

/// Runs the menu, if `udpcli` was started alone and its console would close with it.
#[must_use]
pub(super) fn answered(args: &[OsString]) -> Option<ExitCode> {
    let is_wanted = args.len() <= 1 && (std::env::var_os(VARIABLE).is_some() || owns_console());
    if !is_wanted {
        return None;
    }
    Some(match run() {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            super::logging::report(&error);
            ExitCode::from(error.exit_code())
        }
    })
}

/// Whether Windows made this console for udpcli alone, as a double click does.
///
/// `GetConsoleProcessList` would tell, but no maintained crate offers it without unsafe code. So this looks at the
/// cursor: in a new console it is in the top left corner, whereas in a shell it is at least one line below the command
/// that the user typed. `PROMPT` is a variable that cmd.exe sets for all its programs, so `cls & udpcli` is recognised,
/// too.
fn owns_console() -> bool {
    terminal::is_new_console() && std::env::var_os("PROMPT").is_none()
}

/// What the user typed.
enum MenuChoice {
    /// What stands on the line.
    Line(String),
    /// The end of the input, or Ctrl-C.
    End(Outcome),
}

/// Runs the menu until the user leaves.
fn run() -> Result<Outcome, Error> {
    let shutdown = Shutdown::on_signal().map_err(|source| Error::Start {
        what: Startable::Signals,
        source,
    })?;
    let menu = Menu { shutdown };
    menu.choose()
}

/// The menu.
struct Menu {
    /// Tells of Ctrl-C.
    shutdown: Shutdown,
}

impl Menu {
    /// Shows the choices until the user leaves.
    fn choose(&self) -> Result<Outcome, Error> {
        print(&say!("menu.choices", version = env!("CARGO_PKG_VERSION")))?;
        let mut wrong = 0;
        while wrong < MAX_WRONG {
            let answer = match self.ask(&say!("menu.choose"))? {
                MenuChoice::Line(line) => line,
                MenuChoice::End(outcome) => return Ok(outcome),
            };
            let chosen = match &*to_ascii(&answer) {
                "1" => self.run(&["listen"])?,
                "2" => self.send()?,
                "3" => {
                    let examined = self.run(&["doctor"])?;
                    match examined {
                        MenuChoice::End(_) => examined,
                        MenuChoice::Line(_) => self.run(&["pair"])?,
                    }
                }
                "4" => self.run(&["demo"])?,
                "5" => self.run(&["--help"])?,
                "" | "q" | "Q" | "0" => return self.close(),
                _ => {
                    wrong += 1;
                    print(&say!("menu.wrong"))?;
                    continue;
                }
            };
            if let MenuChoice::End(outcome) = chosen {
                return Ok(outcome);
            }
            // Count only consecutive ones: a valid choice shows that a user is there.
            wrong = 0;
            print(&say!("menu.again"))?;
        }
        Ok(Outcome::Done)
    }

    /// Asks where to send what.
    fn send(&self) -> Result<MenuChoice, Error> {
        let mut wrong = 0;
        let peer = loop {
            let answer = match self.ask(&say!("menu.address"))? {
                MenuChoice::Line(line) => line,
                end @ MenuChoice::End(_) => return Ok(end),
            };
            if answer.is_empty() {
                return Ok(MenuChoice::Line(answer));
            }
            match with_port(&answer) {
                Some(peer) => break peer,
                None if wrong < MAX_WRONG => {
                    wrong += 1;
                    print(&say!("menu.wrong-address"))?;
                }
                None => return Ok(MenuChoice::End(Outcome::Done)),
            }
        };
        let message = match self.ask(&say!("menu.message"))? {
            MenuChoice::Line(line) => line,
            end @ MenuChoice::End(_) => return Ok(end),
        };
        if message.is_empty() {
            return self.run(&["send", &peer]);
        }
        self.run(&["send", &peer, "-w", "1s", "--", &message])
    }

    /// Runs udpcli with these arguments, and waits until it ends.
    fn run(&self, args: &[&str]) -> Result<MenuChoice, Error> {
        let shown: Vec<String> = args.iter().map(|arg| quoted(arg)).collect();
        print(&format!("\n> udpcli {}", shown.join(" ")))?;
        let cannot_start = |source| Error::Start {
            what: Startable::SecondUdpcli,
            source,
        };
        let mut child = Command::new(std::env::current_exe().map_err(cannot_start)?)
            .args(args)
            .env_remove(VARIABLE)
            // The command must use the same language as the menu.
            .env("UDPCLI_LANG", language::current().tag())
            .stdin(Stdio::inherit())
            .spawn()
            .map_err(cannot_start)?;
        let is_stopped = || self.shutdown.is_asked();
        let mut wait = Wait::at(Site::Menu, &is_stopped)
            .with_grace(GRACE)
            .in_silence();
        while matches!(child.try_wait(), Ok(None)) {
            if wait.look().is_some() {
                let _ = child.kill();
                let _ = child.wait();
                return Ok(MenuChoice::End(Outcome::Interrupted));
            }
            std::thread::sleep(TICK);
        }
        // Ctrl-C ended the command, and not the menu.
        self.shutdown.forget();
        Ok(MenuChoice::Line(String::new()))
    }

    /// Keeps the window open until its text is read.
    fn close(&self) -> Result<Outcome, Error> {
        match self.ask(&say!("menu.close"))? {
            MenuChoice::Line(_) => Ok(Outcome::Done),
            MenuChoice::End(outcome) => Ok(outcome),
        }
    }

    /// Asks for a line.
    fn ask(&self, question: &str) -> Result<MenuChoice, Error> {
        output::print(question.as_bytes())?;
        let is_stopped = || self.shutdown.is_asked();
        let read = || {
            let mut line = String::new();
            let result = std::io::stdin().lock().read_line(&mut line);
            result.map(|len| (len, line))
        };
        let answer = match Wait::at(Site::Menu, &is_stopped).call(read) {
            Ok(Waited::Done(Ok((0, _)) | Err(_))) | Err(_) => MenuChoice::End(Outcome::Done),
            Ok(Waited::Done(Ok((_, line)))) => MenuChoice::Line(line.trim().to_owned()),
            Ok(Waited::Interrupted | Waited::TimeUp) => MenuChoice::End(Outcome::Interrupted),
        };
        if matches!(answer, MenuChoice::End(_)) {
            output::print(b"\n")?;
        }
        Ok(answer)
    }
}

/// Prints lines of the menu.
fn print(text: &str) -> Result<(), Error> {
    let lines: String = text
        .lines()
        .flat_map(|line| [sanitize::for_terminal(line).into_owned(), "\n".to_owned()])
        .collect();
    output::print(lines.as_bytes()).map(drop)
}

/// The address with the tutorial's port, if it has none; `None` if it is not an address or name.
fn with_port(text: &str) -> Option<String> {
    let text = &*to_ascii(text);
    let is_plain = |character: char| character.is_alphanumeric() || "-.:[]%_".contains(character);
    // The text becomes an argument of a program: text like a flag or shell syntax is not an address.
    if text.starts_with('-') || !text.chars().all(is_plain) {
        return None;
    }
    if let Ok(address) = text.parse::<std::net::Ipv6Addr>() {
        return Some(format!("[{address}]:{PORT}"));
    }
    match text.rsplit_once(':') {
        None => Some(format!("{text}:{PORT}")),
        Some((host, port))
            if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) =>
        {
            Some(text.to_owned())
        }
        Some(_) => None,
    }
}

/// An argument as one types it.
pub(super) fn quoted(arg: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-.:[]%_".contains(character);
    if !arg.is_empty() && arg.chars().all(is_plain) {
        arg.to_owned()
    } else {
        // A Unix shell interprets these characters within double quotes, too.
        let acts = |character: char| {
            character == '"' || !cfg!(windows) && matches!(character, '$' | '`' | '\\')
        };
        let escaped = arg.chars().map(|character| {
            let before = if acts(character) { "\\" } else { "" };
            format!("{before}{character}")
        });
        format!("\"{}\"", escaped.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_tutorials_port() {
        for (typed, wanted) in [
            ("192.168.0.3", Some("192.168.0.3:6000")),
            ("192.168.0.3:6001", Some("192.168.0.3:6001")),
            ("board.local", Some("board.local:6000")),
            ("fe80::1", Some("[fe80::1]:6000")),
            ("[::1]:7", Some("[::1]:7")),
            ("192。168。0。3", Some("192.168.0.3:6000")),
            ("１９２．１６８．０．３：６００１", Some("192.168.0.3:6001")),
            ("192.168.0.3；6001", None),
            ("-n", None),
            ("a b", None),
            ("1.2.3.4:", None),
            (":6000", None),
            ("1.2.3.4:99999", None),
        ] {
            assert_eq!(with_port(typed).as_deref(), wanted, "{typed}");
        }
        assert_eq!(quoted("你好"), "你好");
        assert_eq!(quoted("two words"), "\"two words\"");
        assert_eq!(quoted("say \"hi\""), r#""say \"hi\"""#);
        let dollar = if cfg!(windows) {
            r#""$HOME""#
        } else {
            r#""\$HOME""#
        };
        assert_eq!(quoted("$HOME"), dollar);
    }
}
