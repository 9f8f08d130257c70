//! From what was written to what is sound: [`PolicyFile::build`].
//!
//! Everything is looked at, whatever was found before, so that one run shows all there is to mend. A
//! [`Policy`] is handed out only where nothing was found; until then ids may be stand-ins.

mod rule;

use super::error::{Label, Noun, PolicyError, PolicyErrorKind as Kind, nearest};
use super::{
    Array, ArrayForm, AtMost, Class, Host, Indicator, Located, Moves, MovesForm, NamedWindow, Place, Policy,
    PolicyFile, Price, Queue, QueueForm, RelocationForm, WindowForm, Zones,
};
use crate::id::{ArrayId, HostId, Id, Table};
use crate::leaf::cost::relocation_takes;
use crate::leaf::window::{Window, Zone};
use crate::time::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Indicators, windows, queues, rules, and classes of a queue: the engine keeps sets of them in 64 bits.
pub(crate) const MOST_OF_A_KIND: usize = 64;
/// Hosts and arrays are numbered in 16 bits, with room to spare.
pub(crate) const MOST_HOSTS: usize = 60_000;
/// A request budget is remembered one by one.
const MOST_REQUESTS: u32 = 1_000;
/// After so many errors nobody reads on, and a guess takes time.
pub(crate) const MOST_SUGGESTIONS: usize = 100;
/// The longest name, in bytes: names are repeated in every record.
const LONGEST_NAME: usize = 200;

/// What was not wholly readable, so that what seems to be missing may have been there.
///
/// Errors that rest on absence are left out for it: a typo in one place is told once. All else is judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubts {
    /// The policy was read from a file. All that stands in a file has a place, so what has none is a stand-in
    /// for what could not be read, and that was told.
    pub(crate) from_file: bool,
    pub(crate) arrays: bool,
    pub(crate) hosts: bool,
    /// Where `hosts` is false, the names that the unreadable parts may be about.
    pub(crate) host_names: BTreeSet<String>,
    pub(crate) bases: bool,
    pub(crate) home: bool,
    pub(crate) indicators: bool,
    pub(crate) windows: bool,
    pub(crate) queues: bool,
    /// Indicators whose unit could not be read.
    pub(crate) units: BTreeSet<String>,
    /// Queues whose classes could not all be read.
    pub(crate) classes: BTreeSet<String>,
    /// Arrays whose relocation could not be read.
    pub(crate) relocations: BTreeSet<String>,
    /// Guests, of a scenario.
    #[cfg(all(feature = "file", feature = "sim"))]
    pub(crate) guests: bool,
}

impl Doubts {
    /// Whether something is there in the place of what could not be read: nothing is said of it.
    pub(crate) const fn stands_in<T>(&self, located: &Located<T>) -> bool {
        self.from_file && located.place.is_none()
    }
}

impl PolicyFile {
    /// Judges the whole file: a sound policy, or every error.
    ///
    /// ```
    /// use vmpolicy_core::policy::{ArrayForm, PolicyFile, Zones};
    /// # struct NoZones;
    /// # impl Zones for NoZones {
    /// #     fn zone(&self, _: &str) -> Option<vmpolicy_core::leaf::window::Zone> { None }
    /// # }
    /// let mut file = PolicyFile::default();
    /// let errors = file.build(&NoZones).unwrap_err();
    /// assert_eq!(errors[0].code(), "VP0001");
    /// file.arrays.push(ArrayForm {
    ///     name: "oslo".to_owned().into(),
    ///     hosts: vec!["mln1".to_owned().into(), "mln2".to_owned().into()].into(),
    ///     base: None,
    ///     price: None,
    ///     speed: None,
    ///     relocation: None,
    /// });
    /// assert!(file.build(&NoZones).is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Every error, in the order of the file; those without a place come first.
    pub fn build(&self, zones: &dyn Zones) -> Result<Policy, Vec<PolicyError>> {
        self.judge(zones, Doubts::default())
    }

