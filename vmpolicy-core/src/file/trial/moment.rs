//! Times of a test: spans since its start, dates by its clock, and stretches between two of them.

use super::super::node::{Node, short};
use super::super::reader::Reader;
use super::super::scalar;
use super::problem::TrialErrorKind as Kind;
use crate::leaf::window::{Civil, Readings, Zone};
use crate::policy::{Place, Zones};
use crate::time::{Span, Wall};
use crate::trial::When;

/// Where a test begins: an instant, and by whose clock its dates are.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) wall: Wall,
    pub(super) zone: Zone,
}

impl Default for Start {
    /// A Monday.
    fn default() -> Self {
        Self { wall: Wall::from_secs(1_767_571_200), zone: Zone::utc() }
    }
}

/// A date and a time, and how far the clock that shows them is from UTC where that is said.
struct Dated {
    civil: Civil,
    offset_ms: Option<i64>,
}

type Wrong = (String, Option<String>);

fn wrong<T>(why: impl Into<String>, hint: &str) -> Result<T, Wrong> {
    Err((why.into(), Some(hint.to_owned())))
}

const DATE: &str = "write such as `2009-05-06T09:00` or `2009-05-06T09:00:30`";
const START: &str = "write such as `2009-05-06T09:00 Europe/Oslo` or `2009-05-06T07:00Z`";

/// `2009-05-06T09:00`, with or without seconds, `Z` or an offset.
fn dated(text: &str) -> Result<Dated, Wrong> {
    let digits = |part: &str, most: usize| -> Option<u32> {
        (part.len() == most && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok()).flatten()
    };
    let shaped = || -> Option<(Option<Civil>, &str)> {
        let (date, time) = text.split_once('T')?;
        let mut parts = date.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
        let end = time.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(time.len());
        let (time, offset) = time.split_at(end);
        let mut parts = time.split(':');
        let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
        let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
        let rest = date.split('-').count() == 3 && parts.next().is_none();
        let year = i32::try_from(year).ok()?;
        rest.then(|| (Civil::new(year, month, day, hour, minute, second), offset))
    };
    let Some((civil, offset)) = shaped() else { return wrong("it is not written as a date", DATE) };
    let Some(civil) = civil else { return wrong("no calendar or clock has it", DATE) };
    let offset_ms = match offset {
        "" => None,
        "Z" => Some(0),
        offset => {
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            let parts = offset.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':'));
            let minutes = parts.and_then(|(hours, minutes)| {
                let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
                (hours < 24 && minutes < 60).then_some(i64::from(hours * 60 + minutes))
            });
            let Some(minutes) = minutes else {
                return wrong("its end is no offset from UTC", "write such as `+02:00` or `Z`");
            };
            Some(sign * minutes * 60_000)
        }
    };
    Ok(Dated { civil, offset_ms })
}

/// The first instant at which the clock of the zone shows it.
fn instant(dated: &Dated, zone: &Zone) -> Result<Wall, Wrong> {
    if let Some(offset_ms) = dated.offset_ms {
        return Ok(Wall(dated.civil.0.saturating_sub(offset_ms)));
    }
    match zone.readings(dated.civil) {
        Readings::Once(wall) | Readings::Twice(wall, _) => Ok(wall),
        Readings::Never { next } => {
            let hint = format!("the next time that it shows is {}", zone.civil_at(next));
            Err((format!("the clock of {} is put forward over it", zone.name()), Some(hint)))
        }
    }
}

