//! `udpcli config`, and the settings that other commands read from files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::cli::value::{self, TextOrJson};
use crate::cli::{GlobalArgs, language, output};
use crate::config::{Lang, Origin, PROJECT_FILE, Project, SettingsFiles, quoted};
use crate::error::{Error, Outcome};
use crate::terminal::sanitize;
use crate::text::sentence::{Sentence, sentence};
use crate::words::catalogue::say;

/// The environment variables that override the files.
const SERIAL: &str = "UDPCLI_SERIAL";

/// The variable that names the list of names.
const NAMES: &str = "UDPCLI_NAMES";
const LANG: &str = "UDPCLI_LANG";

/// The default baud rate of MicroPython's REPL.
const DEFAULT_BAUD: u32 = 115_200;

/// The maximum column at which to align the comments; longer lines do not shift the others.
const REMARKS_AT_MOST: usize = 44;

/// The arguments of `udpcli config`.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[arg(short, long, value_name = "PORT")]
    #[cfg_attr(feature = "board", arg(add = crate::cli::complete::serial_ports()))]
    serial: Option<String>,
    #[arg(long, value_name = "N", value_parser = value::baud)]
    baud: Option<u32>,
    #[arg(long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// The settings that board commands and pair read from files.
#[cfg(feature = "board")]
#[derive(Debug, Clone, Default)]
pub(crate) struct SerialSettings {
    /// The user's file.
    path: PathBuf,
    /// The port that the file names.
    serial: Option<crate::config::Set<String>>,
    /// The baud rate that it sets.
    baud: Option<crate::config::Set<u32>>,
    /// The files that the project excludes.
    exclude: Option<crate::config::Set<Vec<String>>>,
}

#[cfg(feature = "board")]
impl SerialSettings {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, or its contents are wrong.
    pub(super) fn read() -> Result<Self, Error> {
        let files = SettingsFiles::read()?;
        let user = files.user.unwrap_or_default();
        Ok(Self {
            path: files.user_path.unwrap_or_default(),
            serial: user.serial,
            baud: user.baud,
            exclude: files.project.and_then(|project| project.exclude),
        })
    }

    /// The serial port, if the file names one.
    pub(super) fn serial(&self) -> Option<&str> {
        let serial = self.serial.as_ref()?;
        tracing::debug!(
            "serial port {} is set in {}",
            serial.value,
            self.place(serial)
        );
        Some(&serial.value)
    }

    /// The baud rate, if the file sets it.
    pub(super) fn baud(&self) -> Option<u32> {
        let baud = self.baud.as_ref()?;
        tracing::debug!("baud rate {} is set in {}", baud.value, self.place(baud));
        Some(baud.value)
    }

    /// The files that the project excludes from copying to a board, with the line of that setting.
    pub(super) fn exclude(&self) -> Option<&crate::config::Set<Vec<String>>> {
        self.exclude.as_ref()
    }

    /// If the port cannot be opened, tells the user which file sets it, because they may have forgotten the setting.
    pub(super) fn explain(&self, error: &Error) {
        if let (Error::Board(crate::board::error::Error::Open { port, .. }), Some(serial)) =
            (error, &self.serial)
            && *port == serial.value
        {
            tracing::info!(
                say = "config.serial-set",
                port = %port,
                path = %self.path.display(),
                line = serial.line,
            );
        }
    }

    /// The place of a setting, for the log.
    fn place<T>(&self, set: &crate::config::Set<T>) -> String {
        format!("{}, line {}", self.path.display(), set.line)
    }
}

/// Prints the settings.
///
/// # Errors
/// A file or a variable is wrong; stdout cannot be written.
pub(crate) fn run(args: &ConfigArgs, global: &GlobalArgs) -> Result<Outcome, Error> {
    let files = SettingsFiles::read()?;
    let settings = settings(args, &files, global.lang);
    let text = match args.format {
        TextOrJson::Text => text(&files, &settings),
        TextOrJson::Json => format!("{}\n", object(&files, &settings)),
    };
    output::print(text.as_bytes())
}

/// The effective value of one setting.
struct Setting {
    /// Its key in the files.
    key: &'static str,
    /// The value in force.
    value: SettingValue,
    /// Where it comes from.
    origin: Origin,
}

/// A value for output.
enum SettingValue {
    /// Not set, with the effect of that.
    Unset(Sentence),
    Text(String),
    Number(u32),
    List(Vec<String>),
}

