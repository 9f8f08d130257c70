//! What a reader of the file is told: plain data, to be drawn or printed by somebody else.

use super::shell::{Network, NetworkFault};
use crate::policy::error::{Label, PolicyError};
use crate::policy::{Place, lint::Warning};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The file can't be used.
    Error,
    /// The file can be used, and is perhaps not what was meant.
    Warning,
}

/// Something wrong with a file.
///
/// `place` and the labels' places count bytes of the text as given; [`line_col`] turns them into lines.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The stable code, explained in `docs/errors.md`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence without its full stop.
    pub message: String,
    /// Where; a problem of the whole file has no place.
    pub place: Option<Place>,
    /// The way to it from the top of the file, such as `rules.overloaded.when`.
    pub path: String,
    /// Other places that matter, such as the first of two definitions.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Whether the file can't be used for it.
    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        Self {
            code: error.code(),
            severity: Severity::Error,
            message: error.kind.to_string(),
            place: error.place,
            hint: error.hint(),
            path: error.path,
            labels: error.labels,
        }
    }
}

impl From<Warning> for Problem {
    fn from(warning: Warning) -> Self {
        Self {
            code: warning.code(),
            severity: Severity::Warning,
            message: warning.kind.to_string(),
            place: warning.place,
            hint: warning.hint(),
            path: warning.path,
            labels: warning.labels,
        }
    }
}

