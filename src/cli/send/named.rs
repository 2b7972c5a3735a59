//! `send HOST:PORT @NAME`: messages of the project's file, alone or among ordinary ones.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::cli::send::payload::payload;
use crate::cli::send::{DEFAULT_WAIT, SendArgs};
use crate::config::{self, Message, PROJECT_FILE, PayloadForm, Project, Set};
use crate::error::Error;
use crate::text::encoding::TextEncoding;
use crate::text::escape;
use crate::text::nearest::nearest;
use crate::text::random::Random;
use crate::text::sentence::{Sentence, sentence};
use crate::text::template::{self, RenderState, Template};
use crate::udp;
use crate::udp::payload::TextRules;
use crate::udp::payload::source::Source;
use crate::udp::payload::templates::{Item, Templates};
use crate::udp::send::{Exchange, ReplyPlan};
use crate::words::catalogue::say;

/// The messages of a command line that contains at least one name.
pub(super) struct NamedMessages {
    /// The messages in order.
    messages: Vec<ReadyMessage>,
    /// The steps, if the messages are a conversation.
    pub(super) steps: Option<Vec<Exchange>>,
}

/// A message with the values of its definition and of the flags.
struct ReadyMessage {
    /// The message's name, or the beginning of its text.
    name: String,
    /// What is sent.
    content: NamedPayload,
    /// The reply that must come.
    expect: Option<Vec<u8>>,
    /// How long to wait for it.
    wait: Option<Duration>,
    /// Its encoding, which is also that of its replies.
    encoding: TextEncoding,
}

/// What a message sends.
enum NamedPayload {
    /// Always the same.
    Bytes(Vec<u8>),
    /// Filled in when it is due.
    Template(Item),
}

/// Whether an argument names a message: `@led-on`, but not `@@text`.
pub(super) fn is_name(message: &OsStr) -> bool {
    // A message that is not UTF-8 may be a name as well.
    let bytes = message.as_encoded_bytes();
    bytes.starts_with(b"@") && !bytes.starts_with(b"@@")
}

/// An ordinary message without its escaping `@`: `@@text` is `@text`.
pub(super) fn literal(message: &OsStr) -> OsString {
    match message.to_str().and_then(|text| text.strip_prefix('@')) {
        Some(text) if text.starts_with('@') => text.into(),
        Some(_) => message.to_owned(),
        None => without_first_byte(message),
    }
}

/// The same for text that is not UTF-8.
#[cfg(unix)]
fn without_first_byte(message: &OsStr) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;

    match message.as_bytes().strip_prefix(b"@") {
        Some(text) if text.starts_with(b"@") => OsStr::from_bytes(text).to_owned(),
        _ => message.to_owned(),
    }
}

#[cfg(not(unix))]
fn without_first_byte(message: &OsStr) -> OsString {
    message.to_owned()
}

/// The messages, if one of them is named.
pub(super) fn of(args: &SendArgs, rules: TextRules) -> Result<Option<NamedMessages>, Error> {
    if !args.messages.iter().any(|message| is_name(message)) {
        return Ok(None);
    }
    let project = config::project()?;
    let mut messages = Vec::with_capacity(args.messages.len());
    for message in &args.messages {
        messages.push(if is_name(message) {
            let found = find(message, project.as_ref())?;
            named(&found.value, args, rules)?
        } else {
            ordinary(message, args, rules)?
        });
    }
    let steps = steps(&messages, args)?;
    Ok(Some(NamedMessages { messages, steps }))
}

/// The message with the name that was typed.
fn find<'a>(typed: &OsStr, project: Option<&'a Project>) -> Result<&'a Set<Message>, Error> {
    let typed = typed.to_string_lossy();
    let name = typed.strip_prefix('@').unwrap_or(&typed);
    if name.is_empty() {
        return Err(Error::usage_hint(
            say!("named.no-name"),
            say!("named.no-name.hint"),
        ));
    }
    let known = project.map_or(&[][..], |project| &project.messages);
    if let Some(found) = known.iter().find(|message| message.value.name == name) {
        return Ok(found);
    }
    let shown = escape::excerpt(name.as_bytes());
    let names: Vec<&str> = known
        .iter()
        .map(|known| known.value.name.as_str())
        .collect();
    let hint = match nearest(name, &names) {
        Some(nearest) => say!(
            "named.unknown.hint-nearest",
            nearest = nearest,
            text = &shown
        ),
        None => say!("named.unknown.hint", text = &shown),
    };
    let problem = if project.is_none() {
        say!("named.no-file", name = &shown, file = PROJECT_FILE)
    } else {
        say!("named.unknown", name = &shown, file = PROJECT_FILE)
    };
    Err(Error::usage_hint(problem, hint))
}

/// A message as it stands on the command line.
fn ordinary(message: &OsStr, args: &SendArgs, rules: TextRules) -> Result<ReadyMessage, Error> {
    let mut bytes = payload(&literal(message), rules)?;
    let name = format!("\"{}\"", rules.encoding.excerpt(&bytes));
    if let Some(append) = args.append {
        append.append(0, &mut bytes);
    }
    Ok(ReadyMessage {
        name,
        content: NamedPayload::Bytes(bytes),
        expect: None,
        wait: None,
        encoding: rules.encoding,
    })
}

