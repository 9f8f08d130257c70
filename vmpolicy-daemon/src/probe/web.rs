//! What the probes by HTTP share: what an answer that says no means to an indicator.

use super::Failure;
use crate::http::{self, Method, Url};
use vmpolicy_core::file::{UrlFault, WebSpec};
use vmpolicy_core::input::Absence;

/// A page from which one number is read is smaller.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// Who asks one address.
pub(super) struct Web(http::Web);

impl Web {
    /// One who asks as a policy file says; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub(super) fn new(spec: &WebSpec) -> Result<Self, UrlFault> {
        http::Web::new(spec, BODY_BYTES_MAX).map(Self)
    }

    /// The same, at another address.
    pub(super) fn at(spec: &WebSpec, url: Url) -> Self {
        Self(http::Web::at(spec, url, BODY_BYTES_MAX))
    }

    pub(super) const fn url(&self) -> &Url {
        self.0.url()
    }

    /// Reads the page.
    pub(super) fn get(&mut self) -> Result<Vec<u8>, Failure> {
        self.ask(Method::Get, &[], b"").and_then(Page::success)
    }

    /// Asks, and takes an answer of any status.
    pub(super) fn ask(
        &mut self,
        method: Method,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Page, Failure> {
        let asked = self.0.ask(method, headers, body);
        let shown = self.url().shown();
        match asked {
            Ok(answer) => Ok(Page { status: answer.head.status, body: answer.body, shown }),
            Err(error) => Err(Failure::new(error.absence(), format!("{shown}: {error}"))),
        }
    }
}

/// An answer, whatever it says.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    shown: String,
}

impl Page {
    /// The body of an answer that is one.
    pub(super) fn success(self) -> Result<Vec<u8>, Failure> {
        if (200..=299).contains(&self.status) { Ok(self.body) } else { Err(self.refusal()) }
    }

    /// What a status means that is no success.
    pub(super) fn refusal(&self) -> Failure {
        let (absence, hint) = match self.status {
            401 => (Absence::Denied, " (it wants `token_file`, or `user` and `password_file`)"),
            403 => (Absence::Denied, " (it does not show this to us)"),
            404 | 410 => (Absence::Missing, " (nothing there)"),
            // The service is behind it, or has broken down in it.
            500..=599 => (Absence::Unreachable, ""),
            _ => (Absence::Denied, ""),
        };
        Failure::new(absence, format!("{} answers {}{hint}", self.shown, self.status))
    }
}
