//! Policies that a program makes, without any file: the same judgement, in every build of the crate.

use vmpolicy_core::id::Id;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{
    ActionForm, Compare, ConditionForm, Located, PolicyErrorKind, PolicyFile, RuleForm, UtcOnly, thesis,
};
use vmpolicy_core::time::Span;

fn base_aware() -> PolicyFile {
    let bands = thesis::Bands { high: 50.0, high_tarry: 3, low: 1.0, low_tarry: 20 };
    thesis::base_aware("cluster", &["mln1", "mln2", "mln3"], "mln6", thesis::slow_queries(), bands)
}

fn above(indicator: &str, threshold: f64) -> Located<ConditionForm> {
    ConditionForm::Indicator {
        indicator: indicator.to_owned().into(),
        compare: Compare::Above,
        threshold: threshold.into(),
        unit: None,
    }
    .into()
}

#[test]
fn hosts_stand_ring_by_ring_each_with_its_base_after_it() {
    let mut file = base_aware();
    let mut other = file.arrays[0].clone();
    other.name = "cloud".to_owned().into();
    other.hosts = vec!["c1".to_owned().into(), "c2".to_owned().into()].into();
    other.base = None;
    file.arrays.push(other);
    file.home = Some("cluster".to_owned().into());
    let policy = file.build(&UtcOnly).expect("a sound policy");
    let names: Vec<&str> = policy.hosts().rows().iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["mln1", "mln2", "mln3", "mln6", "c1", "c2"]);
    let cloud = policy.array_named("cloud").expect("the second array");
    assert_eq!(policy.ring(cloud).map(Id::index).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(policy.arrays()[cloud].base, None);
    let cluster = &policy.arrays()[policy.home()];
    assert_eq!(cluster.base.map(Id::index), Some(3));
    assert!(policy.hosts()[cluster.base.expect("a base")].is_base);
    assert!((cluster.speed - 1.0).abs() < f64::EPSILON);
}

#[test]
fn rules_know_what_they_read() {
    let policy = base_aware().build(&UtcOnly).expect("a sound policy");
    let slow = policy.indicator_named("slow_queries").expect("the indicator");
    assert!(policy.rules().rows().iter().all(|rule| rule.reads(slow) && !rule.is_clock_only()));
}

#[test]
fn all_errors_are_told_with_their_paths() {
    let mut file = base_aware();
    file.arrays[0].hosts.value.push("mln2".to_owned().into());
    file.indicators[0].every = Span::ZERO.into();
    file.rules[0].when = above("slow_queries", f64::NAN);
    file.rules[0].tarry = Some(Tarry::Of { hits: 6, last: 5 }.into());
    file.rules.push(RuleForm {
        name: "lost".to_owned().into(),
        when: ConditionForm::All(vec![above("Slow-Queries", 5.0), ConditionForm::Any(Vec::new()).into()])
            .into(),
        tarry: None,
        action: ActionForm::MoveTo("mln9".to_owned().into()).into(),
    });
    file.moves.bar = Some(Span::ZERO.into());
    let errors = file.build(&UtcOnly).expect_err("an unsound policy");
    let told: Vec<(&str, &str)> = errors.iter().map(|error| (error.code(), error.path.as_str())).collect();
    assert_eq!(
        told,
        [
            ("VP0003", "arrays.cluster.hosts"),
            ("VP0010", "indicators.slow_queries.every"),
            ("VP0014", "rules.overloaded.when"),
            ("VP0012", "rules.overloaded.tarry"),
            ("VP0008", "rules.lost.when.all[0]"),
            ("VP0026", "rules.lost.when.all[1]"),
            ("VP0008", "rules.lost.do"),
            ("VP0010", "moves.bar"),
        ]
    );
    assert_eq!(errors[4].hint().as_deref(), Some("did you mean `slow_queries`?"));
    assert!(matches!(errors[3].kind, PolicyErrorKind::BadTarry { hits: 6, last: 5 }));
    assert!(errors.iter().all(|error| error.place.is_none()));
}

#[test]
fn a_threshold_in_another_unit_is_converted() {
    let mut file = base_aware();
    file.indicators[0].unit = Some("ms".to_owned().into());
    if let ConditionForm::Indicator { unit, .. } = &mut file.rules[0].when.value {
        *unit = Some("s".to_owned().into());
    }
    let policy = file.build(&UtcOnly).expect("a sound policy");
    assert!(format!("{:?}", policy.rules().rows()[0].when).contains("threshold: 50000.0"));
}

#[test]
fn nothing_is_lost_between_64_and_65() {
    let mut file = base_aware();
    let rule =
        |number: usize| RuleForm { name: format!("r{number}").into(), ..base_aware().rules[0].clone() };
    file.rules = (0..64).map(rule).collect();
    assert!(file.build(&UtcOnly).is_ok());
    file.rules.push(rule(64));
    let errors = file.build(&UtcOnly).expect_err("one too many");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].code(), "VP0007");
}
