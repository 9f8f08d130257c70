//! What a backtest reports, as data: printed as JSON as it stands, and as text by `text`.
//!
//! Spans are seconds, times are RFC 3339 in UTC.

use super::candidate::Candidate;
use super::remarks;
use super::runs::Runs;
use super::spread::{self, Spread};
use crate::provenance::Provenance;
use crate::report::Page;
use crate::spans::{maybe_seconds, seconds, wall};
use crate::trace::{Note, Series};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use vmpolicy_core::Policy;
use vmpolicy_core::backtest::{RuleSummary, Summary};
use vmpolicy_core::id::HostId;
use vmpolicy_core::leaf::cost::{Ledger, base_pays};
use vmpolicy_core::time::{Span, Wall};

/// The whole report.
#[derive(Debug)]
pub(in crate::cli) struct Report {
    /// The trace, as it was named.
    pub trace: String,
    /// What was mended in the trace.
    pub notes: Vec<Note>,
    /// By policy, in the order in which they were named; at least one.
    pub policies: Vec<Tried>,
}

/// What came of one policy.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Tried {
    /// The policy file, as it was named.
    pub policy: String,
    /// What the result depends on.
    pub provenance: Provenance,
    /// The indicator that the trace feeds.
    pub indicator: String,
    /// How often it is polled.
    #[serde(with = "seconds")]
    pub every: Span,
    /// What looks as if it was not meant so.
    pub remarks: Vec<Remark>,
    /// By guest, in the order of the trace.
    pub guests: Vec<Guest>,
    /// How the figures of several guests are spread.
    #[serde(skip_serializing_if = "Vec::is_empty", skip_deserializing, serialize_with = "spread::map")]
    pub spread: Vec<Spread>,
    /// All guests together.
    pub totals: Totals,
}

/// One guest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Guest {
    pub guest: String,
    #[serde(with = "wall")]
    pub from: Wall,
    #[serde(with = "wall")]
    pub to: Wall,
    /// Rows of the trace.
    pub rows: usize,
    /// The median time between two rows.
    #[serde(with = "maybe_seconds")]
    pub rows_apart: Option<Span>,
    #[serde(flatten)]
    pub figures: Figures,
    pub rules: Vec<Rule>,
}

/// All guests together: what can be added is added.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Totals {
    pub guests: usize,
    #[serde(flatten)]
    pub figures: Figures,
    pub rules: Vec<Rule>,
}

