//! Who asks one address as a policy file says: with its secrets, headers, certificates and limit.

use super::hide::hide;
use super::{Answer, Auth, Client, HttpError, Method, Proxy, Request, Settings, Trust, Unanswered, Url};
use crate::secret::SecretSource;
use std::time::Duration;
use vmpolicy_core::file::{UrlFault, WebAuth, WebSpec};

/// Who asks one address, and others of its origin.
pub struct Web {
    url: Url,
    auth: WebAuth,
    headers: Vec<(String, String)>,
    settings: Settings,
    client: Option<Client>,
}

/// What is asked, and where.
#[derive(Clone, Copy)]
struct Asked<'a> {
    method: Method,
    url: &'a Url,
    headers: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

impl Web {
    /// One who asks as a policy file says, and takes answers of at most so many bytes; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(spec: &WebSpec, body_max: u64) -> Result<Self, UrlFault> {
        Ok(Self::at(spec, spec.url.parse()?, body_max))
    }

    /// The same, at another address.
    #[must_use]
    pub fn at(spec: &WebSpec, url: Url, body_max: u64) -> Self {
        let settings = Settings {
            limit: Duration::from_millis(spec.timeout.millis()),
            body_max,
            trust: Trust::of(spec.ca_file.as_deref()),
            proxy: Proxy::None,
        };
        let (auth, headers) = (spec.auth.clone(), spec.headers.clone());
        Self { url, auth, headers, settings, client: None }
    }

    /// The address.
    #[must_use]
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// How long an exchange may take.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.settings.limit
    }

    /// Asks; an answer of any status will do. Of headers that the policy file names too, these are sent.
    ///
    /// # Errors
    ///
    /// Where there is no whole answer, or a secret can't be had.
    pub fn ask(
        &mut self,
        method: Method,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, HttpError> {
        let url = self.url.clone();
        self.with(Asked { method, url: &url, headers, body }, |client, request| client.send(request))
    }

    /// Reads another address of the same origin; no other gets to see the secrets.
    ///
    /// # Errors
    ///
    /// As [`Web::ask`].
    pub fn get_at(&mut self, url: &Url, headers: &[(&str, &str)]) -> Result<Answer, HttpError> {
        self.with(Asked { method: Method::Get, url, headers, body: b"" }, |client, request| {
            client.send(request)
        })
    }

    /// Puts something at another address of the same origin, which may be done again.
    ///
    /// # Errors
    ///
    /// As [`Web::ask`].
    pub fn put_at(&mut self, url: &Url, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, HttpError> {
        self.with(Asked { method: Method::Put, url, headers, body }, |client, request| client.send(request))
    }

    /// Sends what may start something, within what is left of the limit.
    ///
    /// # Errors
    ///
    /// Where there is no whole answer, with whether the server can know what was asked.
    pub fn post_once(
        &mut self,
        headers: &[(&str, &str)],
        body: &[u8],
        left: Duration,
    ) -> Result<Answer, Unanswered> {
        let url = self.url.clone();
        let asked = Asked { method: Method::Post, url: &url, headers, body };
        let answered = self.with(asked, |client, request| Ok(client.send_once(request, left)));
        match answered {
            Ok(answered) => {
                if answered.is_err() {
                    self.client = None;
                }
                answered.map_err(|Unanswered { error, sent }| Unanswered {
                    error: error.worded(|words| self.hide(words)),
                    sent,
                })
            }
            // Nobody was asked.
            Err(error) => Err(Unanswered { error, sent: false }),
        }
    }

    fn with<T>(
        &mut self,
        asked: Asked<'_>,
        send: impl FnOnce(&Client, Request<'_>) -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
        let sent = self.try_with(asked, send);
        if sent.is_err() {
            // Certificates are read again with the next client.
            self.client = None;
        }
        sent.map_err(|error| error.worded(|words| self.hide(words)))
    }

    /// A server's words, without what was shown to it.
    #[must_use]
    pub fn hide(&self, words: &str) -> String {
        hide(words, &self.auth, &self.headers, self.url.query())
    }

    fn try_with<T>(
        &mut self,
        Asked { method, url, headers, body }: Asked<'_>,
        send: impl FnOnce(&Client, Request<'_>) -> Result<T, HttpError>,
    ) -> Result<T, HttpError> {
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
        let ours = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let said = self.headers.iter().filter(|(name, _)| !ours(name));
        let said = said.map(|(name, value)| (name.as_str(), value.as_str()));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(said).collect();
        send(client, Request { method, url, auth: &auth, headers: &headers, body })
    }
}