fn start(text: &str, zones: &dyn Zones) -> Result<Start, Wrong> {
    let (date, zone) = match text.split_once(' ') {
        Some((date, zone)) => (date, Some(zone.trim())),
        None => (text, None),
    };
    let dated = dated(date)?;
    let zone = match (zone, dated.offset_ms) {
        (Some(name), _) => {
            let Some(zone) = zones.zone(name) else {
                let names = zones.names();
                let near = crate::policy::error::nearest(name, names.iter().map(String::as_str));
                let hint = near.map_or_else(
                    || "zones are named as in the IANA database, such as `Europe/Oslo`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                return Err((format!("there is no zone `{}`", short(name)), Some(hint)));
            };
            zone
        }
        (None, Some(0)) => Zone::utc(),
        (None, Some(offset_ms)) => {
            let name = date.rfind(['+', '-']).map_or(date, |at| &date[at..]);
            let secs = i32::try_from(offset_ms / 1_000).unwrap_or(0);
            Zone::new(name, secs, Vec::new()).map_err(|error| (error.to_string(), None))?
        }
        (None, None) => return wrong("it does not say by whose clock", START),
    };
    Ok(Start { wall: instant(&dated, &zone)?, zone })
}

impl Reader {
    pub(super) fn start(&mut self, node: &Node, zones: &dyn Zones) -> Option<Start> {
        let text = self.text(node, "a time such as `2009-05-06T09:00 Europe/Oslo`")?;
        match start(text, zones) {
            Ok(start) => Some(start),
            Err(error) => {
                self.no_time(text, node.place, error);
                None
            }
        }
    }

    fn no_time(&mut self, text: &str, place: Place, (why, hint): Wrong) {
        self.blame_trial(Kind::Time { text: short(text), why }, place, hint);
    }

    /// One moment: a span since the start, or a date by the test's clock.
    pub(super) fn moment(&mut self, node: &Node, start: &Start) -> Option<Span> {
        let text = self.text(node, "a time since the start, such as `5m`")?;
        self.moment_of(text, node.place, start)
    }

    fn moment_of(&mut self, text: &str, place: Place, start: &Start) -> Option<Span> {
        if !text.contains('T') {
            return match scalar::parse_span(text) {
                Ok(span) => Some(span),
                Err(why) => {
                    let hint = scalar::whole(text).map(|_| format!("for seconds write `{text}s`"));
                    self.no_time(text, place, (why.to_owned(), hint));
                    None
                }
            };
        }
        let wall = dated(text).and_then(|dated| instant(&dated, &start.zone));
        match wall {
            Ok(wall) if wall >= start.wall => Some(wall.since(start.wall)),
            Ok(_) => {
                let hint = format!("the test starts at {}", start.zone.civil_at(start.wall));
                self.no_time(text, place, ("it is before the start".to_owned(), Some(hint)));
                None
            }
            Err(error) => {
                self.no_time(text, place, error);
                None
            }
        }
    }

    /// A moment, or a stretch such as `2m..5m`.
    pub(super) fn stretch(&mut self, node: &Node, start: &Start) -> Option<When> {
        let text = self.text(node, "a time since the start, such as `5m` or `2m..5m`")?;
        let Some((from, to)) = text.split_once("..") else {
            let at = self.moment_of(text, node.place, start)?;
            return Some(When { from: at, to: at });
        };
        let from = self.moment_of(from.trim(), node.place, start);
        let to = self.moment_of(to.trim(), node.place, start);
        let when = When { from: from?, to: to? };
        if when.to < when.from {
            self.blame_trial(Kind::Backwards { text: short(text) }, node.place, None);
            return None;
        }
        Some(when)
    }

    /// What lies after the end does not belong to the test.
    pub(super) fn not_after(&mut self, at: Span, lasts: Option<Span>, place: Place) {
        if let Some(lasts) = lasts.filter(|lasts| at > *lasts) {
            let hint = "let the test last longer with `for`, or leave that out".to_owned();
            self.blame_trial(Kind::AfterTheEnd { at, lasts }, place, Some(hint));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::UtcOnly;

    #[test]
    fn starts() {
        let read = |text: &str| {
            start(text, &UtcOnly).map(|start| (start.wall.to_string(), start.zone.name().to_owned()))
        };
        let is = |text: &str, wall: &str, zone: &str| {
            assert_eq!(read(text), Ok((wall.to_owned(), zone.to_owned())), "{text}");
        };
        is("2009-05-06T09:00Z", "2009-05-06T09:00:00Z", "UTC");
        is("2009-05-06T09:00:30+02:00", "2009-05-06T07:00:30Z", "+02:00");
        is("2009-05-06T09:00-01:30", "2009-05-06T10:30:00Z", "-01:30");
        is("2009-05-06T09:00 UTC", "2009-05-06T09:00:00Z", "UTC");
        is("2009-05-06T09:00+02:00 UTC", "2009-05-06T07:00:00Z", "UTC");
        for text in [
            "2009-05-06T09:00",
            "2009-05-06",
            "2009-5-6T9:00Z",
            "2009-02-29T09:00Z",
            "T",
            "2009-05-06T09Z",
            "2009-05-06T09:00 Nowhere",
            "2009-05-06T25:00Z",
            "2009-05-06T09:00+2",
            "2009-05-06-07T09:00Z",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(Start::default().wall.to_string(), "2026-01-05T00:00:00Z");
    }
}
