//! Windows: repeating spans of civil time in a named zone, such as working hours.
//!
//! A [`Window`] is a [`Pattern`] of civil time ([days and hours](Pattern::Days), or a [pair of cron
//! expressions](Pattern::Cron)) and a [`Zone`] given as data. [`Window::at`] answers whether it is open at an instant
//! and until when that answer holds. No clock is read and no zone database either: both are the caller's.
//!
//! # Clock changes
//!
//! A pattern is worked out in civil time first; only the edges of its spells become instants, by one rule:
//!
//! * a window **opens at the first instant** at which the clock shows the opening time;
//! * it **closes at the last instant** at which the clock shows the closing time;
//! * where the clock skips that time, the edge is the first instant after the gap.
//!
//! So a window opens once and closes once, whatever the clock does that night:
//!
//! * With the clock put forward from 02:00 to 03:00, `02:30-06:00` opens at 03:00, `22:00-02:30` closes at 03:00, and
//!   `02:10-02:50`, which that night does not have, doesn't open.
//! * With the clock put back from 03:00 to 02:00, `02:30-06:00` opens at the first 02:30 and stays open while the clock
//!   shows 02:00 to 02:30 again: this is where it differs from looking at the clock. `02:10-02:20` is open from
//!   the first 02:10 to the last 02:20, seventy minutes. `22:00-02:00` closes at the second 02:00.
//!
//! # At the ends of time
//!
//! Nothing here fails at any instant. Beyond some 73 million years from the epoch a window stays as it is there.

mod civil;
mod cron;
mod days;
mod zone;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::civil::Civil;
pub use self::cron::{CronError, CronExpr, CronField};
pub use self::days::{Hours, HoursError, Weekday, Weekdays, WeekdaysError};
pub use self::zone::{Readings, Zone, ZoneError};
use crate::time::Wall;

/// No edge lies further from the epoch. Spells that begin within it end far below the
/// limits of `i64`, so no sum of this leaf can overflow.
const REACH_MS: i64 = i64::MAX / 4;

/// The civil time of a window.
///
/// ```
/// use vmpolicy_core::leaf::window::{CronExpr, Hours, Pattern, Weekdays};
/// let days = Pattern::Days { days: Weekdays::parse("Mon-Fri")?, hours: Hours::parse("09:00-16:00")? };
/// let cron = Pattern::Cron {
///     open: CronExpr::parse("0 9 * * Mon-Fri")?,
///     close: CronExpr::parse("0 16 * * Mon-Fri")?,
/// };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Pattern {
    /// These hours of these days. Hours that go past midnight belong to the day on which they begin.
    /// Whole days that adjoin are one span: no edge at midnight between them.
    Days {
        /// The days on which it opens.
        days: Weekdays,
        /// From when to when.
        hours: Hours,
    },
    /// From each time that `open` fires to the next that `close` does: open while the latest opening is later than
    /// the latest closing. Where both fire at the same minute, one span ends there and the next begins: it is open
    /// from then on, and without an edge where it was open before.
    Cron {
        /// When it opens.
        open: CronExpr,
        /// When it closes.
        close: CronExpr,
    },
}

impl Pattern {
    fn is_always(&self) -> bool {
        matches!(self, Self::Days { days, hours } if days::is_always(*days, *hours))
    }

    /// The first spell that ends after `after`; spells neither overlap nor adjoin.
    fn spell_after(&self, after: Civil) -> Option<civil::Spell> {
        match self {
            Self::Days { days, hours } => Some(days::spell_after(*days, *hours, after)),
            Self::Cron { open, close } => cron::spell_after(open, close, after),
        }
    }
}

/// Why a pattern makes no window.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WindowError {
    /// `open` and `close` are the same times.
    #[error("`open: {open}` and `close: {close}` are the same times: there is nothing in between")]
    OpenIsClose {
        /// The expression of the opening.
        open: String,
        /// The expression of the closing.
        close: String,
    },
    /// Every closing is an opening, too.
    #[error("it never closes: whenever `close: {close}` comes, `open: {open}` comes, too")]
    NeverCloses {
        /// The expression of the opening.
        open: String,
        /// The expression of the closing.
        close: String,
    },
}

/// What a window is at an instant, and how long that holds.
///
/// ```
/// use vmpolicy_core::{leaf::window::View, time::Wall};
/// let view = View { open: true, next_edge: Some(Wall(60_000)) };
/// assert!(view.open && view.next_edge > Some(Wall(0)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct View {
    /// Whether it is open.
    pub open: bool,
    /// The first instant at which that changes; none where it never does.
    pub next_edge: Option<Wall>,
}

/// A repeating span of civil time in a zone.
///
/// ```
/// use vmpolicy_core::leaf::window::{Hours, Pattern, Weekdays, Window, Zone};
/// use vmpolicy_core::time::Wall;
///
/// let pattern = Pattern::Days { days: Weekdays::parse("Mon-Fri")?, hours: Hours::parse("09:00-16:00")? };
/// let office = Window::new(pattern, Zone::utc())?;
/// let wednesday_noon = Wall::from_secs(1_241_611_200);
/// let view = office.at(wednesday_noon);
/// assert!(view.open);
/// assert_eq!(view.next_edge.map(|edge| edge.to_string()).as_deref(), Some("2009-05-06T16:00:00Z"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "RawWindow"))]
pub struct Window {
    pattern: Pattern,
    zone: Zone,
}

