//! `http`: what a server answers, such as a cloud's metadata address.

use super::{Told, first_word, name};
use crate::http::{Method, Web};
use crate::process::first_line;
use serde_json::Value;
use vmpolicy_core::file::{UrlFault, WebSpec};
use vmpolicy_core::ports::Locator;

/// A document about one machine is smaller.
const BODY_BYTES_MAX: u64 = 256 * 1024;

/// The first word of an answer, or what stands at a place of a JSON document; where it is not a host's name itself, the
/// host that it means.
pub struct HttpLocator {
    web: Web,
    pointer: Option<String>,
    hosts: Vec<(String, String)>,
    told: Told,
}

impl HttpLocator {
    /// A locator that asks here. `hosts` are answers, each with its host.
    ///
    /// # Errors
    ///
    /// Where the address is none.
    pub fn new(
        spec: &WebSpec,
        pointer: Option<String>,
        hosts: Vec<(String, String)>,
        told: Told,
    ) -> Result<Self, UrlFault> {
        Ok(Self { web: Web::new(spec, BODY_BYTES_MAX)?, pointer, hosts, told })
    }

    fn find(&mut self) -> Result<String, String> {
        let answer = self.web.ask(Method::Get, &[], b"").map_err(|error| error.to_string())?;
        if !answer.head.is_success() {
            return Err(format!("it answers {}", answer.head.status));
        }
        let said = match &self.pointer {
            None => first_word(&answer.body).ok_or("there is no name in the answer")?,
            Some(pointer) => at(pointer, &answer.body)?,
        };
        match self.hosts.iter().find(|(known, _)| *known == said) {
            Some((_, host)) => Ok(host.clone()),
            None => name(&said).ok_or_else(|| format!("`{}` is no name", first_line(said.as_bytes()))),
        }
    }
}

/// The text or number at a place of a document (RFC 6901).
fn at(pointer: &str, json: &[u8]) -> Result<String, String> {
    let document: Value = serde_json::from_slice(json).map_err(|error| {
        // The parser's words may quote the document, which may hold anything.
        format!("the answer is not JSON, by line {} column {}", error.line(), error.column())
    })?;
    match document.pointer(pointer) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(format!("`{pointer}` is no text")),
        None => Err(format!("`{pointer}` is not there")),
    }
}

impl Locator for HttpLocator {
    fn locate(&mut self) -> Option<String> {
        let found = self.find();
        let found = found.map_err(|words| format!("{}: {}", self.web.url().shown(), self.web.hide(&words)));
        self.told.note(found)
    }
}
