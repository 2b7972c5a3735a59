//! What udpcli knows about the interpreter after its own last run in the same connection: `run --watch` needs no look at
//! it then, and often no soft reset, which takes 0.2 to 1 s.
//!
//! A program is self-contained if it imports only modules without a state of their own and calls nothing that reaches
//! beyond its own names. After such a program udpcli deletes these names, and checks that as many are left as after the
//! soft reset. Whatever is doubtful leads to a soft reset.

use super::WORK;
use crate::board::error::Error;
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

/// Modules that keep something, with what a program may use of them without leaving a trace. A soft reset keeps
/// the files, and the direction and level of each pin: `machine_pins_deinit` in the ESP32 port's `machine_pin.c` removes only
/// the interrupt handlers.
const WITH_STATE: [(&str, &[&str]); 6] = [
    ("gc", &["collect", "mem_free", "mem_alloc"]),
    ("machine", &["Pin", "ADC", "unique_id", "time_pulse_us"]),
    ("os", &OF_OS),
    ("uos", &OF_OS),
    (
        "sys",
        &[
            "exit",
            "print_exception",
            "stdin",
            "stdout",
            "stderr",
            "version",
            "version_info",
            "implementation",
            "platform",
            "byteorder",
            "maxsize",
        ],
    ),
    ("usys", &["exit", "print_exception", "stdin", "stdout"]),
];

/// What of `os` changes only files, which a soft reset keeps too.
const OF_OS: [&str; 13] = [
    "listdir", "ilistdir", "stat", "statvfs", "uname", "urandom", "getcwd", "mkdir", "rmdir",
    "remove", "unlink", "rename", "sync",
];

/// Words with which a program reaches more than its own names, or hides what the deletion relies on.
const REACHING: [&str; 13] = [
    "__import__",
    "__dict__",
    "compile",
    "eval",
    "exec",
    "execfile",
    "globals",
    "hasattr",
    // A pin that calls a function of the program.
    "irq",
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
    /// What ran since then.
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
    /// None since: what was left is deleted, or the interpreter started anew.
    Nothing { is_clean: bool },
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
            // The agent hooks methods of the display object, which deleting names does not undo.
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

    /// Deletes what the last program left, or soft-resets. Does nothing the second time.
    ///
    /// # Errors
    /// The board does not come back.
    pub fn prepare(&mut self, repl: &mut Repl) -> Result<(), Error> {
        if matches!(self.last, Last::Unknown | Last::Nothing { .. }) {
            return Ok(());
        }
        let is_clean = self.clean(repl);
        if !is_clean {
            repl.soft_reset()?;
        }
        self.last = Last::Nothing { is_clean };
        Ok(())
    }

    /// Whether the names are those that it knows already.
    pub(super) fn is_clean(&self) -> bool {
        matches!(self.last, Last::Nothing { is_clean: true })
    }

    /// Deletes what a self-contained program left. False if a soft reset is needed.
    fn clean(&self, repl: &mut Repl) -> bool {
        let (Last::SelfContained(imports), Some(names)) = (&self.last, &self.names) else {
            return false;
        };
        let code = cleaning(imports, names);
        let doing = Doing::LookingAtInterpreter;
        match repl.exec_short(SubmitMode::Plain, doing, code.as_bytes(), WORK) {
            // The count proves that nothing was added by a thread, and none of the boot's names is missing.
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
        .filter(|name| is_module(name))
        .map(|name| format!("if {name} is not __import__('{name}'):1/0\n"))
        .collect();
    format!(
        "{}{}for _ in[n for n in globals()]:\n if _ not in'{}'.split():del globals()[_]\nglobals().pop('_',0)\nprint('~%d~'%len(globals()),end='')",
        imported.concat(),
        kept.concat(),
        names.join(" ")
    )
}

/// Whether a byte may belong to a Python name; all of UTF-8's other bytes count, because names may be Chinese.
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
        word != "__name__" && !is_module(word) && names.iter().any(|name| name == word)
    };
    if words.any(|word| REACHING.contains(&word) || is_known(word)) || sets_name(text) {
        return None;
    }
    // A file that nobody closes is closed by a soft reset.
    if text.matches("open").count() != text.matches("with open(").count() {
        return None;
    }
    let mut imports: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let modules: Vec<&str> = match words.next() {
            Some("import") => imported(line)?,
            Some("from") => {
                let module = words.next().unwrap_or_default();
                allows_names(module, line)?;
                vec![module]
            }
            _ => Vec::new(),
        };
        // One that is not at the beginning of its line.
        if line.contains("import") && (modules.is_empty() || line.contains(';')) {
            return None;
        }
        if modules.is_empty()
            && !WITH_STATE
                .iter()
                .all(|(module, uses)| allows_uses(module, uses, line))
        {
            return None;
        }
        for module in modules {
            if !is_module(module) {
                return None;
            }
            if !imports.iter().any(|known| known == module) {
                imports.push(module.to_owned());
            }
        }
    }
    Some(imports)
}

