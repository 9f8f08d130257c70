//! The scenario file: YAML to a [`Scenario`], or to everything that is wrong with it.
//!
//! [`load`] does it all, [`parse`] stops before anything is judged. As for a policy file, all problems are found
//! in one run and told with their places. What a scenario names (policies, recordings) is asked of [`Files`]; what is
//! wrong with such a policy is told as that file's own. [`ScenarioFile::to_yaml`] writes a scenario down.
//!
//! ```
//! use vmpolicy_core::file::scenario::{NoFiles, load};
//! use vmpolicy_core::policy::UtcOnly;
//!
//! let text = "
//! version: 1
//! lasts: 1h
//! arrays: { oslo: { hosts: [mln1, mln2] } }
//! guests:
//!   shop:
//!     at: mln1
//!     service: database
//!     load: 20
//!     policy:
//!       indicators: { slow_queries: { every: 60s, read: delta } }
//!       rules: [{ name: overloaded, when: slow_queries > 50, tarry: 3, do: move }]
//! ";
//! let loaded = load(text.as_bytes(), &UtcOnly, &mut NoFiles).expect("it is sound");
//! assert_eq!(loaded.scenario.hosts.len(), 2);
//!
//! let faulty = load(text.replace("at: mln1", "at: mln3").as_bytes(), &UtcOnly, &mut NoFiles).unwrap_err();
//! assert_eq!(faulty.problems[0].message, "there is no host named `mln3`");
//! ```

mod build;
mod error;
mod form;
mod names;
mod read;
mod write;

pub use error::{ScenarioErrorKind, ScenarioWarningKind};
pub use form::{
    ArrayForm, ArrivalsForm, AtForm, BatchForm, FaultForm, FeedForm, GuestForm, HostForm, InlinePolicy,
    LeavingForm, LiveForm, LoadForm, ManagementForm, PolicyForm, PowerForm, ProviderForm, QueueForm,
    RankingForm, ScenarioFile, StartForm, WhatForm,
};

use super::problem::Problem;
use super::reader::Reader;
use super::{capped, checked, node, sort};
use crate::policy::build::Doubts;
use crate::policy::{Place, Zones};
use crate::sim::scenario::Scenario;
use crate::time::{Span, Wall};
use std::collections::BTreeMap;

/// What a scenario names. Paths are as written: it is the caller who knows from which folder they go.
pub trait Files {
    /// A policy file, or a file of a folder.
    ///
    /// # Errors
    /// Why it can't be read, in a few words.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;

    /// A series of a recording, or its only one.
    ///
    /// # Errors
    /// Why it can't be read, in a few words.
    fn recording(&mut self, path: &str, series: Option<&str>) -> Result<Recording, String>;

    /// The names of the files in a folder, in any order.
    ///
    /// # Errors
    /// Why it can't be read, in a few words.
    fn folder(&mut self, path: &str) -> Result<Vec<String>, String>;
}

/// A series of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Times and values, in the order of time.
    pub rows: Vec<(Wall, f64)>,
    /// What was mended when it was read, such as rows that were out of order: each in a few words, to be told as a warning.
    pub mended: Vec<String>,
}

/// No files at all, for scenarios that say everything themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Err("there are no files here".to_owned())
    }

    fn recording(&mut self, _: &str, _: Option<&str>) -> Result<Recording, String> {
        Err("there are no files here".to_owned())
    }

    fn folder(&mut self, _: &str) -> Result<Vec<String>, String> {
        Err("there are no files here".to_owned())
    }
}

/// What is told of a policy file that a scenario names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its path, as the scenario has it.
    pub path: String,
    /// What stands in it; the problems' places count its bytes.
    pub text: Vec<u8>,
    /// Its errors, or else its warnings.
    pub problems: Vec<Problem>,
}

/// What was written, as far as it could be read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The scenario as written. Where there are problems, what they are about is left out, or has a stand-in:
    /// such a scenario is not to be used.
    pub file: ScenarioFile,
    /// Everything that could not be read, in the order of the file.
    pub problems: Vec<Problem>,
    doubts: Doubts,
    inner: BTreeMap<Place, Doubts>,
}

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Built {
    /// The scenario, sound.
    pub scenario: Scenario,
    /// What is legal but unwise, in the order of the file.
    pub warnings: Vec<Problem>,
    /// The warnings of the policy files.
    pub policies: Vec<Told>,
}

/// Everything that is wrong.
#[derive(Clone, Debug, Default)]
pub struct Faulty {
    /// Of the scenario file, in its order.
    pub problems: Vec<Problem>,
    /// Of the policy files that it names.
    pub policies: Vec<Told>,
}

/// Reads a scenario file as far as it can be read, and no other file.
#[must_use]
pub fn parse(text: &[u8]) -> Parsed {
    let (node, problems) = match checked(text) {
        Ok(text) => node::read(text),
        Err(problem) => (None, vec![*problem]),
    };
    let mut reader = Reader::new(problems);
    reader.doubts.from_file = true;
    let mut file = ScenarioFile::new(Span::ZERO);
    let fields = match &node {
        Some(node) if !node.is_null() => reader.fields(node, "the keys of a scenario file", read::SECTIONS),
        Some(_) => None,
        None => None,
    };
    match fields {
        Some(top) => file = reader.scenario(&top),
        None => {
            if node.as_ref().is_none_or(node::Node::is_null) && reader.problems.is_empty() {
                reader.nothing("`version: 1`, `lasts: 24h` and `arrays:`");
            }
            reader.doubt_all();
            reader.doubts.guests = true;
        }
    }
    let Reader { mut problems, doubts, inner, .. } = reader;
    sort(&mut problems);
    Parsed { file, problems, doubts, inner }
}

/// Reads and judges a scenario file, and the files that it names.
///
/// # Errors
///
/// Every problem, of the scenario and of its policies.
pub fn load(text: &[u8], zones: &dyn Zones, files: &mut dyn Files) -> Result<Built, Faulty> {
    let Parsed { file, problems, doubts, inner } = parse(text);
    file.judge(zones, files, doubts, &inner, problems)
}

impl ScenarioFile {
    /// Judges the whole scenario, and reads the files that it names.
    ///
    /// # Errors
    ///
    /// Every problem, of the scenario and of its policies.
    pub fn build(&self, zones: &dyn Zones, files: &mut dyn Files) -> Result<Built, Faulty> {
        self.judge(zones, files, Doubts::default(), &BTreeMap::new(), Vec::new())
    }

    fn judge(
        &self,
        zones: &dyn Zones,
        files: &mut dyn Files,
        doubts: Doubts,
        inner: &BTreeMap<Place, Doubts>,
        problems: Vec<Problem>,
    ) -> Result<Built, Faulty> {
        let mut result = build::build(self, zones, files, (doubts, inner), problems);
        match &mut result {
            Ok(built) => sort(&mut built.warnings),
            Err(faulty) => {
                sort(&mut faulty.problems);
                capped(&mut faulty.problems);
            }
        }
        result
    }
}
