//! A scenario as a file: what [`parse`](super::parse) reads back as the same.

use super::super::write::{policy, price, put_some};
use super::super::yaml::Yaml;
use super::form::{
    ArrayForm, ArrivalsForm, AtForm, FaultForm, FeedForm, GuestForm, HostForm, LeavingForm, LiveForm,
    LoadForm, PolicyForm, PowerForm, ProviderForm, QueueForm, ScenarioFile, StartForm, WhatForm,
};
use crate::policy::Located;
use crate::sim::load::Then;
use crate::sim::scenario::ManagerKind;
use crate::sim::service::{DatabaseSpec, ServiceSpec, WebSpec};
use crate::time::Span;

type Pairs = Vec<(String, Yaml)>;

fn put(pairs: &mut Pairs, key: &str, value: Yaml) {
    pairs.push((key.to_owned(), value));
}

fn map<const N: usize>(pairs: [(&str, Yaml); N]) -> Yaml {
    Yaml::Map(pairs.map(|(key, value)| (key.to_owned(), value)).into())
}

fn texts(names: &[Located<String>]) -> Yaml {
    match names {
        [only] => Yaml::text(&only.value),
        _ => Yaml::List(names.iter().map(|name| Yaml::text(&name.value)).collect()),
    }
}

fn spans(spans: &[Span]) -> Yaml {
    match spans {
        [only] => Yaml::text(only),
        _ => Yaml::List(spans.iter().map(Yaml::text).collect()),
    }
}

impl ScenarioFile {
    /// The scenario as a scenario file. What is read from it is the same scenario, places apart.
    ///
    /// ```
    /// use vmpolicy_core::file::scenario::{GuestForm, LoadForm, ScenarioFile, parse};
    /// use vmpolicy_core::time::Span;
    /// let mut file = ScenarioFile::new(Span::from_hours(24));
    /// file.guests.push(GuestForm { load: Some(LoadForm::Constant(20.0).into()), ..GuestForm::new("nii1") });
    /// assert_eq!(file.to_yaml(), "version: 1\nlasts: 1d\nguests:\n  nii1: { load: 20 }\n");
    /// ```
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut pairs = vec![("version".to_owned(), Yaml::text(1))];
        put_some(&mut pairs, "start", self.start.as_ref(), |start| match start.value {
            StartForm::Instant(wall) => Yaml::text(wall),
            StartForm::Local(civil) => Yaml::text(civil),
        });
        put_some(&mut pairs, "zone", self.zone.as_ref(), |zone| Yaml::text(&zone.value));
        put(&mut pairs, "lasts", Yaml::text(self.lasts.value));
        put_some(&mut pairs, "step", self.step.as_ref(), |step| Yaml::text(step.value));
        put_some(&mut pairs, "seed", self.seed.as_ref(), |seed| Yaml::text(seed.value));
        let section = |pairs: &mut Pairs, key: &str, entries: Pairs| {
            if !entries.is_empty() {
                put(pairs, key, Yaml::Map(entries));
            }
        };
        section(&mut pairs, "arrays", self.arrays.iter().map(array).collect());
        section(&mut pairs, "queues", self.queues.iter().map(queue).collect());
        section(&mut pairs, "guests", self.guests.iter().map(guest).collect());
        if !self.faults.is_empty() {
            put(&mut pairs, "faults", Yaml::List(self.faults.iter().map(fault).collect()));
        }
        put_some(&mut pairs, "management", self.management.as_ref(), |form| {
            let kind = Yaml::text(form.kind.value.map_or("none", ManagerKind::name));
            match &form.every {
                None => kind,
                Some(every) => map([("kind", kind), ("every", Yaml::text(every.value))]),
            }
        });
        Yaml::Map(pairs).document()
    }
}

