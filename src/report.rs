//! Writes results as one HTML page that needs no script, no image file and no network. Plain functions turn data into
//! text; the caller supplies the sentences.
//!
//! Every text in [`Page`] may come from a peer, a board or a user: [`escaped`] and [`data::in_html`] are the only ways into the
//! page.

mod chart;
mod data;
pub(crate) mod map;

use std::fmt::Write as _;

use serde_json::Value;

use crate::text::reorders_or_hides;

pub(crate) use chart::{Bar, Course, Marks, TimeSpread};
pub(crate) use data::map_texts;
use map::TimeMap;

/// The style sheet: light and dark, on a screen and on A4.
const STYLE: &str = include_str!("report/page.css");

/// A verdict. It has a colour and a shape, because not everybody sees the colour and not every printer prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultMark {
    /// Passed: a tick.
    Good,
    /// Passed with a warning: a triangle.
    Warning,
    /// Not tried: a dash.
    Skipped,
    /// Stopped: a square.
    Stopped,
    /// Failed: a cross.
    Bad,
}

impl ResultMark {
    /// The verdict's class in the style sheet.
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Skipped => "skipped",
            Self::Stopped => "stopped",
            Self::Bad => "bad",
        }
    }

    /// The verdict's shape in a square of 16 units.
    fn shape(self) -> &'static str {
        match self {
            Self::Good => r#"<path d="M2 9l4 4 8-10"/>"#,
            Self::Warning => r#"<path d="M8 2l6.5 12h-13zM8 6.5v4M8 12v.5"/>"#,
            Self::Skipped => r#"<path d="M3 8h10"/>"#,
            Self::Stopped => r#"<path d="M3 3h10v10h-10z"/>"#,
            Self::Bad => r#"<path d="M3 3l10 10M13 3l-10 10"/>"#,
        }
    }
}

/// A page.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// The language's tag (BCP 47).
    pub(crate) language: &'static str,
    /// The title and first heading.
    pub(crate) title: String,
    /// The subjects of the test, one after the other.
    pub(crate) subjects: Vec<Subject>,
    /// About the whole test: its heading, and names with values.
    pub(crate) about: (String, Vec<(String, String)>),
    /// The same for programs: `docs/report.schema.json` describes it.
    pub(crate) data: Value,
}

/// One thing that was tested.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The verdict.
    pub(crate) mark: ResultMark,
    /// The verdict in a word.
    pub(crate) word: String,
    /// The verdict in a sentence.
    pub(crate) sentence: String,
    /// The parts, each with its heading.
    pub(crate) sections: Vec<(String, ReportSection)>,
}

/// A part of a subject.
#[derive(Debug, Clone)]
pub(crate) enum ReportSection {
    /// Problems, and what to do about them.
    Findings(Vec<ReportProblem>),
    /// A row per step.
    Steps {
        /// The columns' headings.
        columns: [String; 3],
        /// The steps, in order.
        rows: Vec<StepRow>,
    },
    /// Bars of received and lost datagrams.
    Bars(Vec<Bar>),
    /// Spreads of times on one scale.
    Spreads(Vec<TimeSpread>, Marks),
    /// A map of a walk.
    Map(TimeMap),
    /// Values over time, one picture below the other.
    Courses(Vec<Course>),
    /// A histogram: each step's name and count.
    Histogram(Vec<(String, u64)>),
    /// Rows of figures below the columns' headings.
    Table {
        /// The columns' headings.
        columns: Vec<String>,
        /// The rows; the first cell names the row.
        rows: Vec<Vec<String>>,
    },
    /// A paragraph.
    Text(String),
    /// Names with values.
    Facts(Vec<(String, String)>),
}

/// A problem.
#[derive(Debug, Clone)]
pub(crate) struct ReportProblem {
    /// Its meaning.
    pub(crate) meaning: String,
    /// Its code.
    pub(crate) code: String,
    /// What to do next.
    pub(crate) next: String,
    /// The evidence, in lines.
    pub(crate) details: Vec<String>,
    /// Output of the board; may be empty.
    pub(crate) evidence: String,
}

/// A step.
#[derive(Debug, Clone)]
pub(crate) struct StepRow {
    /// The verdict.
    pub(crate) mark: ResultMark,
    /// The verdict in a word.
    pub(crate) word: String,
    /// The step's name.
    pub(crate) name: String,
    /// The result, and further lines.
    pub(crate) lines: Vec<String>,
    /// The duration; may be empty.
    pub(crate) time: String,
}

/// Escapes text so that HTML shows it literally: markup as text, and characters that are invisible or reorder their
/// neighbours as escapes. Fit for an attribute in double quotes, too.
#[must_use]
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            // Line separators, and code points that HTML does not allow: neither are control characters.
            '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend(character.escape_unicode());
            }
            _ if character.is_control() || reorders_or_hides(character) => {
                out.extend(character.escape_default());
            }
            _ => out.push(character),
        }
    }
    out
}

