//! What guests want over time: whole percents of their size, one sample a step.

use thiserror::Error;

/// Some guest has fewer samples than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "guest {guest} has {found} samples, the first one has {expected}: all need the same number, two at least"
)]
pub struct MissingSamples {
    /// The guest, by its place.
    pub guest: usize,
    /// How many samples it has.
    pub found: usize,
    /// How many the first guest has.
    pub expected: usize,
}

/// The demand of all guests: a table of percents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    guests: usize,
    /// All guests' first samples, then their second ones: a step is read in one go.
    percent: Vec<u8>,
}

impl Demand {
    /// Of traces of equal length, one a guest, all in one piece: all samples of the first guest, then of the second.
    ///
    /// # Errors
    ///
    /// Where the traces are not of equal length; `lengths` says how long each is.
    pub fn new(samples: &[u8], lengths: &[usize]) -> Result<Self, MissingSamples> {
        let steps = lengths.first().copied().unwrap_or(0);
        let odd = lengths.iter().enumerate().find(|(_, found)| **found != steps || **found < 2);
        if let Some((guest, found)) = odd {
            return Err(MissingSamples { guest, found: *found, expected: steps });
        }
        let guests = lengths.len();
        assert_eq!(samples.len(), guests * steps, "as many samples as the lengths say");
        let mut percent = vec![0; samples.len()];
        for (guest, trace) in samples.chunks_exact(steps.max(1)).enumerate() {
            for (step, sample) in trace.iter().enumerate() {
                percent[step * guests + guest] = *sample;
            }
        }
        Ok(Self { guests, percent })
    }

    /// How many guests there are.
    #[must_use]
    pub const fn guests(&self) -> usize {
        self.guests
    }

    /// How many samples there are of each guest.
    #[must_use]
    pub const fn steps(&self) -> usize {
        match self.guests {
            0 => 0,
            guests => self.percent.len() / guests,
        }
    }

    fn row(&self, step: usize) -> &[u8] {
        let step = step.min(self.steps().saturating_sub(1));
        &self.percent[step * self.guests..][..self.guests]
    }

    /// Writes what each guest wants into `demand`: its size times the share between the samples before and after, on a
    /// straight line, as CloudSim's `UtilizationModelPlanetLabInMemory` reads a trace. The last sample holds on.
    pub(super) fn at(&self, now_s: f64, step_s: f64, size: &[f64], demand: &mut [f64]) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "time is not negative")]
        let step = (now_s / step_s) as usize;
        let into = now_s - step as f64 * step_s;
        let rows = self.row(step).iter().zip(self.row(step + 1));
        for ((wants, size), (before, after)) in demand.iter_mut().zip(size).zip(rows) {
            let (before, after) = (f64::from(*before) / 100.0, f64::from(*after) / 100.0);
            *wants = (before + (after - before) / step_s * into) * size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_samples_on_a_straight_line_and_the_last_holds() {
        let demand = Demand::new(&[10, 50, 0, 100], &[2, 2]).expect("sound");
        assert_eq!((demand.guests(), demand.steps()), (2, 2));
        let mut wants = [0.0; 2];
        demand.at(0.0, 300.0, &[1000.0, 500.0], &mut wants);
        assert_eq!(wants, [100.0, 0.0]);
        demand.at(75.0, 300.0, &[1000.0, 500.0], &mut wants);
        assert!((wants[0] - 200.0).abs() < 1e-9 && (wants[1] - 125.0).abs() < 1e-9, "{wants:?}");
        demand.at(450.0, 300.0, &[1000.0, 500.0], &mut wants);
        assert_eq!(wants, [500.0, 500.0]);
    }

    #[test]
    fn traces_of_unequal_length_are_told_apart() {
        let odd = Demand::new(&[1, 2, 3, 4, 5], &[2, 3]).expect_err("odd");
        assert_eq!(odd, MissingSamples { guest: 1, found: 3, expected: 2 });
        assert!(Demand::new(&[1], &[1]).is_err(), "one sample is no trace");
        assert_eq!(Demand::new(&[], &[]).expect("nobody").steps(), 0);
    }
}
