//! What a page shows, as data. The same data is embedded in the page as JSON, drawn by its script and printed by
//! its tables; `docs/report.md` describes it for whoever reads it from a program.
//!
//! Everything in it is bounded by the builders ([`Builder`](super::Builder), [`GuestLog`](super::GuestLog)), so
//! a page of a thousand guests or of a year is a few megabytes.

use super::number::{Drawn, Offset, figure, figures};
use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};
use vmpolicy_core::time::Wall;

/// A whole page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// What stands below the heading: the policy files, the recording or scenario, how often was polled.
    pub facts: Vec<Fact>,
    /// What it takes to get the same page again.
    pub provenance: Provenance,
    /// The time that all panels show.
    pub range: Range,
    /// How this time is called where the guests are.
    pub zone: ZoneTable,
    /// Every host of every variant; panels name hosts by their number here.
    pub hosts: Vec<HostRow>,
    /// Every guest; panels name guests by their number here.
    pub guests: Vec<String>,
    /// What happened to the world, marked on the time axis of all panels: faults, notices, a new policy.
    pub marks: Vec<Mark>,
    /// What the variants came to, beside each other.
    pub measures: Vec<Measure>,
    /// The policies, or ways of management, that the page compares; at least one.
    pub variants: Vec<Variant>,
    /// What a reader should know: what was mended in a recording, what was left out.
    pub notes: Vec<String>,
}

/// One fact of the heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is about, such as `trace`.
    pub name: String,
    /// The fact.
    pub says: String,
}

/// Where the numbers come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// The engine's version.
    pub engine: String,
    /// The seed of all randomness; none where nothing is random.
    pub seed: Option<u64>,
    /// The version of the zone data; none where no zone was needed.
    pub zones: Option<String>,
}

/// From when to when, both in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The first moment.
    pub from: Wall,
    /// The last one.
    pub to: Wall,
}

/// A zone, as far as the page's time range needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ZoneTable {
    /// Its name, such as `Europe/Oslo`.
    pub name: String,
    /// What to add to UTC at the beginning of the range, in seconds.
    pub first_offset_s: i32,
    /// From this moment on, in seconds since the epoch, this many seconds.
    pub transitions: Vec<(i64, i32)>,
}

/// A machine that guests run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostRow {
    /// Its name.
    pub name: String,
    /// The array that it belongs to.
    pub array: String,
    /// Whether it is the base of its array.
    pub base: bool,
}

/// Something that happened to the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// When.
    pub at: Offset,
    /// Until when, where it lasted.
    pub until: Option<Offset>,
    /// What, in a few words.
    pub says: String,
}

/// One line of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// What is measured.
    pub name: String,
    /// In what.
    pub unit: Unit,
    /// Which of two is better.
    pub better: Better,
    /// By variant, in their order; none where a variant has no such number.
    #[serde(serialize_with = "figures")]
    pub values: Vec<Option<f64>>,
}

/// What a number counts in. Numbers in the data are in the unit itself: seconds, a share from 0 to 1, kilowatt
/// hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Things, counted.
    Count,
    /// Events an hour.
    PerHour,
    /// Seconds.
    Seconds,
    /// A share, from 0 to 1.
    Share,
    /// Money, in the currency of the policy's prices.
    Money,
    /// Kilowatt hours.
    KilowattHours,
    /// A number of no unit that is known.
    Plain,
    /// A moment, in milliseconds since the epoch.
    Moment,
    /// Words.
    Text,
}

/// Which of two numbers is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// The smaller.
    Less,
    /// The greater.
    More,
    /// Neither.
    Neither,
}

/// A policy, or a way of management.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Variant {
    /// What it is called on the page; unique there.
    pub name: String,
    /// The fingerprint of its policy, where it has one: 16 hexadecimal digits.
    pub policy: Option<String>,
    /// What it cost, where prices are known.
    pub cost: Option<Cost>,
    /// Its figures. Panels of several variants with the same [`Panel::id`] stand below each other.
    pub panels: Vec<Panel>,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// Equations 3.1 to 3.4 of the thesis, in its names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// In the ring.
    #[serde(serialize_with = "figure")]
    pub c_a: f64,
    /// At the base by the service's own doing.
    #[serde(serialize_with = "figure")]
    pub c_b: f64,
    /// At the base as scheduled.
    #[serde(serialize_with = "figure")]
    pub c_sb: f64,
    /// Equation 3.3: all at the base.
    #[serde(serialize_with = "figure")]
    pub c_tb: f64,
    /// Equations 3.2 and 3.4: all.
    #[serde(serialize_with = "figure")]
    pub c_t: f64,
    /// Equation 3.1: whether every base is cheaper than the hosts of its array; none without a base.
    pub base_is_cheaper: Option<bool>,
}

/// A figure on the time axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Panel {
    /// Its kind across variants, such as `requests`; unique in a variant.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// One sentence for who has not seen such a figure.
    pub about: String,
    /// What is drawn.
    #[serde(flatten)]
    pub figure: Figure,
}

/// What a panel draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// A service's indicator with the thresholds of the policy.
    Indicator(Indicator),
    /// Requests in each hour.
    Bars(Bars),
    /// Guests on each host.
    Stack(Stack),
    /// Where each guest was.
    Lanes(Lanes),
    /// Any other quantities: energy, use, moves under way.
    Meter(Meter),
}

