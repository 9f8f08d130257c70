//! Where the state is kept beside the daemon's own folder.

use super::web::web_keys;
use super::{Kinds, WebSpec};
use crate::file::reader::{Fields, Reader};
use crate::policy::Located;
use crate::time::Span;

/// How long one exchange about the state may take, where the file does not say. The loop waits meanwhile.
pub const STATE_TIMEOUT: Span = Span::from_secs(2);

/// Where the state is kept off the guest.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StateSpec {
    /// On a server, as one document that is put and got.
    Http {
        /// How to ask it.
        web: WebSpec,
    },
}

const STATES: Kinds = Kinds { what: "place for the state", here: &["http"], later: &[], beside: &[] };

impl Reader {
    pub(in crate::file) fn state(&mut self, top: &Fields<'_>) -> Option<Located<StateSpec>> {
        self.optional(top, "state", |reader, node| {
            let (spec, _) = reader.kind(node, &STATES, |reader, _, value| {
                let fields = reader.options(node, value, &web_keys!())?;
                let web = reader.by_http(&fields, None, STATE_TIMEOUT)?;
                reader.not_in_the_clear(&fields, &web);
                Some(StateSpec::Http { web })
            });
            Some(Located::at(spec?, node.place))
        })
    }
}
