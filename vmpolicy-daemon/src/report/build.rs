//! Puts pages together: hosts and guests by number, one log a guest and variant, the panels that they make.

use super::log::{GuestLog, Limits};
use super::model::{
    Better, Cost, Fact, HostRow, Indicator, Mark, Measure, Page, Provenance, Range, Table, Threshold, Unit,
    Variant, ZoneTable,
};
use super::number::Offset;
use super::{panels, tables};
use std::sync::Arc;
use vmpolicy_core::Policy;
use vmpolicy_core::id::IndicatorId;
use vmpolicy_core::leaf::window::Zone;
use vmpolicy_core::policy::{Action, Condition};
use vmpolicy_core::time::Wall;

/// Numbers of all indicators on a page. The bound of a page's size (`docs/report.md`) follows from these.
const SAMPLES_MAX: usize = 120_000;
/// Numbers of one guest's indicator, where there are many guests and few are drawn.
const SAMPLES_OF_MANY: usize = 4_000;
/// Guests whose indicator is drawn, of each variant.
pub(super) const LINES_MAX: usize = 12;
/// Rows of all long tables on a page.
const ROWS_MAX: usize = 1_200;
/// Bars of one figure.
const BARS_MAX: i64 = 9_000;
/// An hour, a quarter of a day, a day, four weeks, a year of weeks, a century of those: in milliseconds.
const WIDTHS_MS: [i64; 6] =
    [3_600_000, 21_600_000, 86_400_000, 2_419_200_000, 31_449_600_000, 3_144_960_000_000];

/// Makes a page. Say the range, the guests and how many variants there will be; then fill a [`GuestLog`] for
/// each guest and variant, on any thread, and hand them in variant by variant.
///
/// ```
/// use vmpolicy_daemon::report::{Builder, Range};
/// use vmpolicy_core::{Policy, time::Wall};
/// # fn example(policy: &Policy, outputs: Vec<vmpolicy_core::Output>) {
/// let range = Range { from: Wall::from_secs(1_241_568_000), to: Wall::from_secs(1_241_654_400) };
/// let mut page = Builder::new("A day of nii3", range, vec!["nii3".to_owned()], 1);
/// let hosts = page.hosts_of(policy);
/// let mut log = page.log(0, hosts.clone(), Some(hosts[0]));
/// for output in &outputs {
///     for view in vmpolicy_core::record::View::all(policy, "nii3", output) {
///         log.record(&view);
///     }
/// }
/// log.sample(range.from, Some(76.0), true);
/// log.finish(range.to);
/// let mut variant = page.variant("as it is", Some(policy));
/// variant.logs(policy.indicator_named("slow_queries"), vec![log]);
/// let variant = variant.done();
/// page.push(variant);
/// let page = page.build();
/// assert_eq!(page.variants[0].panels.len(), 4);
/// # }
/// ```
#[derive(Debug)]
pub struct Builder {
    page: Page,
    variants: usize,
    bars: (Offset, Offset),
}

/// Makes a variant.
#[derive(Debug)]
pub struct VariantBuilder<'a> {
    page: &'a Builder,
    policy: Option<&'a Policy>,
    variant: Variant,
}

impl Builder {
    /// A page of this time, these guests and so many variants; in UTC.
    #[must_use]
    pub fn new(title: &str, range: Range, guests: Vec<String>, variants: usize) -> Self {
        let page = Page {
            title: title.to_owned(),
            facts: Vec::new(),
            provenance: Provenance { engine: env!("CARGO_PKG_VERSION").to_owned(), ..Provenance::default() },
            range,
            zone: ZoneTable::new(&Zone::utc(), range),
            hosts: Vec::new(),
            guests,
            marks: Vec::new(),
            measures: Vec::new(),
            variants: Vec::new(),
            notes: Vec::new(),
        };
        let mut builder = Self { page, variants: variants.max(1), bars: (Offset(0), Offset(0)) };
        builder.align();
        builder
    }

    /// Where the guests are: what the time axis says, and when bars begin.
    #[must_use]
    pub fn zone(mut self, zone: &Zone) -> Self {
        self.page.zone = ZoneTable::new(zone, self.page.range);
        self.align();
        self
    }

