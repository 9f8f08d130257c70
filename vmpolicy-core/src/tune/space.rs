//! What may vary, and how a choice becomes a policy.

use super::front::{Member, Worth};
use super::level::{self, Level, Range, RangeError};
use crate::id::{Id, IndicatorId, RuleId};
use crate::policy::error::nearest;
use crate::policy::lint::lint;
use crate::policy::{Condition, ConditionForm, Located, Policy, PolicyFile, Rule, units};
use crate::time::Span;

/// The longest settling time that is tried by default.
const SETTLE_MAX: Span = Span::from_mins(10);
/// The longest dwell that is tried by default.
const DWELL_MAX: Span = Span::from_hours(2);

/// One level for each parameter of a space, as numbers into their lists.
pub type Candidate = Box<[u16]>;

/// Something in a policy that may vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    name: String,
    pub(super) what: What,
    unit: Option<String>,
    /// Whether all that its rule reads is in the recordings.
    fed: bool,
    levels: Vec<Level>,
    /// The level that is, or is nearest to, the present value.
    present: u16,
    is: Level,
}

/// Where a parameter is in a policy.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A comparison of a rule.
    Threshold { rule: usize, leaf: usize, own_unit: Option<String> },
    /// The tarry of a rule.
    Tarry { rule: usize },
    /// `moves.settle`
    Settle,
    /// `moves.dwell`
    Dwell,
}

/// Why a space can't be made as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpaceError {
    /// No such parameter.
    #[error("there is no parameter `{name}`{}; there are {}", hint(near), known.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        near: Option<String>,
        /// All that there are.
        known: Vec<String>,
    },
    /// Values that it can't take.
    #[error("{name}: {error}")]
    Range {
        /// The parameter.
        name: String,
        /// What is wrong.
        error: RangeError,
    },
    /// Nothing left.
    #[error("nothing varies: every parameter has one value only")]
    Still,
}

fn hint(near: &Option<String>) -> String {
    near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

impl Parameter {
    /// Its name: `RULE.threshold`, `RULE.tarry`, `settle` or `dwell`. Where a rule compares several times, the thresholds
    /// are numbered, from 1.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The unit that is written behind it.
    #[must_use]
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// The values that it may take, in order.
    #[must_use]
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The value that the policy has.
    #[must_use]
    pub const fn is(&self) -> Level {
        self.is
    }

    fn new(name: String, what: What, is: Level, mut levels: Vec<Level>) -> Self {
        levels.push(is);
        level::tidy(&mut levels);
        let mut parameter = Self { name, what, unit: None, fed: true, levels: Vec::new(), present: 0, is };
        parameter.take(levels);
        parameter
    }

    /// Takes these levels; the start is the first that is not below the present value.
    fn take(&mut self, levels: Vec<Level>) {
        let below = levels.partition_point(|level| level.order(&self.is).is_lt());
        self.present = u16::try_from(below.min(levels.len().saturating_sub(1))).unwrap_or(0);
        self.levels = levels;
    }
}

/// Everything that may vary, together.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
}

