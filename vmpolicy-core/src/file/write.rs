//! A policy as a file: what [`parse`](super::parse) reads back as the same.

use super::scalar;
use super::shell::{ProbeSpec, written_probe};
use super::yaml::Yaml;
use crate::leaf::sample::Read;
use crate::policy::{
    ActionForm, ArrayForm, Compare, ConditionForm, IndicatorForm, Located, Monitor, MovesForm, Pattern,
    PolicyFile, PriceForm, QueueForm, RelocationForm, RuleForm, Tour, WindowForm,
};

type Pairs = Vec<(String, Yaml)>;

fn put(pairs: &mut Pairs, key: &str, value: Yaml) {
    pairs.push((key.to_owned(), value));
}

/// Where there is a value.
pub(super) fn put_some<'v, T>(
    pairs: &mut Pairs,
    key: &str,
    value: Option<&'v T>,
    write: impl FnOnce(&'v T) -> Yaml,
) {
    if let Some(value) = value {
        put(pairs, key, write(value));
    }
}

impl PolicyFile {
    /// The policy as a policy file, without the shell's part: no probes, no sources, no actuator.
    ///
    /// What is read from it is the same policy, places apart. (A name in a condition that has quotation marks of
    /// both kinds in it can't be written.)
    ///
    /// ```
    /// use vmpolicy_core::file::parse;
    /// use vmpolicy_core::policy::thesis;
    /// let file = thesis::threshold_aware(
    ///     "cluster",
    ///     &["mln1".to_owned(), "mln2".to_owned()],
    ///     thesis::slow_queries(),
    ///     50.0,
    ///     3,
    /// );
    /// let text = file.to_yaml();
    /// assert!(text.contains("when: slow_queries > 50"), "{text}");
    /// assert_eq!(parse(text.as_bytes()).file.rules.len(), 1);
    /// ```
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut pairs = vec![("version".to_owned(), Yaml::text(1))];
        pairs.extend(policy(self, &[]));
        Yaml::Map(pairs).document()
    }
}

/// All but the version; with a probe for each indicator that has one.
pub(super) fn policy(file: &PolicyFile, probes: &[Option<Located<ProbeSpec>>]) -> Pairs {
    let mut pairs = Vec::new();
    put_some(&mut pairs, "guest", file.guest.as_ref(), |guest| Yaml::text(&guest.value));
    let section = |pairs: &mut Pairs, key: &str, entries: Pairs| {
        if !entries.is_empty() {
            put(pairs, key, Yaml::Map(entries));
        }
    };
    section(&mut pairs, "arrays", file.arrays.iter().map(array).collect());
    put_some(&mut pairs, "home", file.home.as_ref(), |home| Yaml::text(&home.value));
    let indicators = file.indicators.iter().enumerate();
    let probe = |index: usize| probes.get(index).and_then(Option::as_ref);
    section(
        &mut pairs,
        "indicators",
        indicators.map(|(index, form)| indicator(form, probe(index))).collect(),
    );
    section(&mut pairs, "windows", file.windows.iter().map(window).collect());
    section(&mut pairs, "queues", file.queues.iter().map(queue).collect());
    if !file.rules.is_empty() {
        put(&mut pairs, "rules", Yaml::List(file.rules.iter().map(rule).collect()));
    }
    section(&mut pairs, "moves", moves(&file.moves));
    // How often the location is looked up stands beside how: any locator will do for it.
    put_some(&mut pairs, "locator", file.moves.locate_every.as_ref(), |every| {
        Yaml::Map(vec![
            ("file".to_owned(), Yaml::text("location")),
            ("every".to_owned(), Yaml::text(every.value)),
        ])
    });
    pairs
}

pub(super) fn price(form: &PriceForm) -> Yaml {
    let mut pairs = vec![("host".to_owned(), Yaml::number(form.host.value))];
    put_some(&mut pairs, "base", form.base.as_ref(), |base| Yaml::number(base.value));
    Yaml::Map(pairs)
}

