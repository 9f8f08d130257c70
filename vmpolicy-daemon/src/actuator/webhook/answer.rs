//! What an answer means: by its status, and by what its body says.

use crate::http::{Answer, Url};
use crate::process::first_line;
use serde::Deserialize;
use std::time::Duration;
use vmpolicy_core::input::Outcome;

/// What comes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This became of the request.
    Is(Outcome),
    /// Nothing has started: it may be sent again, after so long where the server says.
    Later(Option<Duration>),
}

/// An answer, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Understood {
    pub(super) meaning: Meaning,
    /// For the log: what the server says, or what is wrong with it.
    pub(super) words: String,
    /// Where to ask how it goes, of the same origin.
    pub(super) status_url: Option<Url>,
}

/// The body of an answer. Keys that are not known are passed over.
#[derive(Debug, Default, Deserialize)]
struct Said {
    state: Option<String>,
    reason: Option<String>,
    status_url: Option<String>,
}

impl Said {
    fn of(answer: &Answer) -> Option<Self> {
        serde_json::from_slice(&answer.body).ok()
    }

    /// The outcome that `state` names.
    fn outcome(&self) -> Option<Outcome> {
        match self.state.as_deref()? {
            "accepted" => Some(Outcome::Accepted),
            "confirmed" => Some(Outcome::Confirmed),
            "refused" => Some(Outcome::Refused),
            "failed" => Some(Outcome::Failed),
            _ => None,
        }
    }
}

/// What the answer to a request means. Of one that was sent before (`again`) a refusal counts only where it is the
/// provider's word about the request: a gatekeeper's "no" says nothing of the first asking. What is not for a log is hidden.
pub(super) fn to_request(
    answer: &Answer,
    url: &Url,
    again: bool,
    hide: impl Fn(&str) -> String,
) -> Understood {
    let said = Said::of(answer).unwrap_or_default();
    let status = answer.head.status;
    let mut words = format!("it answers {status}");
    if let Some(reason) = said.reason.as_deref().map(|reason| first_line(hide(reason).as_bytes()))
        && !reason.is_empty()
    {
        words = format!("{words}: {reason}");
    }
    let refused = if again { Outcome::Unanswered } else { Outcome::Refused };
    let meaning = match status {
        200..=299 => Meaning::Is(said.outcome().unwrap_or_else(|| {
            // 202 says by itself that the request is taken on (RFC 9110, 15.3.3), and so does a success that says
            // no more. A page of something else is not the provider.
            if status == 202 || answer.body.is_empty() {
                return Outcome::Accepted;
            }
            words += " with a body that names no `state`";
            Outcome::Unanswered
        })),
        // It was carried out, and its result is elsewhere (RFC 9110, 15.4.4).
        303 => Meaning::Is(Outcome::Unanswered),
        300..=399 => {
            words += ": it sends elsewhere, and a request stays at the address that the policy file names";
            Meaning::Is(refused)
        }
        // The server may have the request all the same, or is at work on it under this key.
        408 => Meaning::Is(Outcome::Unanswered),
        401 | 403 | 407 | 409 => Meaning::Is(refused),
        425 | 429 => Meaning::Later(retry_after(answer)),
        400..=499 => Meaning::Is(Outcome::Refused),
        503 if answer.head.retry_after.is_some() => Meaning::Later(retry_after(answer)),
        _ => Meaning::Is(Outcome::Unanswered),
    };
    let given = said.status_url.or_else(|| answer.head.location.clone().filter(|_| answer.head.is_success()));
    let mut status_url = None;
    if let Some(given) = given {
        match url.join(&given).filter(|to| to.origin() == url.origin()) {
            Some(to) => status_url = Some(to),
            None => {
                words +=
                    "; where it would be asked how the move goes is not at this server, so it is not asked"
            }
        }
    }
    Understood { meaning, words, status_url }
}

/// What a page about a request says of it; nothing that ends it, where it is none of the four words.
pub(super) fn to_poll(answer: &Answer, hide: impl Fn(&str) -> String) -> Result<(Outcome, String), String> {
    if !answer.head.is_success() {
        return Err(format!("it answers {}", answer.head.status));
    }
    let said = Said::of(answer).ok_or("it does not answer as JSON should be")?;
    let outcome = said.outcome().ok_or("it names no `state`")?;
    Ok((outcome, first_line(hide(&said.reason.unwrap_or_default()).as_bytes())))
}

