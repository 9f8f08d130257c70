//! The figures as drawings that need no script: what is printed, and what a reader without scripts sees. Always the
//! whole range.

use super::model::{
    Band, Bars, Figure, Indicator, Lanes, Meter, Page, Panel, Points, Stack, StayState, Unit, Variant,
};
use super::number::Offset;
use super::thin;
use super::words::{Shared, civil, escaped, plain};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use vmpolicy_core::time::Wall;

/// The drawing's width, and where the plot begins and ends, in its own units.
const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 880.0;
/// Lanes that are drawn.
const LANES_MAX: usize = 40;
/// Stays that are drawn, of all lanes.
const STAYS_MAX: usize = 3_000;
/// Moments at which a stack is drawn.
const STEPS_MAX: usize = 500;
/// Hosts that are named beside a drawing.
const LEGEND_MAX: usize = 17;
/// Columns that a line is drawn in.
const COLUMNS: usize = 800;
/// The palette of hosts, the same as the script's.
pub(super) const PALETTE: [&str; 8] =
    ["#4477aa", "#ee7733", "#228833", "#66ccee", "#aa3377", "#ccbb44", "#ee6677", "#009988"];
const BASES: [&str; 3] = ["#8a94a0", "#a9a294", "#77858a"];

/// A drawing being made.
struct Drawing<'a> {
    page: &'a Page,
    lasts_ms: f64,
    out: String,
    top: f64,
    bottom: f64,
    /// Where the names beside the plot end.
    beside: f64,
    low: f64,
    high: f64,
    /// Whether what is measured is a part of a whole, and shown in per cent.
    parts: bool,
}

pub(super) fn panel(panel: &Panel, variant: &Variant, page: &Page) -> String {
    let lasts_ms = page.range.to.0.saturating_sub(page.range.from.0).max(1) as f64;
    let mut to = Drawing {
        page,
        lasts_ms,
        out: String::new(),
        top: 8.0,
        bottom: 0.0,
        beside: 0.0,
        low: 0.0,
        high: 1.0,
        parts: false,
    };
    match &panel.figure {
        Figure::Indicator(figure) => {
            to.indicator(figure);
            to.moves(variant);
        }
        Figure::Bars(figure) => to.bars(figure),
        Figure::Stack(figure) => to.stack(figure),
        Figure::Lanes(figure) => to.lanes(figure),
        Figure::Meter(figure) => to.meter(figure),
    }
    to.marks();
    to.time();
    let height = (to.bottom + 24.0).max(to.beside);
    let title = escaped(&format!("{}. {}", panel.title, panel.about));
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">{}</svg>", to.out)
}

