//! Parses and validates configuration files. Every error has the line and the column of the problem.
//!
//! Long because each setting has its check here.

use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::error::{At, Error, Mismatch};
use super::mistakes;
use super::{
    Append, ConfiguredPayload, ConfiguredReply, Encoding, Lang, Message, PayloadForm, Project, Set,
    User,
};
use crate::text::encoding::TextEncoding;
use crate::text::expression::ExpressionBudget;
use crate::text::pattern::{MAX_EXPRESSIONS, MAX_RULES, Pattern};
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::quoted;
use crate::text::template::{Place, Template, TemplateOptions};
use crate::text::{duration, fullwidth, hex};

/// The keys of each table.
const PROJECT: [&str; 4] = ["exclude", "messages", "names", "replies"];
const USER: [&str; 3] = ["baud", "lang", "serial"];
const BODIES: [&str; 4] = ["text", "hex", "template", "file"];
const MESSAGE: [&str; 8] = [
    "append", "encoding", "expect", "file", "hex", "template", "text", "wait",
];
const REPLY: [&str; 9] = [
    "append", "delay", "drop", "encoding", "file", "hex", "on", "template", "text",
];

/// The valid baud rates.
const BAUD: std::ops::RangeInclusive<u64> = 50..=12_000_000;

/// The maximum of `wait` and `delay`.
const LONGEST: Duration = Duration::from_hours(24);

/// Decodes the file as UTF-8, without the byte-order mark that Windows editors may write.
pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Error> {
    let at = |line, column| At {
        path: path.to_owned(),
        line,
        column,
    };
    // Notepad's *Unicode* and PowerShell's `>` write UTF-16. It is not UTF-8, but the user knows it only as "saved
    // wrongly".
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::Syntax {
            at: at(1, 1),
            problem: sentence!("config.utf-16"),
            typed: None,
        });
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let (line, column) = line_and_column(&String::from_utf8_lossy(before), valid);
        Error::Syntax {
            at: at(line, column),
            problem: sentence!("config.not-utf-8"),
            typed: None,
        }
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The line and column, both from 1, of a byte offset.
fn line_and_column(text: &str, place: usize) -> (usize, usize) {
    let before = text.get(..place).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// The byte offset of each line.
fn line_starts(text: &str) -> Vec<usize> {
    let after = text.match_indices('\n').map(|(end, _)| end + 1);
    std::iter::once(0).chain(after).collect()
}

/// Reads the project's file.
pub(crate) fn project(path: &Path, text: &str, user_path: Option<&Path>) -> Result<Project, Error> {
    let lines = line_starts(text);
    let reader = SettingsReader::new(path, text, &lines);
    let mut project = Project::default();
    for entry in reader.document()? {
        match entry.name.as_ref() {
            "names" => project.names = Some(entry.set(entry.text()?)),
            "exclude" => project.exclude = Some(entry.set(entry.texts()?)),
            "messages" => {
                for message in entry.table(&sentence!("config.wanted-message"))? {
                    let value = message.message()?;
                    project.messages.push(message.set(value));
                }
            }
            "replies" => project.replies = entry.replies()?,
            // The project's file is passed on: a port of one PC must not come with it.
            key if USER.contains(&key) => {
                return Err(Error::NotOfProject {
                    at: entry.at(),
                    key: key.to_owned(),
                    user_path: user_path.map(Path::to_owned),
                });
            }
            _ => return Err(entry.unknown("", &PROJECT)),
        }
    }
    Ok(project)
}

/// Reads a file of replies.
pub(crate) fn replies(path: &Path, text: &str) -> Result<Vec<Set<ConfiguredReply>>, Error> {
    let lines = line_starts(text);
    let reader = SettingsReader::new(path, text, &lines);
    let mut replies = Vec::new();
    for entry in reader.document()? {
        match entry.name.as_ref() {
            "replies" => replies = entry.replies()?,
            _ => return Err(entry.unknown("", &["replies"])),
        }
    }
    Ok(replies)
}

/// Reads the user's file.
pub(crate) fn user(path: &Path, text: &str) -> Result<User, Error> {
    let lines = line_starts(text);
    let reader = SettingsReader::new(path, text, &lines);
    let mut user = User::default();
    for entry in reader.document()? {
        match entry.name.as_ref() {
            "serial" => user.serial = Some(entry.set(entry.text()?)),
            "baud" => {
                let baud = entry.number()?;
                let fitting = u32::try_from(baud).ok().filter(|_| BAUD.contains(&baud));
                let baud = fitting.ok_or_else(|| {
                    entry.wrong(sentence!(
                        "config.no-baud",
                        baud = baud,
                        least = BAUD.start(),
                        most = BAUD.end()
                    ))
                })?;
                user.baud = Some(entry.set(baud));
            }
            "lang" => user.lang = Some(entry.set(entry.parsed::<Lang>()?)),
            key if PROJECT.contains(&key) => {
                return Err(Error::NotOfUser {
                    at: entry.at(),
                    key: key.to_owned(),
                });
            }
            _ => return Err(entry.unknown("", &USER)),
        }
    }
    Ok(user)
}

/// A file being read.
#[derive(Clone, Copy)]
struct SettingsReader<'a> {
    /// The file, for errors.
    path: &'a Path,
    /// Its text.
    text: &'a str,
    /// The byte offset of each line.
    lines: &'a [usize],
}

