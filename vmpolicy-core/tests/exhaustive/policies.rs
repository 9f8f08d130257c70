//! The thesis's four policies, small enough to be walked through.

use std::sync::Arc;
use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::leaf::window::{Hours, Weekdays};
use vmpolicy_core::policy::{
    ActionForm, ArrayForm, AtMost, ClassForm, Compare, ConditionForm, IndicatorForm, Located, Monitor,
    MovesForm, OnTimeout, Pattern, QueueForm, RuleForm, WindowForm,
};
use vmpolicy_core::testkit::generate::TestZones;
use vmpolicy_core::time::Span;
use vmpolicy_core::{Policy, PolicyFile};

fn name(text: &str) -> Located<String> {
    text.to_owned().into()
}

fn secs(secs: u64) -> Option<Located<Span>> {
    Some(Span::from_secs(secs).into())
}

fn array(named: &str, hosts: &[&str], base: Option<&str>) -> ArrayForm {
    ArrayForm {
        name: name(named),
        hosts: hosts.iter().map(|host| name(host)).collect::<Vec<_>>().into(),
        base: base.map(name),
        price: None,
        speed: None,
        relocation: None,
    }
}

fn moves() -> MovesForm {
    MovesForm {
        settle: secs(10),
        confirm_within: secs(20),
        at_most: Some(AtMost { count: 2, per: Span::from_secs(10) }.into()),
        bar: secs(10),
        tour_pause: secs(20),
        locate_every: secs(60),
        ..MovesForm::default()
    }
}

fn rule(named: &str, when: ConditionForm, tarry: u32, action: ActionForm) -> RuleForm {
    let tarry = Some(Tarry::Consecutive(tarry).into());
    RuleForm { name: name(named), when: when.into(), tarry, action: action.into() }
}

fn slow_queries(compare: Compare, threshold: f64) -> ConditionForm {
    ConditionForm::Indicator {
        indicator: name("slow_queries"),
        compare,
        threshold: threshold.into(),
        unit: None,
    }
}

fn build(file: &PolicyFile) -> Arc<Policy> {
    file.build(&TestZones).expect("a sound policy").into()
}

fn threshold_aware_file() -> PolicyFile {
    PolicyFile {
        arrays: vec![array("oslo", &["mln1", "mln2"], None)],
        indicators: vec![IndicatorForm {
            name: name("slow_queries"),
            every: Span::from_secs(10).into(),
            read: Read::Gauge,
            missing: 0,
            timeout: None,
            unit: None,
        }],
        rules: vec![rule("overloaded", slow_queries(Compare::Above, 50.0), 2, ActionForm::Move)],
        moves: moves(),
        ..PolicyFile::default()
    }
}

fn base_aware_file() -> PolicyFile {
    let mut file = threshold_aware_file();
    file.arrays = vec![array("oslo", &["mln1", "mln2"], Some("mln6"))];
    file.rules.push(rule("idle", slow_queries(Compare::Below, 1.0), 2, ActionForm::MoveToBase));
    file
}

/// Policy 1 (thesis 3.4.2).
pub(crate) fn threshold_aware() -> Arc<Policy> {
    build(&threshold_aware_file())
}

/// Policy 2 (3.4.3).
pub(crate) fn base_aware() -> Arc<Policy> {
    build(&base_aware_file())
}

/// The same, where a time-out is a breach.
pub(crate) fn base_aware_by_time_outs() -> Arc<Policy> {
    let mut file = base_aware_file();
    file.indicators[0].timeout = Some(OnTimeout::Breach.into());
    build(&file)
}

/// Policy 3 (3.4.4).
pub(crate) fn schedule_aware() -> Arc<Policy> {
    let mut file = base_aware_file();
    let (days, hours) =
        (Weekdays::parse("Mon-Fri").expect("days"), Hours::parse("09:00-16:00").expect("hours"));
    file.windows.push(WindowForm {
        name: name("working_hours"),
        pattern: Pattern::Days { days, hours }.into(),
        zone: name("UTC"),
    });
    let outside = ConditionForm::Window { window: name("working_hours"), inside: false };
    file.rules.insert(0, rule("off-duty", outside, 1, ActionForm::Rest(Monitor::Off)));
    build(&file)
}

/// Policy 4 (3.4.5).
pub(crate) fn site_aware() -> Arc<Policy> {
    let grade_a = |compare| ConditionForm::Count {
        queue: name("jobs"),
        class: name("grade a"),
        compare,
        threshold: 2.0.into(),
    };
    build(&PolicyFile {
        arrays: vec![array("oslo", &["mln1", "mln2"], None), array("ec2", &["large"], None)],
        home: Some(name("oslo")),
        queues: vec![QueueForm {
            name: name("jobs"),
            every: Span::from_secs(10).into(),
            classes: vec![ClassForm { name: name("grade a"), takes: None }],
        }],
        rules: vec![
            rule("big-jobs", grade_a(Compare::AtLeast), 1, ActionForm::MoveFromHome(None)),
            rule("small-jobs", grade_a(Compare::Below), 1, ActionForm::MoveToHome),
        ],
        moves: moves(),
        ..PolicyFile::default()
    })
}