pub(super) fn host_colours(page: &Page) -> Vec<&'static str> {
    let (mut bases, mut others) = (0, 0);
    let colour = |base: bool| {
        let (next, from): (&mut usize, &[&'static str]) =
            if base { (&mut bases, &BASES) } else { (&mut others, &PALETTE) };
        *next += 1;
        from[(*next - 1) % from.len()]
    };
    page.hosts.iter().map(|host| host.base).map(colour).collect()
}

/// Round numbers between two, about three.
fn ticks(low: f64, high: f64, whole: bool) -> Vec<f64> {
    let rough = (high - low) / 3.0;
    if !rough.is_finite() || rough <= 0.0 {
        return vec![low];
    }
    let mut power = 1.0;
    while power > rough {
        power /= 10.0;
    }
    while power * 10.0 <= rough {
        power *= 10.0;
    }
    let step = [1.0, 2.0, 5.0, 10.0].map(|one| one * power).into_iter().find(|one| *one >= rough);
    let step = step.unwrap_or(rough).max(if whole { 1.0 } else { 0.0 });
    let first = (low / step).ceil();
    (0..12).map(|index| (first + f64::from(index)) * step).filter(|at| *at <= high).collect()
}

impl Drawing<'_> {
    fn x(&self, ms: i64) -> f64 {
        LEFT + (ms as f64 / self.lasts_ms).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)
    }

    fn rect(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        let width = width.max(0.6);
        let _ = write!(
            self.out,
            "<rect {class} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    fn text(&mut self, attributes: &str, x: f64, y: f64, text: &str) {
        let _ = write!(self.out, "<text {attributes} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
    }

    fn plot(&mut self, height: f64, low: f64, high: f64, whole: bool) {
        self.bottom = self.top + height;
        (self.low, self.high) = (low, if high > low { high } else { low + 1.0 });
        for value in ticks(self.low, self.high, whole) {
            let y = self.y(value);
            let _ = write!(self.out, "<path class=\"rule\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
            let says = if self.parts { format!("{}%", plain(value * 100.0)) } else { plain(value) };
            self.text("text-anchor=\"end\"", LEFT - 8.0, y + 4.0, &says);
        }
    }

    fn indicator(&mut self, figure: &Indicator) {
        let band = figure.band.as_ref().filter(|_| figure.lines.len() != 1);
        let line = figure.lines.first().filter(|_| band.is_none());
        let mut high = 0.0_f64;
        let mut low = 0.0_f64;
        let greatest = |of: &[super::Drawn]| of.iter().map(|one| one.0).fold(0.0, f64::max);
        let least = |of: &[super::Drawn]| of.iter().map(|one| one.0).fold(0.0, f64::min);
        if let Some(line) = line {
            high = greatest(&line.points.low).max(greatest(&line.points.high));
            low = least(&line.points.low);
        }
        if let Some(band) = band {
            (high, low) = (greatest(&band.high), least(&band.low));
        }
        for threshold in &figure.thresholds {
            if threshold.value <= high * 3.0 || high <= 0.0 {
                high = high.max(threshold.value * 1.15);
            }
            low = low.min(threshold.value);
        }
        self.plot(180.0, low, high * 1.05, false);
        if let Some(line) = line {
            for &(from, to) in &line.breach {
                let x = self.x(from.0);
                self.rect("class=\"shade\"", x, self.top, self.x(to.0) - x, self.bottom - self.top);
            }
            let data = self.steps(&line.points);
            let _ = write!(self.out, "<path class=\"data\" d=\"{data}\"/>");
        }
        if let Some(band) = band {
            self.band(band);
            let at = (0..band.mean.len()).map(|index| Offset(index as i64 * band.bucket_s.0)).collect();
            let mean = Points { bucket_s: None, at, low: band.mean.clone(), high: Vec::new() };
            let data = self.steps(&mean);
            let _ = write!(self.out, "<path class=\"data\" d=\"{data}\"/>");
        }
        // The lowest first, so that labels which go up stand in the order of their lines.
        let mut ordered: Vec<_> = figure.thresholds.iter().collect();
        ordered.sort_by(|one, other| one.value.total_cmp(&other.value));
        let mut above = f64::INFINITY;
        for threshold in ordered {
            if !(self.low..=self.high).contains(&threshold.value) {
                continue;
            }
            let class = if threshold.breach { "bad" } else { "mild" };
            let y = self.y(threshold.value);
            let _ = write!(self.out, "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>");
            let says = format!("{} {} {}", threshold.rule, threshold.sign, plain(threshold.value));
            above = y.min(above - 13.0);
            self.text(&format!("class=\"{class}\""), RIGHT + 8.0, above + 4.0, &says);
        }
    }

    /// The range of all guests in each bucket, as one path; stretches with any in breach as one shade each.
    fn band(&mut self, band: &Band) {
        let width = self.x(band.bucket_s.0) - LEFT;
        let at = |index: usize| index as i64 * band.bucket_s.0;
        let buckets: Vec<usize> = (0..band.in_breach.len()).collect();
        for stretch in
            buckets.chunk_by(|one, other| (band.in_breach[*one] > 0) == (band.in_breach[*other] > 0))
        {
            if let [first, .., last] | [first @ last] = stretch
                && band.in_breach[*first] > 0
            {
                let (x, end) = (self.x(at(*first)), self.x(at(*last)) + width);
                self.rect("class=\"shade\"", x, self.top, end - x, self.bottom - self.top);
            }
        }
        let mut data = String::new();
        for (index, (low, high)) in band.low.iter().zip(&band.high).enumerate() {
            if let (Some(low), Some(high)) = (low.shown(), high.shown()) {
                let (x, y, end) = (self.x(at(index)), self.y(high), self.y(low));
                let _ = write!(data, "M{x:.1} {y:.1}h{width:.1}V{:.1}h-{width:.1}z", end.max(y + 0.8));
            }
        }
        let _ = write!(self.out, "<path class=\"range\" d=\"{data}\"/>");
    }

    /// Below the indicator, when the guests moved: each column once.
    fn moves(&mut self, variant: &Variant) {
        let mut columns = BTreeSet::new();
        for panel in &variant.panels {
            let Figure::Lanes(figure) = &panel.figure else { continue };
            for pair in figure.lanes.iter().flat_map(|lane| lane.stays.windows(2)) {
                if pair[0].host != pair[1].host {
                    columns.insert((pair[1].from.0 as f64 / self.lasts_ms * COLUMNS as f64) as i64);
                }
            }
        }
        for column in columns {
            let x = LEFT + column as f64 / COLUMNS as f64 * (RIGHT - LEFT);
            self.rect("class=\"tick\"", x, self.bottom + 3.0, 1.2, 8.0);
        }
        self.bottom += 12.0;
    }

    /// A line in columns with the least and the greatest of each kept.
    fn steps(&self, points: &Points) -> String {
        let highs = if points.high.is_empty() { &points.low } else { &points.high };
        let mut columns: Vec<Option<(f64, f64, f64)>> = vec![None; COLUMNS];
        let mut ends = vec![false; COLUMNS];
        for ((at, low), high) in points.at.iter().zip(&points.low).zip(highs) {
            let column = (at.0 as f64 / self.lasts_ms * COLUMNS as f64) as usize;
            let column = column.min(COLUMNS - 1);
            match (low.shown(), high.shown()) {
                (Some(low), Some(high)) => {
                    ends[column] = false;
                    let (least, greatest, _) = columns[column].unwrap_or((low, high, high));
                    columns[column] = Some((least.min(low), greatest.max(high), high));
                }
                _ => ends[column] = true,
            }
        }
        let (mut data, mut pen) = (String::new(), false);
        for (index, column) in columns.iter().enumerate() {
            let x = LEFT + index as f64 / COLUMNS as f64 * (RIGHT - LEFT);
            if let Some((least, greatest, last)) = *column {
                let (low, high, last) = (self.y(least), self.y(greatest), self.y(last));
                let _ = match pen {
                    true => write!(data, "H{x:.1}V{high:.1}"),
                    false => write!(data, "M{x:.1} {high:.1}"),
                };
                if low > high {
                    let _ = write!(data, "V{low:.1}");
                }
                if last < low {
                    let _ = write!(data, "V{last:.1}");
                }
                pen = true;
            }
            if ends[index] && pen {
                let _ = write!(data, "H{x:.1}");
                pen = false;
            }
        }
        data
    }

    fn bars(&mut self, figure: &Bars) {
        let bars = figure.counts.first().map_or(0, Vec::len);
        let sum = |index: usize| figure.counts.iter().map(|row| f64::from(row[index])).sum::<f64>();
        let high = (0..bars).map(sum).fold(1.0, f64::max);
        self.plot(110.0, 0.0, high * 1.08, true);
        let width = figure.width_s.0 as f64 / self.lasts_ms * (RIGHT - LEFT);
        let gap = if width > 6.0 { 1.5 } else { 0.0 };
        // Where several bars share a column, the highest is drawn.
        let mut tallest: Vec<(usize, usize)> = Vec::new();
        for index in (0..bars).filter(|&index| sum(index) > 0.0) {
            let column = (index as f64 * width.min(1.0)) as usize;
            match tallest.last_mut() {
                Some((known, bar)) if *known == column => {
                    if sum(index) > sum(*bar) {
                        *bar = index;
                    }
                }
                _ => tallest.push((column, index)),
            }
        }
        for (_, index) in tallest {
            let mut below = 0.0;
            let from = figure.first.0 + index as i64 * figure.width_s.0;
            let (x, end) = (self.x(from), self.x(from + figure.width_s.0));
            for (row, counts) in figure.counts.iter().enumerate() {
                let count = f64::from(counts[index]);
                if count > 0.0 {
                    let (y, base) = (self.y(below + count), self.y(below));
                    let class = format!("class=\"bar\" fill-opacity=\"{}\"", SHADES[row % SHADES.len()]);
                    self.rect(&class, x + gap / 2.0, y, end - x - gap, base - y);
                    below += count;
                }
            }
        }
    }

    fn stack(&mut self, figure: &Stack) {
        let colours = host_colours(self.page);
        // Every moment as long as they fit, else what was so at each of that many moments: the rest is for the script.
        let lasts = self.lasts_ms as i64;
        let mut steps: Vec<(i64, usize)> = figure.at.iter().map(|at| at.0).zip(0..).collect();
        if steps.len() > STEPS_MAX {
            let moments = (0..STEPS_MAX as i64).map(|step| lasts * step / STEPS_MAX as i64);
            let known = |at: i64| figure.at.partition_point(|one| one.0 <= at).checked_sub(1);
            steps = moments.filter_map(|at| Some((at, known(at)?))).collect();
        }
        let sum = |step: &(i64, usize)| figure.counts.iter().map(|row| row[step.1].0).sum::<f64>();
        let high = steps.iter().map(sum).fold(1.0, f64::max);
        self.plot(if self.page.guests.len() == 1 { 60.0 } else { 150.0 }, 0.0, high, true);
        let mut below = vec![0.0; steps.len()];
        for (row, counts) in figure.counts.iter().enumerate() {
            let colour = figure.hosts.get(row).map_or("#999999", |&host| colours[host]);
            let place = |(step, &(at, index)): (usize, &(i64, usize))| {
                let [x, top, base] = [self.x(at), self.y(below[step] + counts[index].0), self.y(below[step])];
                [x, top, base].map(|number| format!("{number:.1}"))
            };
            let places: Vec<_> = steps.iter().enumerate().map(place).collect();
            steps.iter().zip(&mut below).for_each(|((_, index), below)| *below += counts[*index].0);
            if let [[first, top, _], ..] = places.as_slice() {
                // There along the top and back along the bottom; only where it goes up or down is a corner.
                let (mut data, mut back) = (format!("M{first} {top}"), format!("H{first}Z"));
                for pair in places.windows(2) {
                    let ([_, before, under], [x, top, base]) = (&pair[0], &pair[1]);
                    if top != before {
                        let _ = write!(data, "H{x}V{top}");
                    }
                    if base != under {
                        back.insert_str(0, &format!("H{x}V{under}"));
                    }
                }
                if let Some([_, _, base]) = places.last() {
                    let _ = write!(data, "H{RIGHT}V{base}{back}");
                }
                let name = figure.hosts.get(row).map_or_else(
                    || format!("{} other hosts", figure.others),
                    |&host| self.page.hosts[host].name.clone(),
                );
                let name = escaped(&name);
                let _ = write!(self.out, "<path fill=\"{colour}\" d=\"{data}\"><title>{name}</title></path>");
            }
        }
        // As they stand above each other.
        self.legend(&figure.hosts.iter().rev().copied().collect::<Vec<_>>());
    }

    /// Names beside the plot, from the top; of very many the first.
    fn legend(&mut self, hosts: &[usize]) {
        let colours = host_colours(self.page);
        for (row, &host) in hosts.iter().take(LEGEND_MAX).enumerate() {
            let y = self.top + row as f64 * 16.0;
            self.rect(&format!("fill=\"{}\"", colours[host]), RIGHT + 8.0, y, 10.0, 10.0);
            let name = self.page.hosts[host].name.clone();
            self.text("", RIGHT + 23.0, y + 9.0, &name);
            self.beside = y + 14.0;
        }
    }

    fn lanes(&mut self, figure: &Lanes) {
        let colours = host_colours(self.page);
        let shown = &figure.lanes[..figure.lanes.len().min(LANES_MAX)];
        let tall = if shown.len() == 1 { 34.0 } else { 16.0 };
        self.bottom = self.top + tall * shown.len() as f64;
        self.out += "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
                     patternTransform=\"rotate(45)\"><path d=\"M0 0V6\" stroke=\"white\" stroke-width=\"3\" \
                     stroke-opacity=\"0.7\"/></pattern></defs>";
        let most = thin::part(shown.iter().map(|lane| lane.stays.len()), STAYS_MAX);
        let mut used = Vec::new();
        let names = Shared::of_all(&self.page.guests);
        for (row, lane) in shown.iter().enumerate() {
            let y = self.top + row as f64 * tall;
            if self.page.guests.len() > 1 {
                let name: Vec<_> = names.of(&self.page.guests[lane.guest]).chars().collect();
                let name = match name.len() {
                    0..=9 => name.into_iter().collect(),
                    long => format!("…{}", name[long - 8..].iter().collect::<String>()),
                };
                self.text("text-anchor=\"end\"", LEFT - 8.0, y + tall / 2.0 + 4.0, &name);
            }
            for stay in thin::stays(&lane.stays, most).0 {
                let (x, end) = (self.x(stay.from.0), self.x(stay.to.0));
                let fill = stay.host.map_or("class=\"several\"".to_owned(), |host| {
                    if !used.contains(&host) {
                        used.push(host);
                    }
                    format!("fill=\"{}\"", colours[host])
                });
                self.rect(&fill, x, y + 1.0, end - x, tall - 3.0);
                match stay.state {
                    StayState::Rests => self.rect("class=\"rest\"", x, y + 1.0, end - x, tall - 3.0),
                    StayState::Moves => self.rect("class=\"move\"", x, y + tall / 3.0, end - x, tall / 3.0),
                    StayState::Off => self.rect("class=\"off\"", x, y + 1.0, end - x, tall - 3.0),
                    StayState::Runs | StayState::Several => {}
                }
            }
        }
        let more = figure.more + figure.lanes.len() - shown.len();
        if more > 0 {
            self.bottom += 18.0;
            self.text("", LEFT, self.bottom - 4.0, &format!("and {more} more guests"));
        }
        used.sort_unstable();
        self.legend(&used);
    }

    fn meter(&mut self, figure: &Meter) {
        let all = || figure.lines.iter().map(|(_, points)| points);
        let numbers = || all().flat_map(|points| points.low.iter().chain(&points.high)).map(|one| one.0);
        self.parts = figure.unit == Unit::Share;
        self.plot(110.0, numbers().fold(0.0, f64::min), numbers().fold(0.0, f64::max) * 1.05, false);
        for (row, (name, points)) in figure.lines.iter().enumerate() {
            let colour = PALETTE[row % PALETTE.len()];
            let data = self.steps(points);
            let _ = write!(self.out, "<path class=\"data\" style=\"stroke:{colour}\" d=\"{data}\"/>");
            if figure.lines.len() > 1 {
                // The caption above the drawing says it.
                continue;
            }
            self.rect(&format!("fill=\"{colour}\""), RIGHT + 8.0, self.top + row as f64 * 16.0, 10.0, 10.0);
            self.text("", RIGHT + 23.0, self.top + row as f64 * 16.0 + 9.0, name);
        }
    }

    fn marks(&mut self) {
        for mark in &self.page.marks {
            let x = self.x(mark.at.0);
            let (top, bottom) = (self.top, self.bottom);
            let says = escaped(&mark.says);
            let _ = write!(
                self.out,
                "<path class=\"mark\" d=\"M{x:.1} {top}V{bottom}\"><title>{says}</title></path>"
            );
        }
    }

    /// Hours or days below the plot, in civil time.
    fn time(&mut self) {
        const STEPS_S: [i64; 10] = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 7 * 86_400];
        let (from, to) = (self.page.range.from.0 / 1_000, self.page.range.to.0 / 1_000);
        let lasts = to - from;
        let step = STEPS_S.into_iter().find(|step| lasts / step <= 9).unwrap_or(lasts / 9 + 1);
        let zone = &self.page.zone;
        let stride = step.min(3_600);
        let local = |at: i64| at + i64::from(zone.offset_s(Wall::from_secs(at)));
        let mut at = from + (stride - local(from).rem_euclid(stride)) % stride;
        let mut labels: Vec<(f64, String)> = Vec::new();
        while at <= to && labels.len() < 16 {
            // Weeks begin on Monday, the fourth day after the epoch began.
            let since = local(at) - if step == 7 * 86_400 { 4 * 86_400 } else { 0 };
            if step > 7 * 86_400 || since.rem_euclid(step) == 0 {
                let civil = civil(zone, Wall::from_secs(at));
                let label = match (step < 86_400 && civil.secs > 0, step < 31 * 86_400) {
                    (true, _) => civil.time.get(..5).unwrap_or("").to_owned(),
                    (false, true) => format!("{} {} {}", civil.weekday, civil.day, civil.month),
                    (false, false) => format!("{} {}", civil.month, civil.year),
                };
                labels.push((self.x((at - from) * 1_000), label));
            }
            at += if step > 7 * 86_400 { step } else { stride };
        }
        let bottom = self.bottom;
        for (x, label) in labels {
            let _ = write!(self.out, "<path class=\"rule\" d=\"M{x:.1} {bottom:.1}v5\"/>");
            self.text("text-anchor=\"middle\"", x, bottom + 18.0, &label);
        }
    }
}

/// How strong the colour of each rule's bars is, as in the script.
pub(super) const SHADES: [f64; 5] = [1.0, 0.5, 0.28, 0.7, 0.4];
