//! A sentence for people, as data: which one of the catalogue it is, and what stands in its places. `words` puts it into
//! the user's language; programs, which read JSON, get it in English.

/// What stands in a sentence's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it is displayed.
    Text(String),
    /// A number, by which the sentence may choose between forms (1 datagram, 2 datagrams).
    Number(u64),
    /// Items of the catalogue, listed as the language lists them.
    List(Vec<Sentence>),
    /// A phrase of the catalogue, such as what was being done when something failed.
    Phrase(Sentence),
}

/// A sentence of the catalogue, with its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// `area.message` or `area.message.attribute`.
    pub id: &'static str,
    /// What stands in its places, by their names.
    pub parts: Vec<(&'static str, Part)>,
}

impl Sentence {
    /// A sentence without parts yet.
    #[must_use]
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            parts: Vec::new(),
        }
    }

    /// With this text in a place.
    #[must_use]
    pub fn with(mut self, name: &'static str, text: impl std::fmt::Display) -> Self {
        self.parts.push((name, Part::Text(text.to_string())));
        self
    }

    /// With this phrase in a place.
    #[must_use]
    pub fn with_phrase(mut self, name: &'static str, phrase: impl Into<Self>) -> Self {
        self.parts.push((name, Part::Phrase(phrase.into())));
        self
    }

    /// As an event takes it: `tracing` carries text, numbers and errors.
    #[must_use]
    pub fn as_value(&self) -> &(dyn std::error::Error + 'static) {
        self
    }

    /// With this number in a place.
    #[must_use]
    pub fn with_number(mut self, name: &'static str, number: impl TryInto<u64>) -> Self {
        let number = number.try_into().unwrap_or(u64::MAX);
        self.parts.push((name, Part::Number(number)));
        self
    }

    /// With these items in a place.
    #[must_use]
    pub fn with_list(mut self, name: &'static str, items: Vec<Self>) -> Self {
        self.parts.push((name, Part::List(items)));
        self
    }
}

/// For logs: which one it is, and its parts. `words` has the text.
impl std::fmt::Display for Sentence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)?;
        self.parts.iter().try_for_each(|(name, part)| match part {
            Part::Text(text) => write!(f, " {name}={text}"),
            Part::Number(number) => write!(f, " {name}={number}"),
            Part::Phrase(phrase) => write!(f, " {name}=({phrase})"),
            Part::List(items) => items
                .iter()
                .try_for_each(|item| write!(f, " {name}=({item})")),
        })
    }
}

impl std::error::Error for Sentence {}

/// A [`Sentence`]: `sentence!("udp.refused", peer = peer)`. `name = value` puts in what the value displays;
/// `name: number` can also choose between forms; `name <- sentences` lists them; `name => sentence` puts in a phrase of
/// the catalogue.
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
