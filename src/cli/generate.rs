//! `completions` and `man`, made from the same definitions that parse the command line.

use std::io;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::cli::Cli;
use crate::error::{Error, Outcome};
use crate::output;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli completions bash > ~/.local/share/bash-completion/completions/udpcli
  udpcli completions zsh > ~/.zfunc/_udpcli
  udpcli completions fish > ~/.config/fish/completions/udpcli.fish
  udpcli completions powershell >> $PROFILE")]
pub struct CompletionsArgs {
    /// Shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the man page
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  udpcli man > ~/.local/share/man/man1/udpcli.1
  udpcli man | man -l -")]
pub struct ManArgs {}

/// Prints the script.
///
/// # Errors
/// stdout cannot be written.
pub fn completions(args: &CompletionsArgs) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "udpcli", &mut script);
    output::print(&script)
}

/// Prints the man page: the program's, then a part for each command.
///
/// # Errors
/// stdout cannot be written.
pub fn man(_: &ManArgs) -> Result<Outcome, Error> {
    let mut page = Vec::new();
    render_man(&mut page).map_err(|source| Error::Write {
        object: "the man page".to_owned(),
        source,
    })?;
    output::print(&page)
}

fn render_man(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
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

/// A part for each command under `parent`, and for those under them. Section titles cannot nest in man(7): each
/// command's parts carry its whole name instead.
fn render_subcommands(parent: &clap::Command, name: &str, page: &mut Vec<u8>) -> io::Result<()> {
    for sub in parent
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
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

/// A section whose lines stay as they are.
fn append_plain(level: &str, title: &str, text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control(level, [title]);
    roff.control("nf", []);
    for line in text.lines().filter(|line| !line.starts_with("Examples")) {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
    roff.to_writer(page)
}