    /// As [`build`](Self::build), knowing that some of the file could not be read.
    pub(crate) fn judge(&self, zones: &dyn Zones, doubts: Doubts) -> Result<Policy, Vec<PolicyError>> {
        let mut judge = Judge::new(self, doubts);
        let (arrays, hosts) = judge.arrays(&self.arrays);
        let home = judge.home();
        let indicators = judge.indicators();
        let windows = self.windows.iter().filter_map(|form| judge.window(form, zones)).collect();
        let queues = self.queues.iter().map(|form| judge.queue(form)).collect();
        // After the arrays, as an error in them is told first; only the first rules, as more can't be.
        let rules = self.rules.iter().take(MOST_OF_A_KIND).enumerate();
        let rules = rules.filter_map(|(index, form)| judge.rule(index, form, home)).collect();
        let moves = judge.moves(&self.moves);
        let mut errors = judge.errors;
        if errors.is_empty() {
            return Ok(Policy {
                guest: self.guest.as_ref().map(|guest| guest.value.clone()),
                arrays: Table::new(arrays),
                hosts: Table::new(hosts),
                home,
                indicators: Table::new(indicators),
                windows: Table::new(windows),
                queues: Table::new(queues),
                rules: Table::new(rules),
                moves,
            });
        }
        errors.sort_by_key(|error| error.place.map(|place| place.start));
        Err(errors)
    }
}

/// Names of one kind, with their numbers and where they were first written.
type Names<'a> = BTreeMap<&'a str, (usize, Option<Place>)>;

/// The judgement under way.
struct Judge<'a> {
    file: &'a PolicyFile,
    doubts: Doubts,
    errors: Vec<PolicyError>,
    arrays: Names<'a>,
    hosts: Names<'a>,
    indicators: Names<'a>,
    windows: Names<'a>,
    queues: Names<'a>,
}

impl<'a> Judge<'a> {
    fn new(file: &'a PolicyFile, doubts: Doubts) -> Self {
        let mut judge = Self {
            file,
            doubts,
            errors: Vec::new(),
            arrays: Names::new(),
            hosts: Names::new(),
            indicators: Names::new(),
            windows: Names::new(),
            queues: Names::new(),
        };
        if let Some(guest) = &file.guest
            && !is_name(&guest.value)
        {
            let kind = Kind::BadName { what: Noun::Guest, name: guest.value.clone() };
            judge.blame(kind, guest.place, "guest");
        }
        judge.arrays =
            judge.names(Noun::Array, "arrays", file.arrays.iter().map(|form| &form.name), MOST_HOSTS);
        let most = MOST_OF_A_KIND;
        judge.indicators =
            judge.names(Noun::Indicator, "indicators", file.indicators.iter().map(|form| &form.name), most);
        judge.windows =
            judge.names(Noun::Window, "windows", file.windows.iter().map(|form| &form.name), most);
        judge.queues = judge.names(Noun::Queue, "queues", file.queues.iter().map(|form| &form.name), most);
        judge.names(Noun::Rule, "rules", file.rules.iter().map(|form| &form.name), most);
        judge
    }

    fn blame(&mut self, kind: Kind, place: Option<Place>, path: impl Into<String>) -> &mut PolicyError {
        let error = PolicyError { kind, place, path: path.into(), labels: Vec::new(), suggestion: None };
        self.errors.push(error);
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// Blames something, and points to where the other one is.
    fn blame_second(
        &mut self,
        kind: Kind,
        place: Option<Place>,
        path: String,
        first: Option<Place>,
        text: &str,
    ) {
        let error = self.blame(kind, place, path);
        error.labels.extend(first.map(|place| Label { place, text: text.to_owned() }));
    }

    /// Numbers the names of one kind, and blames those that can't be.
    fn names(
        &mut self,
        what: Noun,
        section: &str,
        names: impl ExactSizeIterator<Item = &'a Located<String>>,
        most: usize,
    ) -> Names<'a> {
        let mut known = Names::new();
        let found = names.len();
        for (index, name) in names.enumerate() {
            if self.doubts.stands_in(name) {
                continue;
            }
            if index == most {
                self.blame(Kind::TooMany { what, found, most }, name.place, section);
            }
            let path = || {
                if name.value.is_empty() {
                    format!("{section}[{index}]")
                } else {
                    format!("{section}.{}", name.value)
                }
            };
            if !is_name(&name.value) {
                self.blame(Kind::BadName { what, name: name.value.clone() }, name.place, path());
            }
            match known.get(name.value.as_str()) {
                // In a file they are keys, and what stands there twice was told; rules are no keys.
                Some(_) if self.doubts.from_file && what != Noun::Rule => {}
                Some(&(_, first)) => {
                    let kind = Kind::DuplicateName { what, name: name.value.clone() };
                    self.blame_second(kind, name.place, path(), first, "first here");
                }
                // What is one too many has a stand-in: it is known, and never handed out.
                None => drop(known.insert(&name.value, (index.min(most - 1), name.place))),
            }
        }
        known
    }

