//! How the figures of many guests are spread: each of them as one table of name, number and form, used to compute
//! and to print.

use super::report::Figures;
use super::table::{figure, grouped, money, percent};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// A figure that every guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Figure {
    Requests,
    MeanPerHour,
    MostPerHour,
    Breach,
    AtBase,
    Unknown,
    Cost,
}

impl Figure {
    pub(in crate::cli) const ALL: [Self; 7] = [
        Self::Requests,
        Self::MeanPerHour,
        Self::MostPerHour,
        Self::Breach,
        Self::AtBase,
        Self::Unknown,
        Self::Cost,
    ];

    /// In JSON, as the figure of one guest is called.
    const fn key(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::MeanPerHour => "mean_per_hour",
            Self::MostPerHour => "most_per_hour",
            Self::Breach => "breach_share",
            Self::AtBase => "at_base_share",
            Self::Unknown => "unknown_share",
            Self::Cost => "c_t",
        }
    }

    /// Before a row.
    pub(in crate::cli) const fn label(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::MeanPerHour => "an hour, mean",
            Self::MostPerHour => "an hour, most",
            Self::Breach => "in breach",
            Self::AtBase => "at base",
            Self::Unknown => "unknown",
            Self::Cost => "cost",
        }
    }

    /// Over a column.
    pub(in crate::cli) const fn heading(self) -> &'static str {
        match self {
            Self::MeanPerHour => "mean/h",
            Self::MostPerHour => "most/h",
            Self::Breach => "breach",
            Self::AtBase => "base",
            other => other.label(),
        }
    }

    /// The number; none where there is no such thing.
    pub(in crate::cli) fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Self::Requests => Some(figures.requests.count as f64),
            Self::MeanPerHour => figures.requests.mean_per_hour,
            Self::MostPerHour => Some(figures.requests.most_per_hour as f64),
            Self::Breach => figures.time.breach_share,
            Self::AtBase => figures.time.at_base_share,
            Self::Unknown => figures.time.unknown_share,
            Self::Cost => figures.cost.map(|cost| cost.c_t),
        }
    }

    /// As it stands in a table.
    pub(in crate::cli) fn shown(self, number: f64) -> String {
        match self {
            // Counts are whole.
            Self::Requests | Self::MostPerHour => grouped(number as u64),
            Self::MeanPerHour => figure(number),
            Self::Breach | Self::AtBase | Self::Unknown => percent(Some(number)),
            Self::Cost => money(number),
        }
    }
}

/// How a figure is spread over the guests: each number is that of a guest (the nearest rank).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct Spread {
    #[serde(skip)]
    pub figure: Figure,
    pub min: f64,
    pub median: f64,
    pub p95: f64,
    pub max: f64,
}

/// Every figure that any guest has.
pub(in crate::cli) fn of<'a>(guests: impl Iterator<Item = &'a Figures> + Clone) -> Vec<Spread> {
    let spread = |figure: Figure| {
        let mut numbers: Vec<f64> = guests.clone().filter_map(|figures| figure.of(figures)).collect();
        numbers.sort_by(f64::total_cmp);
        let (first, last) = (numbers.first()?, numbers.last()?);
        let rank = |percent: usize| numbers[(numbers.len() * percent).div_ceil(100).max(1) - 1];
        Some(Spread { figure, min: *first, median: rank(50), p95: rank(95), max: *last })
    };
    Figure::ALL.into_iter().filter_map(spread).collect()
}

/// An object with a member for each figure.
pub(in crate::cli) fn map<S: Serializer>(spreads: &[Spread], to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(spreads.len()))?;
    for spread in spreads {
        map.serialize_entry(spread.figure.key(), spread)?;
    }
    map.end()
}

/// The guests with the greatest numbers, the first number before the second; among equals in their order.
pub(in crate::cli) fn worst<T>(guests: &[T], most: usize, numbers: impl Fn(&T) -> [f64; 2]) -> Vec<&T> {
    let mut by: Vec<_> = guests.iter().map(|guest| (numbers(guest), guest)).collect();
    by.sort_by(|(one, _), (other, _)| other[0].total_cmp(&one[0]).then(other[1].total_cmp(&one[1])));
    by.into_iter().take(most).map(|(_, guest)| guest).collect()
}
