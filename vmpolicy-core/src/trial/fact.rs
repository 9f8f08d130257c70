//! States as they are expected: where the guest is, whether it rests, how far a counter is.

use crate::Engine;
use crate::leaf::logic::Truth;
use crate::time::Span;
use core::fmt;

/// Something that is to be so.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The guest knows itself on this host; none is that it does not know, or that it is elsewhere.
    Location(Option<String>),
    /// It rests or does not.
    Resting(bool),
    /// It rests by this rule.
    RestingBy(String),
    /// It settles or does not.
    Settling(bool),
    /// A request is open or is not.
    Open(bool),
    /// A rule's counter: so many samples, or milliseconds where it counts time.
    Counter {
        /// The rule.
        rule: String,
        /// How far it is.
        is: u64,
        /// Whether it counts time.
        time: bool,
    },
    /// What a rule's last sample said.
    Truth {
        /// The rule.
        rule: String,
        /// What.
        is: Truth,
    },
    /// An indicator's last sample; none is that there is none.
    Value {
        /// The indicator.
        indicator: String,
        /// The sample: for a counter, what it rose by.
        is: Option<f64>,
    },
}

/// What was found in its place, as a test file would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got(pub String);

impl Fact {
    /// Whether it is so, as of the engine's last step; what is, if not.
    ///
    /// # Errors
    ///
    /// What is so in its place.
    pub fn check(&self, engine: &Engine) -> Result<(), Got> {
        if let Self::Value { indicator, is: Some(is) } = self
            && let Some(found) = engine.policy().indicator_named(indicator).and_then(|id| engine.value(id))
            && near(*is, found)
        {
            return Ok(());
        }
        let got = self.found(engine);
        if got == self.shown() { Ok(()) } else { Err(Got(got)) }
    }

    /// What it is about, such as `counter.overloaded`.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Location(_) => "location".to_owned(),
            Self::Resting(_) | Self::RestingBy(_) => "resting".to_owned(),
            Self::Settling(_) => "settling".to_owned(),
            Self::Open(_) => "open".to_owned(),
            Self::Counter { rule, .. } => format!("counter.{rule}"),
            Self::Truth { rule, .. } => format!("truth.{rule}"),
            Self::Value { indicator, .. } => format!("value.{indicator}"),
        }
    }

    /// What it is to be.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Location(host) => host.clone().unwrap_or_else(|| "null".to_owned()),
            Self::RestingBy(rule) => rule.clone(),
            Self::Resting(is) | Self::Settling(is) | Self::Open(is) => is.to_string(),
            Self::Counter { is, time, .. } => count(*is, *time),
            Self::Truth { is, .. } => is.name().to_owned(),
            Self::Value { is, .. } => is.map_or_else(|| "null".to_owned(), |value| value.to_string()),
        }
    }

    fn found(&self, engine: &Engine) -> String {
        let policy = engine.policy();
        let gone = |what: &str, name: &str| format!("no {what} `{name}` in the policy in force");
        match self {
            Self::Location(_) => {
                engine.location().map_or_else(|| "null".to_owned(), |host| policy.hosts()[host].name.clone())
            }
            Self::Resting(_) => engine.resting().is_some().to_string(),
            Self::RestingBy(_) => {
                engine.resting().map_or_else(|| "false".to_owned(), |rule| policy.rules()[rule].name.clone())
            }
            Self::Settling(_) => engine.view().settling.is_some().to_string(),
            Self::Open(_) => engine.open_request().is_some().to_string(),
            Self::Counter { rule, time, .. } => policy
                .rule_named(rule)
                .map_or_else(|| gone("rule", rule), |id| count(engine.counter(id), *time)),
            Self::Truth { rule, .. } => policy
                .rule_named(rule)
                .map_or_else(|| gone("rule", rule), |id| engine.truth(id).name().to_owned()),
            Self::Value { indicator, .. } => match policy.indicator_named(indicator) {
                Some(id) => engine.value(id).map_or_else(|| "null".to_owned(), |value| value.to_string()),
                None => gone("indicator", indicator),
            },
        }
    }
}

/// Equal but for what arithmetic leaves behind: the rise from 0.2 to 0.3 is not quite 0.1.
fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

fn count(count: u64, time: bool) -> String {
    if time { Span::from_millis(count).to_string() } else { count.to_string() }
}

impl fmt::Display for Fact {
    /// `counter.overloaded = 2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.what(), self.shown())
    }
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_number_is_near_what_arithmetic_makes_of_it() {
        assert!(near(0.1, 0.3 - 0.2) && near(1e12, 1e12 + 1e-4) && near(0.0, 0.0));
        assert!(!near(0.1, 0.1001) && !near(76.0, 77.0) && !near(0.0, 1e-6));
    }
}
