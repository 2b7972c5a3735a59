//! What udpcli knows about the interpreter after its own last run in the same connection: `run --watch` needs no look at
//! it then, and often no soft reset, which takes 0.2 to 1 s.
//!
//! A program is self-contained if it imports only modules without a state of their own and calls nothing that reaches
//! beyond its own names. After such a program udpcli deletes these names, and checks that as many are left as after the
//! soft reset. Whatever is doubtful leads to a soft reset.

use super::WORK;
use crate::board::operation::Doing;
use crate::board::repl::{Repl, SubmitMode};

/// Modules that keep nothing of what a program did with them.
const STATELESS: [&str; 17] = [
    "array",
    "binascii",
    "cmath",
    "collections",
    "json",
    "math",
    "re",
    "struct",
    "time",
    "ubinascii",
    "ucollections",
    "ujson",
    "ure",
    "urandom",
    "random",
    "ustruct",
    "utime",
];

/// Words with which a program reaches more than its own names, or hides what the deletion relies on.
const REACHING: [&str; 12] = [
    "__import__",
    "__dict__",
    "compile",
    "eval",
    "exec",
    "execfile",
    "globals",
    "hasattr",
    "locals",
    "seed",
    "setattr",
    "delattr",
];

/// The most names that an interpreter has after a soft reset.
const MOST_NAMES: usize = 64;

/// What is known about the interpreter before a run.
#[derive(Debug, Default)]
pub struct InterpreterState {
    /// The names after the last soft reset.
    names: Option<Vec<String>>,
    last: Last,
}

#[derive(Debug, Default)]
enum Last {
    /// Anything may have happened.
    #[default]
    Unknown,
    /// A program that udpcli started ran. It may have left names, threads or sockets.
    Ours,
    /// A self-contained one with these imports.
    SelfContained(Vec<String>),
}

impl InterpreterState {
    /// Whether udpcli's own program ran last, so that there is nothing to find out.
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self.last, Last::Unknown)
    }

    /// The interpreter is as after a soft reset: remembers its names, if that is of use for this program.
    pub(super) fn learn(&mut self, repl: &mut Repl, source: &[u8]) {
        self.last = Last::Unknown;
        self.names = None;
        if self_contained(source, &[]).is_none() {
            return;
        }
        let code = b"print(' '.join([n for n in globals()]))";
        let doing = Doing::LookingAtInterpreter;
        if let Ok(answer) = repl.exec_short(SubmitMode::Plain, doing, code, WORK) {
            let text = String::from_utf8_lossy(&answer).into_owned();
            let names: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            let is_name = |name: &String| name.bytes().all(is_of_word);
            if names.len() <= MOST_NAMES && names.iter().all(is_name) {
                self.names = Some(names);
            }
        }
    }

    /// A program of udpcli's has ended, and was cleaned up.
    pub(crate) fn ran(&mut self, source: &[u8], has_agent: bool) {
        self.last = match &self.names {
            Some(names) if !has_agent => {
                self_contained(source, names).map_or(Last::Ours, Last::SelfContained)
            }
            _ => Last::Ours,
        };
    }

    /// Something else happened on the board.
    pub(crate) fn forget(&mut self) {
        self.last = Last::Unknown;
    }

    /// Deletes what a self-contained program left. False if a soft reset is needed.
    pub(super) fn clean(&self, repl: &mut Repl) -> bool {
        let (Last::SelfContained(imports), Some(names)) = (&self.last, &self.names) else {
            return false;
        };
        let code = cleaning(imports, names);
        let doing = Doing::LookingAtInterpreter;
        match repl.exec_short(SubmitMode::Plain, doing, code.as_bytes(), WORK) {
            Ok(answer) => answer == format!("~{}~", names.len()).into_bytes(),
            Err(error) => {
                tracing::debug!("soft reset: {error}");
                false
            }
        }
    }
}

/// The code that deletes a program's names. A module that comes from a file of the board's raises an exception.
fn cleaning(imports: &[String], names: &[String]) -> String {
    let imported: Vec<String> = imports
        .iter()
        .map(|module| format!("if hasattr(__import__('{module}'),'__file__'):1/0\n"))
        .collect();
    let kept: Vec<String> = names
        .iter()
        .filter(|name| STATELESS.contains(&name.as_str()))
        .map(|name| format!("if {name} is not __import__('{name}'):1/0\n"))
        .collect();
    format!(
        "{}{}for _ in[n for n in globals()]:\n if _ not in'{}'.split():del globals()[_]\nglobals().pop('_',0)\nprint('~%d~'%len(globals()),end='')",
        imported.concat(),
        kept.concat(),
        names.join(" ")
    )
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The modules that a program imports, if it is self-contained. Comments and texts count as if they were code: what is
/// doubtful is not self-contained.
fn self_contained(source: &[u8], names: &[String]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(source).ok()?;
    let mut words = source
        .split(|byte| !is_of_word(*byte))
        .filter(|word| !word.is_empty())
        .filter_map(|word| std::str::from_utf8(word).ok());
    // `if __name__ == '__main__':` reads it. Whether a module's name still means the module is looked at on the board.
    let is_known = |word: &str| {
        word != "__name__" && !STATELESS.contains(&word) && names.iter().any(|name| name == word)
    };
    if words.any(|word| REACHING.contains(&word) || is_known(word)) || sets_name(text) {
        return None;
    }
    let mut imports: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let modules: Vec<&str> = match words.next() {
            Some("import") => line
                .trim_start()
                .strip_prefix("import")
                .unwrap_or_default()
                .split(',')
                .map(|module| module.split_whitespace().next().unwrap_or_default())
                .collect(),
            Some("from") => vec![words.next().unwrap_or_default()],
            _ => Vec::new(),
        };
        // One that is not at the beginning of its line.
        if line.contains("import") && (modules.is_empty() || line.contains(';')) {
            return None;
        }
        for module in modules {
            if !STATELESS.contains(&module) {
                return None;
            }
            if !imports.iter().any(|known| known == module) {
                imports.push(module.to_owned());
            }
        }
    }
    Some(imports)
}

/// Whether a program may set its own `__name__`.
fn sets_name(text: &str) -> bool {
    text.split("__name__").skip(1).any(|after| {
        let after = after.trim_start();
        after.starts_with('=') && !after.starts_with("==")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_contained_program_reaches_nothing_but_its_own_names() {
        let names = ["__name__", "bdev", "gc", "uos"].map(str::to_owned);
        for (source, imports) in [
            ("x = 1\nprint(x)", Some(&[][..])),
            (
                "import time, math as m\nfrom json import dumps\nimport time",
                Some(&["time", "math", "json"][..]),
            ),
            ("if 1:\n\timport utime\n", Some(&["utime"])),
            ("import machine", None),
            ("from mpython import *", None),
            ("import time, sys", None),
            ("x = 1; import machine", None),
            ("import time; import machine", None),
            ("import time\\\n, machine", None),
            ("from time import *; import sys", None),
            ("bdev = None", None),
            ("if __name__ == '__main__': pass", Some(&[])),
            ("__name__ = 'x'", None),
            ("from time import *; import sys", None),
            ("import gc", None),
            ("globals()['x'] = 1", None),
            ("eval('1')", None),
            ("import random\nrandom.seed(1)", None),
        ] {
            let found = self_contained(source.as_bytes(), &names);
            let found = found
                .as_ref()
                .map(|found| found.iter().map(String::as_str).collect());
            assert_eq!(found, imports.map(<[&str]>::to_vec), "{source}");
        }
    }
}