/// A message from the file. Flags apply if its definition does not set the value. `-e` does not apply, because TOML has
/// its own escapes.
fn named(message: &Message, args: &SendArgs, rules: TextRules) -> Result<ReadyMessage, Error> {
    let Message {
        name,
        content,
        expect,
        wait,
    } = message;
    let own = content.encoding.as_ref();
    let rules = TextRules {
        escapes: false,
        encoding: own.map_or(rules.encoding, |own| own.encoding),
        ..rules
    };
    let append = content.append.or(args.append);
    let what = || sentence!("named.message", name = name);
    let fixed = |mut bytes: Vec<u8>| {
        if let Some(append) = append {
            append.append(0, &mut bytes);
        }
        NamedPayload::Bytes(bytes)
    };
    let content = match &content.body {
        PayloadForm::Text(text) => {
            let mut bytes = Vec::new();
            rules.append(text, what, &mut bytes)?;
            fixed(bytes)
        }
        PayloadForm::Hex(bytes) => fixed(bytes.clone()),
        PayloadForm::File(file) => {
            let path = config::beside(Path::new(PROJECT_FILE), file);
            let what = || sentence!("named.message-of", name = name, file = PROJECT_FILE);
            fixed(config::payload(&path, what)?)
        }
        PayloadForm::Template(text) => {
            let place = template::Place::Message { lines: false };
            NamedPayload::Template(Item {
                template: parsed(text, what, place, rules)?,
                append,
            })
        }
    };
    let encoded = |text: &String| -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let rules = TextRules {
            line_ending: "",
            ..rules
        };
        rules.append(text, || sentence!("send.the-expected-text"), &mut bytes)?;
        Ok(bytes)
    };
    Ok(ReadyMessage {
        name: format!("@{name}"),
        content,
        expect: expect.as_ref().map(encoded).transpose()?,
        wait: *wait,
        encoding: rules.encoding,
    })
}

/// A template, with the line ending after it.
pub(super) fn parsed(
    text: &str,
    what: impl Fn() -> Sentence,
    place: template::Place<'_>,
    rules: TextRules,
) -> Result<Template, Error> {
    let template_rules = template::TemplateOptions {
        escapes: rules.escapes,
        encoding: rules.encoding,
        place,
    };
    let mut parsed = Template::parse(text, template_rules).map_err(|source| {
        Error::Udp(udp::error::Error::Template {
            what: what(),
            fields: place.fields(),
            is_cut: false,
            source,
        })
    })?;
    let mut ending = Vec::new();
    let rules = TextRules {
        escapes: false,
        ..rules
    };
    rules.append("", || "--line-ending".into(), &mut ending)?;
    parsed.push(ending);
    Ok(parsed)
}

/// The steps, if a message says which reply must come, or if a report about each is wanted.
fn steps(messages: &[ReadyMessage], args: &SendArgs) -> Result<Option<Vec<Exchange>>, Error> {
    let is_checked = |message: &ReadyMessage| message.expect.is_some() || message.wait.is_some();
    if !args.wants_report() && !messages.iter().any(is_checked) {
        return Ok(None);
    }
    // In a conversation, each message defines its own required reply.
    for (flag, is_given) in [
        ("--expect", args.expect.is_some()),
        ("--replies", args.replies.is_some()),
    ] {
        if is_given {
            return Err(Error::usage_hint(
                say!("named.not-in-a-conversation", flag = flag),
                say!("named.not-in-a-conversation.hint", file = PROJECT_FILE),
            ));
        }
    }
    let step = |message: &ReadyMessage| {
        let is_checked = is_checked(message) || args.wait.is_some();
        let wait = message.wait.or(args.wait).unwrap_or(DEFAULT_WAIT);
        Exchange {
            name: message.name.clone(),
            replies: ReplyPlan {
                // Replies to the other messages are not needed.
                wait: if is_checked { wait } else { Duration::ZERO },
                wanted: None,
                expect: message.expect.clone(),
            },
            is_checked,
            encoding: message.encoding,
        }
    };
    Ok(Some(messages.iter().map(step).collect()))
}

impl NamedMessages {
    /// How many messages there are in a round.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// The encoding of the messages, if all have the same.
    pub(super) fn encoding(&self) -> Option<TextEncoding> {
        let mut encodings = self.messages.iter().map(|message| message.encoding);
        let first = encodings.next()?;
        encodings.all(|other| other == first).then_some(first)
    }

    /// The plan for the socket of a conversation: it receives replies, and each step defines the reply that it waits
    /// for.
    pub(super) fn reply_plan(&self) -> Option<ReplyPlan> {
        self.steps.as_ref().map(|_| ReplyPlan {
            wait: Duration::ZERO,
            wanted: None,
            expect: None,
        })
    }

    /// The payloads. If one of them is a template, all of them are rendered when they are due.
    pub(super) fn source(&mut self, rounds: Option<u64>) -> Source {
        let messages = std::mem::take(&mut self.messages);
        let is_template =
            |message: &ReadyMessage| matches!(message.content, NamedPayload::Template(_));
        if messages.iter().any(is_template) {
            let items = messages.into_iter().map(|message| match message.content {
                NamedPayload::Template(item) => item,
                NamedPayload::Bytes(bytes) => Item {
                    template: Template::literal(bytes),
                    append: None,
                },
            });
            let state = RenderState::new(Random::new(None));
            return Source::templates(Templates::new(items.collect(), state), rounds);
        }
        let payloads = messages
            .into_iter()
            .filter_map(|message| match message.content {
                NamedPayload::Bytes(bytes) => Some(bytes),
                NamedPayload::Template(_) => None,
            });
        Source::fixed(payloads.collect(), rounds)
    }
}