impl Space {
    /// What may vary in a policy whose indicator shows these (sorted) samples: the thresholds that it is compared with, by
    /// quantiles of the samples; the tarries of rules that read it; the dwell; and a settling time that is no shorter
    /// than the present one, as a recording does not show what a move disturbs.
    ///
    /// `policy` must have been built from `file`.
    #[must_use]
    pub fn derive(file: &PolicyFile, policy: &Policy, indicator: IndicatorId, sorted: &[f64]) -> Self {
        let every = policy.indicators()[indicator].every;
        let own = policy.indicators()[indicator].unit.as_deref();
        let mut parameters = Vec::new();
        for (id, rule) in policy.rules().iter().filter(|(_, rule)| rule.reads(indicator)) {
            let Some(form) = file.rules.get(id.index()) else { continue };
            let (mut thresholds, fed) = (Vec::new(), missing(policy, rule, indicator).is_empty());
            for (leaf, condition) in rule.when.leaves().enumerate() {
                let reads =
                    matches!(condition, Condition::Indicator { indicator: read, .. } if *read == indicator);
                let Some(ConditionForm::Indicator { threshold, unit, .. }) = leaf_of(&form.when.value, leaf)
                else {
                    continue;
                };
                if !reads {
                    continue;
                }
                let unit = unit.as_ref().map(|unit| unit.value.clone());
                let to_written = |number| match (&unit, own) {
                    (Some(unit), Some(own)) => units::convert(number, own, unit),
                    _ => Some(number),
                };
                let what = What::Threshold {
                    rule: id.index(),
                    leaf,
                    own_unit: unit.as_ref().and(own).map(str::to_owned),
                };
                let (is, levels) = (Level::Number(threshold.value), level::of_samples(sorted, to_written));
                let mut parameter = Parameter::new(format!("{}.threshold", rule.name), what, is, levels);
                (parameter.unit, parameter.fed) = (unit, fed);
                thresholds.push(parameter);
            }
            if thresholds.len() > 1 {
                for (number, parameter) in (1..).zip(&mut thresholds) {
                    parameter.name = format!("{}.threshold.{number}", rule.name);
                }
            }
            parameters.append(&mut thresholds);
            let (name, what) = (format!("{}.tarry", rule.name), What::Tarry { rule: id.index() });
            let levels = level::of_tarry(rule.tarry, every);
            let tarry = Parameter::new(name, what, Level::Tarry(rule.tarry), levels);
            parameters.push(Parameter { fed, ..tarry });
        }
        let moves = policy.moves();
        let settles = level::of_spans(moves.settle, SETTLE_MAX);
        let dwells = level::of_spans(Span::ZERO, DWELL_MAX);
        parameters.push(Parameter::new(
            "settle".to_owned(),
            What::Settle,
            Level::Span(moves.settle),
            settles,
        ));
        parameters.push(Parameter::new("dwell".to_owned(), What::Dwell, Level::Span(moves.dwell), dwells));
        Self { parameters }
    }

    /// Only these vary, each over its range or, without one, over what was derived.
    ///
    /// # Errors
    ///
    /// A name that is none, values that the parameter can't take, or nothing that varies.
    pub fn vary(mut self, ranges: &[(String, Option<Range>)]) -> Result<Self, SpaceError> {
        let mut named = Vec::new();
        for (name, range) in ranges {
            let at = self.find(name)?;
            if let Some(range) = range {
                let parameter = &mut self.parameters[at];
                let error = |error| SpaceError::Range { name: name.clone(), error };
                parameter.take(range.levels(parameter.is).map_err(error)?);
            }
            named.push(at);
        }
        let mut at = 0..;
        self.parameters.retain(|_| at.next().is_some_and(|at| named.contains(&at)));
        self.sound()
    }

    /// These stay as they are.
    ///
    /// # Errors
    ///
    /// A name that is none, or nothing that varies.
    pub fn fix(mut self, names: &[String]) -> Result<Self, SpaceError> {
        for name in names {
            let at = self.find(name)?;
            self.parameters.remove(at);
        }
        self.sound()
    }

    /// Without the rules that read something else, too: on the recordings of one indicator they never see the rest of
    /// what they wait for, so nothing says which of their values are better. [`vary`](Self::vary) takes them all the same.
    ///
    /// # Errors
    ///
    /// Nothing that varies.
    pub fn fed(mut self) -> Result<Self, SpaceError> {
        self.parameters.retain(|parameter| parameter.fed);
        self.sound()
    }

    fn find(&self, name: &str) -> Result<usize, SpaceError> {
        let known = || self.parameters.iter().map(|parameter| parameter.name.as_str());
        known().position(|other| other == name).ok_or_else(|| SpaceError::Unknown {
            name: name.to_owned(),
            near: nearest(name, known()).map(str::to_owned),
            known: known().map(|known| format!("`{known}`")).collect(),
        })
    }

