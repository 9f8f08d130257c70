//! How long queries take, against the exact distribution: by the Markov chain that one query sees from its coming to its
//! answer. `docs/models.md` has the bounds that stand here.

use super::*;

/// With so many places hardly anybody is ever turned away at the utilisations looked at.
const PLACES: usize = 250;

/// The distribution of how many are present, at `load` arrivals in the mean time of a query alone.
fn stationary(servers: usize, load: f64) -> Vec<f64> {
    let mut shares = vec![1.0];
    for present in 1..=PLACES {
        shares.push(shares[present - 1] * load / present.min(servers) as f64);
    }
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / sum).collect()
}

/// P(R > t) at each of these times, which ascend.
///
/// The state is how many others are present; f(n), the probability of being there still, follows the backward equation
/// f′ = Qf from f = 1, here by the classical Runge-Kutta method. Who arrives sees the stationary distribution.
fn exact(servers: usize, load: f64, times: &[f64]) -> Vec<f64> {
    let shares = stationary(servers, load);
    let slope = |f: &[f64]| -> Vec<f64> {
        let one = |others: usize| {
            let served = (others + 1).min(servers) as f64;
            let own = served / (others + 1) as f64;
            let mut slope = -served * f[others];
            if others > 0 {
                slope += (served - own) * f[others - 1];
            }
            if others + 1 < PLACES {
                slope += load * (f[others + 1] - f[others]);
            }
            slope
        };
        (0..PLACES).map(one).collect()
    };
    let ahead = |f: &[f64], by: f64, slope: &[f64]| -> Vec<f64> {
        f.iter().zip(slope).map(|(f, slope)| f + by * slope).collect()
    };
    let (mut f, mut now) = (vec![1.0; PLACES], 0.0);
    let longest = 0.5 / (load + servers as f64);
    times
        .iter()
        .map(|&time| {
            let steps = ((time - now) / longest).ceil();
            let step = (time - now) / steps;
            for _ in 0..steps as usize {
                let first = slope(&f);
                let second = slope(&ahead(&f, step / 2.0, &first));
                let third = slope(&ahead(&f, step / 2.0, &second));
                let fourth = slope(&ahead(&f, step, &third));
                for at in 0..PLACES {
                    f[at] += step / 6.0 * (first[at] + 2.0 * second[at] + 2.0 * third[at] + fourth[at]);
                }
            }
            now = time;
            f.iter().zip(&shares).map(|(f, share)| f * share).sum()
        })
        .collect()
}

/// Times as multiples of the mean response time.
const MULTIPLES: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// By utilisation, the largest difference over 1, 2, 4 and 8 servers at each of the times.
fn differences(used: f64) -> [f64; 6] {
    let mut worst = [0.0_f64; 6];
    for count in [1, 2, 4, 8] {
        let load = used * f64::from(count);
        let mean = 1.0 + erlang::c(count, load) / (f64::from(count) - load);
        // Whole milliseconds, as our thresholds are.
        let longs = MULTIPLES.map(|multiple| Span::from_millis((multiple * mean * 1_000.0) as u64));
        let exact = exact(count as usize, load, &longs.map(Span::as_secs_f64));
        for ((worst, long), exact) in worst.iter_mut().zip(longs).zip(exact) {
            let mut ours = database(1_000_000, long);
            settle(&mut ours, load, servers(count));
            *worst = worst.max((slow_share(&mut ours, load, servers(count)) - exact).abs());
        }
    }
    worst
}

#[test]
fn the_share_of_slow_queries_is_close_to_the_exact_one() {
    let rows = [0.3, 0.5, 0.7, 0.8, 0.9].map(|used| {
        let columns = differences(used).map(|one| format!("{one:.3}"));
        format!("{used}  {}", columns.join(" "))
    });
    let head = MULTIPLES.map(|multiple| format!("{multiple:<5}")).join(" ");
    insta::assert_snapshot!(format!("ρ\\t {}\n{}", head.trim_end(), rows.join("\n")), @r"
    ρ\t 0.25  0.5   1     2     4     8
    0.3  0.005 0.004 0.002 0.003 0.001 0.000
    0.5  0.015 0.011 0.003 0.007 0.001 0.000
    0.7  0.034 0.023 0.006 0.014 0.002 0.001
    0.8  0.049 0.030 0.008 0.019 0.002 0.002
    0.9  0.069 0.038 0.011 0.024 0.002 0.002
    ");
}
