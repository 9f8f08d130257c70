//! The shards of a tuning as one: the islands of all, and of their fronts what nothing beats.

use super::{MergeError, Shards, same, same_keys};
use crate::cli::tune::report::Report;
use crate::shard::Shard;
use serde_json::Value;

/// Reads a shard.
pub(super) fn read(value: Value) -> Result<(Report, Shard), String> {
    let report: Report = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let shard = report.shard.ok_or("it says nothing of a shard")?;
    if let Some(island) = report.islands.iter().find(|one| !shard.takes_number(u64::from(one.island) - 1)) {
        return Err(format!("island {} is not of shard {shard}", island.island));
    }
    Ok((report, shard))
}

/// The whole tuning.
pub(super) fn join(parts: &Shards<(Report, Shard)>) -> Result<Report, MergeError> {
    let (file, (first, _)) = parts.first();
    for (other, (report, _)) in parts.iter() {
        let files = (file, other);
        for difference in first.provenance.differences(&report.provenance) {
            same(files, difference.what, difference.one, difference.another)?;
        }
        let show = |value: serde_json::Result<String>| value.unwrap_or_default();
        let options = |report: &Report| serde_json::to_value(&report.options).unwrap_or_default();
        same_keys(files, "option", &options(first), &options(report))?;
        same(files, "policy file", &first.policy, &report.policy)?;
        let recordings = |report: &Report| {
            let one = report.recordings.iter().map(|one| {
                format!("{} {} {}", one.trace, one.series.as_deref().unwrap_or_default(), one.fingerprint)
            });
            one.collect::<Vec<_>>().join(", ")
        };
        same(files, "recordings", recordings(first), recordings(report))?;
        let parameters = |report: &Report| show(serde_json::to_string(&report.parameters));
        same(files, "parameters", parameters(first), parameters(report))?;
        let present = |report: &Report| {
            show(serde_json::to_string(&(&report.present.tuned_on, &report.present.held_out)))
        };
        same(files, "figures of the present values", present(first), present(report))?;
    }
    let mut whole = Report { shard: None, islands: Vec::new(), front: Vec::new(), ..first.clone() };
    let mut points = Vec::new();
    for (_, (report, _)) in parts.iter() {
        whole.islands.extend(report.islands.iter().cloned());
        points.extend(report.front.iter().cloned());
    }
    whole.islands.sort_by_key(|island| island.island);
    whole.settle(points);
    Ok(whole)
}