fn array(form: &ArrayForm) -> (String, Yaml) {
    let mut pairs = vec![("hosts".to_owned(), texts(&form.hosts.value))];
    put_some(&mut pairs, "base", form.base.as_ref(), |base| Yaml::text(&base.value));
    put_some(&mut pairs, "price", form.price.as_ref(), |form| price(&form.value));
    let each = host(&form.each);
    if !each.is_empty() {
        put(&mut pairs, "each", Yaml::Map(each));
    }
    if !form.but.is_empty() {
        let but = form.but.iter().map(|(name, form)| (name.value.clone(), Yaml::Map(host(form))));
        put(&mut pairs, "but", Yaml::Map(but.collect()));
    }
    put_some(&mut pairs, "live", form.live.as_ref(), |form| match form {
        LiveForm::Takes(span) => Yaml::one("takes", Yaml::text(span.value)),
        LiveForm::Link(link) => Yaml::one("link", Yaml::bytes(link.value, true)),
    });
    put_some(&mut pairs, "leaving", form.leaving.as_ref(), |form| match form {
        LeavingForm::Takes(takes) => Yaml::one("takes", spans(&takes.value)),
        LeavingForm::Link(link) => Yaml::one("link", Yaml::bytes(link.value, true)),
    });
    let provider = provider(&form.provider);
    if !provider.is_empty() {
        put(&mut pairs, "provider", Yaml::Map(provider));
    }
    (form.name.value.clone(), Yaml::Map(pairs))
}

fn host(form: &HostForm) -> Pairs {
    let mut pairs = Vec::new();
    put_some(&mut pairs, "cores", form.cores.as_ref(), |cores| Yaml::text(cores.value));
    put_some(&mut pairs, "clock", form.clock.as_ref(), |clock| Yaml::Text(format!("{}GHz", clock.value)));
    put_some(&mut pairs, "memory", form.memory.as_ref(), |memory| Yaml::bytes(memory.value, false));
    put_some(&mut pairs, "power", form.power.as_ref(), |power| match &power.value {
        &PowerForm::Linear { idle, full } => {
            map([("idle", Yaml::number(idle)), ("full", Yaml::number(full))])
        }
        PowerForm::Table(watts) => Yaml::List(watts.iter().copied().map(Yaml::number).collect()),
        PowerForm::Model(model) => Yaml::text(model),
    });
    put_some(&mut pairs, "price", form.price.as_ref(), |price| Yaml::number(price.value));
    pairs
}

fn provider(form: &ProviderForm) -> Pairs {
    let mut pairs = Vec::new();
    put_some(&mut pairs, "answers_in", form.answers_in.as_ref(), |answers| {
        let (short, long) = answers.value;
        if short == long { Yaml::text(short) } else { spans(&[short, long]) }
    });
    for (key, truth) in [
        ("confirms", form.confirms),
        ("deduplicates", form.deduplicates),
        ("checks_memory", form.checks_memory),
    ] {
        put_some(&mut pairs, key, truth.as_ref(), Yaml::text);
    }
    put_some(&mut pairs, "at_once", form.at_once.as_ref(), |count| Yaml::text(count.value));
    for (key, chance) in [
        ("loses_requests", &form.loses_requests),
        ("loses_answers", &form.loses_answers),
        ("doubles", &form.doubles),
        ("delays", &form.delays),
        ("refuses", &form.refuses),
        ("ignores", &form.ignores),
        ("fails", &form.fails),
    ] {
        put_some(&mut pairs, key, chance.as_ref(), |chance| Yaml::number(chance.value));
    }
    put_some(&mut pairs, "ranking", form.ranking.as_ref(), |ranking| {
        let mut pairs = vec![("every".to_owned(), Yaml::text(ranking.value.every.value))];
        put_some(&mut pairs, "late", ranking.value.late.as_ref(), |late| Yaml::text(late.value));
        Yaml::Map(pairs)
    });
    pairs
}

