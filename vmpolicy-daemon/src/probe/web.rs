//! What the probes by HTTP share: how to ask, and what an answer that says no means.

use super::Failure;
use crate::http::{Auth, Client, HttpError, Method, Proxy, Request, Settings, Trust, Url};
use crate::secret::SecretSource;
use std::path::PathBuf;
use std::time::Duration;
use vmpolicy_core::file::{UrlFault, WebAuth, WebSpec};
use vmpolicy_core::input::Absence;

/// A page from which one number is read is smaller.
const BODY_BYTES_MAX: u64 = 1024 * 1024;

/// Who asks one address.
pub(super) struct Web {
    url: Url,
    auth: WebAuth,
    headers: Vec<(String, String)>,
    settings: Settings,
    client: Option<Client>,
}

impl Web {
    /// One who asks as a policy file says; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub(super) fn new(spec: &WebSpec) -> Result<Self, UrlFault> {
        Self::at(spec, spec.url.parse()?)
    }

    /// The same, at another address.
    pub(super) fn at(spec: &WebSpec, url: Url) -> Result<Self, UrlFault> {
        let settings = Settings {
            limit: Duration::from_millis(spec.timeout.millis()),
            body_max: BODY_BYTES_MAX,
            trust: spec.ca_file.as_ref().map_or(Trust::System, |path| Trust::File(PathBuf::from(path))),
            proxy: Proxy::None,
        };
        let (auth, headers) = (spec.auth.clone(), spec.headers.clone());
        Ok(Self { url, auth, headers, settings, client: None })
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
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
        let asked = self.exchange(method, headers, body);
        asked.map_err(|error| {
            // Certificates are read again with the next client.
            self.client = None;
            Failure::new(error.absence(), format!("{}: {error}", self.url.shown()))
        })
    }

    fn exchange(&mut self, method: Method, headers: &[(&str, &str)], body: &[u8]) -> Result<Page, HttpError> {
        // Secrets are read for each exchange, so that a changed one is taken up.
        let auth = match &self.auth {
            WebAuth::None => Auth::None,
            WebAuth::Token(token) => Auth::Bearer(SecretSource::from(token).read()?),
            WebAuth::Basic { user, password } => Auth::basic(user, &SecretSource::from(password).read()?),
        };
        let client = match &mut self.client {
            Some(client) => client,
            none => none.insert(Client::new(&self.url, self.settings.clone())?),
        };
        let said = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(said).collect();
        let answer = client.send(Request { method, url: &self.url, auth: &auth, headers: &headers, body })?;
        Ok(Page { status: answer.head.status, body: answer.body, shown: self.url.shown() })
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