/// The numbers of one guest, or of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Figures {
    /// From the first timestamp to the last.
    #[serde(with = "seconds")]
    pub lasts: Span,
    pub polls: Polls,
    pub requests: Requests,
    pub time: Time,
    pub cost: Option<Cost>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Polls {
    pub count: u64,
    /// Polls that gave no number, by cause.
    #[serde(with = "map")]
    pub unusable: Vec<(Cow<'static, str>, u64)>,
    /// Polls of a counter that only gave the number to count from.
    pub baselines: u64,
    /// How old a row could be to be read; where guests differ, the largest. None where nothing is a row.
    #[serde(default, with = "maybe_seconds", skip_serializing_if = "Option::is_none")]
    pub stale: Option<Span>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Requests {
    pub count: u64,
    pub confirmed: u64,
    /// Requests that came to nothing, in all.
    pub failed: u64,
    /// Those that were turned down.
    pub refused: u64,
    /// Those of which nobody said in time what became of them.
    pub expired: u64,
    /// Requests that were open at the end.
    pub open: u64,
    /// Over the whole time; of all guests together, of one in the mean.
    pub mean_per_hour: Option<f64>,
    /// In any sixty minutes; of all guests together, of any one.
    pub most_per_hour: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Time {
    /// On each host.
    pub hosts: Vec<Host>,
    /// At a base.
    #[serde(with = "seconds")]
    pub at_base: Span,
    /// The same as a share of all time.
    pub at_base_share: Option<f64>,
    #[serde(with = "seconds")]
    pub resting: Span,
    /// While a rule with the action `move` was true.
    #[serde(with = "maybe_seconds")]
    pub breach: Option<Span>,
    pub breach_share: Option<f64>,
    /// While no sample was known.
    #[serde(with = "seconds")]
    pub unknown: Span,
    pub unknown_share: Option<f64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Host {
    pub host: String,
    pub base: bool,
    #[serde(with = "seconds")]
    pub lasted: Span,
    pub share: Option<f64>,
    pub arrivals: u64,
}

/// Equations 3.1 to 3.4 of the thesis, in its names.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Cost {
    /// In the ring.
    pub c_a: f64,
    /// At the base by the service's own doing.
    pub c_b: f64,
    /// At the base as scheduled.
    pub c_sb: f64,
    /// Equation 3.3: all at the base.
    pub c_tb: f64,
    /// Equation 3.4: all.
    pub c_t: f64,
    /// Equation 3.1: whether every base is cheaper than the hosts of its array; none without a base.
    pub base_is_cheaper: Option<bool>,
    /// Time where no price is known, which is not in the above.
    #[serde(with = "seconds")]
    pub unpriced: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct Rule {
    pub rule: String,
    pub when: String,
    pub tarry: String,
    #[serde(rename = "do")]
    pub action: String,
    pub requests: u64,
    pub held: u64,
    pub already_there: u64,
    pub no_better_host: u64,
    /// Nothing where the rule does not read the indicator that the trace feeds.
    #[serde(flatten)]
    pub truth: Option<RuleTime>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::cli) struct RuleTime {
    #[serde(with = "seconds")]
    pub breach: Span,
    #[serde(with = "seconds")]
    pub clear: Span,
    #[serde(with = "seconds")]
    pub unknown: Span,
}

/// Something that looks as if it was not meant so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::cli) struct Remark {
    pub kind: RemarkKind,
    /// How many guests (indicators, queues) it is about.
    pub count: usize,
    /// The first of them.
    pub example: String,
    #[serde(skip)]
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::cli) enum RemarkKind {
    /// Rows are further apart than polls, so each is read several times.
    RowsReadAgain,
    /// Rows are closer together than polls, so most are never read.
    RowsNotRead,
    /// The indicator is read as a counter, and the trace falls too often to be one.
    NotACounter,
    /// The indicator is read as a gauge, and the trace only ever rises.
    LooksLikeACounter,
    /// Most polls found no number.
    MostlyUnknown,
    /// Moves take longer than the policy waits for them.
    MovesTakeTooLong,
    /// Indicators that nothing feeds.
    NotFed,
    /// Queues that nothing feeds.
    NoJobs,
}

impl Report {
    pub(super) fn new(trace: String, notes: Vec<Note>, runs: Runs<'_>, summaries: &[Vec<Summary>]) -> Self {
        let tried = runs.candidates.iter().zip(summaries);
        let tried = tried.filter_map(|(candidate, summaries)| Tried::new(candidate, runs.series, summaries));
        Self { trace, notes, policies: tried.collect() }
    }

    /// As JSON: of one policy all is in one object, of several each has an object of its own. With the data of the
    /// page, where there is one: every figure of it.
    pub(super) fn json(&self, page: Option<&Page>) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Several<'a> {
            trace: &'a str,
            notes: &'a [Note],
            policies: &'a [Tried],
            #[serde(skip_serializing_if = "Option::is_none")]
            page: Option<&'a Page>,
        }
        #[derive(Serialize)]
        struct One<'a> {
            trace: &'a str,
            notes: &'a [Note],
            #[serde(flatten)]
            tried: &'a Tried,
            #[serde(skip_serializing_if = "Option::is_none")]
            page: Option<&'a Page>,
        }
        let Self { trace, notes, policies } = self;
        match policies.as_slice() {
            [tried] => serde_json::to_string_pretty(&One { trace, notes, tried, page }),
            policies => serde_json::to_string_pretty(&Several { trace, notes, policies, page }),
        }
    }
}

impl Tried {
    /// Nothing where there is no guest: the reader refuses such a trace.
    fn new(candidate: &Candidate, series: &[Series], summaries: &[Summary]) -> Option<Self> {
        let guests = series.iter().zip(summaries).map(|(series, summary)| {
            let (rows, apart) = (series.trace.len(), series.trace.median_interval());
            Guest::new(candidate.guest(series), &candidate.policy, rows, apart, summary)
        });
        let guests: Vec<_> = guests.collect();
        let fed = candidate.fed();
        Some(Self {
            policy: candidate.file.clone(),
            provenance: candidate.provenance.clone(),
            indicator: fed.name.clone(),
            every: fed.every,
            remarks: remarks::of(candidate, series, summaries),
            totals: Totals::of(&guests)?,
            spread: if guests.len() > 1 {
                spread::of(guests.iter().map(|guest| &guest.figures))
            } else {
                Vec::new()
            },
            guests,
        })
    }
}

