//! The policies, built as a program builds them.

use vmpolicy_core::leaf::sample::Read;
use vmpolicy_core::leaf::tarry::Tarry;
use vmpolicy_core::policy::{
    ActionForm, ArrayForm, Compare, ConditionForm, IndicatorForm, Located, Policy, PolicyFile, RuleForm,
    UtcOnly,
};
use vmpolicy_core::time::Span;

/// Above this the guest is overloaded.
pub const HIGH: f64 = 50.0;
/// Below this it is idle.
pub const LOW: f64 = 1.0;
/// So many samples in a row make it move on.
pub const TARRY_HIGH: u32 = 3;
/// So many samples in a row make it move to the base.
pub const TARRY_LOW: u32 = 20;
/// How often every indicator is polled.
pub const EVERY: Span = Span::from_secs(60);

/// The thesis's `base_aware` (3.4.3): five hosts and a base, one indicator, on when overloaded, to the base when
/// idle.
#[must_use]
pub fn base_aware(read: Read) -> Policy {
    build(PolicyFile {
        indicators: vec![indicator("load".to_owned(), read)],
        rules: vec![
            rule("overloaded", above("load", HIGH), TARRY_HIGH, ActionForm::Move),
            rule("idle", below("load", LOW), TARRY_LOW, ActionForm::MoveToBase),
        ],
        ..PolicyFile::default()
    })
}

/// Ten rules over five indicators: each is compared alone, and with the next one.
#[must_use]
pub fn ten_rules() -> Policy {
    let name = |index: usize| format!("load{}", index % 5);
    let mut file = PolicyFile::default();
    for index in 0..5 {
        file.indicators.push(indicator(name(index), Read::Gauge));
    }
    for index in 0..5 {
        let alone = above(&name(index), HIGH + 40.0);
        file.rules.push(rule(&format!("high{index}"), alone, TARRY_HIGH, ActionForm::Move));
        let both =
            ConditionForm::All(vec![below(&name(index), LOW).into(), below(&name(index + 1), LOW).into()]);
        file.rules.push(rule(&format!("idle{index}"), both, TARRY_LOW, ActionForm::MoveToBase));
    }
    build(file)
}

/// `base_aware` for an array of these hosts, the last of which is the base, on the queries that a database works on.
#[must_use]
pub fn fleet_policy(array: &str, hosts: &[String]) -> Policy {
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let threads = "threads_running";
    let file = PolicyFile {
        indicators: vec![indicator(threads.to_owned(), Read::Gauge)],
        rules: vec![
            rule("overloaded", above(threads, 8.0), TARRY_HIGH, ActionForm::Move),
            rule("idle", below(threads, 0.15), TARRY_LOW, ActionForm::MoveToBase),
        ],
        ..PolicyFile::default()
    };
    build_on(array, &hosts, file)
}

/// `move` alone, for an array of these hosts and a base that nobody goes to, where much of a guest's time is stolen.
#[must_use]
pub fn steal_policy(array: &str, hosts: &[String]) -> Policy {
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let file = PolicyFile {
        indicators: vec![indicator("steal".to_owned(), Read::Gauge)],
        rules: vec![rule("crowded", above("steal", 5.0), TARRY_HIGH, ActionForm::Move)],
        ..PolicyFile::default()
    };
    build_on(array, &hosts, file)
}

fn build(file: PolicyFile) -> Policy {
    build_on("oslo", &["mln1", "mln2", "mln3", "mln4", "mln5", "mln6"], file)
}

fn build_on(array: &str, hosts: &[&str], mut file: PolicyFile) -> Policy {
    let (base, ring) = hosts.split_last().expect("an array has hosts");
    file.arrays.push(ArrayForm {
        name: text(array),
        hosts: ring.iter().map(|host| text(host)).collect::<Vec<_>>().into(),
        base: Some(text(base)),
        price: None,
        speed: None,
        relocation: None,
    });
    file.build(&UtcOnly).expect("the policies of the benchmarks are sound")
}

fn text(text: &str) -> Located<String> {
    text.to_owned().into()
}

fn indicator(name: String, read: Read) -> IndicatorForm {
    IndicatorForm { name: name.into(), every: EVERY.into(), read, missing: 0, timeout: None, unit: None }
}

fn above(indicator: &str, threshold: f64) -> ConditionForm {
    compare(indicator, Compare::Above, threshold)
}

fn below(indicator: &str, threshold: f64) -> ConditionForm {
    compare(indicator, Compare::Below, threshold)
}

fn compare(indicator: &str, compare: Compare, threshold: f64) -> ConditionForm {
    ConditionForm::Indicator { indicator: text(indicator), compare, threshold: threshold.into(), unit: None }
}

fn rule(name: &str, when: ConditionForm, tarry: u32, action: ActionForm) -> RuleForm {
    RuleForm {
        name: text(name),
        when: when.into(),
        tarry: Some(Tarry::Consecutive(tarry).into()),
        action: action.into(),
    }
}
