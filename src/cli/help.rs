//! Help texts. Parsing needs no help texts: clap's definitions are bare, and the texts come from the catalogue only
//! when they are shown.
//!
//! A command's id is its path (`help.board-run`; the program's own is `help.udpcli`), with `.long` for what only `--help`
//! says and `.after` for what follows the options. An argument's id is its command's and its own (`help.send-count`), with
//! `.value-NAME` for each value that it takes. A heading is `help.heading-socket`; the words that clap puts in itself are
//! `help.clap-..`.

mod wrapping;

use std::ffi::OsString;

use clap::builder::{PossibleValue, PossibleValuesParser, Resettable, Str, StyledStr};
use clap::{Arg, Command, CommandFactory as _};

use crate::cli::Cli;
use crate::words::catalogue;
use crate::words::language::{self, Language};

/// Commands that this build lacks: they say so instead.
const LEFT_OUT: &[&str] = if cfg!(feature = "flash") {
    &[]
} else if cfg!(feature = "board") {
    &["board-flash"]
} else {
    &["board", "pair"]
};

/// The words that clap writes itself, in English, with their IDs in `help`.
pub(super) const OF_CLAP: [&str; 10] = [
    "clap-usage",
    "clap-commands",
    "clap-arguments",
    "clap-options",
    "clap-any-options",
    "clap-any-command",
    "clap-values",
    "clap-values-inline",
    "clap-default",
    "clap-variable",
];

/// The titles of a man page's sections, likewise.
pub(super) const OF_MAN: [&str; 7] = [
    "man-name",
    "man-synopsis",
    "man-description",
    "man-options",
    "man-examples",
    "man-examples-and-codes",
    "man-see-also",
];

/// The command line with its texts, in the current language.
#[must_use]
pub(crate) fn command() -> Command {
    // `layout` breaks the lines.
    fill(Cli::command().term_width(0))
}

/// Puts the texts into the bare command line, or into a copy of it.
pub(super) fn fill(command: Command) -> Command {
    Texts {
        find: &mut |id| catalogue::lookup(&format!("help.{id}")),
    }
    .fill(command)
}

/// clap's answer to arguments that ask for help, wrapped for the terminal.
pub(super) fn answer(args: &[OsString], color: bool) -> String {
    let Err(answer) = command().try_get_matches_from(args) else {
        return String::new();
    };
    let text = if color {
        answer.render().ansi().to_string()
    } else {
        answer.render().to_string()
    };
    wrapping::wrap(&in_our_words(&text), wrapping::columns())
}

/// Translates the words that clap writes itself into the current language.
pub(super) fn in_our_words(text: &str) -> String {
    let mut text = text.to_owned();
    if language::current() == Language::English {
        return text;
    }
    for id in OF_CLAP {
        let id = format!("help.{id}");
        let theirs = catalogue::lookup_in(Language::English, &id);
        if let (Some(theirs), Some(ours)) = (theirs, catalogue::lookup(&id)) {
            text = text.replace(&theirs, &ours);
        }
    }
    wrapping::with_wide_colons(&text)
}

/// A man page with its sections' titles and clap's words in the current language.
pub(super) fn man_page(page: &[u8]) -> Vec<u8> {
    let page = String::from_utf8_lossy(page);
    let command = catalogue::lookup("help.clap-any-command").unwrap_or_default();
    let command = command.trim_matches(['<', '>']);
    let page = page.replace(r"<\fIsubcommands\fR>", &format!(r"<\fI{command}\fR>"));
    if language::current() == Language::English {
        return page.into_bytes();
    }
    let mut out = String::with_capacity(page.len());
    for line in in_our_words(&page).lines() {
        let title = [".SH ", ".SS "].iter().find_map(|macro_name| {
            let title = line.strip_prefix(macro_name)?.trim_matches('"');
            let id = OF_MAN
                .iter()
                .map(|id| format!("help.{id}"))
                .find(|id| catalogue::lookup_in(Language::English, id).as_deref() == Some(title))?;
            Some(format!("{macro_name}{}", catalogue::lookup(&id)?))
        });
        out.push_str(title.as_deref().unwrap_or(line));
        out.push('\n');
        if line.starts_with(".TH ") {
            // groff breaks lines between Chinese characters with this.
            out.push_str(".mso zh.tmac\n");
        }
    }
    out.into_bytes()
}

/// Where the texts come from, by their ids in `help`.
struct Texts<'a> {
    find: &'a mut dyn FnMut(&str) -> Option<String>,
}

