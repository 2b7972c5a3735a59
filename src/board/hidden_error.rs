//! Finds the reason why a pupil's UDP program ended if its output does not show it: an error that a bare `except:`
//! hides, or an address without a device.
//!
//! The tutorial's client and server end in a bare `except:` that closes the socket and leaves the Wi-Fi: whatever the
//! error, they print nothing.

use crate::board::repl::last_line;

/// Why a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symptom {
    /// A bare `except:` caught the error that ended the program's endless loop.
    SilentEnd,
    /// `sendto` raised `ENOMEM`.
    NoArp,
    /// The program uses `oled` on the board 3.0, whose module `mpython` has none.
    NoOled,
    /// The same, and a bare `except:` hides the exception.
    HiddenNoOled,
}

impl Symptom {
    /// The stable code for programs, the same as in `udpcli pair`.
    #[must_use]
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::SilentEnd => "board-program-silent-end",
            Self::NoArp => "board-no-arp",
            Self::NoOled | Self::HiddenNoOled => "no-oled-on-this-board",
        }
    }
}

/// The symptom at the end of a program that the user did not interrupt. `traceback` is the board's text, if it printed
/// one.
#[must_use]
pub(crate) fn of_end(source: &[u8], traceback: Option<&str>) -> Option<Symptom> {
    let source = String::from_utf8_lossy(source);
    match traceback {
        None => ends_silently(&source).then_some(Symptom::SilentEnd),
        Some(traceback) => is_unanswered(&source, traceback).then_some(Symptom::NoArp),
    }
}

/// Whether a program ended because it found no `oled` in the module `mpython`.
#[must_use]
pub(crate) fn misses_oled(traceback: &str) -> bool {
    let last = last_line(traceback);
    [
        "name 'oled'",
        "can't import name oled",
        "no attribute 'oled'",
    ]
    .iter()
    .any(|text| last.contains(text))
}

/// Whether a program uses `oled` of the module `mpython`, and has a bare `except:` that hides the exception where there is
/// none. A program that gives the name `oled` another meaning is prepared for such boards.
#[must_use]
pub(crate) fn hides_missing_oled(source: &[u8]) -> bool {
    const OLED: &str = "oled";
    let source = String::from_utf8_lossy(source);
    if source.contains("lv_oled") {
        return false;
    }
    let lines = lines(&source);
    let mut is_used = false;
    for line in &lines {
        let code = line.code;
        let has = |text: &str| words(text).any(|word| word == OLED);
        if !has(code) {
            continue;
        }
        let is_import = has_word(code, "import");
        let is_of_mpython = is_import && has_word(code, "mpython") && !code.contains("as oled");
        if (is_import && !is_of_mpython) || assigned(code).any(|name| name == OLED) {
            return false;
        }
        is_used |= is_of_mpython || code.contains("oled.");
    }
    is_used && hides_errors(&lines)
}

/// The words of a line of code.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn has_word(code: &str, word: &str) -> bool {
    words(code).any(|other| other == word)
}

/// Whether a program has a bare `except:` that does not report the error.
fn hides_errors(lines: &[CodeLine<'_>]) -> bool {
    lines
        .iter()
        .enumerate()
        .any(|(at, line)| is_bare_except(line.code) && !says_the_error(body(lines, at), line.code))
}

/// Whether a program has an endless UDP loop, which only an error ends, and a bare `except:` that does not print that
/// error.
#[must_use]
pub(crate) fn ends_silently(source: &str) -> bool {
    let lines: Vec<CodeLine<'_>> = lines(source);
    let speaks_udp = ["recvfrom(", "sendto(", "SOCK_DGRAM"]
        .iter()
        .any(|word| lines.iter().any(|line| line.code.contains(word)));
    speaks_udp && has_endless_loop(&lines) && hides_errors(&lines)
}

/// The names that a silently ending program assigns inside the `try` of its bare `except:`. If one of them exists
/// afterwards, the program reached that point.
#[must_use]
pub(crate) fn watched_names(source: &str) -> Vec<String> {
    let lines = lines(source);
    let mut names = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !is_bare_except(line.code) {
            continue;
        }
        let before = lines.get(..at).unwrap_or_default();
        let tried = before
            .iter()
            .rposition(|other| other.indent == line.indent && other.code.starts_with("try"));
        for line in tried.map_or(&[][..], |tried| body(&lines, tried)) {
            names.extend(assigned(line.code).map(str::to_owned));
        }
    }
    names.sort_unstable();
    names.dedup();
    // All of them go to the board in one call.
    names.truncate(MAX_NAMES);
    names
}

