//! Units that a threshold may be written in, and what they come to in the indicator's own.

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimension {
    /// In nanoseconds.
    Time,
    /// In bits.
    Data,
}

/// Every unit that can be converted: name, dimension, size in the dimension's smallest unit.
const UNITS: &[(&str, Dimension, f64)] = &[
    ("ns", Dimension::Time, 1.0),
    ("us", Dimension::Time, 1e3),
    ("µs", Dimension::Time, 1e3),
    ("ms", Dimension::Time, 1e6),
    ("s", Dimension::Time, 1e9),
    ("m", Dimension::Time, 6e10),
    ("min", Dimension::Time, 6e10),
    ("h", Dimension::Time, 3.6e12),
    ("d", Dimension::Time, 8.64e13),
    ("bit", Dimension::Data, 1.0),
    ("kbit", Dimension::Data, 1e3),
    ("Mbit", Dimension::Data, 1e6),
    ("Gbit", Dimension::Data, 1e9),
    ("Tbit", Dimension::Data, 1e12),
    ("B", Dimension::Data, 8.0),
    ("kB", Dimension::Data, 8e3),
    ("KB", Dimension::Data, 8e3),
    ("MB", Dimension::Data, 8e6),
    ("GB", Dimension::Data, 8e9),
    ("TB", Dimension::Data, 8e12),
    ("KiB", Dimension::Data, 8.0 * 1_024.0),
    ("MiB", Dimension::Data, 8.0 * 1_048_576.0),
    ("GiB", Dimension::Data, 8.0 * 1_073_741_824.0),
    ("TiB", Dimension::Data, 8.0 * 1_099_511_627_776.0),
];

/// The dimension, whether it is per second, and the size.
fn look_up(unit: &str) -> Option<(Dimension, bool, f64)> {
    let (plain, per_second) = unit.strip_suffix("/s").map_or((unit, false), |plain| (plain, true));
    UNITS.iter().find(|(name, ..)| *name == plain).map(|&(_, dimension, size)| (dimension, per_second, size))
}

/// A number in one unit, told in another; none where the two don't go together.
///
/// A unit that nobody knows (`queries`) goes with itself.
pub(crate) fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(value);
    }
    let (dimension, per_second, size) = look_up(from)?;
    let (other, other_per_second, other_size) = look_up(to)?;
    // First times, then by: whole numbers of a small unit stay exact where the result is.
    (dimension == other && per_second == other_per_second).then(|| value * size / other_size)
}

/// The units that go with this one, for a hint.
pub(crate) fn alike(unit: &str) -> impl Iterator<Item = String> + use<> {
    let found =
        look_up(unit).map(|(dimension, per_second, _)| (dimension, if per_second { "/s" } else { "" }));
    let of = move |(dimension, per_second)| {
        let same = UNITS.iter().filter(move |(_, other, _)| *other == dimension);
        same.map(move |(name, ..)| format!("{name}{per_second}"))
    };
    found.into_iter().flat_map(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_meaning_in_another_unit() {
        let cases = [
            (250.0, "ms", "s", Some(0.25)),
            (2.0, "GiB", "B", Some(2_147_483_648.0)),
            (1.5, "h", "m", Some(90.0)),
            (100.0, "Mbit/s", "MB/s", Some(12.5)),
            (80.0, "%", "%", Some(80.0)),
            (3.0, "queries", "queries", Some(3.0)),
            (3.0, "ms", "MiB", None),
            (3.0, "MB", "MB/s", None),
            (3.0, "%", "ms", None),
            (3.0, "MS", "ms", None),
        ];
        for (value, from, to, expected) in cases {
            assert_eq!(convert(value, from, to), expected, "{value} {from} in {to}");
        }
    }
}