/// Whether udpcli knows what the module keeps.
fn is_module(name: &str) -> bool {
    STATELESS.contains(&name) || uses_of(name).is_some()
}

/// What may be used of a module that keeps something.
fn uses_of(module: &str) -> Option<&'static [&'static str]> {
    let found = WITH_STATE.iter().find(|(name, _)| *name == module);
    found.map(|(_, uses)| *uses)
}

/// The modules of an `import` line. One that keeps something must not get another name.
fn imported(line: &str) -> Option<Vec<&str>> {
    let list = line.trim_start().strip_prefix("import").unwrap_or_default();
    let mut modules = Vec::new();
    for part in list.split(',') {
        let mut words = part.split_whitespace();
        let module = words.next().unwrap_or_default();
        if words.next().is_some() && uses_of(module).is_some() {
            return None;
        }
        modules.push(module);
    }
    Some(modules)
}

/// Whether a `from` line takes only names that may be used.
fn allows_names(module: &str, line: &str) -> Option<()> {
    let Some(uses) = uses_of(module) else {
        return Some(());
    };
    let (_, names) = line.split_once("import")?;
    let is_allowed = |name: &str| uses.contains(&name.trim());
    names.split(',').all(is_allowed).then_some(())
}

/// Whether every mention of a module in a line is `MODULE.NAME` with a name that may be used.
fn allows_uses(module: &str, uses: &[&str], line: &str) -> bool {
    let is_word = |text: &str| text.bytes().next().is_some_and(is_of_word);
    // By hand and not with `match_indices`, because the byte before a match decides whether it is the end of another
    // name.
    let mut rest = line;
    let mut before = "";
    while let Some(at) = rest.find(module) {
        let (head, tail) = rest.split_at(at);
        let tail = tail.get(module.len()..).unwrap_or_default();
        let last = if head.is_empty() { before } else { head };
        let begins = !last.bytes().next_back().is_some_and(is_of_word);
        if begins && !is_word(tail) {
            let Some(name) = tail.strip_prefix('.') else {
                return false;
            };
            let len = name.bytes().take_while(|byte| is_of_word(*byte)).count();
            if !uses.contains(&name.get(..len).unwrap_or_default()) {
                return false;
            }
        }
        before = module;
        rest = tail;
    }
    true
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
            ("import network", None),
            ("from mpython import *", None),
            ("import time, sys", Some(&["time", "sys"])),
            ("import sys\nsys.exit(sys.maxsize)", Some(&["sys"])),
            ("import sys\nsys.path.append('x')", None),
            ("import sys\nprint(sys)", None),
            ("import sys as s\ns.path", None),
            ("from sys import stdin, path", None),
            ("from sys import *", None),
            ("from sys import stdin, exit", Some(&["sys"])),
            ("import os\nos.chdir('/lib')", None),
            (
                "import os\nprint(os.listdir(), os.stat('x'))",
                Some(&["os"]),
            ),
            (
                "import machine\nled = machine.Pin(2, machine.Pin.OUT)",
                Some(&["machine"]),
            ),
            ("from machine import Pin\nPin(0).irq(print)", None),
            ("from machine import Pin, Timer", None),
            ("import machine\nmachine.freq(80000000)", None),
            ("import machine\nt = machine.Timer(0)", None),
            ("x = {'sys': 1}", None),
            ("system = cosys = 1", Some(&[])),
            ("with open('x') as f: pass", Some(&[])),
            ("f = open('x')", None),
            ("x = 1; import machine", None),
            ("import time; import machine", None),
            ("import time\\\n, machine", None),
            ("from time import *; import sys", None),
            ("bdev = None", None),
            ("if __name__ == '__main__': pass", Some(&[])),
            ("__name__ = 'x'", None),
            ("from time import *; import sys", None),
            ("import gc\ngc.collect()", Some(&["gc"])),
            ("import gc\ngc.disable()", None),
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
