//! What is wrong with a configuration file, in words.

use std::io;

use crate::config::{At, Error, PROJECT_FILE};
use crate::text::nearest::nearest;
use crate::text::sentence::Sentence;
use crate::text::shorten::{quoted, shortened};
use crate::words::catalogue::say;

/// What is wrong, and where.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::Read { path, .. } => say!("config.read", path = path.display()),
        Error::TooLong { path, limit } => {
            say!("config.too-long", path = path.display(), most = limit)
        }
        Error::Syntax { at, problem, .. } => {
            say!("config.syntax", at = place(at), problem => problem.clone())
        }
        Error::UnknownKey { at, key, table, .. } if table.is_empty() => {
            say!("config.unknown-key", at = place(at), key = quoted(key))
        }
        Error::UnknownKey { at, key, table, .. } => say!(
            "config.unknown-key-in",
            at = place(at),
            key = quoted(key),
            table = shortened(table)
        ),
        Error::NotOfProject { at, key, .. } => {
            say!(
                "config.not-of-project",
                at = place(at),
                key = shortened(key)
            )
        }
        Error::NotOfUser { at, key } => {
            say!("config.not-of-user", at = place(at), key = shortened(key))
        }
        Error::WrongType { at, mismatch } => say!(
            "config.wrong-type",
            at = place(at),
            key => mismatch.key.clone(),
            wanted => mismatch.wanted.clone(),
            found => mismatch.found.clone()
        ),
        Error::Payload { what, .. } => say!("config.payload", what => what.clone()),
        Error::Value { at, key, problem } => {
            say!("config.value", at = place(at), key = shortened(key), problem => problem.clone())
        }
    }
}

/// The place in a file: the file's name, the line and the column.
fn place(at: &At) -> String {
    say!(
        "config.at",
        path = at.path.display(),
        line = at.line,
        column = at.column
    )
}

/// What to change.
pub(super) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::UnknownKey { key, known, .. } => Some(match nearest(key, known) {
            Some(nearest) => say!("config.unknown-key.hint-nearest", nearest = nearest),
            None => say!("config.unknown-key.hint", known <- Sentence::verbatim_list(known)),
        }),
        Error::NotOfProject { key, user_path, .. } => Some(match user_path {
            Some(path) => say!(
                "config.not-of-project.hint",
                file = PROJECT_FILE,
                key = shortened(key),
                path = path.display()
            ),
            None => say!(
                "config.not-of-project.hint-no-folder",
                file = PROJECT_FILE,
                key = shortened(key)
            ),
        }),
        Error::NotOfUser { .. } => Some(say!("config.not-of-user.hint", file = PROJECT_FILE)),
        Error::Syntax {
            typed: Some(typed), ..
        } => Some(say!("config.syntax.hint-typed", typed = typed)),
        Error::Syntax { problem, .. } if problem.id == "config.toml-key" => {
            Some(say!("config.syntax.hint-key"))
        }
        Error::Syntax { .. } => Some(say!("config.syntax.hint")),
        Error::Value { problem, .. } if problem.id == "messages.too-many-rules" => {
            Some(say!("messages.too-many-rules.hint"))
        }
        Error::Value { problem, .. }
            if matches!(
                problem.id,
                "messages.regex-too-large" | "messages.too-large-together"
            ) =>
        {
            Some(say!("messages.too-large-together.hint"))
        }
        Error::Value { problem, .. } if problem.id == "messages.too-many-expressions" => {
            Some(say!("messages.too-many-expressions.hint"))
        }
        Error::Read { source, .. } if is_folder(source) => Some(say!("udp.file-read.hint-folder")),
        Error::Payload { source, .. } => hint(source),
        Error::Read { .. }
        | Error::TooLong { .. }
        | Error::WrongType { .. }
        | Error::Value { .. } => None,
    }
}