fn queue(form: &QueueForm) -> (String, Yaml) {
    let classes = form.classes.iter().map(|(name, work)| (name.value.clone(), Yaml::number(work.value)));
    let mut pairs = vec![("classes".to_owned(), Yaml::Map(classes.collect()))];
    match &form.arrivals.value {
        ArrivalsForm::Batches(batches) => {
            let batches = batches
                .iter()
                .map(|batch| map([("at", Yaml::text(batch.at.value)), ("jobs", jobs(&batch.jobs))]));
            put(&mut pairs, "batches", Yaml::List(batches.collect()));
        }
        ArrivalsForm::Random { gap, jobs: (least, most), shares } => {
            let shares = shares.iter().map(|(name, share)| (name.value.clone(), Yaml::number(*share)));
            let arrive = map([
                ("gap", Yaml::text(gap)),
                ("jobs", Yaml::List(vec![Yaml::text(least), Yaml::text(most)])),
                ("shares", Yaml::Map(shares.collect())),
            ]);
            put(&mut pairs, "arrive", arrive);
        }
    }
    (form.name.value.clone(), Yaml::Map(pairs))
}

/// So many of each class; one by one, where a class comes again later.
fn jobs(jobs: &[(Located<String>, u32)]) -> Yaml {
    let again = |at: usize| jobs[..at].iter().any(|(name, _)| name.value == jobs[at].0.value);
    if (0..jobs.len()).any(again) {
        let one = |(name, count): &(Located<String>, u32)| {
            core::iter::repeat_n(Yaml::text(&name.value), usize::try_from(*count).unwrap_or(usize::MAX))
        };
        return Yaml::List(jobs.iter().flat_map(one).collect());
    }
    Yaml::Map(jobs.iter().map(|(name, count)| (name.value.clone(), Yaml::text(count))).collect())
}

fn guest(form: &GuestForm) -> (String, Yaml) {
    let mut pairs = Vec::new();
    put_some(&mut pairs, "at", form.at.as_ref(), |at| match &at.value {
        AtForm::Hosts(hosts) => texts(hosts),
        AtForm::Spread { array: None, .. } => Yaml::text("spread"),
        AtForm::Spread { array: Some(array), by_memory } => {
            let mut pairs = vec![("spread".to_owned(), Yaml::text(&array.value))];
            if *by_memory {
                put(&mut pairs, "by", Yaml::text("memory"));
            }
            Yaml::Map(pairs)
        }
    });
    put_some(&mut pairs, "vcpus", form.vcpus.as_ref(), |vcpus| Yaml::text(vcpus.value));
    put_some(&mut pairs, "memory", form.memory.as_ref(), |bytes| Yaml::bytes(bytes.value, false));
    put_some(&mut pairs, "dirties", form.dirties.as_ref(), |bytes| Yaml::bytes(bytes.value, true));
    put_some(&mut pairs, "working_set", form.working_set.as_ref(), |bytes| Yaml::bytes(bytes.value, false));
    put_some(&mut pairs, "disk", form.disk.as_ref(), |bytes| Yaml::bytes(bytes.value, false));
    put_some(&mut pairs, "shutdown", form.shutdown.as_ref(), |span| Yaml::text(span.value));
    put_some(&mut pairs, "boot", form.boot.as_ref(), |span| Yaml::text(span.value));
    put_some(&mut pairs, "service", form.service.as_ref(), |form| service(&form.value));
    put_some(&mut pairs, "load", form.load.as_ref(), |form| load(&form.value));
    put_some(&mut pairs, "policy", form.policy.as_ref(), |form| policy_form(&form.value));
    if !form.feeds.is_empty() {
        let feeds = form.feeds.iter().map(|(name, form)| (name.value.clone(), feed(&form.value)));
        put(&mut pairs, "feeds", Yaml::Map(feeds.collect()));
    }
    put_some(&mut pairs, "locates", form.locates.as_ref(), Yaml::text);
    put_some(&mut pairs, "probe_takes", form.probe_takes.as_ref(), |span| Yaml::text(span.value));
    (form.name.value.clone(), Yaml::Map(pairs))
}