/// The names that `a, b = ..` assigns.
fn assigned(code: &str) -> impl Iterator<Item = &str> {
    let is_name = |name: &&str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && name.starts_with(|c: char| !c.is_ascii_digit())
    };
    let targets = match code.split_once('=') {
        // `a == b` is not an assignment.
        Some((targets, value)) if !value.starts_with('=') => targets,
        _ => "",
    };
    targets.split(',').map(str::trim).filter(is_name)
}

/// The limit for the number of names.
const MAX_NAMES: usize = 32;

/// A line of code without its comment.
#[derive(Debug, Clone, Copy)]
struct CodeLine<'a> {
    /// In columns.
    indent: usize,
    /// Without indentation and comment.
    code: &'a str,
}

/// The lines with code. Multi-line strings are treated as code, which is good enough for a symptom.
fn lines(source: &str) -> Vec<CodeLine<'_>> {
    source
        .lines()
        .filter_map(|line| {
            let code = without_comment(line).trim_end();
            let text = code.trim_start();
            (!text.is_empty()).then_some(CodeLine {
                // A tab advances to the next multiple of eight, as in Python.
                indent: code.chars().take_while(|c| matches!(c, ' ' | '\t')).fold(
                    0,
                    |indent, c| {
                        if c == '\t' {
                            (indent / 8 + 1) * 8
                        } else {
                            indent + 1
                        }
                    },
                ),
                code: text,
            })
        })
        .collect()
}

/// The line up to a `#` outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '#') => return line.get(..at).unwrap_or(line),
            _ => {}
        }
    }
    line
}

/// Whether there is a `while True:`, `while 1:` or `while(True):` without a `break` of its own.
fn has_endless_loop(lines: &[CodeLine<'_>]) -> bool {
    lines.iter().enumerate().any(|(at, line)| {
        let condition: String = line
            .code
            .strip_prefix("while")
            .and_then(|rest| rest.split(':').next())
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '(' | ')'))
            .collect();
        matches!(condition.as_str(), "True" | "1")
            && !body(lines, at).iter().any(|line| {
                words(line.code)
                    // A loop with one of these words may end on purpose, so nothing is hidden.
                    .any(|word| matches!(word, "break" | "return" | "exit"))
            })
    })
}

/// Whether a line is `except:`, with or without a statement on the same line.
fn is_bare_except(code: &str) -> bool {
    code.strip_prefix("except")
        .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

/// Whether a handler reports the error: it raises it again, or prints it.
fn says_the_error(body: &[CodeLine<'_>], header: &str) -> bool {
    let tells = |code: &str| {
        ["print_exception", "exc_info"]
            .iter()
            .any(|word| code.contains(word))
            || code
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == "raise")
    };
    tells(header) || body.iter().any(|line| tells(line.code))
}

/// The lines after `header` that are indented further.
fn body<'a>(lines: &'a [CodeLine<'a>], header: usize) -> &'a [CodeLine<'a>] {
    let Some(indent) = lines.get(header).map(|line| line.indent) else {
        return &[];
    };
    let rest = lines.get(header + 1..).unwrap_or_default();
    let len = rest.iter().take_while(|line| line.indent > indent).count();
    rest.get(..len).unwrap_or_default()
}

/// Whether `sendto` raised `ENOMEM`: `OSError: [Errno 12] ENOMEM`, or `OSError: 12` on old firmware, from a line that
/// calls it.
fn is_unanswered(source: &str, traceback: &str) -> bool {
    let exception = traceback.lines().rev().find(|line| !line.trim().is_empty());
    let is_enomem = exception.is_some_and(|line| {
        let line = line.trim();
        // On the ESP32 `sendto` raises ENOMEM when nobody answers the ARP request for the destination.
        line.starts_with("OSError: [Errno 12]") || line == "OSError: 12"
    });
    if !is_enomem {
        return false;
    }
    // `  File "<stdin>", line 12, in <module>`: the last one is where the exception was raised.
    let number: Option<usize> = traceback
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.trim().strip_prefix("File ")?.split_once(", line ")?;
            rest.split(',').next()?.trim().parse().ok()
        })
        .next_back();
    number
        .and_then(|number| source.lines().nth(number.checked_sub(1)?))
        .is_some_and(|line| without_comment(line).contains("sendto"))
}

#[cfg(test)]
mod tests;
