//! Policies in few words, for tests: a [`PolicyFile`] put together and judged as one from a file is.

use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::{Hours, Weekdays, Zone};
use crate::policy::{
    ActionForm, ArrayForm, AtMost, ClassForm, Compare, ConditionForm, IndicatorForm, Located, MovesForm,
    OnTimeout, Pattern, Policy, PolicyFile, QueueForm, RelocationForm, RuleForm, Tour, WindowForm, Zones,
};
use crate::time::Span;
use std::sync::Arc;

/// A policy under construction. What belongs to an array, an indicator and so on is said right after it.
///
/// ```
/// use vmpolicy_core::testkit::sketch::{Sketch, above};
/// use vmpolicy_core::leaf::tarry::Tarry;
/// use vmpolicy_core::policy::ActionForm;
/// use vmpolicy_core::time::Span;
/// let policy = Sketch::default()
///     .array("oslo", &["mln1", "mln2"])
///     .gauge("load", Span::from_secs(60))
///     .rule("busy", above("load", 50.0), Tarry::Consecutive(3), ActionForm::Move)
///     .build();
/// assert_eq!(policy.rules().len(), 1);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sketch {
    file: PolicyFile,
}

fn text(text: &str) -> Located<String> {
    text.to_owned().into()
}

/// `INDICATOR > N`
#[must_use]
pub fn above(indicator: &str, threshold: f64) -> ConditionForm {
    compared(indicator, Compare::Above, threshold)
}

/// `INDICATOR < N`
#[must_use]
pub fn below(indicator: &str, threshold: f64) -> ConditionForm {
    compared(indicator, Compare::Below, threshold)
}

/// `INDICATOR >= N` and the like.
#[must_use]
pub fn compared(indicator: &str, compare: Compare, threshold: f64) -> ConditionForm {
    ConditionForm::Indicator { indicator: text(indicator), compare, threshold: threshold.into(), unit: None }
}

/// `inside WINDOW`
#[must_use]
pub fn inside(window: &str) -> ConditionForm {
    ConditionForm::Window { window: text(window), inside: true }
}

/// `outside WINDOW`
#[must_use]
pub fn outside(window: &str) -> ConditionForm {
    ConditionForm::Window { window: text(window), inside: false }
}

/// `count(QUEUE, "CLASS") >= N`
#[must_use]
pub fn count_of(queue: &str, class: &str, at_least: f64) -> ConditionForm {
    ConditionForm::Count {
        queue: text(queue),
        class: text(class),
        compare: Compare::AtLeast,
        threshold: at_least.into(),
    }
}

/// `{ all: [...] }`
#[must_use]
pub fn all(parts: Vec<ConditionForm>) -> ConditionForm {
    ConditionForm::All(parts.into_iter().map(Located::made).collect())
}

/// `{ any: [...] }`
#[must_use]
pub fn any(parts: Vec<ConditionForm>) -> ConditionForm {
    ConditionForm::Any(parts.into_iter().map(Located::made).collect())
}

/// `{ not: ... }`
#[must_use]
pub fn not(part: ConditionForm) -> ConditionForm {
    ConditionForm::Not(Box::new(Located::made(part)))
}

impl Sketch {
    /// An array with this ring. The first one is home.
    #[must_use]
    pub fn array(mut self, name: &str, ring: &[&str]) -> Self {
        self.file.home.get_or_insert_with(|| text(name));
        self.file.arrays.push(ArrayForm {
            name: text(name),
            hosts: ring.iter().map(|host| text(host)).collect::<Vec<_>>().into(),
            base: None,
            price: None,
            speed: None,
            relocation: None,
        });
        self
    }

    /// The base of the array.
    #[must_use]
    pub fn base(mut self, host: &str) -> Self {
        if let Some(array) = self.file.arrays.last_mut() {
            array.base = Some(text(host));
        }
        self
    }

    /// How long a relocation to the array takes.
    #[must_use]
    pub fn relocation(mut self, takes: Span) -> Self {
        if let Some(array) = self.file.arrays.last_mut() {
            array.relocation = Some(RelocationForm::Takes(takes).into());
        }
        self
    }

    /// An indicator whose readings are its samples.
    #[must_use]
    pub fn gauge(self, name: &str, every: Span) -> Self {
        self.indicator(name, every, Read::Gauge)
    }

    /// An indicator whose samples are what a counter has grown by.
    #[must_use]
    pub fn delta(self, name: &str, every: Span) -> Self {
        self.indicator(name, every, Read::Delta)
    }

    /// An indicator.
    #[must_use]
    pub fn indicator(mut self, name: &str, every: Span, read: Read) -> Self {
        self.file.indicators.push(IndicatorForm {
            name: text(name),
            every: every.into(),
            read,
            missing: 0,
            timeout: None,
            unit: None,
        });
        self
    }

