//! The replies of `udpcli listen` by pattern: from `--on`, from `--replies FILE` and from the project's file.

use std::path::Path;

use crate::cli::listen::ListenArgs;
use crate::config::{self, ConfiguredReply, PROJECT_FILE, PayloadForm, Set};
use crate::error::Error;
use crate::text::checksum::Append;
use crate::text::encoding::TextEncoding;
use crate::text::expression::ExpressionBudget;
use crate::text::pattern::{MAX_EXPRESSIONS, MAX_RULES, Pattern};
use crate::text::sentence::{Sentence, sentence};
use crate::text::shorten::quoted;
use crate::text::template::{Place, Template, TemplateOptions};
use crate::udp;
use crate::udp::answer::rules::{AnswerRule, AnswerRules, TooMany};
use crate::words::catalogue::say;

/// The rules in their order, and how many rules come from the project's file.
pub(super) fn all(args: &ListenArgs) -> Result<AnswerRules, Error> {
    let encoding = args.encoding.unwrap_or_default();
    let mut sources = Vec::new();
    if !args.on.is_empty() {
        sources.push("--on".to_owned());
        // Check the number before compiling, which takes long.
        let expressions = args.on.iter().filter(|text| Pattern::is_expression(text));
        if args.on.len() > MAX_RULES {
            return Err(too_many(&sources, TooMany::Rules));
        }
        if expressions.count() > MAX_EXPRESSIONS {
            return Err(too_many(&sources, TooMany::Expressions));
        }
    }
    let mut rules = Vec::new();
    let mut memory = ExpressionBudget::default();
    for text in &args.on {
        rules.push(of_flag(text, args.escape, encoding, &mut memory)?);
    }
    if let Some(path) = &args.replies {
        sources.push(path.display().to_string());
        for reply in config::replies(path)? {
            rules.push(of_file(&reply, path, encoding, &mut memory)?);
        }
    }
    if !args.no_project {
        let project = config::project()?.unwrap_or_default();
        if !project.replies.is_empty() {
            let count = project.replies.len();
            tracing::info!(say = "messages.project-replies", count, path = PROJECT_FILE);
            sources.push(PROJECT_FILE.to_owned());
        }
        for reply in &project.replies {
            rules.push(of_file(
                reply,
                Path::new(PROJECT_FILE),
                encoding,
                &mut memory,
            )?);
        }
    }
    AnswerRules::new(rules).map_err(|limit| too_many(&sources, limit))
}

/// There are more rules than allowed in these sources together.
fn too_many(sources: &[String], limit: TooMany) -> Error {
    let (problem, hint) = match limit {
        TooMany::Rules => (
            sentence!("messages.too-many-rules", most = MAX_RULES),
            say!("messages.too-many-rules.hint"),
        ),
        TooMany::Expressions => (
            sentence!("messages.too-many-expressions", most = MAX_EXPRESSIONS),
            say!("messages.too-many-expressions.hint"),
        ),
    };
    let sources = Sentence::verbatim_list(sources);
    let problem = say!("messages.rules-together", sources <- sources, problem => problem);
    Error::usage_hint(problem, hint)
}

/// `PATTERN=REPLY`. A text pattern and its reply may have escapes; the reply may be `hex:`.
fn of_flag(
    text: &str,
    escapes: bool,
    encoding: TextEncoding,
    memory: &mut ExpressionBudget,
) -> Result<AnswerRule, Error> {
    let (pattern, reply) = split(text).ok_or_else(|| {
        // A Chinese input method types this sign.
        let hint = match text.split_once('＝') {
            Some((pattern, reply)) => {
                let line = format!("--on '{pattern}={reply}'");
                say!("messages.no-equals.hint-typed", line = line)
            }
            None => say!("messages.no-equals.hint"),
        };
        Error::usage_hint(say!("messages.no-equals", text = quoted(text)), hint)
    })?;
    let what = format!("--on {}", quoted(text));
    // The user may mean the first `=` as a part of the pattern.
    let is_cut = split(reply).is_some();
    let pattern = Pattern::parse(&pattern, escapes, encoding)
        .and_then(|pattern| pattern.take_memory(memory).map(|()| pattern))
        .map_err(|source| pattern_error(&what, is_cut, source))?;
    let reply = match reply
        .strip_prefix("hex:")
        .or_else(|| reply.strip_prefix("hex："))
    {
        Some(digits) => Template::literal(crate::text::hex::parse(digits).map_err(|source| {
            let what = sentence!("messages.reply-of-rule", rule = &what);
            Error::Udp(udp::error::Error::Hex { what, source })
        })?),
        None => {
            let place = ReplyPlace {
                what: &what,
                is_cut,
            };
            template(reply, place, escapes, encoding, &pattern)?
        }
    };
    let rule = AnswerRule {
        pattern,
        encoding,
        reply,
        append: None,
        delay: None,
        drop: None,
    };
    check_length(rule, || sentence!("messages.reply-of-rule", rule = &what))
}

