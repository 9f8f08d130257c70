//! Erlang's formulas for several servers: who finds them all busy.

/// Erlang's B formula: the share of arrivals that find all of `servers` busy where nobody waits, offered `load` Erlangs.
/// By the recursion B(0) = 1, B(k) = aB(k−1) / (k + aB(k−1)) (Erlang 1917; Gross and Harris 1998, chapter 2).
///
/// ```
/// use vmpolicy_core::sim::service::erlang::b;
/// assert!((b(10, 5.0) - 0.018_385).abs() < 1e-6);
/// ```
#[must_use]
pub fn b(servers: u32, load: f64) -> f64 {
    (1..=servers).fold(1.0, |b, k| load * b / (f64::from(k) + load * b))
}

/// Erlang's C formula: the share of arrivals that find all of `servers` busy where they wait, offered `load` Erlangs.
/// C = B / (1 − ρ(1 − B)), ρ = a/c; 1 where the servers can't keep up.
///
/// ```
/// use vmpolicy_core::sim::service::erlang::c;
/// assert_eq!(c(1, 0.7), 0.7);
/// assert!((c(2, 1.0) - 1.0 / 3.0).abs() < 1e-15);
/// assert_eq!(c(3, 3.0), 1.0);
/// ```
#[must_use]
pub fn c(servers: u32, load: f64) -> f64 {
    let utilisation = load / f64::from(servers);
    if utilisation >= 1.0 { 1.0 } else { Busy::at(servers, 1.0 - utilisation).all }
}

/// The servers at a utilisation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    /// The probability that all are busy: Erlang's C.
    pub(super) all: f64,
    /// How many are present in the mean: cρ + Cρ / (1 − ρ).
    pub(super) present: f64,
    /// The derivative of `present` by the utilisation.
    pub(super) slope: f64,
}

impl Busy {
    /// At a utilisation of 1 − `idle`, where `idle` is above 0 and at most 1. To say it so keeps all digits close to saturation.
    #[inline]
    pub(super) fn at(servers: u32, idle: f64) -> Self {
        let used = 1.0 - idle;
        match servers {
            1 => {
                let per_idle = 1.0 / idle;
                Self { all: used, present: used * per_idle, slope: per_idle * per_idle }
            }
            2 => {
                // C = 2ρ² / (1 + ρ), N = 2ρ / (1 − ρ²)
                let both = 2.0 - idle;
                let scale = 1.0 / (both * idle);
                Self {
                    all: 2.0 * used * used * idle * scale,
                    present: 2.0 * used * scale,
                    slope: 2.0 * (1.0 + used * used) * scale * scale,
                }
            }
            _ => Self::of_many(servers, idle, used),
        }
    }

    fn of_many(servers: u32, idle: f64, used: f64) -> Self {
        let count = f64::from(servers);
        let blocked = b(servers, count * used);
        let some_free = idle + used * blocked;
        let all = blocked / some_free;
        // dB/dρ = c·B·(1/ρ − 1 + B), written so that ρ = 0 does no harm.
        let blocked_slope = if used > 0.0 { count * blocked * (idle / used + blocked) } else { 0.0 };
        let all_slope = (blocked_slope * some_free - blocked * (blocked - 1.0 + used * blocked_slope))
            / (some_free * some_free);
        Self {
            all,
            present: used * (count + all / idle),
            slope: count + (all_slope * used * idle + all) / (idle * idle),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gross and Harris tabulate neither; these are the sums that define C, term by term.
    fn by_definition(servers: u32, load: f64) -> f64 {
        let mut term = 1.0;
        let mut sum = 1.0;
        for k in 1..servers {
            term *= load / f64::from(k);
            sum += term;
        }
        let last = term * load / f64::from(servers) / (1.0 - load / f64::from(servers));
        last / (sum + last)
    }

    proptest! {
        #[test]
        fn c_is_what_defines_it(servers in 1..40_u32, used in 0.0..0.999_f64) {
            let load = used * f64::from(servers);
            let (got, wanted) = (c(servers, load), by_definition(servers, load));
            prop_assert!((got - wanted).abs() <= 1e-12 * wanted.max(1e-3), "{got} {wanted}");
        }

        #[test]
        fn the_slope_is_the_derivative(servers in 1..40_u32, idle in 0.002..0.999_f64) {
            let h = idle * 1e-6;
            let rise = Busy::at(servers, idle - h).present - Busy::at(servers, idle + h).present;
            let (got, wanted) = (Busy::at(servers, idle).slope, rise / (2.0 * h));
            prop_assert!((got - wanted).abs() <= 1e-5 * wanted, "{got} {wanted}");
        }

        #[test]
        fn two_servers_have_a_short_cut(idle in 1e-6..1.0_f64) {
            let (short, long) = (Busy::at(2, idle), Busy::of_many(2, idle, 1.0 - idle));
            for (short, long) in [(short.all, long.all), (short.present, long.present), (short.slope, long.slope)] {
                prop_assert!((short - long).abs() <= 1e-9 * long.max(1e-6), "{short} {long}");
            }
        }
    }
}
