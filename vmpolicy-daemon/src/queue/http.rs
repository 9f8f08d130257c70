//! `http`: batches of a server, by three requests that are all safe to repeat.
//!
//! ```text
//! GET URL/batches?guest=GUEST              {"batches": [{"id": "b1", "claimed": true}, {"id": "b2"}]}
//! PUT URL/batches/ID/claim                 {"jobs": [{"id": "1", "name": "..", "body": ".."}]}, or 409
//! PUT URL/batches/ID/jobs/JOB              done or failed: any 2xx
//! ```

use super::{End, Fault, Job, Source, Stdin};
use crate::http::{Answer, Url, Web};
use serde::Deserialize;
use std::collections::VecDeque;
use vmpolicy_core::file::{GradedBy, UrlFault, WebSpec};

/// A list of batches, or a batch, is no more than this.
const BODY_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Batches of a server.
pub struct Http {
    web: Web,
    root: String,
    guest: String,
    by: GradedBy,
    /// What is left of the claimed batch, as far as it was asked for.
    left: VecDeque<Job>,
}

#[derive(Deserialize)]
struct Batches {
    batches: Vec<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    id: String,
    #[serde(default)]
    claimed: bool,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: Vec<OneJob>,
}

#[derive(Deserialize)]
struct OneJob {
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    body: String,
}

impl Http {
    /// The batches of the server at this address, as this guest sees them; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(spec: &WebSpec, guest: &str, by: GradedBy) -> Result<Self, UrlFault> {
        let root = spec.url.trim_end_matches('/').to_owned();
        let web = Web::new(spec, BODY_BYTES_MAX)?;
        Ok(Self { web, root, guest: guest.to_owned(), by, left: VecDeque::new() })
    }

    fn url(&self, path: &str) -> Result<Url, Fault> {
        format!("{}/{path}", self.root).parse().map_err(|fault: UrlFault| Fault(fault.to_string()))
    }

    /// Tells the server something that it may be told twice.
    fn put(&mut self, path: &str, body: &serde_json::Value) -> Result<Answer, Fault> {
        let url = self.url(path)?;
        // As a structured header's string has it (RFC 8941, 3.3.3): the path holds nothing that is to be escaped.
        let key = format!("\"{}/{path}\"", segment(&self.guest));
        let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
        let answered = self.web.put_at(&url, &headers, body.to_string().as_bytes());
        answered.map_err(|error| Fault(format!("{}: {error}", url.shown())))
    }

    /// The batch that is claimed by this guest, claimed by it now, or none.
    fn load(&mut self, claims: bool) -> Result<(), Fault> {
        self.left.clear();
        let url = self.url(&format!("batches?guest={}", segment(&self.guest)))?;
        let answer = self.web.get_at(&url, &[("accept", "application/json")]);
        let answer = answer.map_err(|error| Fault(format!("{}: {error}", url.shown())))?;
        let Batches { mut batches } = read(&url, &answer)?;
        batches.sort_by_key(|batch| !batch.claimed);
        for Batch { id, claimed } in batches {
            if !claimed && !claims {
                break;
            }
            let path = format!("batches/{}/claim", segment(&id));
            let answer = self.put(&path, &serde_json::json!({ "guest": self.guest }))?;
            // Somebody else was faster, or it is gone.
            if matches!(answer.head.status, 404 | 409 | 410) {
                continue;
            }
            let Jobs { jobs } = read(&self.url(&path)?, &answer)?;
            self.left = jobs.into_iter().map(|job| self.job(&id, job)).collect();
            if !self.left.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn job(&self, batch: &str, OneJob { id, name, body }: OneJob) -> Job {
        let name = name.unwrap_or_else(|| id.clone());
        let known = match self.by {
            GradedBy::Name => name.clone(),
            GradedBy::FirstLine => body.lines().next().unwrap_or_default().to_owned(),
        };
        Job { name, batch: batch.to_owned(), told: id, known, stdin: Stdin::Text(body) }
    }
}

impl Source for Http {
    fn claim(&mut self) -> Result<Vec<String>, Fault> {
        self.load(true)?;
        Ok(self.left.iter().map(|job| job.known.clone()).collect())
    }

    fn first(&mut self) -> Result<Option<Job>, Fault> {
        if self.left.is_empty() {
            self.load(false)?;
        }
        Ok(self.left.front().cloned())
    }

    fn finish(&mut self, job: &Job, end: End) -> Result<(), Fault> {
        let outcome = match end {
            End::Done => "done",
            End::Failed => "failed",
        };
        let path = format!("batches/{}/jobs/{}", segment(&job.batch), segment(&job.told));
        let body = serde_json::json!({ "guest": self.guest, "outcome": outcome });
        let answer = self.put(&path, &body)?;
        // What the server knows no more has ended.
        if !answer.head.is_success() && !matches!(answer.head.status, 404 | 410) {
            return Err(refusal(&self.url(&path)?, &answer));
        }
        self.left.retain(|left| (&left.batch, &left.told) != (&job.batch, &job.told));
        Ok(())
    }
}

fn read<T: for<'de> Deserialize<'de>>(url: &Url, answer: &Answer) -> Result<T, Fault> {
    if !answer.head.is_success() {
        return Err(refusal(url, answer));
    }
    // The error quotes nothing of the document.
    serde_json::from_slice(&answer.body)
        .map_err(|error| Fault(format!("{}: not what is expected, line {}", url.shown(), error.line())))
}

fn refusal(url: &Url, answer: &Answer) -> Fault {
    Fault(format!("{} answers {}", url.shown(), answer.head.status))
}

/// A text as one segment of a path (RFC 3986, 3.3): what is not unreserved is written in percent.
fn segment(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 0xf)]));
        }
    }
    // These two would be a step in the tree.
    match out.as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::segment;

    #[test]
    fn a_segment_is_one() {
        assert_eq!(segment("a b/c?d#e%ø"), "a%20b%2Fc%3Fd%23e%25%C3%B8");
        assert_eq!(
            (segment("."), segment(".."), segment("...")),
            ("%2E".into(), "%2E%2E".into(), "...".into())
        );
    }
}