    /// Itself, if anything in it varies.
    ///
    /// # Errors
    ///
    /// Where nothing does.
    pub fn sound(self) -> Result<Self, SpaceError> {
        let still = self.parameters.iter().all(|one| one.levels.len() == 1 && one.levels[0] == one.is);
        if still { Err(SpaceError::Still) } else { Ok(self) }
    }

    /// What varies, in the order of the policy's rules, then what holds for all moves.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// How many candidates there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.parameters.iter().fold(1, |size: u64, one| size.saturating_mul(one.levels.len() as u64))
    }

    /// The candidate of this number, counted from 0.
    #[must_use]
    pub fn numbered(&self, mut number: u64) -> Option<Candidate> {
        let mut candidate = vec![0_u16; self.parameters.len()];
        for (gene, parameter) in candidate.iter_mut().zip(&self.parameters).rev() {
            let levels = parameter.levels.len() as u64;
            *gene = u16::try_from(number % levels).unwrap_or(u16::MAX);
            number /= levels;
        }
        (number == 0).then(|| candidate.into_boxed_slice())
    }

    /// The values that the policy has, or the nearest ones that may be.
    #[must_use]
    pub fn present(&self) -> Candidate {
        self.parameters.iter().map(|parameter| parameter.present).collect()
    }

    /// The values of a candidate, in the order of the parameters.
    #[must_use]
    pub fn values(&self, candidate: &[u16]) -> Vec<Level> {
        self.parameters.iter().zip(candidate).map(|(one, &gene)| one.levels[usize::from(gene)]).collect()
    }

    /// A candidate as a member of a front.
    #[must_use]
    pub fn member(&self, candidate: Candidate, worth: Worth) -> Member {
        let both = || candidate.iter().zip(&self.parameters);
        let changed = both().filter(|(gene, one)| one.levels[usize::from(**gene)] != one.is).count();
        let steps = both().map(|(gene, one)| u64::from(gene.abs_diff(one.present))).sum();
        Member { change: (u32::try_from(changed).unwrap_or(u32::MAX), steps), candidate, worth }
    }

    /// The policy with the values of a candidate.
    ///
    /// It is sound because `policy` is: only numbers change, each to one that
    /// [`PolicyFile::build`] would have taken.
    #[must_use]
    pub fn policy(&self, policy: &Policy, candidate: &[u16]) -> Policy {
        let mut policy = policy.clone();
        for (parameter, level) in self.parameters.iter().zip(self.values(candidate)) {
            match (&parameter.what, level) {
                (What::Threshold { rule, leaf, own_unit }, Level::Number(number)) => {
                    let number = match (&parameter.unit, own_unit) {
                        (Some(unit), Some(own)) => units::convert(number, unit, own).unwrap_or(number),
                        _ => number,
                    };
                    let when = &mut policy.rules[RuleId::from_index(*rule)].when;
                    if let Some(Condition::Indicator { threshold, .. }) = condition_mut(when, &mut { *leaf })
                    {
                        *threshold = number;
                    }
                }
                (What::Tarry { rule }, Level::Tarry(tarry)) => {
                    policy.rules[RuleId::from_index(*rule)].tarry = tarry;
                }
                (What::Settle, Level::Span(span)) => policy.moves.settle = span,
                (What::Dwell, Level::Span(span)) => policy.moves.dwell = span,
                _ => unreachable!("a parameter has levels of its own kind"),
            }
        }
        policy
    }

    /// The same for the policy as written, which keeps its places.
    #[must_use]
    pub fn file(&self, file: &PolicyFile, candidate: &[u16]) -> PolicyFile {
        let mut file = file.clone();
        for (parameter, level) in self.parameters.iter().zip(self.values(candidate)) {
            match (&parameter.what, level) {
                (What::Threshold { rule, leaf, .. }, Level::Number(number)) => {
                    let when = &mut file.rules[*rule].when.value;
                    if let Some(ConditionForm::Indicator { threshold, .. }) = form_mut(when, &mut { *leaf }) {
                        threshold.value = number;
                    }
                }
                (What::Tarry { rule }, Level::Tarry(tarry)) => put(&mut file.rules[*rule].tarry, tarry),
                (What::Settle, Level::Span(span)) => put(&mut file.moves.settle, span),
                (What::Dwell, Level::Span(span)) => put(&mut file.moves.dwell, span),
                _ => unreachable!("a parameter has levels of its own kind"),
            }
        }
        file
    }

    /// The warnings that a candidate brings and the present values, which have the `known` ones, don't.
    #[must_use]
    pub fn unwise(
        &self,
        file: &PolicyFile,
        policy: &Policy,
        known: &[Caution],
        candidate: &[u16],
    ) -> Vec<Caution> {
        let mut new = cautions(&self.file(file, candidate), &self.policy(policy, candidate));
        new.retain(|caution| !known.contains(caution));
        new
    }
}

