//! How a move is asked for.

use super::web::web_keys;
use super::{Kinds, WebSpec};
use crate::file::reader::{Fields, Reader};
use crate::policy::Located;
use crate::time::Span;

/// How long asking for a move may take where the file does not say.
pub const ACTUATOR_TIMEOUT: Span = Span::from_secs(30);

/// How often the state of a move is asked for where the file does not say.
pub const ACTUATOR_POLL: Span = Span::from_secs(5);

/// How a move is asked for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ActuatorSpec {
    /// A command; its exit status is the outcome.
    Exec {
        /// The program and its arguments, with `{guest}`, `{from}`, `{to}` and `{id}` to be filled in; no
        /// shell reads them.
        argv: Vec<String>,
        /// How long it may take.
        timeout: Span,
    },
    /// A request by HTTP, with a key by which it can be sent twice; its answer is the outcome, or says where to ask
    /// for it.
    Webhook {
        /// How to ask.
        web: WebSpec,
        /// How often the state of a move that was taken on is asked for.
        poll: Span,
    },
    /// The demonstration's array, inside the daemon.
    Embedded,
}

const ACTUATORS: Kinds = Kinds {
    what: "actuator",
    here: &["exec", "webhook", "embedded"],
    later: &["mln", "libvirt", "proxmox", "openstack", "broker"],
    beside: &[],
};

/// What an actuator's command is told.
const PLACEHOLDERS: &[&str] = &["guest", "from", "to", "id"];

impl Reader {
    pub(in crate::file) fn actuator(&mut self, top: &Fields<'_>) -> Option<Located<ActuatorSpec>> {
        self.optional(top, "actuator", |reader, node| {
            let (spec, _) = reader.kind(node, &ACTUATORS, |reader, kind, value| {
                if kind == "embedded" {
                    return reader.options(node, value, &[]).map(|_| ActuatorSpec::Embedded);
                }
                if kind == "webhook" {
                    let fields = reader.options(node, value, &web_keys!("poll"))?;
                    let poll = reader.wait(&fields, "poll", ACTUATOR_POLL);
                    let web = reader.by_http(&fields, None, ACTUATOR_TIMEOUT)?;
                    return Some(ActuatorSpec::Webhook { web, poll });
                }
                let fields = reader.options(node, value, &["argv", "timeout"])?;
                let timeout = reader.wait(&fields, "timeout", ACTUATOR_TIMEOUT);
                Some(ActuatorSpec::Exec { argv: reader.argv(&fields, PLACEHOLDERS)?, timeout })
            });
            Some(Located::at(spec?, node.place))
        })
    }
}
