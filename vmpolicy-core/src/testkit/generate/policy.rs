//! Small policies of every kind.

use super::Source;
use crate::Policy;
use crate::leaf::sample::Read;
use crate::leaf::tarry::Tarry;
use crate::leaf::window::{CronExpr, Hours, Weekdays, Zone};
use crate::policy::{
    ActionForm, ArrayForm, AtMost, ClassForm, Compare, ConditionForm, IndicatorForm, Located, Monitor,
    MovesForm, OnTimeout, Pattern, PolicyFile, QueueForm, RelocationForm, RuleForm, Tour, WindowForm, Zones,
};
use crate::time::Span;

/// UTC, and a zone with a clock that is put forward and back.
#[derive(Clone, Copy, Debug, Default)]
pub struct TestZones;

/// When [`TestZones`]' `Test/Dst` is put forward: 2009-03-29T01:00:00Z, in seconds.
pub(super) const FORWARD_SECS: i64 = 1_238_288_400;
/// When it is put back: 2009-10-25T01:00:00Z, in seconds.
pub(super) const BACK_SECS: i64 = 1_256_432_400;

impl Zones for TestZones {
    fn zone(&self, name: &str) -> Option<Zone> {
        match name {
            "UTC" => Some(Zone::utc()),
            "Test/Dst" => Zone::new(name, 3_600, vec![(FORWARD_SECS, 7_200), (BACK_SECS, 3_600)]).ok(),
            _ => None,
        }
    }
}

fn name(text: impl Into<String>) -> Located<String> {
    Located::made(text.into())
}

fn secs(secs: u64) -> Span {
    Span::from_secs(secs)
}

/// A policy out of bytes; every row of bytes makes a sound one.
///
/// # Panics
///
/// Where a sound form is judged not to be: a bug.
pub fn policy(source: &mut Source<'_>) -> Policy {
    policy_file(source).build(&TestZones).expect("what is generated is sound")
}

/// What [`policy`] builds.
pub fn policy_file(source: &mut Source<'_>) -> PolicyFile {
    let mut file = PolicyFile { moves: moves(source), ..PolicyFile::default() };
    let arrays = if source.chance(90) { 2 } else { 1 };
    for array in 0..arrays {
        let hosts = 1 + (source.below(5) + 2) % 5;
        file.arrays.push(ArrayForm {
            name: name(["home", "away"][array]),
            hosts: (0..hosts)
                .map(|host| name(format!("{}{host}", ["h", "a"][array])))
                .collect::<Vec<_>>()
                .into(),
            base: source.chance([170, 60][array]).then(|| name(["hbase", "abase"][array])),
            price: None,
            speed: source.chance(128).then(|| source.pick(&[2.0, 0.5, 2.28]).into()),
            relocation: Some(RelocationForm::Takes(secs(source.pick(&[0, 10, 100]))).into()),
        });
    }
    file.home = Some(name("home"));
    for number in 0..source.below(4) {
        let every =
            source.pick(&[secs(2), secs(2), secs(1), secs(5), secs(10), Span::from_millis(1_500)]).into();
        let read = source.pick(&[Read::Gauge, Read::Delta, Read::Rate, Read::Gauge]);
        // One byte for both: so the bytes that made a policy before make much the same one.
        let absences = source.byte();
        file.indicators.push(IndicatorForm {
            name: name(format!("i{number}")),
            every,
            read,
            missing: [0, 0, 1, 3][usize::from(absences % 4)],
            timeout: [None, Some(OnTimeout::Breach), Some(OnTimeout::Unknown), Some(OnTimeout::Breach)]
                [usize::from(absences / 4 % 4)]
            .map(Located::made),
            unit: None,
        });
    }
    for number in 0..source.below(3) {
        file.windows.push(WindowForm {
            name: name(format!("w{number}")),
            pattern: pattern(source).into(),
            zone: name(source.pick(&["UTC", "Test/Dst"])),
        });
    }
    if source.chance(110) {
        file.queues.push(QueueForm {
            name: name("q"),
            every: source.pick(&[secs(3), secs(20)]).into(),
            classes: vec![
                ClassForm { name: name("a"), takes: Some(secs(7).into()) },
                ClassForm { name: name("b"), takes: Some(Span::from_millis(100).into()) },
            ],
        });
    }
    if file.indicators.is_empty() && file.windows.is_empty() && file.queues.is_empty() {
        let every = secs(2).into();
        let form = IndicatorForm {
            name: name("i0"),
            every,
            read: Read::Gauge,
            missing: 0,
            timeout: None,
            unit: None,
        };
        file.indicators.push(form);
    }
    for number in 0..=source.below(5) {
        let when = condition(source, &file, 0);
        let tarry = source.pick(&[
            Tarry::Consecutive(1),
            Tarry::Consecutive(2),
            Tarry::Consecutive(3),
            Tarry::Lasting(secs(4)),
            Tarry::Of { hits: 2, last: 3 },
            Tarry::Of { hits: 1, last: 64 },
        ]);
        file.rules.push(RuleForm {
            name: name(format!("r{number}")),
            when: when.into(),
            tarry: Some(tarry.into()),
            action: action(source, &file).into(),
        });
    }
    file
}

