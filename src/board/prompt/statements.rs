//! Splits Python source into parts that the board's prompt accepts at once.

/// A part to type at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A plain line.
    Line(Vec<u8>),
    /// Lines for paste mode, joined by LF: a compound statement, or text that the prompt would change.
    Block(Vec<u8>),
    /// Control characters, unchanged.
    Raw(Vec<u8>),
}

impl Statement {
    /// Whether its text calls `input()`, so that it may wait for a line of input.
    #[must_use]
    pub(crate) fn may_ask(&self) -> bool {
        let (Self::Line(text) | Self::Block(text) | Self::Raw(text)) = self;
        memchr::memmem::find(text, b"input").is_some()
            || memchr::memmem::find(text, b"stdin").is_some()
    }
}

/// The size limit of a statement; a longer one is passed on incomplete.
const MAX_BLOCK: usize = 256 << 10;

/// Splits source that arrives in chunks. CR, LF and CR LF are one line end each.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    /// The bytes of the incomplete line.
    line: Vec<u8>,
    /// Whether the last byte was a CR.
    after_cr: bool,
    /// The complete lines of the incomplete statement.
    lines: Vec<Vec<u8>>,
    /// Statements that are complete.
    ready: std::collections::VecDeque<Statement>,
    /// The tokenizer's state after the last line.
    scan: Scan,
    /// Whether the lines so far are a compound statement, which ends before the next line without indentation.
    is_compound: bool,
    /// How many bytes the incomplete statement has.
    gathered: usize,
}

/// The state of Python's tokenizer at the end of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Scan {
    /// The number of open brackets.
    depth: usize,
    /// The quote of an open triple-quoted string.
    triple: Option<u8>,
    /// Whether the line ends in a backslash.
    goes_on: bool,
}

impl Scan {
    /// Whether the next line belongs to the same statement in any case.
    fn is_open(self) -> bool {
        self.depth > 0 || self.triple.is_some() || self.goes_on
    }

    /// The state after a line, and the line's last character apart from spaces and comments.
    fn after(mut self, line: &[u8]) -> (Self, Option<u8>) {
        let mut last = None;
        let mut rest = line;
        self.goes_on = false;
        let mut single: Option<u8> = None;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            if let Some(quote) = self.triple {
                if byte == b'\\' {
                    // The character after a backslash does not end the string, not even in a raw string.
                    rest = rest.get(1..).unwrap_or_default();
                } else if byte == quote && rest.starts_with(&[quote, quote]) {
                    rest = rest.get(2..).unwrap_or_default();
                    self.triple = None;
                    last = Some(quote);
                }
                continue;
            }
            if let Some(quote) = single {
                if byte == b'\\' {
                    if rest.is_empty() {
                        self.goes_on = true;
                    }
                    rest = rest.get(1..).unwrap_or_default();
                } else if byte == quote {
                    single = None;
                }
                continue;
            }
            match byte {
                b'#' => break,
                b'\'' | b'"' if rest.starts_with(&[byte, byte]) => {
                    rest = rest.get(2..).unwrap_or_default();
                    self.triple = Some(byte);
                }
                b'\'' | b'"' => single = Some(byte),
                b'(' | b'[' | b'{' => self.depth += 1,
                b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                b'\\' if rest.is_empty() => self.goes_on = true,
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                last = Some(byte);
            }
        }
        (self, last)
    }
}

impl Statements {
    /// Adds source.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let follows_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if follows_cr => {}
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    self.end_line(line);
                }
                1..=8 | 0x0b | 0x0c | 0x0e..=0x1f => {
                    // A control character takes effect at once; the text before it is its line.
                    self.line.push(byte);
                    let bytes = std::mem::take(&mut self.line);
                    self.flush();
                    self.ready.push_back(Statement::Raw(bytes));
                }
                byte => self.line.push(byte),
            }
            if self.line.len() + self.gathered > MAX_BLOCK {
                let line = std::mem::take(&mut self.line);
                self.end_line(line);
                self.flush();
            }
        }
    }

    /// The next complete statement. `is_idle`: no input arrived for a moment, so an empty line ends a compound
    /// statement, as for a user who types.
    pub(crate) fn next(&mut self, is_idle: bool) -> Option<Statement> {
        if self.ready.is_empty() && is_idle && self.lines.last().is_some_and(|line| is_blank(line))
        {
            self.flush();
        }
        self.ready.pop_front()
    }

    /// Whether control characters are next: they are for the running program, not for the prompt after it.
    #[must_use]
    pub(crate) fn is_control_next(&self) -> bool {
        matches!(self.ready.front(), Some(Statement::Raw(_)))
    }

    /// The next line unchanged, for a program that reads input.
    pub(crate) fn next_line(&mut self) -> Option<Vec<u8>> {
        match self.ready.pop_front() {
            Some(Statement::Line(line) | Statement::Raw(line)) => Some(line),
            Some(Statement::Block(block)) => {
                let mut lines = block.splitn(2, |&byte| byte == b'\n');
                let first = lines.next().unwrap_or_default().to_vec();
                if let Some(rest) = lines.next() {
                    self.ready.push_front(Statement::Block(rest.to_vec()));
                }
                Some(first)
            }
            None if self.lines.is_empty() => None,
            None => Some(self.lines.remove(0)),
        }
    }

    /// The input has ended: makes the complete lines a statement.
    pub(crate) fn end_lines(&mut self) {
        self.flush();
    }

    /// Takes the incomplete line.
    pub(crate) fn take_partial(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }

    /// The input has ended: makes the rest a statement, even if its last line is incomplete.
    pub(crate) fn end(&mut self) {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            self.end_line(line);
        }
        self.flush();
    }

    /// Adds a complete line, which may end the statement before it or its own.
    fn end_line(&mut self, line: Vec<u8>) {
        let is_margin = line
            .first()
            .is_some_and(|byte| !matches!(byte, b' ' | b'\t'));
        // Decorators belong to the statement after them.
        let is_decorated = self.lines.last().is_some_and(|last| last.starts_with(b"@"));
        if self.is_compound
            && !self.scan.is_open()
            && is_margin
            && !is_decorated
            && !continues(&line)
        {
            self.flush();
        }
        let is_first = self.lines.is_empty();
        let (scan, last) = self.scan.after(&line);
        self.scan = scan;
        if is_first && is_blank(&line) && !scan.is_open() {
            return;
        }
        self.gathered += line.len() + 1;
        self.is_compound |= last == Some(b':') && !scan.is_open()
            // `if x: f()` is complete, but the prompt waits for an empty line after it.
            || is_first && (line.starts_with(b"@") || begins_block(&line));
        self.lines.push(line);
        if !self.is_compound && !scan.is_open() {
            self.flush();
        }
    }

    /// Makes the lines so far a statement.
    fn flush(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        (self.scan, self.is_compound, self.gathered) = (Scan::default(), false, 0);
        while lines.last().is_some_and(|line| is_blank(line)) {
            lines.pop();
        }
        let is_plain = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let statement = match lines.as_slice() {
            [] => return,
            [line] if is_plain(line) && !begins_block(line) && !line.starts_with(b"@") => {
                Statement::Line(line.clone())
            }
            _ => Statement::Block(lines.join(&b'\n')),
        };
        self.ready.push_back(statement);
    }
}