/// Whether a folder was named instead of a file.
fn is_folder(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.is_some_and(|problem: &Sentence| problem.id == "config.is-folder")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Project, User, read};

    fn project_of(text: &str) -> Result<Project, Error> {
        let user = Some(Path::new("/home/li/config.toml"));
        read::project(Path::new("udpcli.toml"), text, user)
    }

    fn user_of(text: &str) -> Result<User, Error> {
        read::user(Path::new("config.toml"), text)
    }

    /// The complete error message, as printed.
    fn told(error: &Error) -> String {
        match hint(error) {
            Some(hint) => format!("{} | {hint}", message(error)),
            None => message(error),
        }
    }

    #[test]
    fn what_is_wrong_with_a_project_is_told_with_its_place() {
        for (text, wanted) in [
            (
                "mesages = 1",
                "udpcli.toml, line 1, column 1: unknown key \"mesages\" | did you mean messages?",
            ),
            (
                "\n  colour = 1",
                "udpcli.toml, line 2, column 3: unknown key \"colour\" | known keys: exclude, messages, names, replies",
            ),
            (
                "names = 'x'\nserial = 'COM5'",
                "udpcli.toml, line 2, column 1: serial is a setting of this PC, not of a project | udpcli.toml is shared with other PCs, where serial has another value: move this line to /home/li/config.toml",
            ),
            (
                "names = 5",
                "udpcli.toml, line 1, column 9: names must be a text in quotes, not a whole number",
            ),
            (
                "names = ''",
                "udpcli.toml, line 1, column 9: names: the text is empty: leave the key out",
            ),
            (
                "exclude = '*.bak'",
                "udpcli.toml, line 1, column 11: exclude must be a list of texts, as in [\"*.bak\", \"notes\"], not a text",
            ),
            (
                "exclude = ['a', 5]",
                "udpcli.toml, line 1, column 17: each entry of exclude must be a text in quotes that is not empty, not a whole number",
            ),
            (
                "messages = 1",
                "udpcli.toml, line 1, column 12: messages must be a table: [messages.NAME], not a whole number",
            ),
            (
                "messages.on = 'hi'",
                "udpcli.toml, line 1, column 15: on must be a table: [messages.NAME], not a text",
            ),
            (
                "[messages.on]",
                "udpcli.toml, line 1, column 11: messages.on: nothing to send: the message needs one of text, hex, template, file",
            ),
            (
                "[messages.on]\ntext = 'a'\nhex = '61'",
                "udpcli.toml, line 3, column 1: messages.on: text and hex cannot be used together",
            ),
            (
                "[messages.on]\ntxt = 'a'",
                "udpcli.toml, line 2, column 1: unknown key \"txt\" in messages.on | did you mean text?",
            ),
            (
                "[messages.on]\ntext = 'a'\non = 'a'",
                "udpcli.toml, line 3, column 1: unknown key \"on\" in messages.on | known keys: append, encoding, expect, file, hex, template, text, wait",
            ),
            (
                "[messages.on]\nhex = '6x'",
                "udpcli.toml, line 2, column 7: hex: 'x' at character 2 is not a hex digit",
            ),
            (
                "[messages.on]\nhex = '61'\nencoding = 'gbk'",
                "udpcli.toml, line 1, column 11: messages.on: encoding has no effect: bytes and files are sent as they are",
            ),
            (
                "[messages.on]\ntext = 'a'\nappend = 'md5'",
                "udpcli.toml, line 3, column 10: append: \"md5\": write one of sum8, xor8, crc8, crc16-modbus, crc16-ccitt, crc32, and :le or :be after it for the byte order",
            ),
            (
                "[messages.on]\ntext = 'a'\nwait = '2 apples'",
                "udpcli.toml, line 3, column 8: wait: \"2 apples\": write a duration such as 250ms, 2s, 1m30s, or seconds such as 0.5",
            ),
            (
                "[messages.on]\ntext = 'a'\nwait = '1000h'",
                "udpcli.toml, line 3, column 8: wait: that is over a day",
            ),
            (
                "[messages.'a b']\ntext = 'a'",
                "udpcli.toml, line 1, column 11: \"a b\": the name of a message consists of letters, digits, -, _ and .",
            ),
            (
                "replies = 'x'",
                "udpcli.toml, line 1, column 11: replies must be a list of tables: [[replies]], not a text",
            ),
            (
                "replies = [1]",
                "udpcli.toml, line 1, column 12: replies[1] must be a list of tables: [[replies]], not a whole number",
            ),
            (
                "[[replies]]\ntext = 'a'",
                "udpcli.toml, line 1, column 1: replies[1]: the key on is missing: the pattern that this reply answers",
            ),
            (
                "[[replies]]\non = 'a'\ntext = 'a'\ndrop = 101",
                "udpcli.toml, line 4, column 8: drop: \"101\": write a number from 0 to 100",
            ),
        ] {
            assert_eq!(told(&project_of(text).unwrap_err()), wanted, "{text}");
            assert_eq!(project_of(text).unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn what_is_wrong_with_the_users_file_is_told_with_its_place() {
        for (text, wanted) in [
            (
                "buad = 9600",
                "config.toml, line 1, column 1: unknown key \"buad\" | did you mean baud?",
            ),
            (
                "baud = '9600'",
                "config.toml, line 1, column 8: baud must be a whole number, not a text",
            ),
            (
                "baud = 7",
                "config.toml, line 1, column 8: baud: 7 is not a baud rate: write a number from 50 to 12000000",
            ),
            (
                "baud = -1",
                "config.toml, line 1, column 8: baud: -1 is out of range",
            ),
            (
                "lang = 'fr'",
                "config.toml, line 1, column 8: lang: \"fr\": write auto, en or zh-CN",
            ),
            (
                "names = 'x'",
                "config.toml, line 1, column 1: names is a setting of a project, not of this PC | move it to udpcli.toml in the project's folder",
            ),
        ] {
            assert_eq!(told(&user_of(text).unwrap_err()), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_toml_is_told_with_what_to_write() {
        for (text, problem, advice) in [
            ("lang = en", "put text in quotes", "TOML"),
            (
                "lang = “en”",
                "put text in quotes",
                "“ was typed with a Chinese input method",
            ),
            ("lang ＝ 'en'", "`=`", "＝ was typed"),
            ("lang = 'en'\nlang = 'en'", "duplicate key", "TOML"),
            ("baud = [1", "unclosed array", "TOML"),
            ("serial = \"C:\\Users\"", "backslash", "TOML"),
        ] {
            let told = told(&user_of(text).unwrap_err());
            assert!(
                told.contains(problem) && told.contains(advice),
                "{text}: {told}"
            );
        }
        let bare = told(&project_of("[messages.开灯]").unwrap_err());
        assert!(bare.contains("[messages.\"开灯\"]"), "{bare}");
    }
}