fn moves(source: &mut Source<'_>) -> MovesForm {
    MovesForm {
        settle: Some(source.pick(&[secs(3), Span::ZERO, secs(1), secs(45)]).into()),
        confirm_within: Some(source.pick(&[secs(10), secs(1), secs(60)]).into()),
        dwell: Some(source.pick(&[Span::ZERO, Span::ZERO, secs(5), secs(60)]).into()),
        at_most: Some(
            source
                .pick(&[
                    AtMost { count: 12, per: secs(60) },
                    AtMost { count: 1, per: secs(30) },
                    AtMost { count: 2, per: secs(20) },
                    AtMost { count: 3, per: secs(10) },
                ])
                .into(),
        ),
        tour: Some(source.pick(&[Tour::Stop, Tour::Stop, Tour::KeepGoing]).into()),
        bar: Some(source.pick(&[secs(5), secs(1), secs(30)]).into()),
        tour_pause: Some(source.pick(&[secs(10), secs(2), Span::from_hours(20)]).into()),
        locate_every: Some(source.pick(&[secs(60), secs(5)]).into()),
    }
}

fn pattern(source: &mut Source<'_>) -> Pattern {
    let cron = |open: &str, close: &str| {
        Some(Pattern::Cron { open: CronExpr::parse(open).ok()?, close: CronExpr::parse(close).ok()? })
    };
    let days = |days: &str, hours: &str| {
        Some(Pattern::Days { days: Weekdays::parse(days).ok()?, hours: Hours::parse(hours).ok()? })
    };
    let pattern = match source.below(5) {
        0 => cron("*/2 * * * *", "1-59/2 * * * *"),
        1 => days("Mon-Fri", "09:00-16:00"),
        2 => days("Mon-Sun", "02:30-03:00"),
        3 => cron("*/10 * * * *", "1-59/5 * * * *"),
        _ => days("Sat,Sun", "22:00-02:00"),
    };
    pattern.expect("these patterns are sound")
}

fn compare(source: &mut Source<'_>) -> Compare {
    source.pick(&[Compare::Above, Compare::Below, Compare::AtLeast, Compare::AtMost])
}

fn condition(source: &mut Source<'_>, file: &PolicyFile, depth: usize) -> ConditionForm {
    let connective = if depth < 2 && source.chance(90) { source.below(3) } else { 3 };
    match connective {
        0 => ConditionForm::All(parts(source, file, depth)),
        1 => ConditionForm::Any(parts(source, file, depth)),
        2 => ConditionForm::Not(Box::new(condition(source, file, depth + 1).into())),
        _ => leaf(source, file),
    }
}

fn parts(source: &mut Source<'_>, file: &PolicyFile, depth: usize) -> Vec<Located<ConditionForm>> {
    (0..=source.below(3)).map(|_| condition(source, file, depth + 1).into()).collect()
}

fn leaf(source: &mut Source<'_>, file: &PolicyFile) -> ConditionForm {
    let (indicators, windows, queues) = (file.indicators.len(), file.windows.len(), file.queues.len());
    let pick = source.below(2 * indicators + windows + 2 * queues);
    if pick < 2 * indicators {
        ConditionForm::Indicator {
            indicator: file.indicators[pick % indicators].name.clone(),
            compare: compare(source),
            threshold: source.pick(&[50.0, 1.0, 0.0]).into(),
            unit: None,
        }
    } else if pick < 2 * indicators + windows {
        let window = file.windows[pick - 2 * indicators].name.clone();
        ConditionForm::Window { window, inside: source.chance(128) }
    } else if source.chance(128) && file.arrays.len() > 1 {
        ConditionForm::Gain {
            queue: name("q"),
            array: name("away"),
            compare: compare(source),
            threshold: source.pick(&[0.5, 1.0]).into(),
        }
    } else {
        ConditionForm::Count {
            queue: name("q"),
            class: name(source.pick(&["a", "b"])),
            compare: compare(source),
            threshold: source.pick(&[1.0, 2.0]).into(),
        }
    }
}

fn action(source: &mut Source<'_>, file: &PolicyFile) -> ActionForm {
    let based = file.arrays.iter().any(|array| array.base.is_some());
    let hosts: Vec<_> =
        file.arrays.iter().flat_map(|array| array.hosts.value.iter().chain(&array.base)).cloned().collect();
    match source.below(12) {
        4 | 5 if based => ActionForm::MoveToBase,
        6 if based => ActionForm::Rest(Monitor::Off),
        7 if based => ActionForm::Rest(Monitor::On),
        8 if file.arrays.len() > 1 => ActionForm::MoveFromHome(None),
        9 if file.arrays.len() > 1 => ActionForm::MoveToHome,
        2 => ActionForm::MoveUp,
        3 => ActionForm::MoveDown,
        10 => ActionForm::MoveTo(source.pick(&hosts)),
        _ => ActionForm::Move,
    }
}

/// The same policy with something changed, for a reload: rules and hosts gone, new or in another order,
/// an indicator that is polled otherwise.
///
/// # Panics
///
/// Never: where the change makes no sound policy, the policy stays as it was.
pub fn variant(file: &PolicyFile, source: &mut Source<'_>) -> PolicyFile {
    let mut changed = file.clone();
    for _ in 0..=source.below(3) {
        match source.below(8) {
            0 => changed.rules.reverse(),
            1 => drop(changed.rules.pop()),
            2 => changed.arrays[0].hosts.value.reverse(),
            3 if changed.arrays[0].hosts.value.len() > 1 => drop(changed.arrays[0].hosts.value.remove(0)),
            4 => changed.arrays[0].hosts.value.push(name("hnew")),
            5 => changed.indicators.iter_mut().take(1).for_each(|form| {
                form.every = secs(3).into();
                form.timeout = if form.timeout.is_none() { Some(OnTimeout::Breach.into()) } else { None };
            }),
            6 => changed.indicators.reverse(),
            _ => changed.moves = moves(source),
        }
        let hosts = &mut changed.arrays[0].hosts.value;
        if hosts.iter().filter(|host| host.value == "hnew").count() > 1 {
            hosts.pop();
        }
    }
    if changed.build(&TestZones).is_ok() { changed } else { file.clone() }
}
