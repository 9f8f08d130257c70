//! What is counted: energy, moves, and how far guests got less than they wanted. Beloglazov and Buyya 2012, section
//! 3.4, in the definitions of CloudSim's `Helper`.

/// A number of spans, their mean and their deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// Their mean, in seconds; 0 of none.
    pub mean_s: f64,
    squares: f64,
}

impl Spread {
    /// Adds one: Welford, Technometrics 4(3), 1962.
    fn add(&mut self, span_s: f64) {
        self.count += 1;
        let off = span_s - self.mean_s;
        self.mean_s += off / self.count as f64;
        self.squares += off * (span_s - self.mean_s);
    }

    /// The standard deviation of the sample, in seconds; 0 of fewer than two.
    #[must_use]
    pub fn deviation_s(&self) -> f64 {
        if self.count < 2 { 0.0 } else { (self.squares / (self.count - 1) as f64).sqrt() }
    }
}

/// What a day in a data centre came to. Shares are of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The span simulated, in seconds.
    pub simulated_s: f64,
    /// How often the manager was asked.
    pub decisions: u64,
    /// The energy of all hosts, in kWh.
    pub energy_kwh: f64,
    /// Moves begun.
    pub migrations: u64,
    /// SLATAH: of the time that hosts were active, the share in which one gave less than its guests wanted.
    pub slatah: f64,
    /// PDM: of all that guests wanted, what they did not get while they moved.
    pub pdm: f64,
    /// Of all that guests wanted, what they did not get.
    pub violation_overall: f64,
    /// Where a guest got less than it wanted, the mean share that it lacked.
    pub violation_average: f64,
    /// Hosts that were switched off, and how long they were on before. One that is off from the start counts as
    /// switched off at the first step.
    pub shutdowns: Spread,
    /// Moves that ended, and how long they took.
    pub moves: Spread,
    /// Guests that wanted nothing and left for good.
    pub left: u64,
}

impl Outcome {
    /// SLAV: SLATAH times PDM.
    #[must_use]
    pub fn slav(&self) -> f64 {
        self.slatah * self.pdm
    }
}

/// Sums that become an [`Outcome`].
#[derive(Clone, Debug)]
pub(super) struct Tally {
    pub(super) joules: f64,
    pub(super) migrations: u64,
    pub(super) decisions: u64,
    pub(super) left: u64,
    pub(super) moves: Spread,
    wanted: f64,
    got: f64,
    lost_moving: f64,
    lacking: f64,
    lacks: u64,
    active_s: f64,
    violated_s: f64,
    shutdowns: Spread,
    was_on: Vec<bool>,
    on_since_s: Vec<f64>,
}

impl Tally {
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            joules: 0.0,
            migrations: 0,
            decisions: 0,
            left: 0,
            moves: Spread::default(),
            wanted: 0.0,
            got: 0.0,
            lost_moving: 0.0,
            lacking: 0.0,
            lacks: 0,
            active_s: 0.0,
            violated_s: 0.0,
            shutdowns: Spread::default(),
            was_on: vec![true; hosts],
            on_since_s: vec![0.0; hosts],
        }
    }

    /// A span that ends, in which guests wanted and got so much, and moved or not.
    pub(super) fn guests(&mut self, span_s: f64, wants: &[f64], gets: &[f64], moving: &[bool]) {
        let (mut wanted, mut got) = (0.0, 0.0);
        for ((wants, gets), moving) in wants.iter().zip(gets).zip(moving) {
            wanted += wants;
            got += gets;
            if gets < wants {
                self.lacks += 1;
                self.lacking += (wants - gets) / wants;
                if *moving {
                    self.lost_moving += (wants - gets) * span_s;
                }
            }
        }
        self.wanted += wanted * span_s;
        self.got += got * span_s;
    }

    /// A span that ends, in which an active host gave all that its guests wanted, or not.
    pub(super) fn host(&mut self, span_s: f64, violated: bool) {
        self.active_s += span_s;
        if violated {
            self.violated_s += span_s;
        }
    }

    /// Whether a host is on after all that happens now.
    pub(super) fn host_is(&mut self, host: usize, on: bool, now_s: f64) {
        if on != self.was_on[host] {
            self.was_on[host] = on;
            if on {
                self.on_since_s[host] = now_s;
            } else {
                self.shutdowns.add(now_s - self.on_since_s[host]);
            }
        }
    }

    /// A move that took so long ends.
    pub(super) fn moved(&mut self, took_s: f64) {
        self.moves.add(took_s);
    }

    pub(super) fn outcome(self, simulated_s: f64) -> Outcome {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Outcome {
            simulated_s,
            decisions: self.decisions,
            energy_kwh: self.joules / 3_600_000.0,
            migrations: self.migrations,
            slatah: share(self.violated_s, self.active_s),
            pdm: share(self.lost_moving, self.wanted),
            violation_overall: share(self.wanted - self.got, self.wanted),
            violation_average: share(self.lacking, self.lacks as f64),
            shutdowns: self.shutdowns,
            moves: self.moves,
            left: self.left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_by_hand() {
        let mut spread = Spread::default();
        assert_eq!((spread.count, spread.mean_s, spread.deviation_s()), (0, 0.0, 0.0));
        for span in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            spread.add(span);
        }
        assert_eq!((spread.count, spread.mean_s), (8, 5.0));
        assert!((spread.deviation_s() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn metrics_by_hand() {
        let mut tally = Tally::new(2);
        // For 10 s one guest lacks half because it moves, one lacks a quarter because its host is full.
        tally.guests(10.0, &[100.0, 400.0, 500.0], &[50.0, 300.0, 500.0], &[true, false, false]);
        tally.host(10.0, true);
        tally.host(30.0, false);
        tally.host_is(0, false, 300.0);
        tally.host_is(1, true, 300.0);
        tally.host_is(0, true, 600.0);
        tally.host_is(0, false, 700.0);
        let outcome = tally.outcome(1000.0);
        assert_eq!(outcome.pdm, 500.0 / 10_000.0);
        assert_eq!(outcome.violation_overall, 1500.0 / 10_000.0);
        assert_eq!(outcome.violation_average, (0.5 + 0.25) / 2.0);
        assert_eq!(outcome.slatah, 0.25);
        assert_eq!(outcome.slav(), 0.25 * 0.05);
        assert_eq!((outcome.shutdowns.count, outcome.shutdowns.mean_s), (2, (300.0 + 100.0) / 2.0));
    }
}