impl Guest {
    fn new(name: &str, policy: &Policy, rows: usize, apart: Option<Span>, summary: &Summary) -> Self {
        Self {
            guest: name.to_owned(),
            from: summary.from,
            to: summary.to,
            rows,
            rows_apart: apart,
            figures: Figures::new(policy, summary),
            rules: rules(policy, summary),
        }
    }
}

impl Figures {
    pub(in crate::cli) fn new(policy: &Policy, summary: &Summary) -> Self {
        let lasts = summary.lasts();
        let hosts = policy.hosts();
        let host = |id: HostId| {
            let (host, spent) = (&hosts[id], summary.hosts[id]);
            let share = share(spent.lasted, lasts);
            Host {
                host: host.name.clone(),
                base: host.is_base,
                lasted: spent.lasted,
                share,
                arrivals: spent.arrivals,
            }
        };
        let hosts: Vec<_> = hosts.ids().map(host).collect();
        let at_base = sum(hosts.iter().filter(|host| host.base).map(|host| host.lasted));
        Self {
            lasts,
            polls: Polls {
                count: summary.polls,
                unusable: summary.absent.iter().map(|&(why, count)| (why.name().into(), count)).collect(),
                baselines: summary.baselines,
                stale: Some(summary.stale),
            },
            requests: Requests {
                count: summary.requests,
                confirmed: summary.moves,
                failed: summary.failed,
                refused: summary.refused,
                expired: summary.expired,
                open: u64::from(summary.open),
                mean_per_hour: summary.requests_per_hour(),
                most_per_hour: summary.busiest_hour,
            },
            time: Time {
                hosts,
                at_base,
                at_base_share: share(at_base, lasts),
                resting: summary.resting,
                breach: summary.breach,
                breach_share: summary.breach.and_then(|breach| share(breach, lasts)),
                unknown: summary.unknown,
                unknown_share: share(summary.unknown, lasts),
            },
            cost: summary.cost.map(|ledger| Cost::new(policy, ledger, summary.unpriced)),
        }
    }

    /// Adds the figures of another guest. Hosts of one name are the same.
    pub(in crate::cli) fn add(&mut self, other: &Self) {
        self.lasts = sum([self.lasts, other.lasts]);
        self.polls.count += other.polls.count;
        for (why, count) in &other.polls.unusable {
            match self.polls.unusable.iter_mut().find(|(known, _)| known == why) {
                Some((_, sum)) => *sum += count,
                None => self.polls.unusable.push((why.clone(), *count)),
            }
        }
        self.polls.baselines += other.polls.baselines;
        self.polls.stale = self.polls.stale.max(other.polls.stale);
        let requests = &mut self.requests;
        requests.count += other.requests.count;
        requests.confirmed += other.requests.confirmed;
        requests.failed += other.requests.failed;
        requests.refused += other.requests.refused;
        requests.expired += other.requests.expired;
        requests.open += other.requests.open;
        requests.most_per_hour = requests.most_per_hour.max(other.requests.most_per_hour);
        let hours = self.lasts.as_secs_f64() / 3_600.0;
        requests.mean_per_hour = (hours > 0.0).then(|| requests.count as f64 / hours);
        let time = &mut self.time;
        for (index, more) in other.time.hosts.iter().enumerate() {
            let same = |host: &Host| host.host == more.host;
            let likely = time.hosts.get(index).is_some_and(same).then_some(index);
            match likely.or_else(|| time.hosts.iter().position(same)) {
                Some(known) => {
                    let host = &mut time.hosts[known];
                    host.lasted = sum([host.lasted, more.lasted]);
                    host.arrivals += more.arrivals;
                }
                None => time.hosts.push(more.clone()),
            }
        }
        time.hosts.iter_mut().for_each(|host| host.share = share(host.lasted, self.lasts));
        time.at_base = sum([time.at_base, other.time.at_base]);
        time.resting = sum([time.resting, other.time.resting]);
        time.unknown = sum([time.unknown, other.time.unknown]);
        time.breach = match (time.breach, other.time.breach) {
            (Some(breach), Some(more)) => Some(sum([breach, more])),
            (one, other) => one.or(other),
        };
        time.at_base_share = share(time.at_base, self.lasts);
        time.unknown_share = share(time.unknown, self.lasts);
        time.breach_share = time.breach.and_then(|breach| share(breach, self.lasts));
        if self.cost.is_none() {
            self.cost = other.cost;
        } else if let (Some(cost), Some(more)) = (&mut self.cost, &other.cost) {
            cost.c_a += more.c_a;
            cost.c_b += more.c_b;
            cost.c_sb += more.c_sb;
            cost.c_tb += more.c_tb;
            cost.c_t += more.c_t;
            cost.base_is_cheaper = match (cost.base_is_cheaper, more.base_is_cheaper) {
                (Some(all), Some(one)) => Some(all && one),
                (all, one) => all.or(one),
            };
            cost.unpriced = sum([cost.unpriced, more.unpriced]);
        }
    }
}

