//! Which columns of a recording hold what.

use super::error::TraceError;
use std::str::FromStr;

/// The names of the columns of a recording.
///
/// ```
/// use vmpolicy_daemon::trace::Columns;
/// let columns: Columns = "timestamp=ts,value=cpu_percent,series=host".parse().unwrap();
/// assert_eq!((columns.timestamp.as_str(), columns.value.as_str()), ("ts", "cpu_percent"));
/// assert!("timestamp=ts,cpu".parse::<Columns>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When.
    pub timestamp: String,
    /// What was read.
    pub value: String,
    /// Whose row it is. A recording has to have this column only where it was named.
    pub series: String,
    /// Whether the column of series was named.
    pub series_is_named: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            timestamp: "timestamp".to_owned(),
            value: "value".to_owned(),
            series: "series".to_owned(),
            series_is_named: false,
        }
    }
}

impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Self::default();
        let mut given = Vec::new();
        for part in text.split(',') {
            let (role, name) = part
                .split_once('=')
                .map(|(role, name)| (role.trim(), name.trim()))
                .filter(|(_, name)| !name.is_empty())
                .ok_or_else(|| format!("`{part}` is not ROLE=NAME, such as `timestamp=ts`"))?;
            if given.contains(&role) {
                return Err(format!("`{role}` is given twice"));
            }
            match role {
                "timestamp" => name.clone_into(&mut columns.timestamp),
                "value" => name.clone_into(&mut columns.value),
                "series" => {
                    name.clone_into(&mut columns.series);
                    columns.series_is_named = true;
                }
                _ => return Err(format!("`{role}`: the columns are `timestamp`, `value` and `series`")),
            }
            given.push(role);
        }
        let Self { timestamp, value, series, .. } = &columns;
        if [(timestamp, value), (timestamp, series), (value, series)].iter().any(|(one, other)| one == other)
        {
            return Err("no column can be two things".to_owned());
        }
        Ok(columns)
    }
}

/// Which columns hold what, by number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub series: Option<usize>,
    pub timestamp: usize,
    pub value: usize,
}

impl Columns {
    /// Finds them among these names: as written, else whatever the case.
    pub(super) fn find(&self, names: &[String]) -> Result<Found, TraceError> {
        let position = |wanted: &str| {
            let exact = |name: &&String| name.as_str() == wanted;
            let like = |name: &&String| name.eq_ignore_ascii_case(wanted);
            let count = |is: &dyn Fn(&&String) -> bool| names.iter().filter(is).count();
            let of = |is: &dyn Fn(&&String) -> bool| names.iter().position(|name| is(&name));
            match (count(&exact), count(&like)) {
                (2.., _) | (0, 2..) => Err(TraceError::DoubleColumn(wanted.to_owned())),
                (1, _) => Ok(of(&exact)),
                _ => Ok(of(&like)),
            }
        };
        let (series, timestamp, value) =
            (position(&self.series)?, position(&self.timestamp)?, position(&self.value)?);
        let missing = |role: &'static str, column: &str| TraceError::MissingColumn {
            column: column.to_owned(),
            near: near(role, column, names),
            found: names.to_vec(),
        };
        let timestamp = timestamp.ok_or_else(|| missing("timestamp", &self.timestamp))?;
        let value = value.ok_or_else(|| missing("value", &self.value))?;
        if series.is_none() && self.series_is_named {
            return Err(missing("series", &self.series));
        }
        Ok(Found { series, timestamp, value })
    }
}

/// What might have been meant, or how the file might be separated.
fn near(role: &str, column: &str, names: &[String]) -> Option<String> {
    if let [only] = names {
        for (separator, name) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
            if only.contains(separator) {
                return Some(format!("commas in place of {name}"));
            }
        }
    }
    // The last of the first list is what pandas calls an index that has no name.
    let aliases: &[&str] = match role {
        "timestamp" => &["time", "ts", "date", "datetime", "epoch", "t", "ds", "__index_level_0__"],
        "value" => &["val", "values", "reading", "sample", "v", "y"],
        _ => &["guest", "host", "name", "id"],
    };
    let alias = names.iter().find(|name| aliases.iter().any(|alias| name.eq_ignore_ascii_case(alias)));
    let near = alias.map(String::as_str).or_else(|| nearest(column, names))?;
    Some(format!("`{near}` (rename it, or say --columns {role}={near})"))
}

/// The name that is most like this one, where any is.
pub(crate) fn nearest<'n>(name: &str, names: &'n [String]) -> Option<&'n str> {
    let (score, best) = names
        .iter()
        .map(|other| (strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()), other))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= 0.8).then_some(best)
}