/// A key and its value.
struct KeyValue<'a> {
    reader: SettingsReader<'a>,
    /// The key.
    name: String,
    /// The byte offset of the key.
    place: usize,
    /// The value.
    value: DeValue<'a>,
    /// The byte offset of the value.
    value_place: usize,
}

impl<'a> SettingsReader<'a> {
    fn new(path: &'a Path, text: &'a str, lines: &'a [usize]) -> Self {
        Self { path, text, lines }
    }

    /// The line, from 1, of a byte offset. Every entry asks, so it does not count the lines of the file again.
    fn line(&self, place: usize) -> usize {
        self.lines.partition_point(|&start| start <= place)
    }

    /// The position of a byte offset.
    fn at(&self, place: usize) -> At {
        let (line, column) = line_and_column(self.text, place);
        At {
            path: self.path.to_owned(),
            line,
            column,
        }
    }

    /// The entries of the file's top level.
    fn document(self) -> Result<Vec<KeyValue<'a>>, Error> {
        let document = DeTable::parse(self.text).map_err(|error| {
            // Only the error for too deep nesting has no position.
            let place = match error.span() {
                Some(span) => span.start,
                None => self.most_dotted_line(),
            };
            let there = self.text.get(place..).unwrap_or_default().chars().next();
            Error::Syntax {
                at: self.at(place),
                problem: mistakes::sentence_for(error.message(), there),
                typed: there
                    .filter(|&c| fullwidth::first_typed(c.encode_utf8(&mut [0; 4])).is_some()),
            }
        })?;
        Ok(self.entries(document.into_inner()))
    }

    /// The start of the line with the most dots, as a guess where a dotted key nests too deeply.
    fn most_dotted_line(self) -> usize {
        let lines = self.text.split_inclusive('\n').scan(0, |start, line| {
            let this = *start;
            *start += line.len();
            Some((line.matches('.').count(), this))
        });
        lines.max().map_or(0, |(_, start)| start)
    }

    /// The entries of a table in the order of the file.
    fn entries(self, table: DeTable<'a>) -> Vec<KeyValue<'a>> {
        let mut entries: Vec<KeyValue<'a>> = table
            .into_iter()
            .map(
                |(key, value): (Spanned<DeString<'a>>, Spanned<DeValue<'a>>)| {
                    let Range { start: place, .. } = key.span();
                    let Range {
                        start: value_place, ..
                    } = value.span();
                    KeyValue {
                        reader: self,
                        name: key.into_inner().into_owned(),
                        place,
                        value: value.into_inner(),
                        value_place,
                    }
                },
            )
            .collect();
        // The parser's table is sorted by key. The order of replies matters, and the first error should be the first
        // in the file.
        entries.sort_by_key(|entry| entry.place);
        entries
    }
}

impl<'a> KeyValue<'a> {
    fn at(&self) -> At {
        self.reader.at(self.place)
    }

    /// A value with the line of this key.
    fn set<T>(&self, value: T) -> Set<T> {
        Set {
            value,
            line: self.reader.line(self.place),
        }
    }

