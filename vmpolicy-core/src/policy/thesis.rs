//! The four policies of the thesis (3.4.2 to 3.4.5), built by plain arguments.
//!
//! Each gives a [`PolicyFile`], so that prices, moves and more rules can be added before it is
//! [built](PolicyFile::build). They are the very rules of `docs/examples/`; a test compares them.
//!
//! ```
//! use vmpolicy_core::policy::thesis;
//! # struct NoZones;
//! # impl vmpolicy_core::policy::Zones for NoZones {
//! #     fn zone(&self, _: &str) -> Option<vmpolicy_core::leaf::window::Zone> { None }
//! # }
//! let hosts = ["mln1", "mln2", "mln3", "mln4", "mln5"];
//! let policy = thesis::threshold_aware("cluster", &hosts, thesis::slow_queries(), 50.0, 3).build(&NoZones)?;
//! assert_eq!(policy.hosts().len(), 5);
//! # Ok::<(), Vec<vmpolicy_core::policy::PolicyError>>(())
//! ```

use super::{
    ActionForm, ArrayForm, ClassForm, Compare, ConditionForm, IndicatorForm, Located, Monitor, Pattern,
    PolicyFile, QueueForm, RuleForm, WindowForm,
};
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::{Hours, Weekdays};
use crate::time::Span;

/// The indicator of the thesis's databases: how many slow queries came in a minute (3.9.3).
#[must_use]
pub fn slow_queries() -> IndicatorForm {
    IndicatorForm {
        name: made("slow_queries"),
        every: Span::from_secs(60).into(),
        read: Read::Delta,
        missing: 0,
        timeout: None,
        unit: None,
    }
}

/// Two thresholds and two tarries, of an indicator where higher is worse (listing 3.8: 50, 3, 1, 20).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Above this the guest moves on.
    pub high: f64,
    /// After so many samples in a row.
    pub high_tarry: u32,
    /// Below this it goes to the base.
    pub low: f64,
    /// After so many samples in a row.
    pub low_tarry: u32,
}

/// When the guest works; otherwise it rests at the base.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkingHours {
    /// The days.
    pub days: Weekdays,
    /// The hours.
    pub hours: Hours,
    /// The zone's name, such as `Europe/Oslo`.
    pub zone: String,
}

/// A queue, and which of its jobs are worth a relocation (listing 3.9).
#[derive(Clone, Debug, PartialEq)]
pub struct Jobs {
    /// The queue's name.
    pub queue: String,
    /// How often an empty queue is asked for a batch.
    pub every: Span,
    /// The class of the big jobs, `grade a` in the thesis.
    pub big: String,
    /// So many of them in a batch are worth it.
    pub at_least: u32,
}

/// Policy 1 (3.4.2): away from a host on which the indicator stays above the threshold for so many samples in a row.
#[must_use]
pub fn threshold_aware(
    array: &str,
    hosts: &[impl AsRef<str>],
    indicator: IndicatorForm,
    threshold: f64,
    tarry: u32,
) -> PolicyFile {
    let overloaded = overloaded(&indicator, threshold, tarry);
    PolicyFile {
        arrays: vec![array_of(array, hosts, None)],
        indicators: vec![indicator],
        rules: vec![overloaded],
        ..PolicyFile::default()
    }
}

/// Policy 2 (3.4.3): as policy 1, and to the base when there is little to do.
#[must_use]
pub fn base_aware(
    array: &str,
    hosts: &[impl AsRef<str>],
    base: &str,
    indicator: IndicatorForm,
    bands: Bands,
) -> PolicyFile {
    let idle = rule(
        "idle",
        compared(&indicator, Compare::Below, bands.low),
        Some(Tarry::Consecutive(bands.low_tarry)),
        ActionForm::MoveToBase,
    );
    let mut file = threshold_aware(array, hosts, indicator, bands.high, bands.high_tarry);
    for array in &mut file.arrays {
        array.base = Some(made(base));
    }
    file.rules.push(idle);
    file
}

/// Policy 3 (3.4.4): as policy 2 in working hours; outside them at the base, without any probing.
#[must_use]
pub fn schedule_aware(
    array: &str,
    hosts: &[impl AsRef<str>],
    base: &str,
    indicator: IndicatorForm,
    bands: Bands,
    hours: WorkingHours,
) -> PolicyFile {
    let mut file = base_aware(array, hosts, base, indicator, bands);
    let WorkingHours { days, hours, zone } = hours;
    file.windows.push(WindowForm {
        name: made("working_hours"),
        pattern: Pattern::Days { days, hours }.into(),
        zone: zone.into(),
    });
    let outside = ConditionForm::Window { window: made("working_hours"), inside: false };
    // First: what is outside working hours is nobody else's to decide.
    file.rules.insert(0, rule("off-duty", outside, None, ActionForm::Rest(Monitor::Off)));
    file
}

/// Policy 4 (3.4.5): away from home for a batch with enough big jobs, and back for one without.
///
/// `home` and `away` are the names of two arrays with their hosts.
#[must_use]
pub fn site_aware(
    home: (&str, &[impl AsRef<str>]),
    away: (&str, &[impl AsRef<str>]),
    jobs: Jobs,
) -> PolicyFile {
    let big = |compare| ConditionForm::Count {
        queue: made(&jobs.queue),
        class: made(&jobs.big),
        compare,
        threshold: f64::from(jobs.at_least).into(),
    };
    let rules = vec![
        rule("big-jobs", big(Compare::AtLeast), None, ActionForm::MoveFromHome(None)),
        rule("small-jobs", big(Compare::Below), None, ActionForm::MoveToHome),
    ];
    PolicyFile {
        arrays: vec![array_of(home.0, home.1, None), array_of(away.0, away.1, None)],
        home: Some(made(home.0)),
        queues: vec![QueueForm {
            name: made(&jobs.queue),
            every: jobs.every.into(),
            classes: vec![ClassForm { name: made(&jobs.big), takes: None }],
        }],
        rules,
        ..PolicyFile::default()
    }
}

fn overloaded(indicator: &IndicatorForm, threshold: f64, tarry: u32) -> RuleForm {
    let above = compared(indicator, Compare::Above, threshold);
    rule("overloaded", above, Some(Tarry::Consecutive(tarry)), ActionForm::Move)
}

fn compared(indicator: &IndicatorForm, compare: Compare, threshold: f64) -> ConditionForm {
    let indicator = made(&indicator.name.value);
    ConditionForm::Indicator { indicator, compare, threshold: threshold.into(), unit: None }
}

fn rule(name: &str, when: ConditionForm, tarry: Option<Tarry>, action: ActionForm) -> RuleForm {
    RuleForm { name: made(name), when: when.into(), tarry: tarry.map(Located::made), action: action.into() }
}

fn array_of(name: &str, hosts: &[impl AsRef<str>], base: Option<&str>) -> ArrayForm {
    ArrayForm {
        name: made(name),
        hosts: hosts.iter().map(|host| made(host.as_ref())).collect::<Vec<_>>().into(),
        base: base.map(made),
        price: None,
        speed: None,
        relocation: None,
    }
}

fn made(text: &str) -> Located<String> {
    text.to_owned().into()
}