impl Window {
    /// A window of this pattern in this zone.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{CronExpr, Pattern, Window, WindowError, Zone};
    /// let noon = CronExpr::parse("0 12 * * *")?;
    /// let pattern = Pattern::Cron { open: noon.clone(), close: noon };
    /// assert!(matches!(Window::new(pattern, Zone::utc()), Err(WindowError::OpenIsClose { .. })));
    /// # Ok::<(), vmpolicy_core::leaf::window::CronError>(())
    /// ```
    ///
    /// # Errors
    /// Where it would never close. (`daily`, `00:00-24:00` says openly that it doesn't and is none.) A pattern
    /// that never opens can't be written: each part of it would have been an error before.
    pub fn new(pattern: Pattern, zone: Zone) -> Result<Self, WindowError> {
        if let Pattern::Cron { open, close } = &pattern
            && close.within(open)
        {
            let same = open.within(close);
            let (open, close) = (open.text().to_owned(), close.text().to_owned());
            return Err(if same {
                WindowError::OpenIsClose { open, close }
            } else {
                WindowError::NeverCloses { open, close }
            });
        }
        Ok(Self { pattern, zone })
    }

    /// Its civil times.
    #[must_use]
    pub const fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Its zone.
    #[must_use]
    pub const fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Whether it is open at `wall`, and the first instant after `wall` at which that changes.
    ///
    /// Until that instant the answer stays the same, so the caller may keep it; without such an instant, for good.
    /// It doesn't allocate.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{Hours, Pattern, View, Weekdays, Window, Zone};
    /// use vmpolicy_core::time::Wall;
    /// let always = Pattern::Days { days: Weekdays::ALL, hours: Hours::WHOLE_DAY };
    /// assert_eq!(Window::new(always, Zone::utc())?.at(Wall(0)), View { open: true, next_edge: None });
    /// # Ok::<(), vmpolicy_core::leaf::window::WindowError>(())
    /// ```
    #[must_use]
    pub fn at(&self, wall: Wall) -> View {
        if self.pattern.is_always() {
            return View { open: true, next_edge: None };
        }
        let wall = Wall(wall.0.clamp(-REACH_MS, REACH_MS));
        let view = match self.span_after(wall) {
            None => View { open: false, next_edge: None },
            Some((opens, _)) if wall < opens => View { open: false, next_edge: Some(opens) },
            Some((_, closes)) => View { open: true, next_edge: Some(closes) },
        };
        View { next_edge: view.next_edge.filter(|edge| edge.0 <= REACH_MS), ..view }
    }

    /// Every change after `from` and before `to`, in order, each with whether it is open from then on.
    ///
    /// With [`at(from)`](Self::at) for the beginning, that is all it takes to draw it.
    ///
    /// ```
    /// use vmpolicy_core::leaf::window::{Hours, Pattern, Weekdays, Window, Zone};
    /// use vmpolicy_core::time::{Span, Wall};
    /// let pattern = Pattern::Days { days: Weekdays::parse("Mon-Fri")?, hours: Hours::parse("09:00-16:00")? };
    /// let office = Window::new(pattern, Zone::utc())?;
    /// let monday = Wall::from_secs(1_241_395_200);
    /// let edges: Vec<(Wall, bool)> = office.edges(monday, monday.plus(Span::from_hours(7 * 24))).collect();
    /// assert_eq!(edges.len(), 10);
    /// assert_eq!(edges[0], (monday.plus(Span::from_hours(9)), true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn edges(&self, from: Wall, to: Wall) -> impl Iterator<Item = (Wall, bool)> {
        let mut view = self.at(from);
        core::iter::from_fn(move || {
            let edge = view.next_edge.filter(|&edge| edge < to)?;
            let open = !view.open;
            view = self.at(edge);
            Some((edge, open))
        })
    }

    /// The first span of instants that ends after `wall`: when it opens and when it closes.
    fn span_after(&self, wall: Wall) -> Option<(Wall, Wall)> {
        let mut spell = self.pattern.spell_after(self.zone.over_at(wall))?;
        let (opens, mut closes) = loop {
            let (opens, closes) = (self.zone.first_instant(spell.from), self.zone.last_instant(spell.to));
            // A spell that lies in a gap of the clock has no length.
            if opens < closes {
                break (opens, closes);
            }
            spell = self.pattern.spell_after(spell.to)?;
        };
        // The clock put back can make the next spell open before this one has closed.
        loop {
            spell = self.pattern.spell_after(spell.to)?;
            if self.zone.first_instant(spell.from) > closes {
                return Some((opens, closes));
            }
            closes = self.zone.last_instant(spell.to);
        }
    }
}

#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
#[serde(rename = "Window", deny_unknown_fields)]
struct RawWindow {
    pattern: Pattern,
    zone: Zone,
}

#[cfg(feature = "serde")]
impl TryFrom<RawWindow> for Window {
    type Error = WindowError;

    fn try_from(raw: RawWindow) -> Result<Self, WindowError> {
        Self::new(raw.pattern, raw.zone)
    }
}