    /// The number of a name; blames one that nothing has, unless its section was not wholly readable.
    fn find<I: Id>(&mut self, what: Noun, name: &Located<String>, path: &str) -> Option<I> {
        if self.doubts.stands_in(name) {
            return None;
        }
        let (known, doubt) = match what {
            Noun::Array => (&self.arrays, self.doubts.arrays),
            Noun::Host => (&self.hosts, self.doubts.hosts || self.doubts.host_names.contains(&name.value)),
            Noun::Indicator => (&self.indicators, self.doubts.indicators),
            Noun::Window => (&self.windows, self.doubts.windows),
            Noun::Queue => (&self.queues, self.doubts.queues),
            // Classes are their queue's, and nothing refers to a rule or a guest.
            Noun::Class | Noun::Rule | Noun::Guest => return None,
        };
        if let Some(&(index, _)) = known.get(name.value.as_str()) {
            return Some(I::from_index(index));
        }
        if !doubt {
            let worth = self.errors.len() < MOST_SUGGESTIONS;
            let suggestion = worth.then(|| nearest(&name.value, known.keys().copied())).flatten();
            let suggestion = suggestion.map(str::to_owned);
            let error = self.blame(Kind::Undefined { what, name: name.value.clone() }, name.place, path);
            error.suggestion = suggestion;
        }
        None
    }

    /// Arrays and hosts, ring by ring, each with its base after it.
    fn arrays(&mut self, forms: &'a [ArrayForm]) -> (Vec<Array>, Vec<Host>) {
        if forms.is_empty() && !self.doubts.arrays {
            self.blame(Kind::NoArrays, None, "arrays");
        }
        let found = forms.iter().map(|form| form.hosts.value.len() + usize::from(form.base.is_some())).sum();
        if found > MOST_HOSTS || forms.len() > MOST_HOSTS {
            let kind = Kind::TooMany { what: Noun::Host, found, most: MOST_HOSTS };
            self.blame(kind, forms.first().and_then(|form| form.hosts.place), "arrays");
            // Their names may still be referred to; nothing else would help.
            self.doubts.hosts = true;
            return (Vec::new(), Vec::new());
        }
        let (mut arrays, mut hosts) = (Vec::new(), Vec::new());
        for (index, form) in forms.iter().enumerate() {
            let (id, name) = (ArrayId::from_index(index), &form.name.value);
            let first = HostId::from_index(hosts.len());
            if form.hosts.value.is_empty() && !self.doubts.stands_in(&form.hosts) {
                let place = form.hosts.place.or(form.name.place);
                self.blame(Kind::EmptyRing { array: name.clone() }, place, format!("arrays.{name}.hosts"));
            }
            for host in &form.hosts.value {
                self.host(host, hosts.len(), format!("arrays.{name}.hosts"));
                hosts.push(Host { name: host.value.clone(), array: id, is_base: false });
            }
            let base = form.base.as_ref().map(|base| {
                let base_id = HostId::from_index(hosts.len());
                let path = format!("arrays.{name}.base");
                match form.hosts.value.iter().find(|host| host.value == base.value) {
                    Some(host) => {
                        let kind = Kind::BaseInRing { host: base.value.clone(), array: name.clone() };
                        self.blame_second(kind, base.place, path, host.place, "in the ring here");
                    }
                    None => self.host(base, hosts.len(), path),
                }
                hosts.push(Host { name: base.value.clone(), array: id, is_base: true });
                base_id
            });
            let ring_len = u16::try_from(form.hosts.value.len()).unwrap_or(u16::MAX);
            arrays.push(Array {
                name: name.clone(),
                first,
                ring_len,
                base,
                price: self.price(form),
                speed: self.speed(form),
                relocation: self.relocation(form),
            });
        }
        (arrays, hosts)
    }

