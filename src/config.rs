//! Configuration files: the project's `udpcli.toml`, and the user's `config.toml`, which holds the settings of this PC.
//! Both are TOML 1.1 (<https://toml.io>); docs/configuration.md lists the keys. [`crate::cli`] decides which command
//! uses which setting.

mod error;
mod mistakes;
pub(crate) mod read;
mod write;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use crate::text::encoding::TextEncoding;
use crate::text::pattern::Pattern;
use crate::text::sentence::{Sentence, sentence};

pub(crate) use crate::text::checksum::{Append, ByteOrder};

pub(crate) use error::{At, Error};
pub(crate) use write::quoted;

/// The project's file, in the current folder.
pub(crate) const PROJECT_FILE: &str = "udpcli.toml";

/// The maximum size of a configuration file, so that reading one cannot use up memory.
pub(crate) const MAX_LEN: u64 = 1 << 20;

/// The maximum size of a payload's file: what a datagram over IPv4 carries.
const MAX_PAYLOAD: u64 = 65_507;

/// A value and its line in the file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Set<T> {
    /// The value.
    pub(crate) value: T,
    /// The line of its key, from 1.
    pub(crate) line: usize,
}

/// The settings of `udpcli.toml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Project {
    /// The file that maps boards to names.
    pub(crate) names: Option<Set<String>>,
    /// Files to leave out when copying to a board.
    pub(crate) exclude: Option<Set<Vec<String>>>,
    /// Named messages, in the order of the file.
    pub(crate) messages: Vec<Set<Message>>,
    /// Replies by pattern; the first match wins.
    pub(crate) replies: Vec<Set<ConfiguredReply>>,
}

/// The settings of the user's file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct User {
    /// The board's serial port.
    pub(crate) serial: Option<Set<String>>,
    /// The baud rate of the board's REPL.
    pub(crate) baud: Option<Set<u32>>,
    /// The language of messages.
    pub(crate) lang: Option<Set<Lang>>,
}

/// The language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lang {
    /// The language of the operating system.
    #[default]
    Auto,
    /// English.
    En,
    /// Chinese as written in mainland China.
    ZhCn,
}

impl Lang {
    /// The name in configuration files and on the command line.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }
}

impl FromStr for Lang {
    type Err = Sentence;

    fn from_str(text: &str) -> Result<Self, Sentence> {
        [Self::Auto, Self::En, Self::ZhCn]
            .into_iter()
            .find(|lang| lang.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| sentence!("value.lang"))
    }
}

/// A message with a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Its name, as in `send HOST:PORT @NAME`.
    pub(crate) name: String,
    /// The payload.
    pub(crate) content: ConfiguredPayload,
    /// The reply that must arrive.
    pub(crate) expect: Option<String>,
    /// How long to wait for the reply.
    pub(crate) wait: Option<Duration>,
}

/// A reply to datagrams that match a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfiguredReply {
    /// The pattern: text, `re:`, or `hex:`.
    pub(crate) on: String,
    /// The pattern in the encoding of the file; text without one has the encoding of the flags.
    pub(crate) pattern: Pattern,
    /// The payload.
    pub(crate) content: ConfiguredPayload,
    /// The delay before the reply is sent.
    pub(crate) delay: Option<Duration>,
    /// The percentage of replies to drop.
    pub(crate) drop: Option<f64>,
}

/// The content of a message or a reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfiguredPayload {
    /// The payload.
    pub(crate) body: PayloadForm,
    /// The encoding of the text.
    pub(crate) encoding: Option<Encoding>,
    /// The checksum to append.
    pub(crate) append: Option<Append>,
}

/// An encoding, and its label in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// The label as written.
    pub(crate) label: String,
    /// The encoding.
    pub(crate) encoding: TextEncoding,
}

/// A payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PayloadForm {
    /// Text.
    Text(String),
    /// Bytes, written as hex digits.
    Hex(Vec<u8>),
    /// Text with placeholders that are filled in for each datagram.
    Template(String),
    /// The contents of a file.
    File(String),
}

/// The source of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag of this command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// The project's file, and the line number.
    Project(usize),
    /// The user's file, and the line number.
    User(usize),
    /// The default value.
    Default,
}

/// Both files, parsed and validated.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SettingsFiles {
    /// The project's settings; `None` if there is no file.
    pub(crate) project: Option<Project>,
    /// The path of the user's file, whether it exists or not; `None` if the operating system does not define one.
    pub(crate) user_path: Option<PathBuf>,
    /// The user's settings; `None` if there is no file.
    pub(crate) user: Option<User>,
}

impl SettingsFiles {
    /// Reads both files. A missing file sets nothing.
    ///
    /// # Errors
    /// A file cannot be read, is not valid TOML, or has an unknown key or an invalid value.
    pub(crate) fn read() -> Result<Self, Error> {
        let user_path = user_path(|name| std::env::var_os(name));
        let project = project()?;
        // Read the project's file first: its errors are more likely, and the user is in its folder.
        let user = match &user_path {
            Some(path) => user_contents(path)?
                .map(|text| read::user(path, &text))
                .transpose()?,
            None => None,
        };
        Ok(Self {
            project,
            user_path,
            user,
        })
    }
}

