//! The result for programs: in the form that `vmpolicy merge` joins.

use super::Args;
use super::input::Input;
use super::tries::Tries;
use crate::cli::merge::envelope::{Envelope, Item};
use crate::provenance::Provenance;
use serde_json::{Map, Value, json};
use vmpolicy_core::verify::{Broken, Doing, FAULTS, Study, Which};

pub(super) fn envelope(study: &Study, tries: &Tries, input: &Input, args: &Args) -> Envelope {
    let expect = study.expectations().iter().map(|expectation| {
        json!({ "name": expectation.name, "says": expectation.claim.shown(study.policy()).to_string() })
    });
    let mut options = Map::new();
    match args.world {
        Some(world) => options.insert("world".to_owned(), world.into()),
        None => options.insert("worlds".to_owned(), args.worlds.into()),
    };
    options.insert("faults".to_owned(), args.faults.name().into());
    options.insert("expect".to_owned(), expect.collect());
    Envelope {
        command: "verify".to_owned(),
        provenance: Provenance::new(study.policy(), &input.zones, Some(args.seed)),
        shard: args.shard,
        options,
        totals: totals(study, tries),
        items: tries
            .broken
            .iter()
            .map(|(index, broken)| Item { index: *index, says: says(study, broken) })
            .collect(),
    }
}

fn totals(study: &Study, tries: &Tries) -> Vec<(String, u64)> {
    let counts = &tries.counts;
    let mut totals: Vec<(String, u64)> = [
        ("worlds", counts.worlds),
        ("guests", counts.guests),
        ("steps", counts.steps),
        ("requests", counts.requests),
        ("moves", counts.moves),
        ("faults", counts.all_faults()),
    ]
    .into_iter()
    .map(|(name, total)| (name.to_owned(), total))
    .collect();
    totals.extend(FAULTS.iter().zip(counts.faults).map(|(name, total)| (format!("faults: {name}"), total)));
    let met = Doing::ALL.map(|doing| (format!("faults met while {}", doing.name()), counts.met_while(doing)));
    totals.extend(met);
    totals.push(("worlds in which an invariant is broken".to_owned(), counts.violated_in));
    for (index, expectation) in study.expectations().iter().enumerate() {
        let name = &expectation.name;
        totals.push((format!("times judged: {name}"), counts.judged[index]));
        totals.push((format!("worlds in which judged: {name}"), counts.judged_in[index]));
        totals.push((format!("worlds in which broken: {name}"), counts.broken_in[index]));
    }
    totals
}

/// What was broken, as an object.
pub(super) fn says(study: &Study, broken: &Broken) -> Map<String, Value> {
    let (key, name) = named(study, broken);
    let mut says = Map::new();
    says.insert(key.to_owned(), name.into());
    says.insert("guest".to_owned(), broken.guest.as_str().into());
    says.insert("at_ms".to_owned(), broken.at.millis().into());
    says.insert("says".to_owned(), broken.says.as_str().into());
    says
}

/// Of which kind it is, and what it is called.
pub(super) fn named<'a>(study: &'a Study, broken: &Broken) -> (&'static str, &'a str) {
    match broken.what {
        Which::Expectation(index) => ("expectation", &study.expectations()[index].name),
        Which::Invariant(name) => ("invariant", name),
    }
}
