//! What it costs to be somewhere, and what a relocation is worth: equations 3.1 to 3.5 of the thesis
//! (section 3.5), in its names.

use crate::time::Span;

/// Equation 3.1, `C_b < C_a <= C_t`: whether the base is cheaper than a host of the ring.
///
/// ```
/// use vmpolicy_core::leaf::cost::base_pays;
/// assert!(base_pays(0.03, 0.12));
/// assert!(!base_pays(0.12, 0.12));
/// ```
#[must_use]
pub fn base_pays(c_b_per_hour: f64, c_a_per_hour: f64) -> bool {
    c_b_per_hour < c_a_per_hour
}

/// Where time was spent, in the terms of equations 3.2 to 3.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// In the ring: adds to `C_a`.
    Array,
    /// At the base by the service's own doing: adds to `C_b`.
    Base,
    /// At the base as scheduled (`rest`): adds to `C_sb`.
    ScheduledBase,
}

/// What has been spent, in one currency.
///
/// ```
/// use vmpolicy_core::{leaf::cost::{Ledger, Spent}, time::Span};
/// let mut ledger = Ledger::default();
/// ledger.add(Spent::Array, 0.12, Span::from_hours(7));
/// ledger.add(Spent::Base, 0.03, Span::from_hours(1));
/// ledger.add(Spent::ScheduledBase, 0.03, Span::from_hours(16));
/// assert!((ledger.c_tb() - 0.51).abs() < 1e-12);
/// assert!((ledger.c_t() - 1.35).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ledger {
    /// Sum of `C_a`: in the ring.
    pub c_a: f64,
    /// Sum of `C_b`: at the base, unscheduled.
    pub c_b: f64,
    /// Sum of `C_sb`: at the base, scheduled.
    pub c_sb: f64,
}

impl Ledger {
    /// Adds `span` at `price_per_hour`.
    pub fn add(&mut self, spent: Spent, price_per_hour: f64, span: Span) {
        let cost = price_per_hour * (span.millis() as f64 / 3_600_000.0);
        match spent {
            Spent::Array => self.c_a += cost,
            Spent::Base => self.c_b += cost,
            Spent::ScheduledBase => self.c_sb += cost,
        }
    }

    /// Equation 3.3: `C_tb = sum C_b + sum C_sb`, all that the base cost.
    #[must_use]
    pub fn c_tb(&self) -> f64 {
        self.c_b + self.c_sb
    }

    /// Equation 3.4: `C_t = sum C_tb + sum C_a`; without a schedule it is equation 3.2.
    #[must_use]
    pub fn c_t(&self) -> f64 {
        self.c_tb() + self.c_a
    }
}

/// `T_M`, the time to relocate: grows with the size and falls with the bandwidth (thesis 3.5).
/// None where that is not a finite time.
#[must_use]
pub fn relocation_takes(size_bytes: f64, bandwidth_bytes_per_s: f64) -> Option<Span> {
    let millis = size_bytes / bandwidth_bytes_per_s * 1_000.0;
    (millis.is_finite() && (0.0..=1e15).contains(&millis)).then(|| Span::from_millis(millis as u64))
}

/// The gain of equation 3.5, `T_PH >> T_M + T_PA`, as the ratio `T_PH / (T_M + T_PA)`.
/// None where there is nothing to divide by.
///
/// ```
/// use vmpolicy_core::leaf::cost::gain;
/// assert_eq!(gain(8_000.0, 1_324.0, 2_676.0), Some(2.0));
/// assert_eq!(gain(0.0, 0.0, 0.0), None);
/// ```
#[must_use]
pub fn gain(t_ph: f64, t_m: f64, t_pa: f64) -> Option<f64> {
    let ratio = t_ph / (t_m + t_pa);
    ratio.is_finite().then_some(ratio)
}
