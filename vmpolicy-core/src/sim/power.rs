//! What a host draws: watts by how busy it is, and the energy between two looks at it.
//!
//! A host that is switched off draws nothing; that is the caller's to know, as one that idles draws plenty.

/// Watts of a host by the share of its processors that is in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Power {
    /// A straight line from idle to full load: Fan, Weber and Barroso, "Power provisioning for a
    /// warehouse-sized computer", ISCA 2007.
    Linear {
        /// Watts when idle.
        idle: f64,
        /// Watts at full load.
        full: f64,
    },
    /// Measured watts at 0, 10, .. 100 %, and a straight line between neighbours, as SPECpower_ssj2008 reports
    /// them and Beloglazov and Buyya (2012, table II) use them.
    Table([f64; 11]),
}

impl Power {
    /// HP ProLiant ML110 G4 (Intel Xeon 3040, two cores of 1,860 MIPS): Beloglazov and Buyya 2012, table II.
    pub const HP_ML110_G4: Self =
        Self::Table([86.0, 89.4, 92.6, 96.0, 99.5, 102.0, 106.0, 108.0, 112.0, 114.0, 117.0]);

    /// HP ProLiant ML110 G5 (Intel Xeon 3075, two cores of 2,660 MIPS): Beloglazov and Buyya 2012, table II.
    pub const HP_ML110_G5: Self =
        Self::Table([93.7, 97.0, 101.0, 105.0, 110.0, 116.0, 121.0, 125.0, 129.0, 133.0, 135.0]);

    /// Watts at this share of the processors, 0 to 1. What lies outside counts as the nearer end, and what is
    /// not a number as idle.
    ///
    /// ```
    /// use vmpolicy_core::sim::power::Power;
    /// assert_eq!(Power::Linear { idle: 100.0, full: 200.0 }.watts(0.25), 125.0);
    /// assert_eq!(Power::HP_ML110_G4.watts(0.5), 102.0);
    /// ```
    #[must_use]
    #[inline]
    pub fn watts(&self, share: f64) -> f64 {
        let share = if share > 0.0 { share.min(1.0) } else { 0.0 };
        match self {
            Self::Linear { idle, full } => idle + (full - idle) * share,
            Self::Table(watts) => {
                let tenths = share * 10.0;
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
                let below = tenths as usize;
                let (low, from) = (watts[below], below as f64);
                if tenths == from {
                    return low;
                }
                // CloudSim's order of operations: where the rise of two hosts differs by rounding only, the last bit
                // says which of them a guest goes to.
                let rise = (watts[below + 1] - low) / 10.0;
                low + rise * (share - from / 10.0) * 100.0
            }
        }
    }

    /// Joules over a span of so many seconds whose ends had these shares in use: a straight line between the
    /// watts of both ends, as CloudSim integrates. A span that begins at 0 counts as switched off.
    #[must_use]
    #[inline]
    pub fn joules(&self, from: f64, to: f64, seconds: f64) -> f64 {
        if from == 0.0 {
            return 0.0;
        }
        let (from, to) = (self.watts(from), self.watts(to));
        (from + (to - from) / 2.0) * seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MODELS: [Power; 3] =
        [Power::Linear { idle: 60.0, full: 250.0 }, Power::HP_ML110_G4, Power::HP_ML110_G5];

    #[test]
    fn a_table_gives_its_own_points_and_the_middle_between_them() {
        let Power::Table(points) = Power::HP_ML110_G5 else { unreachable!("a table") };
        for (tenth, watts) in points.iter().enumerate() {
            assert_eq!(Power::HP_ML110_G5.watts(tenth as f64 / 10.0), *watts, "{tenth}");
        }
        assert!((Power::HP_ML110_G4.watts(0.05) - 87.7).abs() < 1e-9);
        assert!((Power::HP_ML110_G4.watts(0.93) - 114.9).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_share_counts_as_the_nearer_end() {
        for model in MODELS {
            assert_eq!(model.watts(-3.0), model.watts(0.0));
            assert_eq!(model.watts(7.0), model.watts(1.0));
            assert_eq!(model.watts(f64::NAN), model.watts(0.0));
        }
    }

    #[test]
    fn switched_off_draws_nothing() {
        assert_eq!(Power::HP_ML110_G4.joules(0.0, 0.5, 300.0), 0.0);
        assert_eq!(Power::HP_ML110_G4.joules(0.5, 0.0, 10.0), 940.0);
    }

    proptest! {
        #[test]
        fn busier_draws_no_less(model in 0..3_usize, low in 0.0..1.0_f64, more in 0.0..1.0_f64) {
            let high = (low + more).min(1.0);
            prop_assert!(MODELS[model].watts(low) <= MODELS[model].watts(high) + 1e-9);
        }

        #[test]
        fn energy_lies_between_that_of_the_ends(model in 0..3_usize, from in 0.001..1.0_f64, to in 0.0..1.0_f64) {
            let (a, b) = (MODELS[model].watts(from), MODELS[model].watts(to));
            let joules = MODELS[model].joules(from, to, 2.0);
            prop_assert!(joules >= 2.0 * a.min(b) - 1e-9 && joules <= 2.0 * a.max(b) + 1e-9);
        }
    }
}