fn feed(form: &FeedForm) -> Yaml {
    match form {
        FeedForm::Gauge(gauge) => Yaml::text(gauge),
        FeedForm::Follows { load: number, strain, counts } => {
            let mut pairs = vec![("follows".to_owned(), load(&number.value))];
            if *strain != 0.0 {
                put(&mut pairs, "strain", Yaml::number(*strain));
            }
            if *counts {
                put(&mut pairs, "counts", Yaml::text(true));
            }
            Yaml::Map(pairs)
        }
    }
}

/// What is not as it is by default.
fn service(spec: &ServiceSpec) -> Yaml {
    let mut pairs = Vec::new();
    let kind = match spec {
        ServiceSpec::Database(spec) => {
            let usual = DatabaseSpec::default();
            if spec.work_gcycles != usual.work_gcycles {
                put(&mut pairs, "work", Yaml::number(spec.work_gcycles));
            }
            if spec.concurrency != usual.concurrency {
                put(&mut pairs, "concurrency", Yaml::text(spec.concurrency));
            }
            if spec.max_connections != usual.max_connections {
                put(&mut pairs, "max_connections", Yaml::text(spec.max_connections));
            }
            if spec.long_query_time != usual.long_query_time {
                put(&mut pairs, "long_query_time", Yaml::text(spec.long_query_time));
            }
            "database"
        }
        ServiceSpec::Web(spec) => {
            let usual = WebSpec::default();
            if spec.work_gcycles != usual.work_gcycles {
                put(&mut pairs, "work", Yaml::number(spec.work_gcycles));
            }
            if spec.held != usual.held {
                put(&mut pairs, "held", Yaml::text(spec.held));
            }
            if spec.max_workers != usual.max_workers {
                put(&mut pairs, "max_workers", Yaml::text(spec.max_workers));
            }
            if spec.listen_backlog != usual.listen_backlog {
                put(&mut pairs, "listen_backlog", Yaml::text(spec.listen_backlog));
            }
            "web"
        }
        _ => "none",
    };
    if pairs.is_empty() { Yaml::text(kind) } else { Yaml::one(kind, Yaml::Map(pairs)) }
}

fn policy_form(form: &PolicyForm) -> Yaml {
    match form {
        PolicyForm::File(path) => Yaml::text(path),
        PolicyForm::Inline(inline) => Yaml::Map(policy(&inline.file, &inline.probes)),
    }
}

fn then(pairs: &mut Pairs, then: Then) {
    match then {
        Then::Hold => {}
        Then::Repeat => put(pairs, "then", Yaml::text("repeat")),
        Then::End => put(pairs, "then", Yaml::text("end")),
    }
}

fn load(form: &LoadForm) -> Yaml {
    let numbers = |values: &[f64]| Yaml::List(values.iter().copied().map(Yaml::number).collect());
    let parts =
        |parts: &[Located<LoadForm>]| Yaml::List(parts.iter().map(|part| load(&part.value)).collect());
    match form {
        &LoadForm::Constant(value) => Yaml::number(value),
        &LoadForm::Wave { week, low, high, peak } => {
            let wave =
                map([("low", Yaml::number(low)), ("high", Yaml::number(high)), ("peak", Yaml::text(peak))]);
            Yaml::one(if week { "week" } else { "day" }, wave)
        }
        LoadForm::Weekdays(factors) => Yaml::one("weekdays", numbers(factors)),
        LoadForm::Bursts { gap, length, height } => {
            let bursts = map([
                ("gap", Yaml::text(gap)),
                ("length", Yaml::text(length)),
                ("height", Yaml::number(*height)),
            ]);
            Yaml::one("bursts", bursts)
        }
        LoadForm::BurstsAt { at, length, height } => {
            let bursts =
                map([("at", spans(at)), ("length", Yaml::text(length)), ("height", Yaml::number(*height))]);
            Yaml::one("bursts", bursts)
        }
        LoadForm::Mmpp { rates, stays } => {
            Yaml::one("mmpp", map([("rates", numbers(rates)), ("stays", spans(stays))]))
        }
        LoadForm::Steps { rows, repeat } => {
            let rows = rows.iter().map(|(at, value)| (at.to_string(), Yaml::number(*value)));
            let mut pairs = vec![("steps".to_owned(), Yaml::Map(rows.collect()))];
            put_some(&mut pairs, "repeat", repeat.as_ref(), Yaml::text);
            Yaml::Map(pairs)
        }
        LoadForm::Trace { path, series, times, then: after } => {
            let mut pairs = vec![("trace".to_owned(), Yaml::text(path))];
            put_some(&mut pairs, "series", series.as_ref(), Yaml::text);
            put_some(&mut pairs, "times", times.as_ref(), |times| Yaml::number(*times));
            then(&mut pairs, *after);
            Yaml::Map(pairs)
        }
        LoadForm::Planetlab { path, then: after } => {
            let mut pairs = vec![("planetlab".to_owned(), Yaml::text(path))];
            then(&mut pairs, *after);
            Yaml::Map(pairs)
        }
        LoadForm::Sum(of) => Yaml::one("sum", parts(of)),
        LoadForm::Product(of) => Yaml::one("product", parts(of)),
    }
}

