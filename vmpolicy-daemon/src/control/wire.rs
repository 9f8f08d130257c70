//! The words of the control protocol: one JSON object a line each way.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the protocol. One that the daemon does not speak is told so.
pub const VERSION: u32 = 1;

/// What can be asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Request {
    /// Who is there.
    Hello {},
    /// How things stand.
    Status {},
    /// What each rule waits for, and what speaks against each host.
    Why {},
    /// The last records.
    History {
        /// How many at most.
        #[serde(skip_serializing_if = "Option::is_none")]
        last: Option<u32>,
        /// Only those with a greater number.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
    /// Ask for nothing.
    Hold {
        /// For so many seconds; without it until told otherwise.
        #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
    },
    /// Go on after a hold.
    Resume {},
    /// Ask for this move.
    Move {
        /// The host's name.
        to: String,
    },
    /// Read the policy file again.
    Reload {},
}

impl Request {
    /// Whether it changes nothing.
    #[must_use]
    pub const fn only_reads(&self) -> bool {
        matches!(self, Self::Hello {} | Self::Status {} | Self::Why {} | Self::History { .. })
    }

    /// The line that says it, with its newline.
    #[must_use]
    pub fn line(&self) -> String {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Value::Object(map) = &mut value {
            map.insert("v".to_owned(), VERSION.into());
        }
        format!("{value}\n")
    }

    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let bad = |message: String| Refusal {
            code: ErrorCode::BadRequest,
            message,
            details: Vec::new(),
            hint: Some("for example {\"v\":1,\"do\":\"status\"}".to_owned()),
        };
        let mut value: Value =
            serde_json::from_slice(line).map_err(|error| bad(format!("the line is not JSON: {error}")))?;
        let Value::Object(map) = &mut value else { return Err(bad("the line is no JSON object".to_owned())) };
        match map.remove("v") {
            Some(version) if version == VERSION => {}
            Some(version) => {
                let message = format!("version {version} is not spoken here");
                let hint = Some(format!("this daemon speaks version {VERSION}"));
                return Err(Refusal { code: ErrorCode::Version, message, details: Vec::new(), hint });
            }
            None => return Err(bad("`v`, the version, is missing".to_owned())),
        }
        Self::of(std::mem::take(map)).map_err(bad)
    }

    /// What a request's fields say. By hand, as code that reads any type from any format would be a large part of what
    /// the daemon's sockets take.
    fn of(mut fields: Map<String, Value>) -> Result<Self, String> {
        let verb = fields.remove("do").ok_or("`do`, what is wanted, is missing")?;
        let request = match verb.as_str().unwrap_or_default() {
            "hello" => Self::Hello {},
            "status" => Self::Status {},
            "why" => Self::Why {},
            "history" => Self::History {
                last: whole(&mut fields, "last")?
                    .map(u32::try_from)
                    .transpose()
                    .map_err(|_| format!("`last` is {} at most", u32::MAX))?,
                after: whole(&mut fields, "after")?,
            },
            "hold" => {
                Self::Hold { seconds: field(&mut fields, "for", "a number of seconds", Value::as_f64)? }
            }
            "resume" => Self::Resume {},
            "move" => Self::Move {
                to: field(&mut fields, "to", "a host's name", |value| value.as_str().map(str::to_owned))?
                    .ok_or("`to`, the host, is missing")?,
            },
            "reload" => Self::Reload {},
            _ => {
                let known = "`hello`, `status`, `why`, `history`, `hold`, `resume`, `move`, `reload`";
                return Err(format!("{verb} can't be asked for; what can is {known}"));
            }
        };
        match fields.keys().next() {
            Some(more) => Err(format!("`{more}` is no part of it")),
            None => Ok(request),
        }
    }
}

fn whole(fields: &mut Map<String, Value>, name: &str) -> Result<Option<u64>, String> {
    field(fields, name, "a whole number", Value::as_u64)
}

/// Takes a field that may be missing, or null.
fn field<T>(
    fields: &mut Map<String, Value>,
    name: &str,
    kind: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(&value).map(Some).ok_or_else(|| format!("`{name}` is {kind}, not {value}")),
    }
}