/// The page as an HTML document.
#[must_use]
pub(crate) fn html(page: &Page) -> String {
    // The policy in the page is a second line of defence: even if an escape were missing, no script would run.
    let title = escaped(&page.title);
    let mut out = format!(
        r#"<!DOCTYPE html>
<html lang="{}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
"#,
        page.language
    );
    for one in &page.subjects {
        subject(one, &mut out);
    }
    let (heading, about) = &page.about;
    let _ = writeln!(out, "<section>\n<h2>{}</h2>", escaped(heading));
    facts(about, &mut out);
    out.push_str("</section>\n</main>\n");
    // A data block: no browser runs it, so the policy above has no exception for it.
    let _ = writeln!(
        out,
        "<script type=\"application/json\" id=\"udpcli-report\">\n{}\n</script>",
        data::in_html(&page.data)
    );
    out.push_str("</body>\n</html>\n");
    out
}

fn subject(subject: &Subject, out: &mut String) {
    let _ = writeln!(
        out,
        r#"<section>
<h2 class="verdict {}">{} <span class="word">{}</span> <span>{}</span></h2>"#,
        subject.mark.class(),
        symbol(subject.mark),
        escaped(&subject.word),
        escaped(&subject.sentence)
    );
    for (heading, body) in &subject.sections {
        // A part without a heading goes on with the one before.
        if !heading.is_empty() {
            let _ = writeln!(out, "<h3>{}</h3>", escaped(heading));
        }
        match body {
            ReportSection::Findings(found) => found.iter().for_each(|found| finding(found, out)),
            ReportSection::Steps { columns, rows } => steps(columns, rows, out),
            ReportSection::Bars(bars) => chart::bars(bars, out),
            ReportSection::Spreads(spreads, marks) => chart::spreads(spreads, marks, out),
            ReportSection::Map(walk) => map::map(walk, out),
            ReportSection::Courses(courses) => chart::courses(courses, out),
            ReportSection::Histogram(steps) => chart::histogram(steps, out),
            ReportSection::Table { columns, rows } => table(columns, rows, out),
            ReportSection::Text(text) => {
                let _ = writeln!(out, "<p>{}</p>", escaped(text));
            }
            ReportSection::Facts(list) => facts(list, out),
        }
    }
    out.push_str("</section>\n");
}

/// The shape of a verdict. The word beside it has the same meaning, so a screen reader skips the shape.
fn symbol(mark: ResultMark) -> String {
    format!(
        r#"<svg class="mark {}" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="2.4" aria-hidden="true">{}</svg>"#,
        mark.class(),
        mark.shape()
    )
}

fn finding(finding: &ReportProblem, out: &mut String) {
    let _ = writeln!(
        out,
        "<div class=\"finding\">\n<p><strong>{}</strong> <code>{}</code></p>",
        escaped(&finding.meaning),
        escaped(&finding.code)
    );
    if !finding.details.is_empty() {
        let lines: Vec<String> = finding.details.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(out, "<p>{}</p>", lines.join("<br>"));
    }
    let _ = writeln!(out, "<p class=\"next\">{}</p>", escaped(&finding.next));
    if !finding.evidence.is_empty() {
        let _ = writeln!(out, "<pre>{}</pre>", escaped(&finding.evidence));
    }
    out.push_str("</div>\n");
}

fn steps(columns: &[String; 3], rows: &[StepRow], out: &mut String) {
    out.push_str("<table>\n<thead><tr>");
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(column));
    }
    out.push_str("<th></th></tr></thead>\n<tbody>\n");
    for row in rows {
        let lines: Vec<String> = row.lines.iter().map(|line| escaped(line)).collect();
        let _ = writeln!(
            out,
            r#"<tr><td class="verdict {}">{} {}</td><th scope="row">{}</th><td>{}</td><td class="time">{}</td></tr>"#,
            row.mark.class(),
            symbol(row.mark),
            escaped(&row.word),
            escaped(&row.name),
            lines.join("<br>"),
            escaped(&row.time)
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

fn table(columns: &[String], rows: &[Vec<String>], out: &mut String) {
    out.push_str("<table class=\"figures\">\n<thead><tr>");
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(column));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            let cell = escaped(cell);
            let _ = match index {
                0 => write!(out, "<th scope=\"row\">{cell}</th>"),
                _ => write!(out, "<td>{cell}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn facts(facts: &[(String, String)], out: &mut String) {
    out.push_str("<dl>\n");
    for (name, value) in facts {
        let _ = writeln!(
            out,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            escaped(name),
            escaped(value)
        );
    }
    out.push_str("</dl>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_and_invisible_characters_are_shown_and_not_obeyed() {
        assert_eq!(
            escaped("<b a=\"'\">&\u{1b}[1m\u{202e}\u{2028}你\n"),
            "&lt;b a=&quot;&#39;&quot;&gt;&amp;\\u{1b}[1m\\u{202e}\\u{2028}你\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_place(text in any::<String>()) {
            let out = escaped(&text);
            let is_harmless = |c: char| !"<>\"'".contains(c)
                && (c == '\n' || !c.is_control())
                && !reorders_or_hides(c);
            prop_assert!(out.chars().all(is_harmless), "{out:?}");
        }
    }
}