fn fault(form: &FaultForm) -> Yaml {
    let mut pairs = vec![("at".to_owned(), Yaml::text(form.at.value))];
    put_some(&mut pairs, "lasts", form.lasts.as_ref(), |lasts| Yaml::text(lasts.value));
    let (key, value) = what(&form.what.value);
    put(&mut pairs, key, value);
    if let WhatForm::Drain { comes_true: false, .. } = form.what.value {
        put(&mut pairs, "comes_true", Yaml::text(false));
    }
    put_some(&mut pairs, "guests", form.guests.as_ref(), |guests| texts(&guests.value));
    put_some(&mut pairs, "array", form.array.as_ref(), |array| Yaml::text(&array.value));
    Yaml::Map(pairs)
}

fn what(form: &WhatForm) -> (&'static str, Yaml) {
    match form {
        WhatForm::Reload(policy) => ("reload", policy_form(&policy.value)),
        WhatForm::DaemonCrash => ("daemon", Yaml::text("crash")),
        WhatForm::Pause => ("guest", Yaml::text("pause")),
        WhatForm::Clock { by_ms } => {
            let sign = if *by_ms < 0 { "-" } else { "" };
            ("clock", Yaml::Text(format!("{sign}{}", Span::from_millis(by_ms.unsigned_abs()))))
        }
        WhatForm::ProbesHang => ("probes", Yaml::text("hang")),
        WhatForm::ProbesFail(why) => ("probes", Yaml::one("fail", Yaml::text(why.name()))),
        WhatForm::ProbesSay(value) => ("probes", Yaml::one("say", Yaml::number(*value))),
        WhatForm::ServiceRestart => ("service", Yaml::text("restart")),
        WhatForm::LocatorFails => ("locator", Yaml::text("fail")),
        WhatForm::LoadTimes(factor) => ("load_times", Yaml::number(*factor)),
        WhatForm::MovedTo(host) => ("moved_to", Yaml::text(&host.value)),
        WhatForm::Hold(None) => ("operator", Yaml::text("hold")),
        WhatForm::Hold(Some(span)) => ("operator", Yaml::one("hold", Yaml::text(span))),
        WhatForm::Resume => ("operator", Yaml::text("resume")),
        WhatForm::Abandon => ("operator", Yaml::text("abandon")),
        WhatForm::HostCrash(host) => ("crash", Yaml::text(&host.value)),
        WhatForm::Drain { host, .. } => ("drain", Yaml::text(&host.value)),
        WhatForm::ProviderDown => ("provider", Yaml::text("down")),
        WhatForm::ProviderBehaves(form) => ("provider", Yaml::Map(provider(form))),
        WhatForm::LinkTimes(factor) => ("link_times", Yaml::number(*factor)),
    }
}
