//! From what was written to what is sound: [`PolicyFile::build`].
use super::{Policy, PolicyFile, Zones};

/// What is wrong with a policy file (placeholder until it lands).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("placeholder")]
pub struct PolicyError;

impl PolicyFile {
    /// Judges the whole file: a sound policy, or every error.
    ///
    /// # Errors
    ///
    /// Every error, in the order of the file.
    pub fn build(&self, _zones: &dyn Zones) -> Result<Policy, Vec<PolicyError>> {
        Err(vec![PolicyError])
    }
}
