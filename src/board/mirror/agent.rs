//! The agent's code as it is sent: without comments, long names and most white space, and deflated.

use flate2::{Compress, Compression, FlushCompress};

use crate::board::literal;

/// What is sent, as people read it.
const SOURCE: &str = include_str!("agent.py");

/// Begins the lines of the agent that only Mixly's firmware needs, and ends them.
const MIXLY: &str = "# Mixly:";
const ALL: &str = "# All:";

/// Run on the board when the user's program has ended: sends once more what was shown last.
pub const FINISH: &str = "\
try:
 import mpython as _m
 getattr(_m,'oled',getattr(_m,'onboard_oled',0))._udp()
except Exception:
 pass
";

/// Statements that nothing may stand before on a line.
const COMPOUND: [&str; 9] = [
    "def", "if", "for", "while", "try", "else", "elif", "except", "finally",
];

/// The agent's own names, which get short ones on the line. Names that the firmware or a caller knows stay.
const NAMES: [(&str, &str); 47] = [
    ("after", "aa"),
    ("at", "ao"),
    ("bits", "ag"),
    ("busy", "E"),
    ("call", "Z"),
    ("chars", "am"),
    ("covered", "ah"),
    ("crc32", "l"),
    ("done", "O"),
    ("dx", "ak"),
    ("dy", "aj"),
    ("end", "m"),
    ("final", "g"),
    ("glyph", "al"),
    ("had", "V"),
    ("hook", "D"),
    ("keep", "ae"),
    ("key", "I"),
    ("kind", "M"),
    ("last", "G"),
    ("light", "K"),
    ("moved", "ad"),
    ("name", "X"),
    ("note", "T"),
    ("now", "z"),
    ("num", "d"),
    ("off", "ai"),
    ("out", "H"),
    ("page", "af"),
    ("panel", "L"),
    ("part", "_"),
    ("pixels", "A"),
    ("power", "F"),
    ("put", "R"),
    ("report", "N"),
    ("says", "an"),
    ("sent", "W"),
    ("seq", "U"),
    ("state", "P"),
    ("sym", "C"),
    ("texts", "B"),
    ("told", "J"),
    ("view", "Y"),
    ("when", "Q"),
    ("whole", "S"),
    ("words", "ac"),
    ("write", "ab"),
];

/// Which display object the firmware's module `mpython` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// `oled`: the maker's firmware.
    Oled,
    /// `onboard_oled`: Mixly's firmware for the same board.
    OnboardOled,
}

/// What the agent reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// Texts and picture.
    Everything,
    /// Texts alone: a third of the bytes.
    Texts,
}

/// The code to run on the board before the user's program.
#[must_use]
pub fn source(report: Report, display: Display) -> String {
    let source = match display {
        Display::Oled => without_mixly(SOURCE),
        Display::OnboardOled => SOURCE
            .replace("import oled as o", "import onboard_oled as o")
            .replace("o.buffer", "o._buffer"),
    };
    match report {
        Report::Everything => minify(&source),
        // No pages are looked at then, and none is sent.
        Report::Texts => minify(
            &source
                .replace("(1024)\n", "(-1)\n")
                .replace("bytearray(-1)", "bytearray(1024)"),
        ),
    }
}