/// The settings with a single value.
fn settings(args: &ConfigArgs, files: &SettingsFiles, lang: language::Choice) -> Vec<Setting> {
    let user = files.user.clone().unwrap_or_default();
    let project = files.project.clone().unwrap_or_default();
    let variable = |name| {
        // Show a value that is not Unicode, too: the user should see that the variable is set.
        let value = std::env::var_os(name);
        value.map(|value| value.to_string_lossy().into_owned())
    };
    let in_force =
        |key, flag: Option<SettingValue>, named, file: Option<(SettingValue, Origin)>, default| {
            let flag = flag.map(|value| (value, Origin::Flag(named)));
            let (value, origin) = flag.or(file).unwrap_or((default, Origin::Default));
            Setting { key, value, origin }
        };
    // An empty port name means no port, and it still overrides the file.
    let port = |port: String| match port.as_str() {
        "" => SettingValue::Unset(sentence!("config.unset-serial")),
        _ => SettingValue::Text(port),
    };
    // clap has already merged the flag and the variable into one value.
    let lang = match variable(LANG) {
        _ if language::is_given() => Some((lang.to_lang(), Origin::Flag("--lang"))),
        Some(_) => Some((lang.to_lang(), Origin::Environment(LANG))),
        None => user.lang.map(|set| (set.value, Origin::User(set.line))),
    };
    let from_user = |line| Origin::User(line);
    let serial = variable(SERIAL)
        .map(|value| (port(value), Origin::Environment(SERIAL)))
        .or_else(|| {
            let set = user.serial?;
            Some((SettingValue::Text(set.value), from_user(set.line)))
        });
    let baud = user
        .baud
        .map(|set| (SettingValue::Number(set.value), from_user(set.line)));
    // An empty name means no list, and it still overrides the file.
    let list = |path: String| match path.as_str() {
        "" => SettingValue::Unset(sentence!("config.unset-names")),
        _ => SettingValue::Text(path),
    };
    let names = variable(NAMES)
        .map(|value| (list(value), Origin::Environment(NAMES)))
        .or_else(|| {
            let set = project.names?;
            Some((SettingValue::Text(set.value), Origin::Project(set.line)))
        });
    let exclude = project
        .exclude
        .map(|set| (SettingValue::List(set.value), Origin::Project(set.line)));
    let lang = lang.map(|(lang, origin)| (SettingValue::Text(lang.name().to_owned()), origin));
    let auto = SettingValue::Text(Lang::default().name().to_owned());
    vec![
        in_force(
            "serial",
            args.serial.clone().map(port),
            "--serial",
            serial,
            SettingValue::Unset(sentence!("config.unset-serial")),
        ),
        in_force(
            "baud",
            args.baud.map(SettingValue::Number),
            "--baud",
            baud,
            SettingValue::Number(DEFAULT_BAUD),
        ),
        in_force("lang", None, "", lang, auto),
        in_force("exclude", None, "", exclude, SettingValue::List(Vec::new())),
        in_force(
            "names",
            None,
            "",
            names,
            SettingValue::Unset(sentence!("config.unset-names")),
        ),
    ]
}

/// The source of a setting, as text.
fn place(origin: &Origin, files: &SettingsFiles) -> String {
    let user = || {
        files
            .user_path
            .as_deref()
            .unwrap_or(Path::new("config.toml"))
    };
    match origin {
        Origin::Flag(name) => (*name).to_owned(),
        Origin::Environment(name) => say!("config.from-environment", name = name),
        Origin::Project(line) => say!("config.from-file", path = PROJECT_FILE, line = line),
        Origin::User(line) => say!("config.from-file", path = user().display(), line = line),
        Origin::Default => say!("config.from-default"),
    }
}

/// Sanitises the text of a TOML comment: a newline in it would end the comment.
fn remark(text: &str) -> std::borrow::Cow<'_, str> {
    sanitize::for_terminal(text)
}