impl Totals {
    /// Of at least one guest.
    pub(super) fn of(guests: &[Guest]) -> Option<Self> {
        let (first, rest) = guests.split_first()?;
        let mut totals =
            Self { guests: guests.len(), figures: first.figures.clone(), rules: first.rules.clone() };
        for guest in rest {
            totals.figures.add(&guest.figures);
            for (rule, more) in totals.rules.iter_mut().zip(&guest.rules) {
                rule.add(more);
            }
        }
        Some(totals)
    }
}

impl Cost {
    fn new(policy: &Policy, ledger: Ledger, unpriced: Span) -> Self {
        let arrays = policy.arrays().rows().iter().filter(|array| array.base.is_some());
        let cheaper = arrays.filter_map(|array| array.price).map(|price| base_pays(price.base, price.host));
        Self {
            c_a: ledger.c_a,
            c_b: ledger.c_b,
            c_sb: ledger.c_sb,
            c_tb: ledger.c_tb(),
            c_t: ledger.c_t(),
            base_is_cheaper: cheaper.reduce(|all, one| all && one),
            unpriced,
        }
    }
}

impl Rule {
    pub(in crate::cli) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.held += other.held;
        self.already_there += other.already_there;
        self.no_better_host += other.no_better_host;
        if let (Some(truth), Some(more)) = (&mut self.truth, &other.truth) {
            truth.breach = sum([truth.breach, more.breach]);
            truth.clear = sum([truth.clear, more.clear]);
            truth.unknown = sum([truth.unknown, more.unknown]);
        }
    }
}

pub(in crate::cli) fn rules(policy: &Policy, summary: &Summary) -> Vec<Rule> {
    let one = |(rule, counted): (&vmpolicy_core::policy::Rule, &RuleSummary)| Rule {
        rule: rule.name.clone(),
        when: policy.show(&rule.when).to_string(),
        tarry: rule.tarry.to_string(),
        action: policy.show_action(rule.action).to_string(),
        requests: counted.requests,
        held: counted.held,
        already_there: counted.already_there,
        no_better_host: counted.no_better_host,
        truth: counted.sampled.then_some(RuleTime {
            breach: counted.breach,
            clear: counted.clear,
            unknown: counted.unknown,
        }),
    };
    policy.rules().rows().iter().zip(summary.rules.rows()).map(one).collect()
}

pub(in crate::cli) fn sum(spans: impl IntoIterator<Item = Span>) -> Span {
    Span::from_millis(spans.into_iter().fold(0, |sum, span| sum.saturating_add(span.millis())))
}

/// A part of a whole, from 0 to 1; none of nothing.
pub(in crate::cli) fn share(part: Span, whole: Span) -> Option<f64> {
    (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
}

/// Counts by name, in their order.
mod map {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{SerializeMap, Serializer};
    use std::borrow::Cow;

    pub(super) fn serialize<S: Serializer>(
        entries: &[(Cow<'static, str>, u64)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(Cow<'static, str>, u64)>, D::Error> {
        let map = serde_json::Map::deserialize(from)?;
        let count = |(name, count): (String, serde_json::Value)| {
            count
                .as_u64()
                .map(|count| (name.into(), count))
                .ok_or_else(|| serde::de::Error::custom("expected counts"))
        };
        map.into_iter().map(count).collect()
    }
}