    /// Bars begin at full hours (days) of the zone.
    fn align(&mut self) {
        let range = self.page.range;
        let lasts = range.to.0.saturating_sub(range.from.0).max(0);
        let width = WIDTHS_MS.into_iter().find(|width| lasts / width < BARS_MAX).unwrap_or(i64::MAX);
        let civil = range.from.0.saturating_add(i64::from(self.page.zone.first_offset_s) * 1_000);
        self.bars = (Offset(-civil.rem_euclid(width)), Offset(width));
    }

    /// A fact for the heading.
    pub fn fact(&mut self, name: &str, says: impl Into<String>) {
        self.page.facts.push(Fact::new(name, says));
    }

    /// Something that a reader should know.
    pub fn note(&mut self, says: impl Into<String>) {
        self.page.notes.push(says.into());
    }

    /// Something that happened to the world.
    pub fn mark(&mut self, at: Wall, until: Option<Wall>, says: impl Into<String>) {
        let offset = |at: Wall| Offset(at.0.saturating_sub(self.page.range.from.0));
        self.page.marks.push(Mark { at: offset(at), until: until.map(offset), says: says.into() });
    }

    /// The seed of all randomness.
    pub const fn seed(&mut self, seed: Option<u64>) {
        self.page.provenance.seed = seed;
    }

    /// The version of the zone data.
    pub fn zones(&mut self, version: Option<String>) {
        self.page.provenance.zones = version;
    }

    /// A line of the comparison, by variant.
    pub fn measure(&mut self, name: &str, unit: Unit, better: Better, values: Vec<Option<f64>>) {
        self.page.measures.push(Measure { name: name.to_owned(), unit, better, values });
    }

    /// The number of a host on the page; hosts of the same name are the same.
    pub fn host(&mut self, name: &str, array: &str, base: bool) -> usize {
        let known = self.page.hosts.iter().position(|host| host.name == name);
        known.unwrap_or_else(|| {
            self.page.hosts.push(HostRow { name: name.to_owned(), array: array.to_owned(), base });
            self.page.hosts.len() - 1
        })
    }

    /// The numbers of a policy's hosts, in the policy's order.
    pub fn hosts_of(&mut self, policy: &Policy) -> Arc<[usize]> {
        let rows = policy.hosts().rows().iter();
        rows.map(|host| self.host(&host.name, &policy.arrays()[host.array].name, host.is_base)).collect()
    }

    /// An empty log of a guest that starts on this host.
    #[must_use]
    pub fn log(&self, guest: usize, hosts: Arc<[usize]>, at: Option<usize>) -> GuestLog {
        let guests = self.page.guests.len().max(1);
        let samples = match guests {
            few if few <= LINES_MAX => SAMPLES_MAX / (few * self.variants),
            _ => SAMPLES_OF_MANY.min(SAMPLES_MAX / (LINES_MAX * self.variants)),
        };
        let rows = (ROWS_MAX / 2 / self.variants).max(1);
        let rows = if guests > 50 { rows.min(40) } else { rows };
        let limits = Limits { samples: samples.max(2), rows, bars: self.bars, band: guests > 1 };
        GuestLog::new(guest, self.page.range, limits, hosts, at)
    }

    /// A variant of this name, to be filled and pushed.
    #[must_use]
    pub fn variant<'a>(&'a self, name: &str, policy: Option<&'a Policy>) -> VariantBuilder<'a> {
        let variant = Variant {
            name: name.to_owned(),
            policy: policy.map(|policy| format!("{:016x}", policy.fingerprint())),
            cost: None,
            panels: Vec::new(),
            tables: Vec::new(),
        };
        VariantBuilder { page: self, policy, variant }
    }

    /// The next variant.
    pub fn push(&mut self, variant: Variant) {
        self.page.variants.push(variant);
    }

    /// The page.
    #[must_use]
    pub fn build(self) -> Page {
        self.page
    }
}

