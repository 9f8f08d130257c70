//! A week of a window, day by day, as the clock of a place shows it.

use serde::Serialize;
use vmpolicy_core::leaf::window::{Civil, Readings, Window, Zone};
use vmpolicy_core::time::Wall;

const DAY_MS: i64 = 86_400_000;
const DAYS: i64 = 7;

/// A week of one window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Week {
    /// The window's name.
    pub window: String,
    /// The zone whose clock the days and times are read from.
    pub zone: String,
    /// Its days.
    pub days: Vec<Day>,
    /// For how long it is open in them, in milliseconds.
    pub open_ms: i64,
    /// How long they are, in milliseconds: not 168 hours where the clock is put forward or back.
    pub lasts_ms: i64,
}

/// A day of a week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    /// Such as `2026-03-29`.
    pub date: String,
    /// Such as `Sun`.
    pub weekday: String,
    /// When it is open.
    pub open: Vec<Spell>,
    /// What the clock shows before and after it is put forward or back.
    pub clock_change: Option<(String, String)>,
    #[serde(skip)]
    parts: Vec<Part>,
    #[serde(skip)]
    starts: Civil,
}

/// A time in which a window is open, cut at midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spell {
    /// From when, in UTC.
    pub from: String,
    /// Until when, in UTC.
    pub to: String,
    /// From when, on the clock: `09:00`.
    pub from_clock: String,
    /// Until when, on the clock; `24:00` is midnight.
    pub to_clock: String,
    #[serde(skip)]
    at: (Wall, Wall),
}

/// A part of a day in which the clock runs evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    from: Wall,
    to: Wall,
    offset_ms: i64,
}

impl Week {
    /// The seven days from the one that holds `from`.
    #[must_use]
    pub fn of(name: &str, window: &Window, zone: &Zone, first_midnight: Civil) -> Self {
        let days: Vec<_> = (0..DAYS)
            .map(|day| Day::of(window, zone, Civil(first_midnight.0.saturating_add(day * DAY_MS))))
            .collect();
        let open = |day: &Day| -> i64 { day.open.iter().map(|spell| spell.at.1.0 - spell.at.0.0).sum() };
        let lasts = |day: &Day| -> i64 { day.parts.iter().map(|part| part.to.0 - part.from.0).sum() };
        Self {
            window: name.to_owned(),
            zone: zone.name().to_owned(),
            open_ms: days.iter().map(open).sum(),
            lasts_ms: days.iter().map(lasts).sum(),
            days,
        }
    }
}

/// The midnight before, on the clock of a place.
#[must_use]
pub(super) fn midnight(zone: &Zone, wall: Wall) -> Civil {
    let civil = zone.civil_at(wall);
    Civil(civil.0 - civil.0.rem_euclid(DAY_MS))
}

/// The first instant of a day: its midnight may have been skipped, or come twice.
fn begins(zone: &Zone, midnight: Civil) -> Wall {
    match zone.readings(midnight) {
        Readings::Never { next } => next,
        Readings::Once(at) | Readings::Twice(at, _) => at,
    }
}

impl Day {
    fn of(window: &Window, zone: &Zone, starts: Civil) -> Self {
        let ends = Civil(starts.0.saturating_add(DAY_MS));
        let (from, to) = (begins(zone, starts), begins(zone, ends));
        let mut open = Vec::new();
        let mut since = window.at(from).open.then_some(from);
        for (at, opens) in window.edges(from, to) {
            match since.take() {
                Some(from) if !opens => open.push((from, at)),
                other => since = if opens { Some(at) } else { other },
            }
        }
        open.extend(since.map(|from| (from, to)));
        let clock = |at: Wall| if at == to { "24:00".to_owned() } else { clock(zone, at) };
        let spell = |at: (Wall, Wall)| Spell {
            from: at.0.to_string(),
            to: at.1.to_string(),
            from_clock: clock(at.0),
            to_clock: clock(at.1),
            at,
        };
        let parts = parts(zone, from, to);
        let clock_change = match parts.as_slice() {
            [before, after] => Some((
                time_of(Civil(before.to.0 + before.offset_ms)),
                time_of(Civil(after.from.0 + after.offset_ms)),
            )),
            _ => None,
        };
        Self {
            date: date_of(starts),
            weekday: starts.weekday().to_string(),
            open: open.into_iter().map(spell).collect(),
            clock_change,
            parts,
            starts,
        }
    }

    /// The day in so many cells: `#` open, `.` closed, `+` partly open, a space where the clock skips it.
    #[must_use]
    pub fn bar(&self, cells: usize) -> String {
        let cells = i64::try_from(cells.max(1)).unwrap_or(1);
        (0..cells)
            .map(|cell| {
                let civil = |cell: i64| self.starts.0 + cell * DAY_MS / cells;
                let (mut there, mut open) = (0, 0);
                for part in &self.parts {
                    let from = part.from.0.max(civil(cell) - part.offset_ms);
                    let to = part.to.0.min(civil(cell + 1) - part.offset_ms);
                    there += (to - from).max(0);
                    let shared = self.open.iter().map(|spell| to.min(spell.at.1.0) - from.max(spell.at.0.0));
                    open += shared.map(|shared| shared.max(0)).sum::<i64>();
                }
                match (there, open) {
                    (0, _) => ' ',
                    (_, 0) => '.',
                    (there, open) if open >= there => '#',
                    _ => '+',
                }
            })
            .collect()
    }