/// What keeps a file from being read. Each kind has a stable [code](Self::code).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// Bytes that are no text.
    #[error("the file is not UTF-8: byte {byte:#04x} can't stand here")]
    NotUtf8 {
        /// The byte.
        byte: u8,
    },
    /// A file far beyond what anybody needs.
    #[error("the file has {bytes} bytes, where at most {most} are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is read.
        most: usize,
    },
    /// YAML that is none.
    #[error("this is not YAML: {message}")]
    Yaml {
        /// What the parser says.
        message: String,
    },
    /// Nothing there.
    #[error("the file says nothing")]
    Empty,
    /// A second document.
    #[error("a second YAML document begins here, where one is read")]
    SecondDocument,
    /// Anchors, aliases, merge keys, tags.
    #[error("{what} are not read")]
    NotRead {
        /// In the plural.
        what: &'static str,
    },
    /// Far more values than anybody needs.
    #[error("the file has more than {most} values")]
    TooManyValues {
        /// The most that are read.
        most: usize,
    },
    /// A key that nobody knows.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A key that stands there twice.
    #[error("key `{key}` is written twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A key that must be there.
    #[error("key `{key}` is missing")]
    MissingKey {
        /// The key.
        key: &'static str,
    },
    /// A list where a text was expected, and so on.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What was expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A version that this crate does not read.
    #[error("version `{found}` can't be read: this is version 1")]
    Version {
        /// As written.
        found: String,
    },
    /// A span of time that is none.
    #[error("`{text}` is no span of time: {why}")]
    Span {
        /// As written.
        text: String,
        /// Why not.
        why: &'static str,
    },
    /// A number that is none.
    #[error("`{text}` is not {expected}")]
    Number {
        /// As written.
        text: String,
        /// Which numbers are.
        expected: &'static str,
    },
    /// A condition that can't be read.
    #[error("{message}")]
    Condition {
        /// What was expected, and what stands there.
        message: String,
    },
    /// A tarry that is none.
    #[error("`{text}` is no tarry")]
    Tarry {
        /// As written.
        text: String,
    },
    /// A budget that is none.
    #[error("`{text}` is no budget of moves")]
    Budget {
        /// As written.
        text: String,
    },
    /// An action that there isn't.
    #[error("there is no action `{text}`")]
    Action {
        /// As written.
        text: String,
    },
    /// An action that does not say where to.
    #[error("`move-to` does not say to which host")]
    NoTarget,
    /// Not one of a few words.
    #[error("`{text}` is not one of {choices}")]
    Choice {
        /// As written.
        text: String,
        /// The words.
        choices: &'static str,
    },
    /// Days, hours or a cron expression that can't be read.
    #[error("{why}")]
    Window {
        /// What the window leaf says.
        why: String,
    },
    /// Keys that exclude each other.
    #[error("`{one}` and `{other}` exclude each other")]
    Exclusive {
        /// A key.
        one: &'static str,
        /// Another one.
        other: &'static str,
    },
    /// An amount of data that is none.
    #[error("`{text}` is no amount of data")]
    Data {
        /// As written.
        text: String,
    },
    /// A `{placeholder}` that nobody fills in.
    #[error("nothing is known to put in the place of `{placeholder}`")]
    Placeholder {
        /// As written.
        placeholder: String,
    },
    /// A command without a program.
    #[error("`argv` is empty: its first item is the program to run")]
    EmptyArgv,
    /// What this version does not have.
    #[error("{what} `{name}` is not available in this version")]
    NotAvailable {
        /// Probe, actuator, locator or queue source.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// What no version has.
    #[error("there is no {what} `{name}`")]
    NoSuchKind {
        /// Probe, actuator, locator or queue source.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Metrics for the whole network, by mistake perhaps.
    #[error("`{address}` is not a loopback address: whoever reaches it reads the metrics")]
    NotLoopback {
        /// As written.
        address: String,
    },
    /// A secret that whoever is on the way could read.
    #[error("a password or token would go to `{host}` in the clear")]
    InTheClear {
        /// The host.
        host: String,
    },
    /// An address on the web that is none.
    #[error("`{text}` is no address that can be asked: {why}")]
    Url {
        /// As written, without credentials.
        text: String,
        /// Why not.
        why: String,
    },
    /// A network that hosts can't be told apart by.
    #[error("`{text}` is no network to tell hosts by: {fault}")]
    Network {
        /// As written.
        text: String,
        /// Why not.
        fault: NetworkFault,
    },
    /// Networks of two hosts that share addresses.
    #[error("`{network}` and `{other}` share addresses, and are of two hosts")]
    Overlap {
        /// A network.
        network: Network,
        /// One of another host.
        other: Network,
    },
    /// More than can be told.
    #[error("{more} more problems are not shown")]
    More {
        /// How many.
        more: usize,
    },
}

impl ReadErrorKind {
    /// The stable code, explained in `docs/errors.md`. A code is never given to another kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "VP0100",
            Self::TooLarge { .. } => "VP0101",
            Self::Yaml { .. } => "VP0102",
            Self::Empty => "VP0103",
            Self::SecondDocument => "VP0104",
            Self::NotRead { .. } => "VP0105",
            Self::TooManyValues { .. } => "VP0106",
            Self::UnknownKey { .. } => "VP0107",
            Self::DuplicateKey { .. } => "VP0108",
            Self::MissingKey { .. } => "VP0109",
            Self::WrongType { .. } => "VP0110",
            Self::Version { .. } => "VP0111",
            Self::Span { .. } => "VP0112",
            Self::Number { .. } => "VP0113",
            Self::Condition { .. } => "VP0114",
            Self::Tarry { .. } => "VP0115",
            Self::Budget { .. } => "VP0116",
            Self::Action { .. } => "VP0117",
            Self::NoTarget => "VP0118",
            Self::Choice { .. } => "VP0119",
            Self::Window { .. } => "VP0120",
            Self::Exclusive { .. } => "VP0121",
            Self::Data { .. } => "VP0122",
            Self::Placeholder { .. } => "VP0123",
            Self::EmptyArgv => "VP0124",
            Self::NotAvailable { .. } => "VP0125",
            Self::NoSuchKind { .. } => "VP0126",
            Self::More { .. } => "VP0127",
            Self::NotLoopback { .. } => "VP0140",
            Self::InTheClear { .. } => "VP0141",
            Self::Url { .. } => "VP0128",
            Self::Network { .. } => "VP0150",
            Self::Overlap { .. } => "VP0151",
        }
    }

    pub(super) fn at(self, place: Option<Place>, path: String, hint: Option<String>) -> Problem {
        let (code, message) = (self.code(), self.to_string());
        Problem { code, severity: Severity::Error, message, place, path, labels: Vec::new(), hint }
    }
}

/// The line and the column of a byte of the text, both counted from 1; columns count characters.
///
/// An offset past the end, or inside a character, is where that ends or begins.
///
/// ```
/// use vmpolicy_core::file::line_col;
/// assert_eq!(line_col("version: 1\nhome: oslo\n", 17), (2, 7));
/// ```
#[must_use]
pub fn line_col(text: &str, offset: u32) -> (u32, u32) {
    let mut offset = text.len().min(offset as usize);
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (number(line), number(column))
}

#[cfg(test)]
mod tests {
    use super::line_col;

    #[test]
    fn columns_count_characters_and_any_offset_will_do() {
        let text = "å: 1\nb\n";
        assert_eq!(
            [0, 1, 2, 6, 7, 8, 99].map(|at| line_col(text, at)),
            [(1, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 1)]
        );
        assert_eq!(line_col("", 5), (1, 1));
    }
}
