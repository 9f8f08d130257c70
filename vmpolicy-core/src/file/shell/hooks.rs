//! What is run when the guest arrives somewhere, and before it leaves.

use crate::file::node::Node;
use crate::file::problem::ReadErrorKind as Kind;
use crate::file::reader::{Fields, Reader};
use crate::policy::Located;
use crate::time::Span;

/// How long a hook may take where the file does not say.
pub const HOOK_TIMEOUT: Span = Span::from_secs(30);

/// A command that is run at some moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HookSpec {
    /// The program and its arguments, with `{guest}`, `{from}`, `{to}`, `{id}` and `{host}` to be filled in; no
    /// shell reads them.
    pub argv: Vec<String>,
    /// How long it may take.
    pub timeout: Span,
}

/// What is run at which moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HooksSpec {
    /// Once the guest is on a host, where that is another one than at the last time.
    pub on_arrival: Option<HookSpec>,
    /// Before a move is asked for.
    pub before_leaving: Option<HookSpec>,
    /// Whether a move is not asked for where `before_leaving` fails.
    pub required: bool,
}

/// What a hook's command is told.
const PLACEHOLDERS: &[&str] = &["guest", "from", "to", "id", "host"];

impl Reader {
    pub(in crate::file) fn hooks(&mut self, top: &Fields<'_>) -> Option<Located<HooksSpec>> {
        self.optional(top, "hooks", |reader, node| {
            let expected = "hooks such as `{ on_arrival: { argv: [PROGRAM, \"{host}\"] } }`";
            let fields = reader.fields(node, expected, &["on_arrival", "before_leaving"])?;
            if fields.get("on_arrival").is_none() && fields.get("before_leaving").is_none() {
                let hint = "for example `on_arrival: { argv: [PROGRAM, \"{host}\"] }`";
                reader.blame_hinted(Kind::MissingKey { key: "on_arrival" }, node.place, hint);
            }
            let on_arrival = reader.optional(&fields, "on_arrival", |reader, node| {
                reader.hook(node, &["argv", "timeout"]).map(|(hook, _)| hook)
            });
            let leaving = reader.optional(&fields, "before_leaving", |reader, node| {
                let (hook, fields) = reader.hook(node, &["argv", "timeout", "required"])?;
                let required = reader.optional(&fields, "required", Self::truth);
                Some((hook, required.unwrap_or(false)))
            });
            let required = leaving.as_ref().is_some_and(|(_, required)| *required);
            let before_leaving = leaving.map(|(hook, _)| hook);
            Some(Located::at(HooksSpec { on_arrival, before_leaving, required }, node.place))
        })
    }

    fn hook<'n>(&mut self, node: &'n Node, known: &[&'static str]) -> Option<(HookSpec, Fields<'n>)> {
        let fields = self.options(node, Some(node), known)?;
        let timeout = self.wait(&fields, "timeout", HOOK_TIMEOUT);
        Some((HookSpec { argv: self.argv(&fields, PLACEHOLDERS)?, timeout }, fields))
    }
}