/// The settings as TOML with comments.
fn text(files: &SettingsFiles, settings: &[Setting]) -> String {
    let project = match files.project {
        Some(_) => say!("config.project", path = PROJECT_FILE),
        None => say!("config.project-missing", path = PROJECT_FILE),
    };
    let user = match (&files.user_path, &files.user) {
        (Some(path), Some(_)) => say!("config.user", path = path.display()),
        (Some(path), None) => say!("config.user-missing", path = path.display()),
        (None, _) => say!("config.user-no-folder"),
    };
    let mut text = format!("# {}\n# {}\n", remark(&project), remark(&user));
    text.push('\n');
    let lines: Vec<(String, String)> = settings
        .iter()
        .map(|setting| {
            let origin = place(&setting.origin, files);
            match &setting.value {
                SettingValue::Unset(why) => {
                    let line = say!("config.unset", key = setting.key, meaning => why.clone());
                    (format!("# {line}"), origin)
                }
                value => (format!("{} = {}", setting.key, toml(value)), origin),
            }
        })
        .collect();
    let widths = lines.iter().map(|(line, _)| line.width());
    let width = widths
        .filter(|&width| width <= REMARKS_AT_MOST)
        .max()
        .unwrap_or(0);
    for (line, origin) in &lines {
        let gap = " ".repeat(width.saturating_sub(line.width()));
        let _ = writeln!(text, "{line}{gap}  # {}", remark(origin));
    }
    let project = files.project.as_ref();
    for message in project.into_iter().flat_map(|project| &project.messages) {
        let head = format!("[messages.{}]", bare_or_quoted(&message.value.name));
        append_table(&head, message.line, message.value.pairs(), &mut text);
    }
    for reply in project.into_iter().flat_map(|project| &project.replies) {
        append_table("[[replies]]", reply.line, reply.value.pairs(), &mut text);
    }
    text
}

/// Appends a table with its place in the file.
fn append_table(head: &str, line: usize, pairs: Vec<(&str, String)>, text: &mut String) {
    // Writing to a String cannot fail.
    let place = say!("config.from-file", path = PROJECT_FILE, line = line);
    let _ = writeln!(text, "\n{head}  # {place}");
    for (key, value) in pairs {
        let _ = writeln!(text, "{key} = {}", quoted(&value));
    }
}

/// Quotes a TOML key unless it is a valid bare key.
fn bare_or_quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if key.chars().all(is_bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// A value as TOML.
fn toml(value: &SettingValue) -> String {
    match value {
        SettingValue::Unset(_) => String::new(),
        SettingValue::Text(text) => quoted(text),
        SettingValue::Number(number) => number.to_string(),
        SettingValue::List(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        }
    }
}

/// The settings as a JSON object.
fn object(files: &SettingsFiles, settings: &[Setting]) -> Value {
    let settings = settings.iter().map(|setting| {
        let value = match &setting.value {
            SettingValue::Unset(_) => Value::Null,
            SettingValue::Text(text) => json!(text),
            SettingValue::Number(number) => json!(number),
            SettingValue::List(texts) => json!(texts),
        };
        entry(setting.key, &value, &setting.origin, files)
    });
    let project = files.project.clone().unwrap_or_default();
    let Project {
        messages, replies, ..
    } = project;
    let table = |pairs: Vec<(&str, String)>| {
        let pairs = pairs.into_iter();
        Value::Object(
            pairs
                .map(|(key, value)| (key.to_owned(), json!(value)))
                .collect(),
        )
    };
    let messages = messages.into_iter().map(|message| {
        let key = format!("messages.{}", message.value.name);
        let value = table(message.value.pairs());
        entry(&key, &value, &Origin::Project(message.line), files)
    });
    let replies = replies.into_iter().map(|reply| {
        let value = table(reply.value.pairs());
        entry("replies", &value, &Origin::Project(reply.line), files)
    });
    let file = |path: &Path, is_there: bool| json!({"path": path.display().to_string(), "found": is_there});
    json!({
        "files": {
            "project": file(Path::new(PROJECT_FILE), files.project.is_some()),
            "user": files.user_path.as_deref().map(|path| file(path, files.user.is_some())),
        },
        "settings": settings.chain(messages).chain(replies).collect::<Vec<Value>>(),
    })
}

/// A setting as an object: its value, and where it comes from.
fn entry(key: &str, value: &Value, origin: &Origin, files: &SettingsFiles) -> Value {
    let (origin, name, path, line) = match origin {
        Origin::Flag(name) => ("flag", Some(name), None, None),
        Origin::Environment(name) => ("environment", Some(name), None, None),
        Origin::Project(line) => (
            "project",
            None,
            Some(PathBuf::from(PROJECT_FILE)),
            Some(line),
        ),
        Origin::User(line) => ("user", None, files.user_path.clone(), Some(line)),
        Origin::Default => ("default", None, None, None),
    };
    let mut entry = json!({"setting": key, "value": value, "origin": origin});
    if let Some(entry) = entry.as_object_mut() {
        let path = path.map(|path| path.display().to_string());
        let facts = [
            ("name", name.map(|name| json!(name))),
            ("path", path.map(|path| json!(path))),
            ("line", line.map(|line| json!(line))),
        ];
        for (key, value) in facts {
            entry.extend(value.map(|value| (key.to_owned(), value)));
        }
    }
    entry
}