impl Texts<'_> {
    /// Puts the texts into a command and all below it.
    fn fill(&mut self, command: Command) -> Command {
        let mut command = self.command(command, "");
        // Makes the arguments and commands that clap adds.
        command.build();
        let command = self.added(command);
        if command.find_subcommand("board").is_none() {
            return command;
        }
        command.mut_subcommand("board", |board| board.mut_subcommands(for_its_boards))
    }

    /// The text with this id, if there is one.
    fn text(&mut self, id: &str) -> Option<StyledStr> {
        (self.find)(id).map(StyledStr::from)
    }

    /// What every language has.
    fn word(&mut self, id: &str) -> StyledStr {
        self.text(id).unwrap_or_default()
    }

    /// The text with the part that only `--help` shows; none if there is no such part.
    fn long(&mut self, id: &str, text: Option<&StyledStr>) -> Option<StyledStr> {
        let more = (self.find)(&format!("{id}.long"))?;
        Some(format!("{}\n\n{more}", text.cloned().unwrap_or_default()).into())
    }

    /// Puts the texts into one command and those below it; `path` has its names.
    fn command(&mut self, command: Command, path: &str) -> Command {
        let id = match path {
            "" => "udpcli".to_owned(),
            path if LEFT_OUT.contains(&path) => format!("{path}-left-out"),
            path => path.to_owned(),
        };
        let about = self.text(&id);
        let command = command
            .long_about(Resettable::from(self.long(&id, about.as_ref())))
            .about(Resettable::from(about))
            .after_help(Resettable::from(self.text(&format!("{id}.after"))));
        let command = command.mut_args(|arg| self.argument(arg, path));
        command.mut_subcommands(|sub| {
            let path = join(path, sub.get_name());
            self.command(sub, &path)
        })
    }

    /// Puts the texts into an argument.
    fn argument(&mut self, arg: Arg, path: &str) -> Arg {
        if arg.is_hide_set() {
            return arg;
        }
        let id = join(path, &arg.get_id().as_str().replace('_', "-"));
        let help = self.text(&id);
        let heading = arg.get_help_heading().map(|heading| self.heading(heading));
        let values: Vec<PossibleValue> = arg
            .get_possible_values()
            .into_iter()
            .map(|value| {
                let help = self.text(&format!("{id}.value-{}", value.get_name()));
                value.help(Resettable::from(help))
            })
            .collect();
        let arg = arg
            .long_help(Resettable::from(self.long(&id, help.as_ref())))
            .help(Resettable::from(help))
            .help_heading(Resettable::from(heading));
        if values.is_empty() {
            arg
        } else {
            arg.value_parser(PossibleValuesParser::new(values))
        }
    }

    /// A heading. clap keeps a reference to it: a few bytes per argument, in a process that ends after its help.
    fn heading(&mut self, heading: &str) -> Str {
        let id = format!("heading-{}", heading.to_lowercase().replace(' ', "-"));
        let text = (self.find)(&id).unwrap_or_else(|| heading.to_owned());
        let text: &'static str = text.leak();
        text.into()
    }

    /// The texts of `--help`, `--version` and `help`.
    fn added(&mut self, command: Command) -> Command {
        let command = command.mut_args(|arg| match arg.get_id().as_str() {
            "help" => arg
                .help(self.word("clap-help-more"))
                .long_help(self.word("clap-help-summary")),
            "version" => arg.help(self.word("clap-version")),
            _ => arg,
        });
        command.mut_subcommands(|sub| {
            let sub = if sub.get_name() == "help" {
                sub.about(self.word("clap-help-command"))
            } else {
                sub
            };
            self.added(sub)
        })
    }
}

/// Hides the flags for several boards in the help of a command for one board.
fn for_its_boards(command: Command) -> Command {
    let is_hidden: fn(&str) -> bool = match command.get_name() {
        "info" | "put" | "run" | "flash" | "reset" | "rm" | "oled" => return command,
        "list" => |id| ["all", "jobs"].contains(&id),
        _ => |id| ["all", "jobs", "names"].contains(&id),
    };
    command.mut_args(|arg| {
        let hide = is_hidden(arg.get_id().as_str());
        if hide { arg.hide(true) } else { arg }
    })
}

/// The id of what is below `path`.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}-{name}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use fluent_syntax::ast::Entry;

    use super::*;

    /// The ids in the catalogue's help.
    fn known() -> BTreeSet<String> {
        let source = include_str!("../words/en/help.ftl");
        let resource = fluent_syntax::parser::parse(source).expect("a catalogue");
        let mut ids = BTreeSet::new();
        for entry in resource.body {
            if let Entry::Message(message) = entry {
                let id = message.id.name;
                let attributes = message.attributes.iter();
                ids.extend(attributes.map(|attribute| format!("{id}.{}", attribute.id.name)));
                ids.insert(id.to_owned());
            }
        }
        ids
    }

    #[test]
    fn every_command_argument_value_and_heading_has_its_text_and_no_text_is_unused() {
        let known = known();
        let mut asked = BTreeSet::new();
        Texts {
            find: &mut |id| {
                asked.insert(id.to_owned());
                known.contains(id).then(|| "text".to_owned())
            },
        }
        .fill(Cli::command());
        let mut values: BTreeMap<&str, BTreeSet<bool>> = BTreeMap::new();
        for id in &asked {
            if let Some((argument, _)) = id.split_once(".value-") {
                values
                    .entry(argument)
                    .or_default()
                    .insert(known.contains(id));
            } else if id.split('.').nth(1) != Some("long") && !id.contains("-left-out.") {
                assert!(known.contains(id), "help.{id} is missing");
            }
        }
        for (argument, has_text) in values {
            assert_eq!(
                has_text.len(),
                1,
                "help.{argument} has texts for some values only"
            );
        }
        // Smaller builds ask for less.
        if cfg!(feature = "flash") {
            let of_clap = OF_CLAP.iter().chain(&OF_MAN);
            let of_clap: BTreeSet<String> = of_clap.map(ToString::to_string).collect();
            let unused = known.iter().filter(|id| {
                !asked.contains(*id) && !of_clap.contains(*id) && !id.ends_with("-left-out")
            });
            assert_eq!(unused.collect::<Vec<_>>(), [""; 0], "nothing uses these");
        }
    }
}
