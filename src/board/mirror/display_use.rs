//! Which displays a program draws with, judged by its text and by those of the files on the board that it imports.

use std::time::Duration;

use super::agent;
use crate::board::error::Error;
use crate::board::literal;
use crate::board::operation::Doing;
use crate::board::program::known;
use crate::board::repl::Repl;

/// Searches the files that a program imports.
const FIND: &str = include_str!("../scripts/minified/display_use.py");

/// The timeout for reading the files.
const READ: Duration = Duration::from_secs(3);

/// The limit for the number of modules to look for.
const MAX_MODULES: usize = 32;

/// Modules of the firmware that draw on no display by themselves, beside those that keep nothing of a program.
const OF_FIRMWARE: [&str; 12] = [
    "_thread",
    "asyncio",
    "esp",
    "esp32",
    "mpython",
    "network",
    "ntptime",
    "select",
    "socket",
    "uasyncio",
    "urequests",
    "usocket",
];

/// Which displays a program draws with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DisplayUse {
    /// Perhaps one of the firmware's module `mpython`, or the colour display.
    pub(crate) any: bool,
    /// The colour display of the board 3.0, through `lv_oled`.
    pub(crate) lcd: bool,
}

impl DisplayUse {
    /// What a program's own text says.
    fn of_text(program: &[u8]) -> Self {
        Self {
            any: agent::is_of_use_to(program),
            lcd: agent::draws_on_lcd(program),
        }
    }
}

/// Which displays a program draws with. If its own text leaves that open, the files on the board that it imports are read.
///
/// # Errors
/// The line has failed. A board that cannot tell is none that draws.
pub(crate) fn of_program(repl: &mut Repl, program: &[u8]) -> Result<DisplayUse, Error> {
    let own = DisplayUse::of_text(program);
    let modules = imported(program);
    if own.lcd || modules.is_empty() {
        return Ok(own);
    }
    let imports = of_modules(repl, &modules)?;
    Ok(DisplayUse {
        any: own.any || imports.any,
        lcd: imports.lcd,
    })
}

/// Which displays these modules draw with, as far as they are files on the board.
///
/// # Errors
/// As [`of_program`].
pub(crate) fn of_modules(repl: &mut Repl, modules: &[&str]) -> Result<DisplayUse, Error> {
    let list: Vec<String> = modules.iter().map(|name| literal::quoted(name)).collect();
    let code = format!(
        "{FIND}_u([{}],['lv_oled','mpython','oled'])\ndel _u\n",
        list.join(",")
    );
    let answer = match repl.exec(Doing::LookingForDisplay, code.as_bytes(), READ) {
        Ok(answer) => answer,
        Err(Error::Refused { .. }) => return Ok(DisplayUse::default()),
        Err(error) => return Err(error),
    };
    let answer = String::from_utf8_lossy(&answer);
    // Something else may print in between.
    let words = answer.split('~').nth(1).unwrap_or_default();
    Ok(DisplayUse::of_text(words.as_bytes()))
}

/// The modules that a program imports, without those of which no file draws.
fn imported(program: &[u8]) -> Vec<&str> {
    let Ok(text) = std::str::from_utf8(program) else {
        return Vec::new();
    };
    let mut modules = Vec::new();
    for line in text.lines() {
        // `try: import shower` and `a = 1; import shower` have the word in the middle of the line.
        let code = line.split('#').next().unwrap_or_default();
        let mut words = code
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':'))
            .filter(|word| !word.is_empty())
            .skip_while(|word| !matches!(*word, "import" | "from"));
        let is_from = words.next() == Some("from");
        for name in words.take(if is_from { 1 } else { usize::MAX }) {
            let is_name = name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
            if is_name
                && name != "as"
                && !known::is_module(name)
                && !OF_FIRMWARE.contains(&name)
                && !modules.contains(&name)
                && modules.len() < MAX_MODULES
            {
                modules.push(name);
            }
        }
    }
    modules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_imported_modules_are_found() {
        for (source, modules) in [
            ("import shower\n", &["shower"][..]),
            (
                "import time, shower as s, other.part\n",
                &["shower", "s", "other.part"],
            ),
            ("from shower import draw, line\n", &["shower"]),
            ("try: import shower\nexcept: pass\n", &["shower"]),
            ("def f():\n\tfrom lib.shower import *\n", &["lib.shower"]),
            ("from mpython import *\nimport socket, time, machine\n", &[]),
            ("# import shower\nx = 'import'\nprint(x) # from y\n", &[]),
            ("import shower\nimport shower\n", &["shower"]),
        ] {
            assert_eq!(imported(source.as_bytes()), modules, "{source:?}");
        }
        let many: Vec<_> = (0..100).map(|n| format!("m{n}")).collect();
        let many = format!("import {}\n", many.join(", "));
        assert_eq!(imported(many.as_bytes()).len(), MAX_MODULES);
        assert!(imported(b"import \xff\n").is_empty());
    }
}