    /// How many Unknowns of the indicator leave the counters as they are.
    #[must_use]
    pub fn missing(mut self, missing: u32) -> Self {
        if let Some(indicator) = self.file.indicators.last_mut() {
            indicator.missing = missing;
        }
        self
    }

    /// A time-out of the indicator is a breach.
    #[must_use]
    pub fn timeout_breach(mut self) -> Self {
        if let Some(indicator) = self.file.indicators.last_mut() {
            indicator.timeout = Some(OnTimeout::Breach.into());
        }
        self
    }

    /// A window of days and hours.
    ///
    /// # Panics
    ///
    /// Where they are none.
    #[must_use]
    pub fn window(mut self, name: &str, days: &str, hours: &str, zone: &str) -> Self {
        let pattern = Pattern::Days {
            days: Weekdays::parse(days).expect("days of the week"),
            hours: Hours::parse(hours).expect("hours of the day"),
        };
        self.file.windows.push(WindowForm { name: text(name), pattern: pattern.into(), zone: text(zone) });
        self
    }

    /// A queue, with its classes and how long a job of each takes at home.
    #[must_use]
    pub fn queue(mut self, name: &str, every: Span, classes: &[(&str, Span)]) -> Self {
        let classes = classes.iter();
        let classes =
            classes.map(|(name, takes)| ClassForm { name: text(name), takes: Some((*takes).into()) });
        self.file.queues.push(QueueForm {
            name: text(name),
            every: every.into(),
            classes: classes.collect(),
        });
        self
    }

    /// A rule, after those before.
    #[must_use]
    pub fn rule(mut self, name: &str, when: ConditionForm, tarry: Tarry, action: ActionForm) -> Self {
        self.file.rules.push(RuleForm {
            name: text(name),
            when: when.into(),
            tarry: Some(tarry.into()),
            action: action.into(),
        });
        self
    }

    /// `{ move-to: HOST }` as an action.
    #[must_use]
    pub fn to(host: &str) -> ActionForm {
        ActionForm::MoveTo(text(host))
    }

    /// `settle:`
    #[must_use]
    pub fn settle(self, settle: Span) -> Self {
        self.moves(|moves| moves.settle = Some(settle.into()))
    }

    /// `confirm_within:`
    #[must_use]
    pub fn confirm_within(self, span: Span) -> Self {
        self.moves(|moves| moves.confirm_within = Some(span.into()))
    }

    /// `dwell:`
    #[must_use]
    pub fn dwell(self, dwell: Span) -> Self {
        self.moves(|moves| moves.dwell = Some(dwell.into()))
    }

    /// `at_most:`
    #[must_use]
    pub fn at_most(self, count: u32, per: Span) -> Self {
        self.moves(|moves| moves.at_most = Some(AtMost { count, per }.into()))
    }

    /// `tour: keep-going`
    #[must_use]
    pub fn keep_going(self) -> Self {
        self.moves(|moves| moves.tour = Some(Tour::KeepGoing.into()))
    }

    /// `bar:`
    #[must_use]
    pub fn bar(self, bar: Span) -> Self {
        self.moves(|moves| moves.bar = Some(bar.into()))
    }

    /// Anything else of `moves:`.
    #[must_use]
    pub fn moves(mut self, say: impl FnOnce(&mut MovesForm)) -> Self {
        say(&mut self.file.moves);
        self
    }

    /// The file.
    #[must_use]
    pub fn file(self) -> PolicyFile {
        self.file
    }

    /// The policy.
    ///
    /// # Panics
    ///
    /// Where it has errors.
    #[must_use]
    pub fn build(self) -> Arc<Policy> {
        match self.file.build(&EuropeanZones) {
            Ok(policy) => Arc::new(policy),
            Err(errors) => panic!("not a policy: {errors:?}"),
        }
    }
}

/// `UTC` and `Europe/Oslo` from 1996 to 2037, by the rule of directive 2000/84/EC: summer time from the last
/// Sunday of March to the last Sunday of October, changing at 01:00 UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct EuropeanZones;

impl Zones for EuropeanZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        match name {
            "UTC" => Some(Zone::utc()),
            "Europe/Oslo" => {
                let changes = (1996..=2037)
                    .flat_map(|year| [(last_sunday(year, 3), 7_200), (last_sunday(year, 10), 3_600)]);
                Zone::new(name, 3_600, changes.collect()).ok()
            }
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        vec!["UTC".to_owned(), "Europe/Oslo".to_owned()]
    }
}

/// One o'clock UTC on the last Sunday of a month of 31 days, in seconds since the epoch.
fn last_sunday(year: i32, month: u32) -> i64 {
    use chrono::{Datelike as _, NaiveDate};
    let Some(last) = NaiveDate::from_ymd_opt(year, month, 31) else { return 0 };
    let back = u64::from(last.weekday().num_days_from_sunday());
    let sunday = last - chrono::Days::new(back);
    sunday.and_hms_opt(1, 0, 0).map_or(0, |at| at.and_utc().timestamp())
}
