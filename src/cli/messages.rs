//! `udpcli messages`: lists the messages that `send HOST:PORT @NAME` sends.

use clap::Args;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::cli::output;
use crate::cli::value::TextOrJson;
use crate::config::{self, Message, PROJECT_FILE, Set, quoted};
use crate::error::{Error, Outcome};
use crate::terminal::sanitize;

/// The maximum width of the names' column; longer names do not shift the others.
const NAMES_AT_MOST: usize = 24;

/// The arguments of `udpcli messages`.
#[derive(Debug, Args)]
pub(crate) struct MessagesArgs {
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Prints the messages of the project's file, in its order.
///
/// # Errors
/// The file is wrong; stdout cannot be written.
pub(crate) fn run(args: &MessagesArgs) -> Result<Outcome, Error> {
    let project = config::project()?;
    let is_there = project.is_some();
    let messages = project.unwrap_or_default().messages;
    if messages.is_empty() {
        if is_there {
            tracing::info!(say = "named.none", path = PROJECT_FILE);
        } else {
            tracing::info!(say = "named.none-without-file", path = PROJECT_FILE);
        }
    }
    let text = match args.format {
        TextOrJson::Text => table(&messages),
        TextOrJson::Json => {
            let objects = messages
                .iter()
                .map(|message| format!("{}\n", object(message)));
            objects.collect()
        }
    };
    output::print(text.as_bytes())
}

/// A line per message: its name as one types it, and what its definition says.
fn table(messages: &[Set<Message>]) -> String {
    let rows: Vec<(String, String)> = messages
        .iter()
        .map(|message| {
            let name = format!("@{}", message.value.name);
            let pairs = message.value.pairs().into_iter();
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{key} = {}", quoted(&value)))
                .collect();
            (sanitize::for_terminal(&name).into_owned(), pairs.join(", "))
        })
        .collect();
    let widths = rows.iter().map(|(name, _)| name.width());
    let width = widths.filter(|&width| width <= NAMES_AT_MOST).max();
    let width = width.unwrap_or(0);
    let lines = rows.iter().map(|(name, definition)| {
        let gap = " ".repeat(width.saturating_sub(name.width()));
        format!("{name}{gap}  {definition}\n")
    });
    lines.collect()
}

/// A message as an object.
fn object(message: &Set<Message>) -> Value {
    let mut object = json!({"name": message.value.name});
    if let Some(object) = object.as_object_mut() {
        let pairs = message.value.pairs().into_iter();
        object.extend(pairs.map(|(key, value)| (key.to_owned(), json!(value))));
        object.insert("line".to_owned(), json!(message.line));
    }
    object
}