/// In how many seconds to come again; a date is not read.
pub(super) fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.head.retry_after.as_deref()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Head;
    use proptest::prelude::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { head: Head { status, ..Head::default() }, body: body.as_bytes().to_vec() }
    }

    fn url() -> Url {
        "http://manager:81/moves".parse().unwrap()
    }

    #[test]
    fn every_status_and_state() {
        use Outcome::{Accepted, Confirmed, Failed, Refused, Unanswered};
        for (status, body, first, again) in [
            (200, "", Accepted, Accepted),
            (204, "", Accepted, Accepted),
            (202, "<html>", Accepted, Accepted),
            (200, r#"{"state":"accepted"}"#, Accepted, Accepted),
            (200, r#"{"state":"confirmed","reason":null,"more":[1]}"#, Confirmed, Confirmed),
            (201, r#"{"state":"refused","reason":"full"}"#, Refused, Refused),
            (202, r#"{"state":"failed"}"#, Failed, Failed),
            (200, "<html>", Unanswered, Unanswered),
            (200, r#"{"state":"maybe"}"#, Unanswered, Unanswered),
            (200, r#"{"state":7}"#, Unanswered, Unanswered),
            (200, r#"["accepted"]"#, Unanswered, Unanswered),
            (200, r#"{"state":"accepted""#, Unanswered, Unanswered),
            (301, "", Refused, Unanswered),
            (303, "", Unanswered, Unanswered),
            (307, "", Refused, Unanswered),
            (400, "", Refused, Refused),
            (401, "", Refused, Unanswered),
            (403, r#"{"state":"accepted"}"#, Refused, Unanswered),
            (404, "", Refused, Refused),
            (408, "", Unanswered, Unanswered),
            (409, "", Refused, Unanswered),
            (410, "", Refused, Refused),
            (422, "", Refused, Refused),
            (500, r#"{"state":"refused"}"#, Unanswered, Unanswered),
            (502, "", Unanswered, Unanswered),
            (503, "", Unanswered, Unanswered),
            (504, "", Unanswered, Unanswered),
            (999, "", Unanswered, Unanswered),
        ] {
            for (again, expected) in [(false, first), (true, again)] {
                let understood = to_request(&answer(status, body), &url(), again, str::to_owned);
                assert_eq!(understood.meaning, Meaning::Is(expected), "{status} {body} {again}");
            }
        }
    }

    #[test]
    fn what_is_too_busy_may_be_asked_later() {
        for (status, after, meaning) in [
            (429, Some("3"), Meaning::Later(Some(Duration::from_secs(3)))),
            (429, None, Meaning::Later(None)),
            (503, Some(" 0 "), Meaning::Later(Some(Duration::ZERO))),
            (503, Some("Fri, 31 Dec 1999 23:59:59 GMT"), Meaning::Later(None)),
            (503, None, Meaning::Is(Outcome::Unanswered)),
            (500, Some("3"), Meaning::Is(Outcome::Unanswered)),
        ] {
            let mut answer = answer(status, "");
            answer.head.retry_after = after.map(str::to_owned);
            assert_eq!(
                to_request(&answer, &url(), false, str::to_owned).meaning,
                meaning,
                "{status} {after:?}"
            );
        }
    }

    #[test]
    fn the_state_is_asked_for_at_the_same_origin_only() {
        for (location, said, expected) in [
            (Some("/moves/7"), None, Some("http://manager:81/moves/7")),
            (None, Some("/moves/7?a=b"), Some("http://manager:81/moves/7?a=b")),
            (Some("/x"), Some("http://manager:81/y"), Some("http://manager:81/y")),
            (Some("http://manager/x"), None, None),
            (Some("//other:81/x"), None, None),
            (None, Some("https://manager:81/x"), None),
            (None, Some("http://me:pw@manager:81/x"), None),
            (None, Some("file:///etc/passwd"), None),
            (None, None, None),
        ] {
            let body = said.map_or_else(|| "{}".to_owned(), |url| format!(r#"{{"status_url":"{url}"}}"#));
            let mut answer = answer(202, &body);
            answer.head.location = location.map(str::to_owned);
            let understood = to_request(&answer, &url(), false, str::to_owned);
            let found = understood.status_url.as_ref().map(Url::as_str);
            assert_eq!(found, expected, "{location:?} {said:?}");
            let is_said = understood.words.contains("not at this server");
            assert_eq!(is_said, expected.is_none() && (location.is_some() || said.is_some()));
        }
    }

    #[test]
    fn others_words_fit_a_line() {
        let long = format!(r#"{{"state":"refused","reason":"{}\n\u001b[31m"}}"#, "x".repeat(100_000));
        let words = to_request(&answer(200, &long), &url(), false, str::to_owned).words;
        assert!(words.len() < 300 && !words.contains(['\n', '\u{1b}']), "{words}");
        let (outcome, words) = to_poll(&answer(200, &long), str::to_owned).unwrap();
        assert_eq!((outcome, words.len()), (Outcome::Refused, 200));
    }

    proptest! {
        #[test]
        fn any_answer_means_something(status in 100..=599_u16, body in any::<Vec<u8>>(), after in "\\PC{0,12}") {
            let head = Head { status, retry_after: Some(after.clone()), location: Some(after), ..Head::default() };
            let answer = Answer { head, body };
            let understood = to_request(&answer, &url(), false, str::to_owned);
            // Only a whole JSON object with the word in it can say that the guest has moved.
            prop_assert_ne!(understood.meaning, Meaning::Is(Outcome::Confirmed));
            prop_assert!(to_poll(&answer, str::to_owned).is_err());
        }
    }
}
