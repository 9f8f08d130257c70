//! Against the simulation event by event: how close the formulas are. `docs/models.md` has the bounds that stand here.

use super::reference::Queue;
use super::*;

const BATCHES: usize = 20;

/// The mean of some numbers, and its standard error by the method of batch means.
fn mean_of(all: &[f64]) -> (f64, f64) {
    let batch = all.len() / BATCHES;
    let means: Vec<f64> = all.chunks_exact(batch).map(|one| one.iter().sum::<f64>() / batch as f64).collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let variance =
        means.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>() / (means.len() - 1) as f64;
    (mean, (variance / means.len() as f64).sqrt())
}

#[test]
fn means_and_tails_are_those_of_the_simulation() {
    let mut worst = [0.0_f64; 2];
    for count in [1, 2, 4] {
        for used in [0.3, 0.6, 0.8, 0.9] {
            let load = used * f64::from(count);
            let mut simulated = Queue::new(count, usize::MAX).again(u64::from(count)).run();
            simulated.until(2_000.0, load);
            simulated.answered.clear();
            simulated.until(2_000.0 + 150_000.0 / load, load);
            let (response, error) = mean_of(&simulated.answered);
            for multiple in [0.5, 1.0, 2.0, 4.0, 8.0] {
                let long = Span::from_millis((multiple * response * 1_000.0) as u64);
                let mut ours = database(1_000_000, long);
                settle(&mut ours, load, servers(count));
                let mean = read(&ours, Indicator::ResponseMs) / 1_000.0;
                assert!((mean - response).abs() < 4.0 * error, "{count} {used}: {mean} {response} ± {error}");

                let longer: Vec<f64> = simulated
                    .answered
                    .iter()
                    .map(|&one| f64::from(u8::from(one > long.as_secs_f64())))
                    .collect();
                let (tail, tail_error) = mean_of(&longer);
                let share = slow_share(&mut ours, load, servers(count));
                let off = (share - tail).abs() - 3.0 * tail_error;
                let at = usize::from(multiple >= 1.0);
                worst[at] = worst[at].max(off);
            }
        }
    }
    assert!(worst[0] < 0.04 && worst[1] < 0.02, "beyond three standard errors: {worst:?}");
}

/// Two servers that are asked for 30 % more than they can do, with fifty places.
#[test]
fn an_overloaded_database_answers_what_it_can_and_turns_away_the_rest() {
    let mut simulated = Queue::new(2, 50).run();
    simulated.until(1_000.0, 2.6);
    (simulated.refused, simulated.area) = (0, 0.0);
    simulated.answered.clear();
    simulated.until(41_000.0, 2.6);
    let refused = simulated.refused as f64 / (simulated.refused as f64 + simulated.answered.len() as f64);
    let (response, _) = mean_of(&simulated.answered);

    let mut worst = 0.0_f64;
    for multiple in [0.25, 0.5, 1.0, 2.0, 4.0] {
        let long = Span::from_millis((multiple * response * 1_000.0) as u64);
        let mut ours = database(50, long);
        settle(&mut ours, 2.6, servers(2));
        let share = slow_share(&mut ours, 2.6, servers(2));
        let longer = simulated.answered.iter().filter(|&&one| one > long.as_secs_f64()).count();
        worst = worst.max((share - longer as f64 / simulated.answered.len() as f64).abs());
        let turned = read(&ours, Indicator::Refused);
        let all = turned + read(&ours, Indicator::Queries);
        assert!((turned / all - refused).abs() < 0.01, "{} {refused}", turned / all);
        let present = read(&ours, Indicator::ThreadsRunning);
        assert!((present / (simulated.area / 40_000.0) - 1.0).abs() < 0.1, "{present}");
        let ours_s = read(&ours, Indicator::ResponseMs) / 1_000.0;
        assert!((ours_s / response - 1.0).abs() < 0.1, "{ours_s} {response}");
    }
    assert!(worst < 0.05, "{worst}");
}

/// Overloaded for two hundred units of time, then half loaded: how many are present, in the mean of many runs.
#[test]
fn a_backlog_grows_and_goes_as_in_the_simulation() {
    const RUNS: u64 = 300;
    let ends: [(f64, f64); 7] =
        [(50.0, 1.5), (100.0, 1.5), (200.0, 1.5), (250.0, 0.5), (300.0, 0.5), (380.0, 0.5), (600.0, 0.5)];
    let mut means = [0.0; 7];
    for run in 0..RUNS {
        let mut simulated = Queue::new(1, 100_000).again(1_000 + run).run();
        for (mean, (end, load)) in means.iter_mut().zip(ends) {
            simulated.until(end, load);
            *mean += simulated.present() as f64 / RUNS as f64;
        }
    }
    let mut ours = database(100_000, Span::from_secs(1));
    let mut now = 0.0;
    for (mean, (end, load)) in means.iter().zip(ends) {
        while now < end {
            ours.advance(Span::from_secs(1), load, servers(1), 1.0);
            now += 1.0;
        }
        let present = read(&ours, Indicator::ThreadsRunning);
        assert!((present - mean).abs() < 4.0 + 0.05 * mean, "at {end}: {present} {mean}");
    }
}
