//! A message for people, as data: its ID in the catalogue and the values of its placeholders. `words` translates it
//! into the user's language; JSON output contains it in English.

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SentenceValue {
    /// Text that is inserted unchanged.
    Text(String),
    /// A number, which may select a plural form (1 datagram, 2 datagrams).
    Number(u64),
    /// Messages of the catalogue, joined as the language joins the items of a list.
    List(Vec<Sentence>),
    /// Another message of the catalogue, such as the operation that failed.
    Phrase(Sentence),
}

/// A message of the catalogue, with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// `area.message` or `area.message.attribute`; empty for literal text.
    pub(crate) id: &'static str,
    /// The values by the names of their placeholders.
    pub(crate) parts: Vec<(&'static str, SentenceValue)>,
}

impl Sentence {
    /// A message without values so far.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self {
            id,
            parts: Vec::new(),
        }
    }

    /// Literal text: a name, a number, output of another program.
    #[must_use]
    pub(crate) fn verbatim(text: impl std::fmt::Display) -> Self {
        Self::new("").with("text", text)
    }

    /// Adds a text value.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, text: impl std::fmt::Display) -> Self {
        self.parts
            .push((name, SentenceValue::Text(text.to_string())));
        self
    }

    /// Adds another message as a value.
    #[must_use]
    pub(crate) fn with_phrase(mut self, name: &'static str, phrase: impl Into<Self>) -> Self {
        self.parts
            .push((name, SentenceValue::Phrase(phrase.into())));
        self
    }

    /// The message as a field of a `tracing` event. Fields can be text, numbers and errors, so it travels as an error.
    #[must_use]
    pub(crate) fn as_value(&self) -> &(dyn std::error::Error + 'static) {
        self
    }

    /// Adds a numeric value.
    #[must_use]
    pub(crate) fn with_number(mut self, name: &'static str, number: impl TryInto<u64>) -> Self {
        let number = number.try_into().unwrap_or(u64::MAX);
        self.parts.push((name, SentenceValue::Number(number)));
        self
    }

    /// Literal texts, for a list value.
    #[must_use]
    pub(crate) fn verbatim_list<T: std::fmt::Display>(
        items: impl IntoIterator<Item = T>,
    ) -> Vec<Self> {
        items.into_iter().map(Self::verbatim).collect()
    }

    /// Adds a list value.
    #[must_use]
    pub(crate) fn with_list(mut self, name: &'static str, items: Vec<Self>) -> Self {
        self.parts.push((name, SentenceValue::List(items)));
        self
    }
}

/// For logs: the ID and the values. Only `words` has the text.
impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let ("", [(_, SentenceValue::Text(text))]) = (self.id, self.parts.as_slice()) {
            return f.write_str(text);
        }
        f.write_str(self.id)?;
        self.parts.iter().try_for_each(|(name, part)| match part {
            SentenceValue::Text(text) => write!(f, " {name}={text}"),
            SentenceValue::Number(number) => write!(f, " {name}={number}"),
            SentenceValue::Phrase(phrase) => write!(f, " {name}=({phrase})"),
            SentenceValue::List(items) => items
                .iter()
                .try_for_each(|item| write!(f, " {name}=({item})")),
        })
    }
}

impl std::error::Error for Sentence {}

impl From<String> for Sentence {
    fn from(text: String) -> Self {
        Self::verbatim(text)
    }
}

impl From<&str> for Sentence {
    fn from(text: &str) -> Self {
        Self::verbatim(text)
    }
}

/// Builds a [`Sentence`]: `sentence!("udp.refused", peer = peer)`. `name = value` inserts a value through `Display`;
/// `name: number` can also select a plural form; `name <- sentences` inserts a list; `name => sentence` inserts another
/// message of the catalogue.
macro_rules! sentence {
    ($id:literal $(, $($parts:tt)*)?) => {
        $crate::text::sentence::parts!(
            $crate::text::sentence::Sentence::new($id) $(, $($parts)*)?
        )
    };
}
pub(crate) use sentence;

macro_rules! parts {
    ($sentence:expr $(,)?) => { $sentence };
    ($sentence:expr, $name:ident = $value:expr $(, $($rest:tt)*)?) => {
        $crate::text::sentence::parts!($sentence.with(stringify!($name), $value) $(, $($rest)*)?)
    };
    ($sentence:expr, $name:ident : $value:expr $(, $($rest:tt)*)?) => {
        $crate::text::sentence::parts!(
            $sentence.with_number(stringify!($name), $value) $(, $($rest)*)?
        )
    };
    ($sentence:expr, $name:ident <- $items:expr $(, $($rest:tt)*)?) => {
        $crate::text::sentence::parts!(
            $sentence.with_list(stringify!($name), $items) $(, $($rest)*)?
        )
    };
    ($sentence:expr, $name:ident => $phrase:expr $(, $($rest:tt)*)?) => {
        $crate::text::sentence::parts!(
            $sentence.with_phrase(stringify!($name), $phrase) $(, $($rest)*)?
        )
    };
}
pub(crate) use parts;
