//! What all hosts of a world do together, over time.

use super::eyes::Eyes;
use super::gauge::Gauge;
use crate::report::{Figure, Meter, Panel, Unit};
use vmpolicy_core::sim::scenario::Scenario;

/// Its quantities.
#[derive(Debug)]
pub(in crate::cli::simulate) struct Meters {
    several: bool,
    busy: Gauge,
    busiest: Gauge,
    in_use: Gauge,
    overloaded: Gauge,
    kilowatts: Gauge,
}

impl Meters {
    pub(in crate::cli::simulate) fn new(scenario: &Scenario) -> Self {
        let gauge = Gauge::new(scenario.lasts, scenario.step);
        Self {
            several: scenario.hosts.len() > 1,
            busy: gauge.clone(),
            busiest: gauge.clone(),
            in_use: gauge.clone(),
            overloaded: gauge.clone(),
            kilowatts: gauge,
        }
    }

    /// What the hosts of all islands did in the same stretch of time, which they forget.
    pub(in crate::cli::simulate) fn add(&mut self, islands: &mut [&mut Eyes]) {
        let steps = islands.iter().map(|eyes| eyes.ticks.len()).min().unwrap_or(0);
        for step in 0..steps {
            let Some(first) = islands.first().map(|eyes| eyes.ticks[step]) else { continue };
            // In the islands' order, so that sums do not depend on who was ready first.
            let all = islands.iter().skip(1).fold(first, |mut all, eyes| {
                let more = eyes.ticks[step];
                all.used += more.used;
                all.busy += more.busy;
                all.busiest = all.busiest.max(more.busiest);
                all.overloaded += more.overloaded;
                all.watts += more.watts;
                all
            });
            self.busy.is(all.at, if all.used > 0.0 { all.busy / all.used } else { 0.0 });
            self.busiest.is(all.at, all.busiest);
            self.in_use.is(all.at, all.used);
            self.overloaded.is(all.at, all.overloaded);
            self.kilowatts.is(all.at, all.watts / 1_000.0);
        }
        islands.iter_mut().for_each(|eyes| eyes.ticks.clear());
    }

    /// As figures.
    pub(super) fn panels(&self) -> Vec<Panel> {
        let panel = |id: &str, title: &str, about: &str, unit, lines: &[(&str, &Gauge)]| {
            let lines = lines.iter().map(|(name, gauge)| ((*name).to_owned(), gauge.points())).collect();
            Panel {
                id: id.to_owned(),
                title: title.to_owned(),
                about: about.to_owned(),
                figure: Figure::Meter(Meter { unit, lines }),
            }
        };
        let mut panels = vec![panel(
            "use",
            "How busy hosts were",
            "The part of their processors that was busy, of hosts that had guests.",
            Unit::Share,
            &[("mean", &self.busy), ("busiest", &self.busiest)],
        )];
        if self.several {
            panels.push(panel(
                "in-use",
                "Hosts in use",
                "Hosts that had guests, and those of them that could not meet all that was demanded.",
                Unit::Plain,
                &[("in use", &self.in_use), ("overloaded", &self.overloaded)],
            ));
        }
        panels.push(panel(
            "energy",
            "Energy an hour (kWh)",
            "What all hosts that had guests drew; a host without any is off.",
            Unit::KilowattHours,
            &[("all hosts", &self.kilowatts)],
        ));
        panels
    }
}