/// What kind of error an answer tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The line can't be read, or asks for what there is not.
    BadRequest,
    /// A version that is not spoken.
    Version,
    /// This socket takes no orders.
    NotAllowed,
    /// Too many clients, or the loop does not answer.
    Busy,
    /// The policy has no such host.
    UnknownHost,
    /// The guest is there.
    AlreadyThere,
    /// A request is open, and there is one at a time.
    RequestOpen,
    /// Nobody knows where the guest is.
    LocationUnknown,
    /// The policy file was not taken.
    NotTaken,
    /// One of a newer daemon.
    #[serde(other)]
    Other,
}

impl ErrorCode {
    /// Whether the daemon understood, and the answer is no.
    #[must_use]
    pub const fn is_no(self) -> bool {
        matches!(
            self,
            Self::UnknownHost
                | Self::AlreadyThere
                | Self::RequestOpen
                | Self::LocationUnknown
                | Self::NotTaken
                | Self::Other
        )
    }
}

/// Why a request is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of error it is.
    pub code: ErrorCode,
    /// In words.
    pub message: String,
    /// Line by line, where there is more to say: the diagnostics of a policy file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refusal {
    /// One without more to say.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), hint: None }
    }

    /// The line that says it, with its newline.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        answer(false, "error", self)
    }
}

/// Who is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The guest.
    pub guest: String,
    /// `act`, `observe` or `dry-run`.
    pub mode: String,
    /// The daemon's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
}

/// The line of an answer: `{"v":1,"ok":true,"KEY":VALUE}`.
#[must_use]
pub(super) fn answer(ok: bool, key: &str, value: &impl Serialize) -> Vec<u8> {
    let mut line = format!("{{\"v\":{VERSION},\"ok\":{ok},\"{key}\":").into_bytes();
    let start = line.len();
    if let Err(error) = serde_json::to_writer(&mut line, value) {
        line.truncate(start);
        tracing::error!("an answer can't be written as JSON: {error}");
        line.extend_from_slice(b"null");
    }
    line.extend_from_slice(b"}\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![
            Just(Request::Hello {}),
            Just(Request::Status {}),
            Just(Request::Why {}),
            (any::<Option<u32>>(), any::<Option<u64>>())
                .prop_map(|(last, after)| Request::History { last, after }),
            prop::option::of(0.0..1e9).prop_map(|seconds| Request::Hold { seconds }),
            Just(Request::Resume {}),
            any::<String>().prop_map(|to| Request::Move { to }),
            Just(Request::Reload {}),
        ]
    }

    proptest! {
        #[test]
        fn what_is_said_is_understood(request in request()) {
            let line = request.line();
            prop_assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
            prop_assert_eq!(Request::parse(line.trim_end().as_bytes()), Ok(request));
        }

        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Err(refusal) = Request::parse(&bytes) {
                let line = refusal.line();
                prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
                prop_assert!(serde_json::from_slice::<Value>(&line).is_ok());
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let told = |line: &str| Request::parse(line.as_bytes()).unwrap_err();
        assert_eq!(told("status").code, ErrorCode::BadRequest);
        assert_eq!(told("[]").code, ErrorCode::BadRequest);
        assert_eq!(told(r#"{"do":"status"}"#).message, "`v`, the version, is missing");
        assert_eq!(told(r#"{"v":2,"do":"status"}"#).code, ErrorCode::Version);
        assert!(told(r#"{"v":1,"do":"stauts"}"#).message.contains("stauts"));
        assert!(told(r#"{"v":1,"do":"status","more":1}"#).message.contains("more"));
        assert!(told(r#"{"v":1,"do":"move"}"#).message.contains("to"));
        assert_eq!(told(r#"{"v":1,"do":"move","to":7}"#).message, "`to` is a host's name, not 7");
        assert_eq!(
            told(r#"{"v":1,"do":"hold","for":"1h"}"#).message,
            "`for` is a number of seconds, not \"1h\""
        );
        assert_eq!(told(r#"{"v":1,"do":"history","last":-1}"#).message, "`last` is a whole number, not -1");
        assert_eq!(
            told(r#"{"v":1,"do":"history","last":4294967296}"#).message,
            "`last` is 4294967295 at most"
        );
        assert!(told(r#"{"v":1,"do":7}"#).message.starts_with("7 can't be asked for"));
        assert!(told(r#"{"v":1}"#).message.contains("do"));
        let history = Request::parse(br#"{"v":1,"do":"history","last":null}"#);
        assert_eq!(history, Ok(Request::History { last: None, after: None }));
    }
}