/// The project's settings alone; `None` if there is no file.
///
/// # Errors
/// As [`SettingsFiles::read`], for the project's file.
pub(crate) fn project() -> Result<Option<Project>, Error> {
    // A command may ask for several of its settings.
    static READ: OnceLock<Option<Project>> = OnceLock::new();
    if let Some(project) = READ.get() {
        return Ok(project.clone());
    }
    let path = Path::new(PROJECT_FILE);
    let user_path = user_path(|name| std::env::var_os(name));
    let project = contents(path)?
        .map(|text| read::project(path, &text, user_path.as_deref()))
        .transpose()?;
    Ok(READ.get_or_init(|| project).clone())
}

/// The replies of a file that has nothing else.
///
/// # Errors
/// As [`SettingsFiles::read`]; here the file must exist.
pub(crate) fn replies(path: &Path) -> Result<Vec<Set<ConfiguredReply>>, Error> {
    let text = contents(path)?.ok_or_else(|| not_found(path))?;
    read::replies(path, &text)
}

/// The path of a file that another file names: relative to that other file's folder.
#[must_use]
pub(crate) fn beside(path: &Path, file: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(file)
}

/// The contents of the file of a payload, which `what` names.
///
/// # Errors
/// The file cannot be read, or is too long for a datagram.
pub(crate) fn payload(path: &Path, what: impl FnOnce() -> Sentence) -> Result<Vec<u8>, Error> {
    let read = bytes(path, MAX_PAYLOAD).and_then(|read| read.ok_or_else(|| not_found(path)));
    read.map_err(|source| Error::Payload {
        what: what(),
        source: Box::new(source),
    })
}

/// The contents of a list of names.
///
/// # Errors
/// The file cannot be read, or is too long.
pub(crate) fn names(path: &Path) -> Result<Vec<u8>, Error> {
    // Missing is an error here: the user named this file.
    bytes(path, MAX_LEN)?.ok_or_else(|| not_found(path))
}

/// The error for a file that must exist.
fn not_found(path: &Path) -> Error {
    Error::Read {
        path: path.to_owned(),
        // ENOENT, and ERROR_FILE_NOT_FOUND on Windows: the message is the operating system's, as for other files.
        source: io::Error::from_raw_os_error(2),
    }
}

/// The language that the user's file sets. An invalid file counts as unset here; commands that need its settings report
/// the error.
#[must_use]
pub(crate) fn user_lang() -> Option<Lang> {
    let path = user_path(|name| std::env::var_os(name))?;
    let text = user_contents(&path).ok()??;
    let user = read::user(&path, &text).ok()?;
    Some(user.lang?.value)
}

/// The path of the user's file, following the *XDG Base Directory Specification*, Apple's *File System Programming
/// Guide* or Windows' known folders.
fn user_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // Ignore relative paths, as the XDG specification requires: they would mean a different file in each current
    // folder.
    let folder = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let (settings, file) = if cfg!(windows) {
        (folder("APPDATA"), r"udpcli\config.toml")
    } else if cfg!(target_os = "macos") {
        let home = folder("HOME");
        let settings = home.map(|home| home.join("Library/Application Support"));
        (settings, "udpcli/config.toml")
    } else {
        let home = || folder("HOME").map(|home| home.join(".config"));
        let settings = folder("XDG_CONFIG_HOME").or_else(home);
        (settings, "udpcli/config.toml")
    };
    settings.map(|settings| settings.join(file))
}

/// The text of the user's file, cached so that a process opens the file only once.
fn user_contents(path: &Path) -> Result<Option<String>, Error> {
    static TEXT: OnceLock<Option<String>> = OnceLock::new();
    if let Some(text) = TEXT.get() {
        return Ok(text.clone());
    }
    let text = match contents(path) {
        // Another user's folder, for example when `sudo -u` or `setpriv` keeps HOME: it has no settings of this user.
        Err(Error::Read { source, .. })
            if source.kind() == io::ErrorKind::PermissionDenied && is_out_of_reach(path) =>
        {
            None
        }
        text => text?,
    };
    // If another thread was faster, it has read the same text.
    let _ = TEXT.set(text.clone());
    Ok(text)
}

/// Whether this user cannot even search the file's folder.
fn is_out_of_reach(path: &Path) -> bool {
    let folder = path.parent().map(std::fs::metadata);
    matches!(folder, Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied)
}

/// Reads a file as text; `None` if it does not exist.
fn contents(path: &Path) -> Result<Option<String>, Error> {
    bytes(path, MAX_LEN)?
        .map(|bytes| read::text(path, bytes))
        .transpose()
}

/// Reads a file of at most `limit` bytes; `None` if it does not exist. Opens it non-blocking and rejects a FIFO, so that
/// it cannot block.
fn bytes(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        use rustix::fs::OFlags;
        // Opening a FIFO without a writer would block for ever, and a terminal could become the one that controls the
        // process.
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let metadata = file.metadata().map_err(failed)?;
    if metadata.is_dir() {
        return Err(failed(io::Error::other(sentence!("config.is-folder"))));
    }
    if !metadata.is_file() {
        return Err(failed(io::Error::other(sentence!("config.not-regular"))));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too long from one that just fits, without reading all of it.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Error::TooLong {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
