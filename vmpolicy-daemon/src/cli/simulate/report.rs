//! What a simulation reports, as data: printed as JSON as it stands, and as text by `text`.
//!
//! Spans are seconds, times are RFC 3339 in UTC.

use super::faults::{self, Happened};
use super::figures::Variant;
use super::input::Input;
use super::runs::Ran;
use crate::provenance::{ENGINE, fingerprint, zone_data};
use crate::report::Page;
use crate::spans::{seconds, wall};
use serde::Serialize;
use std::fmt;
use vmpolicy_core::sim::scenario::{PolicyIx, Scenario};
use vmpolicy_core::time::{Span, Wall};

/// The whole report.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The scenario, as it was named.
    pub scenario: String,
    pub provenance: Provenance,
    #[serde(serialize_with = "wall::serialize")]
    pub from: Wall,
    #[serde(serialize_with = "wall::serialize")]
    pub to: Wall,
    #[serde(serialize_with = "seconds::serialize")]
    pub lasts: Span,
    /// How often loads were looked at.
    #[serde(serialize_with = "seconds::serialize")]
    pub step: Span,
    pub zone: String,
    pub arrays: usize,
    pub hosts: usize,
    pub guests: usize,
    /// How many of the guests have a policy.
    pub managed: usize,
    /// What is legal but unwise in the scenario.
    pub warnings: Vec<String>,
    /// What went wrong, in the order of time.
    pub faults: Vec<Happened>,
    pub checked: Checked,
    /// By case; the scenario as it is written first.
    pub variants: Vec<Variant>,
}

/// Whether the onlooker watched, and what it found: anything would have ended the run.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Checked {
    pub watched: bool,
    /// Inputs of guests' engines, in all cases; after each the invariants were held against what came out.
    pub inputs: u64,
    pub violations: u64,
}

/// What the result depends on.
#[derive(Debug, Serialize)]
pub(super) struct Provenance {
    /// The engine's version.
    pub engine: &'static str,
    pub seed: u64,
    /// The version of the zone data, where a zone has any.
    pub zones: Option<String>,
    /// Every policy that a guest has, or is given.
    pub policies: Vec<PolicyRow>,
}

/// A policy.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PolicyRow {
    /// Its fingerprint, as sixteen hexadecimal digits.
    pub fingerprint: String,
    /// How many guests begin with it.
    pub guests: usize,
    /// The first of them.
    pub example: Option<String>,
}

impl PolicyRow {
    /// What it is called in the report: by who has it.
    pub(super) fn name(&self) -> String {
        match (&self.example, self.guests) {
            (None, _) => "a reload".to_owned(),
            (Some(one), 1) => one.clone(),
            (Some(first), many) => format!("{first} and {} more", many - 1),
        }
    }

    pub(super) fn all(scenario: &Scenario) -> Vec<Self> {
        let mut rows: Vec<_> = scenario
            .policies
            .iter()
            .map(|policy| Self { fingerprint: fingerprint(policy), guests: 0, example: None })
            .collect();
        for guest in &scenario.guests {
            let managed = scenario.kinds[guest.kind.index()].managed.as_ref();
            if let Some(row) = managed.map(|managed| PolicyIx::index(managed.policy)) {
                rows[row].guests += 1;
                rows[row].example.get_or_insert_with(|| guest.name.clone());
            }
        }
        rows
    }
}

impl Report {
    pub(super) fn new(input: &Input, ran: &[Ran], watched: bool) -> Self {
        let scenario = &input.scenario;
        let managed = |guest: &&vmpolicy_core::sim::scenario::Guest| {
            scenario.kinds[guest.kind.index()].managed.is_some()
        };
        Self {
            scenario: input.file.clone(),
            provenance: Provenance {
                engine: ENGINE,
                seed: scenario.seed,
                zones: zone_data(&input.zones.used()),
                policies: PolicyRow::all(scenario),
            },
            from: scenario.start,
            to: scenario.start.plus(scenario.lasts),
            lasts: scenario.lasts,
            step: scenario.step,
            zone: scenario.zone.name().to_owned(),
            arrays: scenario.arrays.len(),
            hosts: scenario.hosts.len(),
            guests: scenario.guests.len(),
            managed: scenario.guests.iter().filter(managed).count(),
            warnings: input.warnings.clone(),
            faults: faults::all(scenario),
            checked: Checked {
                watched,
                inputs: ran.iter().map(|ran| ran.outcome.steps).sum(),
                violations: 0,
            },
            variants: ran.iter().map(|ran| Variant::new(scenario, ran)).collect(),
        }
    }

    /// As JSON, with the data of the page where there is one: every figure of it.
    pub(super) fn json(&self, page: Option<&Page>) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            report: &'a Report,
            #[serde(skip_serializing_if = "Option::is_none")]
            page: Option<&'a Page>,
        }
        serde_json::to_string_pretty(&Whole { report: self, page })
    }
}

/// In one line, for people.
impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "engine {}, seed {}", self.engine, self.seed)?;
        if let Some(zones) = &self.zones {
            write!(f, ", zone data {zones}")?;
        }
        Ok(())
    }
}
