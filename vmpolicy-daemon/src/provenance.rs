//! Where a result comes from: what has to be the same for it to come out the same again.

use crate::zones::{Origin, SystemZones};
use serde::{Deserialize, Serialize};
use std::fmt;
use vmpolicy_core::Policy;

/// The version of the engine. The packages of the project have one version between them.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// What a result depends on besides its inputs and options. Every result carries it.
///
/// ```
/// use vmpolicy_daemon::provenance::Provenance;
/// use vmpolicy_daemon::zones::SystemZones;
/// let text = "version: 1\narrays: { oslo: { hosts: [mln1, mln2] } }\n";
/// let zones = SystemZones::default();
/// let policy = vmpolicy_core::file::load(text.as_bytes(), &zones).unwrap().policy;
/// let provenance = Provenance::new(&policy, &zones, Some(7));
/// assert_eq!(provenance.seed, Some(7));
/// assert_eq!(provenance.zones, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The engine's version.
    pub engine: String,
    /// The policy's fingerprint, as sixteen hexadecimal digits.
    pub policy: String,
    /// The seed, where anything was random.
    pub seed: Option<u64>,
    /// The version of the zone data, where the policy uses a zone that has any.
    pub zones: Option<String>,
}

impl Provenance {
    /// The provenance of a result of this policy, loaded with these zones.
    #[must_use]
    pub fn new(policy: &Policy, zones: &SystemZones, seed: Option<u64>) -> Self {
        Self { engine: ENGINE.to_owned(), policy: fingerprint(policy), seed, zones: zone_data(&zones.used()) }
    }

    /// What this and another one differ in: the name, and both values.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let show = |seed: Option<u64>| seed.map_or_else(|| "none".to_owned(), |seed| seed.to_string());
        let zones = |zones: &Option<String>| zones.clone().unwrap_or_else(|| "none".to_owned());
        [
            ("engine version", self.engine.clone(), other.engine.clone()),
            ("policy", self.policy.clone(), other.policy.clone()),
            ("seed", show(self.seed), show(other.seed)),
            ("zone data", zones(&self.zones), zones(&other.zones)),
        ]
        .into_iter()
        .filter(|(_, one, another)| one != another)
        .map(|(what, one, another)| Difference { what, one, another })
        .collect()
    }
}

/// Something that two results should have in common, and have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub what: &'static str,
    /// In the first.
    pub one: String,
    /// In the other.
    pub another: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} against {}", self.what, self.one, self.another)
    }
}

/// In one line, for people: `engine 0.1.0, policy 8c1f..., seed 7, zone data 2026a`.
impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "engine {}, policy {}", self.engine, self.policy)?;
        if let Some(seed) = self.seed {
            write!(f, ", seed {seed}")?;
        }
        if let Some(zones) = &self.zones {
            write!(f, ", zone data {zones}")?;
        }
        Ok(())
    }
}

/// A policy's fingerprint as it stands in results.
#[must_use]
pub fn fingerprint(policy: &Policy) -> String {
    format!("{:016x}", policy.fingerprint())
}

/// The versions of the data behind these zones, each once; UTC needs none.
pub(crate) fn zone_data(used: &[(String, Origin)]) -> Option<String> {
    let mut versions: Vec<&str> = Vec::new();
    for (name, origin) in used {
        let version = match origin {
            _ if name == "UTC" => continue,
            Origin::System(_, version) => version.as_deref(),
            Origin::Bundled(version) => *version,
        };
        let version = version.unwrap_or("unknown");
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    (!versions.is_empty()).then(|| versions.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_data_has_each_version_once_and_utc_has_none() {
        let system = |version: Option<&str>| Origin::System("/zones".into(), version.map(str::to_owned));
        let used = [
            ("UTC".to_owned(), system(Some("2024a"))),
            ("Europe/Oslo".to_owned(), system(Some("2026a"))),
            ("Europe/Paris".to_owned(), system(Some("2026a"))),
            ("Asia/Tokyo".to_owned(), Origin::Bundled(Some("2025b"))),
            ("Asia/Seoul".to_owned(), Origin::Bundled(None)),
        ];
        assert_eq!(zone_data(&used).as_deref(), Some("2026a, 2025b, unknown"));
        assert_eq!(zone_data(&used[..1]), None);
    }

    #[test]
    fn differences_are_named() {
        let one = Provenance {
            engine: "0.1.0".to_owned(),
            policy: "00000000deadbeef".to_owned(),
            seed: Some(1),
            zones: None,
        };
        assert_eq!(one.differences(&one), []);
        let other = Provenance { seed: Some(2), zones: Some("2026a".to_owned()), ..one.clone() };
        let told: Vec<_> = one.differences(&other).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["seed: 1 against 2", "zone data: none against 2026a"]);
        assert_eq!(other.to_string(), "engine 0.1.0, policy 00000000deadbeef, seed 2, zone data 2026a");
    }
}