/// The agent without the lines that only Mixly's firmware needs.
fn without_mixly(source: &str) -> String {
    let mut is_mixlys = false;
    let mut text = String::with_capacity(source.len());
    for line in source.lines() {
        match line.trim_start() {
            MIXLY => is_mixlys = true,
            ALL => is_mixlys = false,
            _ if is_mixlys => {}
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// As [`source`], deflated, with code before it that inflates and runs it: less than 2 KB on the line.
///
/// It raises `ImportError` on firmware that cannot inflate.
#[must_use]
pub fn packed(report: Report, display: Display) -> Vec<u8> {
    /// Both sides keep so much of what went before, in bits.
    const WINDOW: u8 = 10;
    let source = source(report, display);
    let mut deflated = Vec::with_capacity(source.len());
    let mut compressor = Compress::new_with_window_bits(Compression::best(), false, WINDOW);
    let packed = compressor.compress_vec(source.as_bytes(), &mut deflated, FlushCompress::Finish);
    if packed.is_err() {
        // Deflate takes all bytes; an error would be zlib's own.
        return source.into_bytes();
    }
    let mut code = b"def _u():
 try:
  from uzlib import DecompIO as u
  from uio import BytesIO as b
  f=lambda b:u(b,-10)
 except ImportError:
  try:
   import udeflate as u
   from uio import BytesIO as b
  except ImportError:
   import deflate as u
   from io import BytesIO as b
  f=lambda b:u.DeflateIO(b,u.RAW,10)
 exec(f(b("
        .to_vec();
    literal::append_bytes(&deflated, &mut code);
    code.extend(b")).read())\n_u()\n");
    code
}

/// Whether a program may show something on the OLED, as far as its text says.
#[must_use]
pub fn is_of_use_to(program: &[u8]) -> bool {
    [&b"mpython"[..], b"oled"]
        .iter()
        .any(|word| memchr::memmem::find(program, word).is_some())
}

/// Takes comments, indentation beyond one column a level, needless spaces and long names away, and joins statements.
fn minify(source: &str) -> String {
    let mut lines: Vec<Line> = Vec::new();
    for line in source.lines() {
        let code = line.trim_start();
        if code.is_empty() || code.starts_with('#') {
            continue;
        }
        let level = (line.len() - code.len()) / 4;
        let word = code
            .split(|c: char| !c.is_alphanumeric())
            .next()
            .unwrap_or_default();
        let is_compound = COMPOUND.contains(&word);
        let code = squeeze(code);
        match lines.last_mut() {
            Some(last) if !is_compound && !last.is_compound && last.level == level => {
                last.code.push(';');
                last.code.push_str(&code);
            }
            _ => lines.push(Line {
                level,
                code,
                is_compound,
            }),
        }
    }
    let mut text = String::new();
    let mut lines = lines.into_iter().peekable();
    while let Some(line) = lines.next() {
        text.extend(std::iter::repeat_n(' ', line.level));
        text.push_str(&line.code);
        // A body of one line of simple statements stands behind its header.
        let is_body =
            |next: &Line| line.is_compound && !next.is_compound && next.level == line.level + 1;
        if let Some(body) = lines.next_if(is_body) {
            if lines.peek().is_none_or(|next| next.level <= line.level) {
                text.push_str(&body.code);
            } else {
                text.push('\n');
                text.extend(std::iter::repeat_n(' ', body.level));
                text.push_str(&body.code);
            }
        }
        text.push('\n');
    }
    text
}

/// Simple statements, or the header of a compound one.
struct Line {
    level: usize,
    code: String,
    is_compound: bool,
}

/// A line of code with short names and with spaces only between words.
fn squeeze(code: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut text = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '\'' => rest
                .get(1..)
                .and_then(|inner| inner.find('\''))
                .map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at_checked(len).unwrap_or((rest, ""));
        rest = after;
        if token == " " {
            let wordlike = |c: Option<char>| c.is_some_and(|c| is_word(c) || c == '\'');
            if wordlike(text.chars().next_back()) && wordlike(rest.chars().next()) {
                text.push(' ');
            }
            continue;
        }
        let is_attribute = text.ends_with('.');
        let short = NAMES
            .iter()
            .find(|(long, _)| *long == token && !is_attribute);
        text.push_str(short.map_or(token, |(_, short)| short));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_comments_and_long_names_go() {
        assert_eq!(
            minify(
                "# what\ndef page(i):\n    # why\n    out[i] = 'a  page' if i else o.page\n    i += 1\n\n    if i > 3:\n        return\n    else:\n        i = [1, 2]\n        for v in i:\n            put(v)\n"
            ),
            "def af(i):\n H[i]='a  page' if i else o.page;i+=1\n if i>3:return\n else:\n  i=[1,2]\n  for v in i:R(v)\n"
        );
    }

    #[test]
    fn short_names_are_free_and_every_long_one_is_used() {
        let words: Vec<&str> = SOURCE
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
            .collect();
        for (index, (long, short)) in NAMES.iter().enumerate() {
            assert!(words.contains(long), "{long}");
            assert!(!words.contains(short), "{short}");
            assert!(
                NAMES[..index].iter().all(|(_, other)| other != short),
                "{short}"
            );
        }
    }

    #[test]
    fn the_agent_takes_less_than_three_kilobytes() {
        // Mixly's draws text by more functions.
        for (display, most, most_packed) in [
            (Display::Oled, 3000, 2000),
            (Display::OnboardOled, 3500, 2250),
        ] {
            for report in [Report::Everything, Report::Texts] {
                let source = source(report, display);
                println!("{display:?}: {} bytes", source.len());
                assert!(source.len() < most, "{display:?}: {} bytes", source.len());
                assert!(source.is_ascii() && !source.contains('#'));
            }
            let packed = packed(Report::Everything, display).len();
            println!("{display:?}: {packed} bytes packed");
            assert!(packed < most_packed, "{display:?}: {packed} bytes packed");
            assert_ne!(
                source(Report::Texts, display),
                source(Report::Everything, display)
            );
        }
    }
}
