//! `webhook`: a move is asked for by HTTP, under a key by which the other side knows a request that comes twice.

mod answer;
mod follow;
#[cfg(test)]
mod tests;

use crate::agent::Reporter;
use crate::http::{Unanswered, Url, Web};
use answer::{Meaning, Understood, to_request};
use follow::{Followed, Follower};
use serde::Serialize;
use std::time::{Duration, Instant};
use vmpolicy_core::file::{UrlFault, WebSpec};
use vmpolicy_core::input::Outcome;
use vmpolicy_core::ports::{Actuator, Asked};

/// An answer says a few words.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// How long to wait for a server that is too busy and does not say for how long.
const BUSY: Duration = Duration::from_secs(1);

/// The header by which a request is known that comes twice
/// (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>).
const KEY: &str = "idempotency-key";

/// Asks by POST, and asks after what was taken on.
///
/// | what happens | outcome |
/// | --- | --- |
/// | nobody there, no such name, a certificate that is not believed: nothing was sent | refused |
/// | 2xx with a `state` | what it says |
/// | 2xx without a body, 202 | accepted |
/// | 4xx, a redirect | refused |
/// | 425 and 429, 503 with `Retry-After` | sent again under its key within the limit, else refused |
/// | another 5xx, a limit, a broken connection, a page of something else | nobody knows |
pub struct WebhookActuator {
    web: Web,
    reporter: Reporter,
    follower: Follower,
    believes: bool,
}

/// What is sent.
#[derive(Serialize)]
struct Sent<'a> {
    id: &'a str,
    guest: &'a str,
    from: &'a str,
    to: &'a str,
    #[serde(rename = "do")]
    action: &'static str,
}

impl WebhookActuator {
    /// An actuator that asks here, and each `poll` after what was taken on. `believes` where nobody else can tell
    /// where the guest is: then a move is carried out when the other side says so, and not when it is taken on.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(spec: &WebSpec, poll: Duration, believes: bool, reporter: Reporter) -> Result<Self, UrlFault> {
        let web = Web::new(spec, BODY_BYTES_MAX)?;
        let follower = Follower::start(Web::new(spec, BODY_BYTES_MAX)?, poll, reporter.clone());
        Ok(Self { web, reporter, follower, believes })
    }

    /// Sends it until there is an answer that is more than "later".
    fn send(&mut self, asked: &Asked<'_>) -> (Outcome, String, Option<Url>) {
        let began = Instant::now();
        let key = key(asked.id);
        let headers =
            [(KEY, key.as_str()), ("content-type", "application/json"), ("accept", "application/json")];
        let Asked { id, guest, from, to, .. } = *asked;
        let sent = Sent { id, guest, from, to, action: asked.request.action.name() };
        let Ok(body) = serde_json::to_vec(&sent) else {
            return (Outcome::Refused, "names that no JSON can hold".to_owned(), None);
        };
        let again = asked.request.resent;
        // Of what was sent before the daemon began again nobody knows, and this did not change it.
        let nothing = if again { Outcome::Unanswered } else { Outcome::Refused };
        loop {
            let left = self.web.limit().saturating_sub(began.elapsed());
            if left.is_zero() {
                return (nothing, "it is too busy for as long as it may take".to_owned(), None);
            }
            let understood = match self.web.post_once(&headers, &body, left) {
                Err(Unanswered { error, sent }) => {
                    let outcome = if sent { Outcome::Unanswered } else { nothing };
                    return (outcome, error.to_string(), None);
                }
                Ok(answer) => to_request(&answer, self.web.url(), again, |words| self.web.hide(words)),
            };
            let Understood { meaning, words, status_url } = understood;
            let after = match meaning {
                Meaning::Is(outcome) => return (outcome, words, status_url),
                Meaning::Later(after) => after.unwrap_or(BUSY),
            };
            if after >= self.web.limit().saturating_sub(began.elapsed()) {
                return (nothing, words, None);
            }
            std::thread::sleep(after);
            // It may have ended meanwhile, by an operator's word: what nobody expects must not start.
            if !self.reporter.is_open(asked.request.id) {
                return (nothing, "it has ended before it could be sent".to_owned(), None);
            }
        }
    }
}

impl Actuator for WebhookActuator {
    fn resends(&self) -> bool {
        true
    }

    fn request(&mut self, asked: &Asked<'_>) -> Outcome {
        let (outcome, words, status_url) = self.send(asked);
        let shown = self.web.url().shown();
        match outcome {
            Outcome::Accepted | Outcome::Confirmed => tracing::info!(id = asked.id, "{shown}: {words}"),
            Outcome::Refused => tracing::warn!(id = asked.id, "{shown} refused: {words}"),
            Outcome::Failed => tracing::warn!(id = asked.id, "{shown}: the move failed: {words}"),
            Outcome::Unanswered => {
                tracing::warn!(id = asked.id, "{shown}: nobody knows whether it moves: {words}");
            }
        }
        let goes_on = matches!(outcome, Outcome::Accepted | Outcome::Unanswered);
        let Some(url) = status_url.filter(|_| goes_on) else { return outcome };
        self.follower.follow(Followed { id: asked.request.id, name: asked.id.to_owned(), url });
        // Taken on is not moved: without a locator the engine would believe it, and here is somebody who will tell.
        if self.believes { Outcome::Unanswered } else { outcome }
    }
}

/// A request's id as the value of a header: what is not visible ASCII is written as `%20` is.
fn key(id: &str) -> String {
    use std::fmt::Write as _;
    let mut key = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            key.push(char::from(byte));
        } else {
            // A text takes all that is written to it.
            let _ = write!(key, "%{byte:02X}");
        }
    }
    key
}
