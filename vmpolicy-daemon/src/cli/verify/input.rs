//! The policy and what is expected of it.

use super::Args;
use crate::cli::Exit;
use crate::cli::given::Given;
pub(super) use crate::cli::given::{bytes, wrong};
use crate::cli::terminal::complain;
use crate::zones::SystemZones;
use vmpolicy_core::file::Loaded;
use vmpolicy_core::file::expect::load_expectations;
use vmpolicy_core::verify::Expectation;

/// What a verification is fed.
pub(super) struct Input {
    pub loaded: Loaded,
    pub zones: SystemZones,
    pub expectations: Vec<Expectation>,
}

impl Input {
    /// Reads both files; all their errors are told.
    pub(super) fn read(args: &Args) -> Result<Self, Exit> {
        let files = [Some(&args.file), args.expect.as_ref(), args.scenario.as_ref()];
        if files.into_iter().flatten().filter(|path| path.as_os_str() == "-").count() > 1 {
            complain("only one of the files can be standard input");
            return Err(Exit::Usage);
        }
        let Given { loaded, zones, .. } = Given::read(&args.file)?;
        let expectations = match &args.expect {
            None => Vec::new(),
            Some(path) => {
                let bytes = bytes(path)?;
                load_expectations(&bytes, &loaded.policy)
                    .map_err(|problems| wrong(path, &bytes, &problems))?
            }
        };
        Ok(Self { loaded, zones, expectations })
    }
}