/// The rules that read this indicator and something else, too, that no recording of it feeds: their names, and the names of
/// what is missing.
#[must_use]
pub fn unfed(policy: &Policy, indicator: IndicatorId) -> Vec<(&str, Vec<&str>)> {
    let readers = policy.rules().rows().iter().filter(|rule| rule.reads(indicator));
    let all = readers.map(|rule| (rule.name.as_str(), missing(policy, rule, indicator)));
    all.filter(|(_, missing)| !missing.is_empty()).collect()
}

/// The other indicators and the queues that a rule reads, each once.
fn missing<'p>(policy: &'p Policy, rule: &Rule, indicator: IndicatorId) -> Vec<&'p str> {
    let mut names = Vec::new();
    for leaf in rule.when.leaves() {
        let name = match leaf {
            Condition::Indicator { indicator: read, .. } if *read != indicator => {
                policy.indicators()[*read].name.as_str()
            }
            Condition::Count { queue, .. } | Condition::Gain { queue, .. } => {
                policy.queues()[*queue].name.as_str()
            }
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A static warning: its code, and the way to what it is about.
pub type Caution = (&'static str, String);

/// All static warnings about a policy.
#[must_use]
pub fn cautions(file: &PolicyFile, policy: &Policy) -> Vec<Caution> {
    lint(file, policy).into_iter().map(|warning| (warning.code(), warning.path)).collect()
}

fn put<T>(place: &mut Option<Located<T>>, value: T) {
    match place {
        Some(located) => located.value = value,
        None => *place = Some(Located::made(value)),
    }
}

/// The leaf of this number, as [`Condition::leaves`] counts them.
fn condition_mut<'c>(condition: &'c mut Condition, number: &mut usize) -> Option<&'c mut Condition> {
    match condition {
        Condition::All(all) | Condition::Any(all) => {
            all.iter_mut().find_map(|one| condition_mut(one, number))
        }
        Condition::Not(not) => condition_mut(not, number),
        leaf => counted(leaf, number),
    }
}

fn form_mut<'c>(form: &'c mut ConditionForm, number: &mut usize) -> Option<&'c mut ConditionForm> {
    match form {
        ConditionForm::All(all) | ConditionForm::Any(all) => {
            all.iter_mut().find_map(|one| form_mut(&mut one.value, number))
        }
        ConditionForm::Not(not) => form_mut(&mut not.value, number),
        leaf => counted(leaf, number),
    }
}

fn counted<'c, T>(leaf: &'c mut T, number: &mut usize) -> Option<&'c mut T> {
    if *number == 0 {
        return Some(leaf);
    }
    *number -= 1;
    None
}

/// The leaf of a form, by the same count.
pub(super) fn leaf_of(form: &ConditionForm, number: usize) -> Option<&ConditionForm> {
    fn walk<'c>(form: &'c ConditionForm, number: &mut usize) -> Option<&'c ConditionForm> {
        match form {
            ConditionForm::All(all) | ConditionForm::Any(all) => {
                all.iter().find_map(|one| walk(&one.value, number))
            }
            ConditionForm::Not(not) => walk(&not.value, number),
            leaf if *number == 0 => Some(leaf),
            _ => {
                *number -= 1;
                None
            }
        }
    }
    walk(form, &mut { number })
}