/// Fails early: a reply that is always too long, whatever its fields contain, would never be sent.
fn check_length(rule: AnswerRule, what: impl FnOnce() -> Sentence) -> Result<AnswerRule, Error> {
    let len = rule.reply.least_len() + rule.append.map_or(0, Append::len);
    if len <= udp::MAX_PAYLOAD_V4 {
        return Ok(rule);
    }
    Err(Error::Udp(udp::error::Error::TooLong {
        what: what(),
        len: len as u64,
        max: udp::MAX_PAYLOAD_V4,
        family: "IPv4",
    }))
}

/// Splits at the first `=` without a backslash before it. In a text pattern `\=` is an `=`; in a regular expression it
/// already means `=`.
fn split(text: &str) -> Option<(String, &str)> {
    let is_escaped = |place: usize| {
        let before = text.get(..place).unwrap_or_default();
        (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
    };
    let (place, _) = text
        .match_indices('=')
        .find(|(place, _)| !is_escaped(*place))?;
    let (pattern, reply) = text.split_at_checked(place)?;
    let pattern = if Pattern::is_expression(pattern) {
        pattern.to_owned()
    } else {
        pattern.replace("\\=", "=")
    };
    Some((pattern, reply.get(1..).unwrap_or_default()))
}

/// A rule of a file.
fn of_file(
    reply: &Set<ConfiguredReply>,
    path: &Path,
    encoding: TextEncoding,
    memory: &mut ExpressionBudget,
) -> Result<AnswerRule, Error> {
    let what = say!(
        "messages.reply-in-file",
        path = path.display(),
        line = reply.line
    );
    let line = reply.line;
    let ConfiguredReply {
        on,
        pattern,
        content,
        delay,
        drop,
    } = &reply.value;
    let encoding = content
        .encoding
        .as_ref()
        .map_or(encoding, |named| named.encoding);
    // Only text depends on the encoding, and a regular expression takes long to compile.
    let pattern = match pattern {
        Pattern::Text(_) => {
            // Without escapes, because TOML has its own.
            Pattern::parse(on, false, encoding)
                .map_err(|source| pattern_error(&what, false, source))?
        }
        Pattern::Regex(_) | Pattern::Hex(_) => pattern.clone(),
    };
    pattern
        .take_memory(memory)
        .map_err(|source| pattern_error(&what, false, source))?;
    let named = || sentence!("messages.reply-of", path = path.display(), line = line);
    let reply = match &content.body {
        PayloadForm::Text(text) => {
            let mut bytes = Vec::new();
            encoding.encode(text, &mut bytes).map_err(|source| {
                let what = what.clone();
                Error::Udp(udp::error::Error::Encode {
                    what: what.into(),
                    source,
                })
            })?;
            Template::literal(bytes)
        }
        PayloadForm::Hex(bytes) => Template::literal(bytes.clone()),
        PayloadForm::Template(text) => {
            let place = ReplyPlace {
                what: &what,
                is_cut: false,
            };
            template(text, place, false, encoding, &pattern)?
        }
        PayloadForm::File(file) => {
            Template::literal(config::payload(&config::beside(path, file), named)?)
        }
    };
    let rule = AnswerRule {
        pattern,
        encoding,
        reply,
        append: content.append,
        delay: *delay,
        drop: *drop,
    };
    check_length(rule, named)
}

/// The place of a reply, for an error about it.
#[derive(Clone, Copy)]
struct ReplyPlace<'a> {
    /// Its name.
    what: &'a str,
    /// Whether the rule has another `=`, so that the user may have meant a longer pattern.
    is_cut: bool,
}

/// The template of a reply, whose fields may be the groups of the pattern.
fn template(
    text: &str,
    place: ReplyPlace<'_>,
    escapes: bool,
    encoding: TextEncoding,
    pattern: &Pattern,
) -> Result<Template, Error> {
    let groups = pattern.groups();
    let rules = TemplateOptions {
        escapes,
        encoding,
        place: Place::Reply(&groups),
    };
    Template::parse(text, rules).map_err(|source| {
        let what = place.what.to_owned();
        Error::Udp(udp::error::Error::Template {
            what: what.into(),
            fields: rules.place.fields(),
            is_cut: place.is_cut,
            source,
        })
    })
}

/// The error for an invalid pattern; `what` names its place, `is_cut` is for the hint.
fn pattern_error(what: &str, is_cut: bool, source: crate::text::pattern::Error) -> Error {
    let what = what.to_owned();
    Error::Udp(udp::error::Error::Pattern {
        what: what.into(),
        is_cut,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_split_at_its_first_plain_equals_sign() {
        let split = |text| split(text).map(|(pattern, reply)| format!("{pattern} -> {reply}"));
        for (text, parts) in [
            ("a=b", "a -> b"),
            ("a=b=c", "a -> b=c"),
            (r"a\=b=c", "a=b -> c"),
            (r"re:a\=b=c", r"re:a\=b -> c"),
            (r"a\\=b", r"a\\ -> b"),
            ("=b", " -> b"),
            ("a=", "a -> "),
        ] {
            assert_eq!(split(text).as_deref(), Some(parts), "{text}");
        }
        assert_eq!(split("a"), None);
        assert_eq!(split(r"a\=b"), None);
    }
}
