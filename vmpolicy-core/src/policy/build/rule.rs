//! Rules: conditions with their names looked up and their units converted, tarries, actions.

use super::{Judge, Kind};
use crate::id::{ArrayId, Id, IndicatorId, QueueId};
use crate::leaf::tarry::{MAX_WINDOW, Tarry};
use crate::policy::error::{Noun, nearest};
use crate::policy::{
    Action, ActionForm, Condition, ConditionForm, Located, QueueForm, Rule, RuleForm, units,
};

/// Conditions are walked by recursion, in the engine too.
const DEEPEST: usize = 32;

/// What a condition reads.
#[derive(Default)]
struct Reads {
    indicators: u64,
    queue: Option<QueueId>,
}

impl Judge<'_> {
    /// A rule, or none where something was wrong with it.
    pub(super) fn rule(&mut self, index: usize, form: &RuleForm, home: ArrayId) -> Option<Rule> {
        let name = &form.name.value;
        // What has no name, or none that can be read, has a number.
        let path = if name.is_empty() { format!("rules[{index}]") } else { format!("rules.{name}") };
        let mut reads = Reads::default();
        let when = self.condition(&form.when, &format!("{path}.when"), 0, &mut reads);
        let tarry = form.tarry.as_ref().map_or(Tarry::default(), |tarry| {
            self.tarry(tarry, format!("{path}.tarry"));
            tarry.value
        });
        let action = self.action(&form.action, &format!("{path}.do"), home);
        let Reads { indicators, queue } = reads;
        Some(Rule { name: name.clone(), when: when?, tarry, action: action?, indicators, queue })
    }

    fn tarry(&mut self, tarry: &Located<Tarry>, path: String) {
        let kind = match tarry.value {
            Tarry::Consecutive(0) | Tarry::Of { hits: 0, .. } => {
                Kind::ZeroTarry { tarry: format!("`{}`", tarry.value) }
            }
            Tarry::Lasting(span) if span.is_zero() => Kind::ZeroTarry { tarry: format!("`{span}`") },
            Tarry::Of { hits, last } if hits > last || last > MAX_WINDOW => Kind::BadTarry { hits, last },
            _ => return,
        };
        self.blame(kind, tarry.place, path);
    }

    fn condition(
        &mut self,
        form: &Located<ConditionForm>,
        path: &str,
        depth: usize,
        reads: &mut Reads,
    ) -> Option<Condition> {
        if depth >= DEEPEST {
            self.blame(Kind::TooDeep { most: DEEPEST }, form.place, path);
            return None;
        }
        match &form.value {
            _ if self.doubts.stands_in(form) => None,
            ConditionForm::Indicator { indicator, compare, threshold, unit } => {
                let finite = self.threshold(threshold, path);
                let id: IndicatorId = self.find(Noun::Indicator, indicator, path)?;
                reads.indicators |= 1 << id.0;
                let threshold = self.in_its_unit(threshold, unit.as_ref(), indicator, path)?;
                finite.then_some(Condition::Indicator { indicator: id, compare: *compare, threshold })
            }
            ConditionForm::Window { window, inside } => {
                let window = self.find(Noun::Window, window, path)?;
                Some(Condition::Window { window, inside: *inside })
            }
            ConditionForm::Count { queue, class, compare, threshold } => {
                let finite = self.threshold(threshold, path);
                let (id, queue) = self.queue_read(queue, path, reads)?;
                let class = self.class(queue, class, path)?;
                finite.then_some(Condition::Count {
                    queue: id,
                    class,
                    compare: *compare,
                    threshold: threshold.value,
                })
            }
            ConditionForm::Gain { queue, array, compare, threshold } => {
                let finite = self.threshold(threshold, path);
                let read = self.queue_read(queue, path, reads);
                if let Some((_, queue)) = read {
                    self.times_known(queue, form, path);
                }
                let array = self.away_with_relocation(array, path);
                let (queue, array) = (read?.0, array?);
                finite.then_some(Condition::Gain {
                    queue,
                    array,
                    compare: *compare,
                    threshold: threshold.value,
                })
            }
            ConditionForm::All(parts) => {
                self.parts("all", parts, form, path, depth, reads).map(Condition::All)
            }
            ConditionForm::Any(parts) => {
                self.parts("any", parts, form, path, depth, reads).map(Condition::Any)
            }
            ConditionForm::Not(part) => {
                let part = self.condition(part, &format!("{path}.not"), depth + 1, reads)?;
                Some(Condition::Not(Box::new(part)))
            }
        }
    }

    fn parts(
        &mut self,
        word: &'static str,
        parts: &[Located<ConditionForm>],
        form: &Located<ConditionForm>,
        path: &str,
        depth: usize,
        reads: &mut Reads,
    ) -> Option<Vec<Condition>> {
        if parts.is_empty() {
            self.blame(Kind::EmptyCondition { word }, form.place, path);
            return None;
        }
        let part = |(index, part)| self.condition(part, &format!("{path}.{word}[{index}]"), depth + 1, reads);
        // All of them are looked at before one that failed ends it.
        let parts: Vec<Option<Condition>> = parts.iter().enumerate().map(part).collect();
        parts.into_iter().collect()
    }

    fn threshold(&mut self, threshold: &Located<f64>, path: &str) -> bool {
        let finite = threshold.value.is_finite();
        if !finite && !self.doubts.stands_in(threshold) {
            self.blame(Kind::BadThreshold { value: threshold.value }, threshold.place, path);
        }
        finite
    }

    fn in_its_unit(
        &mut self,
        threshold: &Located<f64>,
        unit: Option<&Located<String>>,
        indicator: &Located<String>,
        path: &str,
    ) -> Option<f64> {
        let Some(unit) = unit else { return Some(threshold.value) };
        let name = &indicator.value;
        let &(index, _) = self.indicators.get(name.as_str())?;
        let form = self.file.indicators.get(index)?;
        let Some(own) = &form.unit else {
            if !self.doubts.units.contains(name) {
                let kind = Kind::UnitOfNothing { indicator: name.clone(), unit: unit.value.clone() };
                self.blame(kind, unit.place, path);
            }
            return None;
        };
        // Whether units go together does not depend on the number, which may be none.
        if units::convert(1.0, &unit.value, &own.value).is_none() {
            let expected = own.value.clone();
            let suggestion = units::alike(&expected).find(|known| known.eq_ignore_ascii_case(&unit.value));
            let kind = Kind::WrongUnit { indicator: name.clone(), unit: unit.value.clone(), expected };
            self.blame(kind, unit.place, path).suggestion = suggestion;
            return None;
        }
        let converted = units::convert(threshold.value, &unit.value, &own.value)?;
        if threshold.value.is_finite() && !converted.is_finite() {
            self.blame(Kind::BadThreshold { value: converted }, threshold.place, path);
        }
        Some(converted)
    }

    /// The queue that a condition names; a rule reads one at most.
    fn queue_read(
        &mut self,
        name: &Located<String>,
        path: &str,
        reads: &mut Reads,
    ) -> Option<(QueueId, usize)> {
        let id: QueueId = self.find(Noun::Queue, name, path)?;
        let index = id.index();
        match reads.queue {
            Some(first) if first != id => {
                let first = self.file.queues[first.index()].name.value.clone();
                self.blame(Kind::SeveralQueues { first, second: name.value.clone() }, name.place, path);
            }
            _ => reads.queue = Some(id),
        }
        Some((id, index))
    }

    fn class(&mut self, queue: usize, class: &Located<String>, path: &str) -> Option<u16> {
        let QueueForm { classes, .. } = &self.file.queues[queue];
        let found = classes.iter().position(|known| known.name.value == class.value);
        if found.is_none() && !self.doubts.classes.contains(&self.file.queues[queue].name.value) {
            let known = classes.iter().map(|known| known.name.value.as_str());
            let suggestion = nearest(&class.value, known).map(str::to_owned);
            let kind = Kind::Undefined { what: Noun::Class, name: class.value.clone() };
            self.blame(kind, class.place, path).suggestion = suggestion;
        }
        found.and_then(|index| u16::try_from(index).ok())
    }

    /// T_PH and T_PA of equation 3.5 are sums over the batch, so each class must have its time.
    fn times_known(&mut self, queue: usize, form: &Located<ConditionForm>, path: &str) {
        let QueueForm { name, classes, .. } = &self.file.queues[queue];
        if classes.is_empty() && !self.doubts.classes.contains(&name.value) {
            self.blame(Kind::GainWithoutClasses { queue: name.value.clone() }, form.place, path);
        }
        for class in classes.iter().filter(|class| class.takes.is_none()) {
            let (queue, class) = (name.value.clone(), class.name.value.clone());
            self.blame(Kind::GainWithoutTime { queue, class }, form.place, path);
        }
    }

    fn away_with_relocation(&mut self, array: &Located<String>, path: &str) -> Option<ArrayId> {
        let id: ArrayId = self.find(Noun::Array, array, path)?;
        self.away(id, array, path);
        if self.file.arrays[id.index()].relocation.is_none()
            && !self.doubts.relocations.contains(&array.value)
        {
            self.blame(Kind::GainWithoutRelocation { array: array.value.clone() }, array.place, path);
        }
        Some(id)
    }

    /// Blames an array that is home; whether it is none.
    fn away(&mut self, id: ArrayId, array: &Located<String>, path: &str) -> bool {
        let home = match &self.file.home {
            Some(home) => self.arrays.get(home.value.as_str()).map(|&(index, _)| index),
            None => Some(0),
        };
        let is_home = home == Some(id.index()) && !self.doubts.home;
        if is_home {
            self.blame(Kind::AwayIsHome { array: array.value.clone() }, array.place, path);
        }
        !is_home
    }

    fn action(&mut self, form: &Located<ActionForm>, path: &str, home: ArrayId) -> Option<Action> {
        let file = self.file;
        let no_base = !self.doubts.bases && file.arrays.iter().all(|array| array.base.is_none());
        let no_away = !self.doubts.arrays && file.arrays.len() < 2;
        let action = match &form.value {
            ActionForm::Move => Action::Move,
            ActionForm::MoveUp => Action::MoveUp,
            ActionForm::MoveDown => Action::MoveDown,
            ActionForm::MoveToBase => Action::MoveToBase,
            ActionForm::Rest(monitor) => Action::Rest(*monitor),
            ActionForm::MoveToHome => Action::MoveToHome,
            ActionForm::MoveTo(host) => Action::MoveTo(self.find(Noun::Host, host, path)?),
            ActionForm::MoveFromHome(Some(array)) => {
                let id = self.find(Noun::Array, array, path)?;
                self.away(id, array, path);
                return Some(Action::MoveFromHome(id));
            }
            ActionForm::MoveFromHome(None) => {
                let mut away = (0..file.arrays.len()).filter(|&index| index != home.index());
                match (away.next(), away.count()) {
                    (Some(index), 0) => Action::MoveFromHome(ArrayId::from_index(index)),
                    (Some(_), more) => {
                        self.blame(Kind::WhichAway { away: more + 1 }, form.place, path);
                        return None;
                    }
                    (None, _) => Action::MoveFromHome(home),
                }
            }
        };
        match action {
            Action::MoveToBase | Action::Rest(_) if no_base => {
                self.blame(Kind::NoBase { action: action.name() }, form.place, path);
                None
            }
            Action::MoveFromHome(_) | Action::MoveToHome if no_away => {
                self.blame(Kind::NoAway { action: action.name() }, form.place, path);
                None
            }
            action => Some(action),
        }
    }
}