    fn host(&mut self, host: &'a Located<String>, index: usize, path: String) {
        if !is_name(&host.value) {
            self.blame(
                Kind::BadName { what: Noun::Host, name: host.value.clone() },
                host.place,
                path.clone(),
            );
        }
        match self.hosts.get(host.value.as_str()) {
            Some(&(_, first)) => {
                let kind = Kind::DuplicateHost { host: host.value.clone() };
                self.blame_second(kind, host.place, path, first, "first here");
            }
            None => drop(self.hosts.insert(&host.value, (index, host.place))),
        }
    }

    fn price(&mut self, form: &ArrayForm) -> Option<Price> {
        let price = &form.price.as_ref()?.value;
        for (key, number) in [("host", Some(&price.host)), ("base", price.base.as_ref())] {
            if let Some(number) = number
                && !self.doubts.stands_in(number)
                && !(number.value.is_finite() && number.value >= 0.0)
            {
                let path = format!("arrays.{}.price.{key}", form.name.value);
                self.blame(Kind::BadPrice { value: number.value }, number.place, path);
            }
        }
        let base = price.base.as_ref().map_or(price.host.value, |base| base.value);
        Some(Price { host: price.host.value, base })
    }

    fn speed(&mut self, form: &ArrayForm) -> f64 {
        let Some(speed) = &form.speed else { return 1.0 };
        if !(speed.value.is_finite() && speed.value > 0.0) {
            let path = format!("arrays.{}.speed", form.name.value);
            self.blame(Kind::BadSpeed { value: speed.value }, speed.place, path);
        }
        speed.value
    }

    fn relocation(&mut self, form: &ArrayForm) -> Option<Span> {
        let written = form.relocation.as_ref()?;
        match written.value {
            RelocationForm::Takes(span) => Some(span),
            RelocationForm::Copy { size_bytes, bandwidth_bytes_per_s } => {
                let takes = if size_bytes >= 0.0 && bandwidth_bytes_per_s > 0.0 {
                    relocation_takes(size_bytes, bandwidth_bytes_per_s)
                } else {
                    None
                };
                // What could not be read is no number here; the other of the two may still be wrong.
                let size_unread = self.doubts.from_file && size_bytes.is_nan();
                let bandwidth_unread = self.doubts.from_file && bandwidth_bytes_per_s.is_nan();
                let doubtful = bandwidth_unread || size_unread && bandwidth_bytes_per_s > 0.0;
                if takes.is_none() && !doubtful {
                    let path = format!("arrays.{}.relocation", form.name.value);
                    self.blame(
                        Kind::BadRelocation { size_bytes, bandwidth_bytes_per_s },
                        written.place,
                        path,
                    );
                }
                takes
            }
        }
    }

    fn home(&mut self) -> ArrayId {
        let stand_in = ArrayId::from_index(0);
        match &self.file.home {
            Some(home) => match self.find(Noun::Array, home, "home") {
                Some(id) => id,
                None => {
                    self.doubts.home = true;
                    stand_in
                }
            },
            None => {
                let arrays = self.file.arrays.len();
                if arrays > 1 {
                    if !self.doubts.home {
                        // It is the second array that raises the question.
                        let place = self.file.arrays[1].name.place;
                        self.blame(Kind::NoHome { arrays }, place, "home");
                    }
                    self.doubts.home = true;
                }
                stand_in
            }
        }
    }