fn array(form: &ArrayForm) -> (String, Yaml) {
    let mut pairs = Vec::new();
    let hosts = form.hosts.value.iter().map(|host| Yaml::text(&host.value));
    put(&mut pairs, "hosts", Yaml::List(hosts.collect()));
    put_some(&mut pairs, "base", form.base.as_ref(), |base| Yaml::text(&base.value));
    put_some(&mut pairs, "price", form.price.as_ref(), |form| price(&form.value));
    put_some(&mut pairs, "speed", form.speed.as_ref(), |speed| Yaml::number(speed.value));
    put_some(&mut pairs, "relocation", form.relocation.as_ref(), |form| match form.value {
        RelocationForm::Takes(span) => Yaml::text(span),
        RelocationForm::Copy { size_bytes, bandwidth_bytes_per_s } => Yaml::Map(vec![
            ("size".to_owned(), Yaml::bytes(size_bytes, false)),
            ("bandwidth".to_owned(), Yaml::bytes(bandwidth_bytes_per_s, true)),
        ]),
    });
    (form.name.value.clone(), Yaml::Map(pairs))
}

fn indicator(form: &IndicatorForm, written: Option<&Located<ProbeSpec>>) -> (String, Yaml) {
    let mut pairs = Vec::new();
    put_some(&mut pairs, "probe", written, |form| written_probe(&form.value));
    put(&mut pairs, "every", Yaml::text(form.every.value));
    match form.read {
        Read::Gauge => {}
        Read::Delta => put(&mut pairs, "read", Yaml::text("delta")),
        Read::Rate => put(&mut pairs, "read", Yaml::text("rate")),
    }
    if form.missing > 0 {
        put(&mut pairs, "missing", Yaml::text(form.missing));
    }
    put_some(&mut pairs, "timeout", form.timeout.as_ref(), |timeout| Yaml::text(timeout.value.name()));
    put_some(&mut pairs, "unit", form.unit.as_ref(), |unit| Yaml::text(&unit.value));
    (form.name.value.clone(), Yaml::Map(pairs))
}

fn window(form: &WindowForm) -> (String, Yaml) {
    let mut pairs = Vec::new();
    match &form.pattern.value {
        Pattern::Days { days, hours } => {
            put(&mut pairs, "days", Yaml::text(days));
            put(&mut pairs, "hours", Yaml::text(hours));
        }
        Pattern::Cron { open, close } => {
            put(&mut pairs, "open", Yaml::text(open));
            put(&mut pairs, "close", Yaml::text(close));
        }
    }
    put(&mut pairs, "zone", Yaml::text(&form.zone.value));
    (form.name.value.clone(), Yaml::Map(pairs))
}

fn queue(form: &QueueForm) -> (String, Yaml) {
    let mut pairs = vec![("every".to_owned(), Yaml::text(form.every.value))];
    if !form.classes.is_empty() {
        let class = |takes: Option<&Located<crate::time::Span>>| {
            takes.map_or_else(|| Yaml::Map(Vec::new()), |takes| Yaml::text(takes.value))
        };
        let classes = form.classes.iter().map(|form| (form.name.value.clone(), class(form.takes.as_ref())));
        put(&mut pairs, "classes", Yaml::Map(classes.collect()));
    }
    (form.name.value.clone(), Yaml::Map(pairs))
}

fn rule(form: &RuleForm) -> Yaml {
    let mut pairs = vec![
        ("name".to_owned(), Yaml::text(&form.name.value)),
        ("when".to_owned(), condition(&form.when.value)),
    ];
    put_some(&mut pairs, "tarry", form.tarry.as_ref(), |tarry| Yaml::text(tarry.value));
    put(&mut pairs, "do", action(&form.action.value));
    Yaml::Map(pairs)
}