    /// When it is open, in words.
    #[must_use]
    pub fn said(&self) -> String {
        match self.open.as_slice() {
            [] => "closed".to_owned(),
            [all] if all.from_clock == "00:00" && all.to_clock == "24:00" => "all day".to_owned(),
            spells => {
                let spells: Vec<_> =
                    spells.iter().map(|spell| format!("{}-{}", spell.from_clock, spell.to_clock)).collect();
                spells.join(", ")
            }
        }
    }
}

/// One part, or two where the clock is put forward or back in between. (No clock was ever put twice in a day.)
fn parts(zone: &Zone, from: Wall, to: Wall) -> Vec<Part> {
    let offset_ms = |at: Wall| i64::from(zone.offset_secs_at(at)) * 1_000;
    let (first, last) = (offset_ms(from), offset_ms(Wall(to.0 - 1)));
    if first == last {
        return vec![Part { from, to, offset_ms: first }];
    }
    let (mut before, mut after) = (from.0, to.0 - 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if offset_ms(Wall(middle)) == first { before = middle } else { after = middle }
    }
    let change = Wall(after);
    vec![Part { from, to: change, offset_ms: first }, Part { from: change, to, offset_ms: last }]
}

/// What the clock shows; with its offset where it shows that twice.
fn clock(zone: &Zone, at: Wall) -> String {
    let civil = zone.civil_at(at);
    let time = time_of(civil);
    match zone.readings(civil) {
        Readings::Twice(first, _) if first == at => format!("{time} (the first)"),
        Readings::Twice(..) => format!("{time} (the second)"),
        _ => time,
    }
}

/// `2026-03-29`.
pub(super) fn date_of(civil: Civil) -> String {
    civil.to_string().split('T').next().unwrap_or_default().to_owned()
}

/// `09:00`, with seconds only where there are any.
pub(super) fn time_of(civil: Civil) -> String {
    let text = civil.to_string();
    let time = text.split_once('T').map_or("", |(_, time)| time);
    time.strip_suffix(":00").unwrap_or(time).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmpolicy_core::leaf::window::{Hours, Pattern, Weekdays};

    /// Oslo, 2026: summer time from 29 March to 25 October, 01:00 UTC.
    fn oslo() -> Zone {
        Zone::new("Europe/Oslo", 3_600, vec![(1_774_746_000, 7_200), (1_792_890_000, 3_600)]).unwrap()
    }

    fn week(days: &str, hours: &str, date: (i32, u32, u32)) -> Week {
        let (days, hours) = (Weekdays::parse(days).unwrap(), Hours::parse(hours).unwrap());
        let window = Window::new(Pattern::Days { days, hours }, oslo()).unwrap();
        let midnight = Civil::new(date.0, date.1, date.2, 0, 0, 0).unwrap();
        Week::of("w", &window, &oslo(), midnight)
    }

    fn shown(week: &Week) -> Vec<String> {
        week.days
            .iter()
            .map(|day| {
                format!(
                    "{} {} {} {}",
                    day.weekday,
                    day.bar(24),
                    day.said(),
                    day.clock_change.as_ref().map_or(String::new(), |(from, to)| format!("{from}->{to}"))
                )
            })
            .collect()
    }

    #[test]
    fn an_ordinary_week() {
        let week = week("Mon-Fri", "09:00-16:30", (2026, 3, 16));
        assert_eq!(shown(&week)[0], "Mon .........#######+....... 09:00-16:30 ");
        assert_eq!(shown(&week)[6], "Sun ........................ closed ");
        assert_eq!((week.open_ms, week.lasts_ms), (5 * 27_000_000, 168 * 3_600_000));
    }

    #[test]
    fn the_night_in_which_the_clock_is_put_forward() {
        let week = week("daily", "22:00-02:30", (2026, 3, 28));
        assert_eq!(shown(&week)[0], "Sat ##+...................## 00:00-02:30, 22:00-24:00 ");
        assert_eq!(shown(&week)[1], "Sun ## ...................## 00:00-03:00, 22:00-24:00 02:00->03:00");
        assert_eq!(week.lasts_ms, 167 * 3_600_000);
    }

    #[test]
    fn the_night_in_which_it_is_put_back() {
        let week = week("Sun", "02:10-02:20", (2026, 10, 25));
        assert_eq!(
            shown(&week)[0],
            "Sun ..+..................... 02:10 (the first)-02:20 (the second) 03:00->02:00"
        );
        assert_eq!(week.open_ms, 70 * 60_000);
        let week = self::week("daily", "00:00-24:00", (2026, 10, 25));
        assert_eq!(shown(&week)[0], "Sun ######################## all day 03:00->02:00");
        assert_eq!((week.open_ms, week.lasts_ms), (169 * 3_600_000, 169 * 3_600_000));
    }
}