/// Whether a line has nothing but white space.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The first word of a line.
fn word(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

/// Whether a line without indentation continues the compound statement before it. A comment does.
fn continues(line: &[u8]) -> bool {
    matches!(word(line), b"else" | b"elif" | b"except" | b"finally") || line.starts_with(b"#")
}

/// Whether a line begins a compound statement, even one on a single line.
fn begins_block(line: &[u8]) -> bool {
    matches!(
        word(line),
        b"if" | b"for" | b"while" | b"try" | b"with" | b"def" | b"class" | b"async"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(source: &str) -> Vec<Statement> {
        let mut statements = Statements::default();
        statements.feed(source.as_bytes());
        statements.end();
        std::iter::from_fn(|| statements.next(false)).collect()
    }

    fn line(text: &str) -> Statement {
        Statement::Line(text.into())
    }

    fn block(text: &str) -> Statement {
        Statement::Block(text.into())
    }

    #[test]
    fn every_line_end_counts_once() {
        let expected = [line("a=1"), line("b=2"), line("c=3")];
        for source in [
            "a=1\nb=2\nc=3",
            "a=1\r\nb=2\r\nc=3\r\n",
            "a=1\rb=2\rc=3\r",
            "\n\na=1\n\nb=2\r\n\r\nc=3\n",
        ] {
            assert_eq!(cut(source), expected, "{source:?}");
        }
    }

    #[test]
    fn compound_statements_stay_together() {
        let body = "def f(x):\n  if x:\n    return 1\n\n  else:\n    return 2";
        assert_eq!(
            cut(&format!("{body}\nprint(f(0))\n")),
            [block(body), line("print(f(0))")]
        );
        let chain = "try:\n 1/0\nexcept ZeroDivisionError:\n print('x')\nfinally:\n pass";
        assert_eq!(cut(&format!("{chain}\nx")), [block(chain), line("x")]);
        assert_eq!(
            cut("@d\ndef f(): pass\nf()\n"),
            [block("@d\ndef f(): pass"), line("f()")]
        );
        assert_eq!(
            cut("if 1: print(2)\nprint(3)"),
            [block("if 1: print(2)"), line("print(3)")]
        );
    }

    #[test]
    fn brackets_strings_and_backslashes_join_lines() {
        for source in [
            "x = [1,\n2]",
            "x = '''a\n# '\nb'''",
            "x = 1 + \\\n2",
            "print('(', \")\",\n3)",
        ] {
            assert_eq!(cut(source), [block(source)], "{source:?}");
        }
        assert_eq!(
            cut("x = '('  # {\nprint(x)"),
            [line("x = '('  # {"), line("print(x)")]
        );
    }

    #[test]
    fn lines_that_the_prompt_would_change_are_pasted() {
        assert_eq!(cut("print('你好')"), [block("print('你好')")]);
        assert_eq!(cut("x = '\t'"), [block("x = '\t'")]);
        assert_eq!(
            cut("a\x04b"),
            [Statement::Raw(b"a\x04".to_vec()), line("b")]
        );
    }

    #[test]
    fn a_typed_block_ends_at_an_empty_line() {
        let mut statements = Statements::default();
        statements.feed(b"for i in range(2):\n print(i)\n");
        assert_eq!(statements.next(true), None);
        statements.feed(b"\n");
        assert_eq!(statements.next(false), None);
        assert_eq!(
            statements.next(true),
            Some(block("for i in range(2):\n print(i)"))
        );
        statements.feed(b"x\ny");
        assert_eq!(statements.next_line(), Some(b"x".to_vec()));
        assert_eq!(statements.next_line(), None);
    }

    proptest! {
        #[test]
        fn no_line_is_lost(lines in proptest::collection::vec("[a-c:(){}\\[\\]#'\"\\\\ ]{0,8}", 0..12)) {
            let source = lines.join("\n");
            let kept: Vec<u8> = cut(&source)
                .into_iter()
                .flat_map(|statement| match statement {
                    Statement::Line(text) | Statement::Block(text) | Statement::Raw(text) => text,
                })
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect();
            let all: Vec<u8> = source.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            prop_assert_eq!(kept, all);
        }
    }
}