/// A name in a condition: a word as it is, all else in quotes.
fn word(name: &str) -> String {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.is_empty() && name.chars().all(inner) && scalar::number(name).is_none() {
        return name.to_owned();
    }
    let quote = if name.contains('"') { '\'' } else { '"' };
    format!("{quote}{name}{quote}")
}

fn compared(left: &str, compare: Compare, threshold: f64) -> String {
    let text = format!("{threshold:?}");
    format!("{left} {compare} {}", text.strip_suffix(".0").unwrap_or(&text))
}

fn condition(form: &ConditionForm) -> Yaml {
    let list = |parts: &[Located<ConditionForm>]| {
        Yaml::List(parts.iter().map(|part| condition(&part.value)).collect())
    };
    match form {
        ConditionForm::Indicator { indicator, compare, threshold, unit } => {
            let mut text = compared(&word(&indicator.value), *compare, threshold.value);
            if let Some(unit) = unit {
                // `5e3` is a number.
                let space = if unit.value.starts_with(['e', 'E']) { " " } else { "" };
                text = format!("{text}{space}{}", unit.value);
            }
            Yaml::Text(text)
        }
        ConditionForm::Window { window, inside } => {
            let side = if *inside { "inside" } else { "outside" };
            Yaml::Text(format!("{side} {}", word(&window.value)))
        }
        ConditionForm::Count { queue, class, compare, threshold } => {
            // The class always stands in quotes, as it is no name of the policy's own.
            let quote = if class.value.contains('"') { '\'' } else { '"' };
            let left = format!("count({}, {quote}{}{quote})", word(&queue.value), class.value);
            Yaml::Text(compared(&left, *compare, threshold.value))
        }
        ConditionForm::Gain { queue, array, compare, threshold } => {
            let left = format!("gain({}, {})", word(&queue.value), word(&array.value));
            Yaml::Text(compared(&left, *compare, threshold.value))
        }
        ConditionForm::All(parts) => Yaml::one("all", list(parts)),
        ConditionForm::Any(parts) => Yaml::one("any", list(parts)),
        ConditionForm::Not(part) => Yaml::one("not", condition(&part.value)),
    }
}

fn action(form: &ActionForm) -> Yaml {
    match form {
        ActionForm::Move => Yaml::text("move"),
        ActionForm::MoveUp => Yaml::text("move-up"),
        ActionForm::MoveDown => Yaml::text("move-down"),
        ActionForm::MoveToBase => Yaml::text("move-to-base"),
        ActionForm::Rest(Monitor::Off) => Yaml::text("rest"),
        ActionForm::Rest(Monitor::On) => Yaml::one("rest", Yaml::one("monitor", Yaml::text(true))),
        ActionForm::MoveFromHome(None) => Yaml::text("move-from-home"),
        ActionForm::MoveFromHome(Some(array)) => Yaml::one("move-from-home", Yaml::text(&array.value)),
        ActionForm::MoveToHome => Yaml::text("move-to-home"),
        ActionForm::MoveTo(host) => Yaml::one("move-to", Yaml::text(&host.value)),
    }
}

fn moves(form: &MovesForm) -> Pairs {
    let mut pairs = Vec::new();
    let spans = [
        ("settle", &form.settle),
        ("confirm_within", &form.confirm_within),
        ("dwell", &form.dwell),
        ("bar", &form.bar),
        ("tour_pause", &form.tour_pause),
    ];
    for (key, span) in spans {
        put_some(&mut pairs, key, span.as_ref(), |span| Yaml::text(span.value));
    }
    put_some(&mut pairs, "at_most", form.at_most.as_ref(), |at_most| {
        Yaml::Text(format!("{} per {}", at_most.value.count, at_most.value.per))
    });
    put_some(&mut pairs, "tour", form.tour.as_ref(), |tour| {
        Yaml::text(if tour.value == Tour::Stop { "stop" } else { "keep-going" })
    });
    pairs
}