/// A service's indicator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Indicator {
    /// Its name in the policy.
    pub name: String,
    /// What it counts in, such as `ms`.
    pub unit: Option<String>,
    /// What the rules hold against it.
    pub thresholds: Vec<Threshold>,
    /// By guest: all of them, or the ones longest in breach where there are many.
    pub lines: Vec<Line>,
    /// All guests together, where there are several.
    pub band: Option<Band>,
}

/// A number that a rule holds against an indicator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Threshold {
    /// The rule.
    pub rule: String,
    /// The comparison: `>`, `>=`, `<` or `<=`.
    pub sign: String,
    /// The number.
    #[serde(serialize_with = "figure")]
    pub value: f64,
    /// Whether the rule's action is `move`: the service does badly beyond it.
    pub breach: bool,
}

/// One guest's samples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// The guest.
    pub guest: usize,
    /// The samples.
    pub points: Points,
    /// From when to when a rule with the action `move` was true.
    pub breach: Vec<(Offset, Offset)>,
    /// How long that was in all, to the millisecond, in seconds.
    pub breach_s: Offset,
    /// Breaches closer together than this are one in `breach`, as there are too many of them; 0 for none.
    pub breach_gap_s: Offset,
}

/// Samples in time order: each one, or the least and the greatest of each bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Points {
    /// How long a bucket is; none where every sample is here.
    pub bucket_s: Option<Offset>,
    /// When each was taken, or its bucket began.
    pub at: Vec<Offset>,
    /// The sample, or the least of the bucket; `null` where nothing was known, and where the line ends.
    pub low: Vec<Drawn>,
    /// The greatest of the bucket; empty where every sample is here.
    pub high: Vec<Drawn>,
}

/// All guests together, by buckets of equal length from the beginning of the range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// How long a bucket is.
    pub bucket_s: Offset,
    /// The least sample of any guest.
    pub low: Vec<Drawn>,
    /// The mean of all samples.
    pub mean: Vec<Drawn>,
    /// The greatest sample of any guest.
    pub high: Vec<Drawn>,
    /// How many guests were in breach at any time of the bucket.
    pub in_breach: Vec<u32>,
}

/// What was counted in each hour, or day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bars {
    /// When the first bar begins; may be before the range, as bars begin at the full hour where the guests are.
    pub first: Offset,
    /// How long a bar is.
    pub width_s: Offset,
    /// What is told apart, such as rules.
    pub names: Vec<String>,
    /// By name, by bar.
    pub counts: Vec<Vec<u32>>,
}

/// How many guests were on each host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stack {
    /// The hosts, from the bottom; where there are many, the ones with the most guests.
    pub hosts: Vec<usize>,
    /// How many further hosts are counted together as the last row; 0 for none.
    pub others: usize,
    /// How long a bucket is, whose mean the counts are; none where every change is here.
    pub bucket_s: Option<Offset>,
    /// From when on the counts hold.
    pub at: Vec<Offset>,
    /// By host (and then the others), by time.
    pub counts: Vec<Vec<Drawn>>,
}

/// Where each guest was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lanes {
    /// By guest.
    pub lanes: Vec<Lane>,
    /// How many further guests there are.
    pub more: usize,
}

/// Where one guest was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lane {
    /// The guest.
    pub guest: usize,
    /// One after the other.
    pub stays: Vec<Stay>,
    /// Stays shorter than this were put together; 0 for none.
    pub shortest_s: Offset,
}

/// A stay, in JSON `[from, to, host, state]`; the host is `null` where nobody knows it, and for
/// [`StayState::Several`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// From when.
    pub from: Offset,
    /// Until when.
    pub to: Offset,
    /// On which host.
    pub host: Option<usize>,
    /// What else there is to say.
    pub state: StayState,
}

impl Serialize for Stay {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut tuple = to.serialize_tuple(4)?;
        tuple.serialize_element(&self.from)?;
        tuple.serialize_element(&self.to)?;
        tuple.serialize_element(&self.host)?;
        tuple.serialize_element(&self.state)?;
        tuple.end()
    }
}

/// What a guest does where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StayState {
    /// It runs.
    Runs,
    /// It rests: nothing is probed.
    Rests,
    /// It is there still, and a move is under way.
    Moves,
    /// It is switched off: its host has failed, or it starts anew.
    Off,
    /// Several short stays, on several hosts.
    Several,
}

/// Any quantities over time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Meter {
    /// In what.
    pub unit: Unit,
    /// By name.
    pub lines: Vec<(String, Points)>,
}

/// A table for people; programs find the same in the summary and the events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Its kind across variants, such as `held`; unique in a variant.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What the columns hold.
    pub columns: Vec<Column>,
    /// The rows, each as long as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows more there are than are shown.
    pub more: u64,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// What its numbers count in.
    pub unit: Unit,
}

/// What stands in a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Nothing.
    Nothing,
    /// A number, in the unit of its column.
    Number(#[serde(serialize_with = "figure")] f64),
    /// Words.
    Text(String),
}

impl Column {
    /// A column.
    #[must_use]
    pub fn new(name: &str, unit: Unit) -> Self {
        Self { name: name.to_owned(), unit }
    }
}

impl Fact {
    /// A fact.
    #[must_use]
    pub fn new(name: &str, says: impl Into<String>) -> Self {
        Self { name: name.to_owned(), says: says.into() }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Nothing }
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Nothing, Into::into)
    }
}
