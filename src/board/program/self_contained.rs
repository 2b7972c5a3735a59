//! Whether a program is self-contained: it imports only modules without a state of their own, and calls nothing that
//! reaches beyond its own names.

/// Modules that keep no state from a program.
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

/// Modules with a state of their own, and the names in them that a program may use without changing that state. A soft
/// reset keeps the files, and the direction and level of each pin: `machine_pins_deinit` in the ESP32 port's
/// `machine_pin.c` removes only the interrupt handlers.
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

/// The functions of `os` that change only files, which a soft reset keeps, too.
const OF_OS: [&str; 13] = [
    "listdir", "ilistdir", "stat", "statvfs", "uname", "urandom", "getcwd", "mkdir", "rmdir",
    "remove", "unlink", "rename", "sync",
];

/// Words with which a program reaches more than its own names, or hides names that the deletion relies on.
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

/// Whether a byte may belong to a Python name; all of UTF-8's other bytes count, because names may be Chinese.
pub(super) fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The modules that a program imports, if it is self-contained. Comments and texts count as if they were code: a
/// doubtful program is not self-contained.
pub(super) fn self_contained(source: &[u8], names: &[String]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(source).ok()?;
    let mut words = source
        .split(|byte| !is_of_word(*byte))
        .filter(|word| !word.is_empty())
        .filter_map(|word| std::str::from_utf8(word).ok());
    // `if __name__ == '__main__':` reads it. The board checks whether a module's name still means the module.
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
        // An import that is not at the beginning of its line.
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

/// Whether udpcli knows the module's state.
pub(crate) fn is_module(name: &str) -> bool {
    STATELESS.contains(&name) || uses_of(name).is_some()
}

/// The names that a program may use of a module with a state.
fn uses_of(module: &str) -> Option<&'static [&'static str]> {
    let found = WITH_STATE.iter().find(|(name, _)| *name == module);
    found.map(|(_, uses)| *uses)
}

/// The modules of an `import` line. A module with a state must not get another name.
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
    // A loop instead of `match_indices`, because the byte before a match decides whether the match is the end of
    // another name.
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
