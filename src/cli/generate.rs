//! `completions` and `man`, generated from the definitions that also parse the command line.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::atomic_file;
use crate::cli::output;
use crate::cli::{complete, help};
use crate::error::{Error, Outcome};
use crate::file;
use crate::text::sentence::{Sentence, sentence};
use crate::words;

/// The arguments of `udpcli completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum)]
    shell: Shell,
}

/// The arguments of `udpcli man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

/// Prints the completion script.
///
/// # Errors
/// stdout cannot be written.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Outcome, Error> {
    let script = complete::script(args.shell).map_err(|source| {
        Error::File(file::Error::Write {
            object: sentence!("cli.completion-script"),
            source,
        })
    })?;
    output::print(&script)
}

/// Prints one man page with a part per command, or writes one page per command into a folder.
///
/// # Errors
/// stdout, the folder or a file in it cannot be written.
pub(crate) fn man(args: &ManArgs) -> Result<Outcome, Error> {
    let failed =
        |object: Sentence| move |source| Error::File(file::Error::Write { object, source });
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        render_man(&mut page).map_err(failed(sentence!("cli.man-page")))?;
        return output::print(&help::man_page(&page));
    };
    std::fs::create_dir_all(folder).map_err(failed(folder.display().to_string().into()))?;
    let command = help::command();
    write_pages(&command, "udpcli", folder)
}

/// Writes the pages of `command` and, recursively, of its subcommands.
fn write_pages(command: &clap::Command, name: &str, folder: &Path) -> Result<Outcome, Error> {
    let path = folder.join(format!("{name}.1"));
    let written = render_page(command, name)
        .and_then(|page| atomic_file::write(&path, &help::man_page(&page)));
    written.map_err(|source| {
        Error::File(file::Error::Write {
            object: path.display().to_string().into(),
            source,
        })
    })?;
    for sub in subcommands(command) {
        write_pages(sub, &format!("{name}-{}", sub.get_name()), folder)?;
    }
    Ok(Outcome::Done)
}

/// The subcommands of `command` that have a page.
fn subcommands(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    command
        .get_subcommands()
        // clap's own `help` has no page of its own, and hidden commands are for users of mpremote.
        .filter(|sub| sub.get_name() != "help" && !sub.is_hide_set())
}

/// Renders the page of one command.
pub(super) fn render_page(command: &clap::Command, name: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let man = Man::new(command.clone())
        .title(name)
        .source(concat!("udpcli ", env!("CARGO_PKG_VERSION")));
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if let Some(examples) = command.get_after_help() {
        append_plain("SH", "EXAMPLES", &examples.to_string(), &mut page)?;
    }
    // SEE ALSO lists the parent command and the subcommands.
    let above = name.rsplit_once('-').map(|(above, _)| above.to_owned());
    let below = subcommands(command).map(|sub| format!("{name}-{}", sub.get_name()));
    let related = above
        .into_iter()
        .chain(below)
        .map(|name| format!("{name}(1)"));
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(words::these(related))]);
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// Renders one page with a part per command.
pub(super) fn render_man(page: &mut Vec<u8>) -> io::Result<()> {
    let command = help::command();
    let man = Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if let Some(examples) = command.get_after_help() {
        append_plain("SH", "EXAMPLES AND EXIT CODES", &examples.to_string(), page)?;
    }
    render_subcommands(&command, "udpcli", page)
}

/// Renders a part per subcommand, recursively. Sections cannot be nested in man(7), so each title has the command's
/// full name.
fn render_subcommands(parent: &clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    for sub in subcommands(parent) {
        let mut part = Vec::new();
        let man = Man::new(sub.clone());
        man.render_synopsis_section(&mut part)?;
        man.render_description_section(&mut part)?;
        man.render_options_section(&mut part)?;
        let name = format!("{name} {}", sub.get_name());
        let mut title = Roff::new();
        title.control("SH", [name.to_uppercase().as_str()]);
        if let Some(about) = sub.get_about() {
            title.text([roman(about.to_string())]);
        }
        title.to_writer(page)?;
        let part = String::from_utf8_lossy(&part).replace("\n.SH ", "\n.SS ");
        page.extend_from_slice(
            part.strip_prefix(".SH ")
                .map_or(part.clone(), |rest| format!(".SS {rest}"))
                .as_bytes(),
        );
        if let Some(examples) = sub.get_after_help() {
            append_plain("SS", "EXAMPLES", &examples.to_string(), page)?;
        }
        render_subcommands(sub, &name, page)?;
    }
    Ok(())
}

/// Appends a section without filling (`.nf`), so that its line breaks are kept.
fn append_plain(level: &str, title: &str, text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control(level, [title]);
    roff.control("nf", []);
    // Skip the first line, which repeats the title.
    for line in text.lines().skip(1) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff.to_writer(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::catalogue;
    use crate::words::language::Language;

    /// The English catalogue has exactly the words that clap itself writes in some command.
    #[test]
    fn the_words_of_clap_are_known() {
        let mut command = help::command();
        let mut text = command.render_long_help().to_string();
        text += &command.render_help().to_string();
        for sub in command.get_subcommands_mut() {
            text += &sub.render_long_help().to_string();
            text += &sub.render_help().to_string();
        }
        let mut page = Vec::new();
        render_man(&mut page).expect("a page in memory");
        page.extend(render_page(&command, "udpcli").expect("in memory"));
        text += &String::from_utf8(page).expect("UTF-8");
        for id in help::OF_CLAP.iter().chain(&help::OF_MAN) {
            let id = format!("help.{id}");
            let theirs = catalogue::lookup_in(Language::English, &id).expect("a text");
            assert!(text.contains(&theirs), "{theirs}");
        }
    }
}