    /// The error for a key that the table does not have.
    fn unknown(&self, table: &str, known: &[&'static str]) -> Error {
        Error::UnknownKey {
            at: self.at(),
            key: self.name.clone(),
            table: table.to_owned(),
            known: known.to_vec(),
        }
    }

    /// An error for an invalid value.
    fn wrong(&self, problem: Sentence) -> Error {
        Error::Value {
            at: self.reader.at(self.value_place),
            key: self.name.clone(),
            problem,
        }
    }

    /// An error for a value that is a text and cannot be parsed.
    fn wrong_text(&self, text: &str, problem: Sentence) -> Error {
        self.wrong(sentence!(
            "config.value-problem",
            value = quoted(text),
            problem => problem
        ))
    }

    /// The error for a value of another type than `wanted`.
    fn wrong_type(&self, wanted: Sentence) -> Error {
        Error::WrongType {
            at: self.reader.at(self.value_place),
            mismatch: Box::new(Mismatch {
                key: self.name.as_str().into(),
                wanted,
                found: kind(&self.value),
            }),
        }
    }

    /// The value as a text that is not empty.
    fn text(&self) -> Result<String, Error> {
        match &self.value {
            DeValue::String(text) if text.is_empty() => {
                Err(self.wrong(sentence!("config.empty-text")))
            }
            DeValue::String(text) => Ok(text.clone().into_owned()),
            _ => Err(self.wrong_type(sentence!("config.wanted-text"))),
        }
    }

    /// The value as a list of texts, none of them empty.
    fn texts(&self) -> Result<Vec<String>, Error> {
        let DeValue::Array(array) = &self.value else {
            return Err(self.wrong_type(sentence!("config.wanted-texts")));
        };
        let mut texts = Vec::with_capacity(array.len());
        for item in array {
            match item.get_ref() {
                DeValue::String(text) if !text.is_empty() => texts.push(text.clone().into_owned()),
                other => {
                    return Err(Error::WrongType {
                        at: self.reader.at(item.span().start),
                        mismatch: Box::new(Mismatch {
                            key: sentence!("config.each-entry", key = &self.name),
                            wanted: sentence!("config.wanted-full-text"),
                            found: kind(other),
                        }),
                    });
                }
            }
        }
        Ok(texts)
    }

    /// The value as an unsigned integer.
    fn number(&self) -> Result<u64, Error> {
        let DeValue::Integer(number) = &self.value else {
            return Err(self.wrong_type(sentence!("config.wanted-number")));
        };
        u64::from_str_radix(number.as_str(), number.radix())
            .map_err(|_| self.wrong(sentence!("config.out-of-range", number = number)))
    }

    /// The value as a text, parsed into `T`.
    fn parsed<T: FromStr<Err = Sentence>>(&self) -> Result<T, Error> {
        let text = self.text()?;
        text.parse()
            .map_err(|problem| self.wrong_text(&text, problem))
    }

    /// The value as a duration, or as a number of seconds.
    fn duration(&self) -> Result<Duration, Error> {
        let text = match &self.value {
            DeValue::String(text) => text.clone().into_owned(),
            // Only decimal: `0x10` seconds would be a slip.
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => return Err(self.wrong_type(sentence!("config.wanted-duration"))),
        };
        match duration::parse(&text) {
            Ok(duration) if duration > LONGEST => Err(self.wrong(sentence!("config.over-a-day"))),
            Ok(duration) => Ok(duration),
            Err(problem) => Err(self.wrong_text(&text, problem)),
        }
    }

    /// The value as a percentage: a number from 0 to 100, or a text such as `"20%"`.
    fn percent(&self) -> Result<f64, Error> {
        let text = match &self.value {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => return Err(self.wrong_type(sentence!("config.wanted-percent"))),
        };
        match text.strip_suffix('%').unwrap_or(&text).parse() {
            // The range does not contain `nan` either, which is a number in TOML.
            Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
            _ => Err(self.wrong_text(&text, sentence!("config.percent"))),
        }
    }

    /// The entries of the value, which must be a table; `wanted` names what belongs there.
    fn table(self, wanted: &Sentence) -> Result<Vec<Self>, Error> {
        match self.value {
            DeValue::Table(table) => Ok(self.reader.entries(table)),
            _ => Err(self.wrong_type(wanted.clone())),
        }
    }

    /// Parses a table `[messages.NAME]`.
    fn message(&self) -> Result<Message, Error> {
        // The characters that need no quotes after `@` in a shell.
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.name.is_empty() || !self.name.chars().all(is_name) {
            return Err(Error::Value {
                at: self.at(),
                key: quoted(&self.name),
                problem: sentence!("config.message-name"),
            });
        }
        let DeValue::Table(table) = &self.value else {
            return Err(self.wrong_type(sentence!("config.wanted-message")));
        };
        let name = format!("messages.{}", self.name);
        let (mut expect, mut wait) = (None, None);
        let (content, template) = self.content(table, &name, &MESSAGE, |entry| {
            match entry.name.as_str() {
                "expect" => expect = Some(entry.text()?),
                "wait" => wait = Some(entry.duration()?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if content.encoding.is_some() && !content.is_encoded() && expect.is_none() {
            return Err(self.without_text(&name));
        }
        self.check_template(&content, template, Place::Message { lines: false })?;
        Ok(Message {
            name: self.name.clone(),
            content,
            expect,
            wait,
        })
    }

    /// Parses the array of tables `[[replies]]`.
    fn replies(&self) -> Result<Vec<Set<ConfiguredReply>>, Error> {
        let DeValue::Array(array) = &self.value else {
            return Err(self.wrong_type(sentence!("config.wanted-replies")));
        };
        self.check_count(array)?;
        let mut replies = Vec::with_capacity(array.len());
        let mut memory = ExpressionBudget::default();
        for (item, number) in array.iter().zip(1..) {
            let name = format!("replies[{number}]");
            let entry = KeyValue {
                reader: self.reader,
                name: name.clone(),
                place: item.span().start,
                value: item.get_ref().clone(),
                value_place: item.span().start,
            };
            let DeValue::Table(table) = &entry.value else {
                return Err(entry.wrong_type(sentence!("config.wanted-replies")));
            };
            let (mut on, mut delay, mut drop) = (None, None, None);
            let (content, template) = entry.content(table, &name, &REPLY, |entry| {
                match entry.name.as_str() {
                    "on" => on = Some((entry.text()?, entry.value_place)),
                    "delay" => delay = Some(entry.duration()?),
                    "drop" => drop = Some(entry.percent()?),
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            if content.encoding.is_some() && !content.is_encoded() {
                return Err(entry.without_text(&name));
            }
            let (on, place) = on.ok_or_else(|| entry.wrong(sentence!("config.no-pattern")))?;
            let pattern = Pattern::parse(&on, false, content.text_encoding())
                .and_then(|pattern| pattern.take_memory(&mut memory).map(|()| pattern))
                .map_err(|error| Error::Value {
                    at: entry.reader.at(place),
                    key: "on".to_owned(),
                    problem: (&error).into(),
                })?;
            let groups = pattern.groups();
            entry.check_template(&content, template, Place::Reply(&groups))?;
            replies.push(entry.set(ConfiguredReply {
                on,
                pattern,
                content,
                delay,
                drop,
            }));
        }
        Ok(replies)
    }

    /// Checks how many patterns there are before any is compiled.
    fn check_count(&self, array: &DeArray<'a>) -> Result<(), Error> {
        let too_many = |item: &Spanned<DeValue<'a>>, problem: Sentence| Error::Value {
            at: self.reader.at(item.span().start),
            key: self.name.clone(),
            problem,
        };
        if let Some(item) = array.get(MAX_RULES) {
            let problem = sentence!("messages.too-many-rules", most = MAX_RULES);
            return Err(too_many(item, problem));
        }
        let is_expression = |item: &&Spanned<DeValue<'a>>| {
            let on = item.get_ref().get("on");
            let on = on.and_then(|on| on.get_ref().as_str());
            on.is_some_and(Pattern::is_expression)
        };
        if let Some(item) = array.iter().filter(is_expression).nth(MAX_EXPRESSIONS) {
            let problem = sentence!("messages.too-many-expressions", most = MAX_EXPRESSIONS);
            return Err(too_many(item, problem));
        }
        Ok(())
    }

    /// Checks the fields of a template, which begins at `place` in the file.
    fn check_template(
        &self,
        content: &ConfiguredPayload,
        place: usize,
        fields: Place<'_>,
    ) -> Result<(), Error> {
        let PayloadForm::Template(text) = &content.body else {
            return Ok(());
        };
        let rules = TemplateOptions {
            escapes: false,
            encoding: content.text_encoding(),
            place: fields,
        };
        let parsed = Template::parse(text, rules).map(drop);
        parsed.map_err(|error| Error::Value {
            at: self.reader.at(place),
            key: "template".to_owned(),
            problem: (&error).into(),
        })
    }

    /// The error for an encoding where nothing is text.
    fn without_text(&self, name: &str) -> Error {
        Error::Value {
            at: self.at(),
            key: name.to_owned(),
            problem: sentence!("config.encoding-of-bytes"),
        }
    }

    /// Parses the keys that messages and replies share; `other` handles the keys that only one of them has. Also gives
    /// the byte offset of the payload.
    fn content(
        &self,
        table: &DeTable<'a>,
        name: &str,
        known: &[&'static str],
        mut other: impl FnMut(&Self) -> Result<bool, Error>,
    ) -> Result<(ConfiguredPayload, usize), Error> {
        let mut body: Option<(String, PayloadForm)> = None;
        let mut place = 0;
        let (mut encoding, mut append) = (None, None);
        for entry in self.reader.entries(table.clone()) {
            let found = match entry.name.as_str() {
                // Unlike other texts this one may be empty: an empty datagram is valid.
                "text" => match &entry.value {
                    DeValue::String(text) => PayloadForm::Text(text.clone().into_owned()),
                    _ => return Err(entry.wrong_type(sentence!("config.wanted-text"))),
                },
                "hex" => {
                    let text = entry.text()?;
                    let bytes = hex::parse(&text).map_err(|error| entry.wrong((&error).into()))?;
                    PayloadForm::Hex(bytes)
                }
                "template" => PayloadForm::Template(entry.text()?),
                "file" => PayloadForm::File(entry.text()?),
                "encoding" => {
                    encoding = Some(Encoding {
                        label: entry.text()?,
                        encoding: entry.parsed::<TextEncoding>()?,
                    });
                    continue;
                }
                "append" => {
                    append = Some(entry.parsed::<Append>()?);
                    continue;
                }
                _ if other(&entry)? => continue,
                _ => return Err(entry.unknown(name, known)),
            };
            if let Some((first, _)) = &body {
                return Err(Error::Value {
                    at: entry.at(),
                    key: name.to_owned(),
                    problem: sentence!("config.two-bodies", first = first, second = &entry.name),
                });
            }
            place = entry.value_place;
            body = Some((entry.name, found));
        }
        let Some((_, body)) = body else {
            return Err(Error::Value {
                at: self.at(),
                key: name.to_owned(),
                problem: sentence!("config.no-body", keys <- Sentence::verbatim_list(BODIES)),
            });
        };
        let content = ConfiguredPayload {
            body,
            encoding,
            append,
        };
        Ok((content, place))
    }
}

impl ConfiguredPayload {
    /// Whether the payload is text, to which the encoding applies.
    fn is_encoded(&self) -> bool {
        matches!(self.body, PayloadForm::Text(_) | PayloadForm::Template(_))
    }

    /// The encoding of the text; UTF-8 if none is set.
    fn text_encoding(&self) -> TextEncoding {
        let named = self.encoding.as_ref();
        named.map_or_else(TextEncoding::default, |named| named.encoding)
    }
}

/// What a value is, for an error.
fn kind(value: &DeValue<'_>) -> Sentence {
    match value {
        DeValue::String(text) if text.is_empty() => sentence!("config.found-empty-text"),
        DeValue::String(_) => sentence!("config.found-text"),
        DeValue::Integer(_) => sentence!("config.found-number"),
        DeValue::Float(_) => sentence!("config.found-fraction"),
        DeValue::Boolean(_) => sentence!("config.found-boolean"),
        DeValue::Datetime(_) => sentence!("config.found-date"),
        DeValue::Array(_) => sentence!("config.found-list"),
        DeValue::Table(_) => sentence!("config.found-table"),
    }
}

#[cfg(test)]
mod tests;