    fn indicators(&mut self) -> Vec<Indicator> {
        let forms = &self.file.indicators;
        let mut indicators = Vec::with_capacity(forms.len());
        for form in forms {
            let name = &form.name.value;
            self.not_zero("every", &form.every, || format!("indicators.{name}.every"));
            indicators.push(Indicator {
                name: name.clone(),
                every: form.every.value,
                read: form.read,
                missing: form.missing,
                timeout: form.timeout.as_ref().map_or_else(Default::default, |timeout| timeout.value),
                unit: form.unit.as_ref().map(|unit| unit.value.clone()),
            });
        }
        indicators
    }

    fn not_zero(&mut self, key: &'static str, span: &Located<Span>, path: impl FnOnce() -> String) {
        if span.value.is_zero() && !self.doubts.stands_in(span) {
            self.blame(Kind::ZeroSpan { key }, span.place, path());
        }
    }

    fn window(&mut self, form: &WindowForm, zones: &dyn Zones) -> Option<NamedWindow> {
        let name = &form.name.value;
        let zone = zones.zone(&form.zone.value);
        if zone.is_none() && !self.doubts.stands_in(&form.zone) {
            let names = zones.names();
            let suggestion = nearest(&form.zone.value, names.iter().map(String::as_str)).map(str::to_owned);
            let kind = Kind::UnknownZone { zone: form.zone.value.clone() };
            self.blame(kind, form.zone.place, format!("windows.{name}.zone")).suggestion = suggestion;
        }
        // Whether the pattern can be does not depend on the zone.
        let known = zone.is_some();
        match Window::new(form.pattern.value.clone(), zone.unwrap_or_else(Zone::utc)) {
            Ok(window) => known.then(|| NamedWindow { name: name.clone(), window }),
            Err(why) => {
                let kind = Kind::BadWindow { window: name.clone(), why: why.to_string() };
                self.blame(kind, form.pattern.place, format!("windows.{name}"));
                None
            }
        }
    }

    fn queue(&mut self, form: &'a QueueForm) -> Queue {
        let name = &form.name.value;
        self.not_zero("every", &form.every, || format!("queues.{name}.every"));
        let section = format!("queues.{name}.classes");
        self.names(Noun::Class, &section, form.classes.iter().map(|class| &class.name), MOST_OF_A_KIND);
        let classes = form.classes.iter().map(|class| Class {
            name: class.name.value.clone(),
            takes: class.takes.as_ref().map(|takes| takes.value),
        });
        Queue { name: name.clone(), every: form.every.value, classes: classes.collect() }
    }

    fn moves(&mut self, form: &MovesForm) -> Moves {
        for (key, path, span) in [
            ("confirm_within", "moves.confirm_within", &form.confirm_within),
            ("bar", "moves.bar", &form.bar),
            ("tour_pause", "moves.tour_pause", &form.tour_pause),
            ("locate_every", "moves.locate_every", &form.locate_every),
        ] {
            if let Some(span) = span {
                self.not_zero(key, span, || path.to_owned());
            }
        }
        if let Some(Located { value: AtMost { count, per }, place }) = form.at_most
            && (count == 0 || count > MOST_REQUESTS || per.is_zero())
        {
            self.blame(Kind::BadBudget { count, per }, place, "moves.at_most");
        }
        let default = Moves::default();
        let or =
            |written: &Option<Located<Span>>, default| written.as_ref().map_or(default, |span| span.value);
        Moves {
            settle: or(&form.settle, default.settle),
            confirm_within: or(&form.confirm_within, default.confirm_within),
            dwell: or(&form.dwell, default.dwell),
            at_most: form.at_most.as_ref().map_or(default.at_most, |budget| budget.value),
            tour: form.tour.as_ref().map_or(default.tour, |tour| tour.value),
            bar: or(&form.bar, default.bar),
            tour_pause: or(&form.tour_pause, default.tour_pause),
            locate_every: or(&form.locate_every, default.locate_every),
        }
    }
}

/// Whether a text will do as a name: something to see, and nothing that breaks a line of a record.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_NAME
        && text.trim() == text
        && !text.chars().any(char::is_control)
}
