//! Whether the daemon acts, or only decides.

use crate::file::reader::{Fields, Reader};
use crate::policy::Located;

/// Whether moves are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// They are.
    #[default]
    Act,
    /// They are decided, recorded and believed, and none is asked for: as with `--dry-run`.
    Observe,
}

impl Mode {
    /// The word in the policy file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Observe => "observe",
        }
    }
}

impl Reader {
    pub(in crate::file) fn mode(&mut self, top: &Fields<'_>) -> Option<Located<Mode>> {
        self.optional(top, "mode", |reader, node| {
            let known = [("act", Mode::Act), ("observe", Mode::Observe)];
            let mode = reader.choice(node, "`act`, `observe`", &known)?;
            Some(Located::at(mode, node.place))
        })
    }
}
