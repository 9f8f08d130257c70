//! `http`: a number in what a server answers.

use super::pointer::Pointer;
use super::web::Web;
use super::{Failure, Source};
use crate::http::Method;
use crate::number::first_number;
use vmpolicy_core::file::{UrlFault, WebMethod, WebSpec};

/// The number at a place of a JSON document, or the first number of a text.
pub struct HttpProbe {
    pointer: Option<Pointer>,
    method: Method,
    body: String,
    web: Web,
}

impl HttpProbe {
    /// A probe; without a pointer it reads the first number of whatever is answered.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(
        pointer: Option<&str>,
        method: WebMethod,
        body: Option<&str>,
        spec: &WebSpec,
    ) -> Result<Self, UrlFault> {
        let method = match method {
            WebMethod::Get => Method::Get,
            WebMethod::Post => Method::Post,
        };
        let body = body.unwrap_or_default().to_owned();
        Ok(Self { pointer: pointer.map(Pointer::new), method, body, web: Web::new(spec)? })
    }
}

impl Source for HttpProbe {
    fn sample(&mut self) -> Result<f64, Failure> {
        let page = self.web.ask(self.method, &[], self.body.as_bytes())?.success()?;
        let read = match &self.pointer {
            Some(pointer) => pointer.number(&page),
            None => first_number(&page, false).map_err(|absence| Failure::new(absence, "no number in it")),
        };
        read.map_err(|failure| {
            Failure::new(failure.absence, format!("{}: {}", self.web.url().shown(), failure.words))
        })
    }
}
