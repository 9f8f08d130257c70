//! A collector that takes records by HTTP: lines of JSON in the body of a POST, and any 2xx says that it has them.

use super::{Collector, Refusal};
use crate::http::{Method, Web};
use crate::spool::Batch;
use std::time::Duration;
use vmpolicy_core::file::{UrlFault, WebSpec};

/// What an answer says beside its status is of no interest.
const BODY_BYTES_MAX: u64 = 64 * 1024;

/// A collector that takes records by HTTP.
pub(super) struct HttpCollector {
    web: Web,
}

impl HttpCollector {
    pub(super) fn new(spec: &WebSpec) -> Result<Self, UrlFault> {
        Ok(Self { web: Web::new(spec, BODY_BYTES_MAX)? })
    }
}

impl Collector for HttpCollector {
    fn take(&mut self, batch: &Batch) -> Result<(), Refusal> {
        let key = format!("{}-{}-{}", batch.log, batch.first, batch.last);
        let headers = [("content-type", "application/x-ndjson"), ("idempotency-key", key.as_str())];
        let answer = self
            .web
            .ask(Method::Post, &headers, &batch.lines)
            .map_err(|error| Refusal::new(error.to_string()))?;
        if answer.head.is_success() {
            return Ok(());
        }
        let status = answer.head.status;
        let hint = match status {
            401 => " (it wants `token_file`, or `user` and `password_file`)",
            403 => " (it lets us not write there)",
            404 | 410 => " (nothing there)",
            413 => " (too much at once)",
            _ => "",
        };
        // A date is not worth the reading: it is asked again in a while.
        let seconds = answer.head.retry_after.and_then(|text| text.trim().parse().ok());
        Err(Refusal {
            words: format!("it answers {status}{hint}"),
            again_in: seconds.map(Duration::from_secs),
            too_large: status == 413,
        })
    }
}