impl VariantBuilder<'_> {
    /// What it cost.
    pub const fn cost(&mut self, cost: Option<Cost>) {
        self.variant.cost = cost;
    }

    /// What the guests did: the panels of the indicator (which the policy knows by this id), of requests, hosts and
    /// whereabouts, and the tables of requests and of moves held back.
    pub fn logs(&mut self, fed: Option<IndicatorId>, logs: Vec<GuestLog>) {
        if let (Some(policy), Some(fed), false) = (self.policy, fed, logs.is_empty()) {
            self.indicator("indicator", &[(policy, fed)], &logs.iter().collect::<Vec<_>>());
        }
        let order: Vec<_> = self.policy.map(rule_names).unwrap_or_default();
        self.whole(&order, &logs);
    }

    /// The panel of an indicator as these guests saw it, by the policies that they had, each with its id of it; `id`
    /// is the panel's kind across variants. Nothing without a policy.
    pub fn indicator(&mut self, id: &str, policies: &[(&Policy, IndicatorId)], logs: &[&GuestLog]) {
        let Some((policy, fed)) = policies.first() else { return };
        let about = &policy.indicators()[*fed];
        let mut all: Vec<Threshold> = Vec::new();
        for (policy, fed) in policies {
            for threshold in thresholds(policy, *fed) {
                if !all.contains(&threshold) {
                    all.push(threshold);
                }
            }
        }
        let indicator = Indicator {
            name: about.name.clone(),
            unit: about.unit.clone(),
            thresholds: all,
            lines: Vec::new(),
            band: None,
        };
        let mut panel = panels::indicator(indicator, logs, &self.page.page, self.page.variants);
        panel.id = id.to_owned();
        self.variant.panels.push(panel);
    }

    /// What the guests did, whatever their policies: the panels of requests, hosts and whereabouts, and the tables of
    /// requests and of moves held back. Rules that have a name here come first in the bars, in this order.
    pub fn whole(&mut self, order: &[String], logs: &[GuestLog]) {
        let Builder { page, variants, bars } = self.page;
        self.variant.panels.push(panels::requests(logs, order, *bars, page));
        self.variant.panels.push(panels::hosts(logs, page, *variants));
        self.variant.panels.push(panels::whereabouts(logs, *variants));
        let rows = ROWS_MAX / 2 / variants;
        self.variant.tables.push(tables::requests(logs, page, rows.max(1)));
        self.variant.tables.push(tables::held(logs, page, rows.max(1)));
    }

    /// A further panel.
    pub fn panel(&mut self, panel: super::Panel) {
        self.variant.panels.push(panel);
    }

    /// A further table.
    pub fn table(&mut self, table: Table) {
        self.variant.tables.push(table);
    }

    /// The variant.
    #[must_use]
    pub fn done(self) -> Variant {
        self.variant
    }
}

/// The rules as bars show them: those that move a guest that does badly first, in the strongest colour.
fn rule_names(policy: &Policy) -> Vec<String> {
    let mut rules: Vec<_> = policy.rules().rows().iter().collect();
    rules.sort_by_key(|rule| rule.action != Action::Move);
    rules.into_iter().map(|rule| rule.name.clone()).collect()
}

/// Each comparison of a rule with the indicator. What stands below a `not` is left out: it is no bound of its own.
fn thresholds(policy: &Policy, fed: IndicatorId) -> Vec<Threshold> {
    fn leaves<'a>(when: &'a Condition, into: &mut Vec<&'a Condition>) {
        match when {
            Condition::All(of) | Condition::Any(of) => of.iter().for_each(|one| leaves(one, into)),
            Condition::Not(_) => {}
            leaf => into.push(leaf),
        }
    }
    let mut found: Vec<Threshold> = Vec::new();
    for rule in policy.rules().rows() {
        let mut all = Vec::new();
        leaves(&rule.when, &mut all);
        for leaf in all {
            if let Condition::Indicator { indicator, compare, threshold } = leaf
                && *indicator == fed
            {
                found.push(Threshold {
                    rule: rule.name.clone(),
                    sign: compare.sign().to_owned(),
                    value: *threshold,
                    breach: rule.action == Action::Move,
                });
            }
        }
    }
    found
}
