//! What holds for any service, load and host.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
struct Step {
    elapsed: Span,
    load: f64,
    /// The share of the virtual CPUs that is available.
    share: f64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let share = prop_oneof![Just(1.0), Just(0.0), 0.0..1.0_f64];
    let load = prop_oneof![Just(0.0), 0.0..100.0_f64];
    let step = (1..120_000_u64, load, share).prop_map(|(ms, load, share)| Step {
        elapsed: Span::from_millis(ms),
        load,
        share,
    });
    prop::collection::vec(step, 1..60)
}

fn hosts() -> impl Strategy<Value = Vcpus> {
    (1..9_u32, 0.5..4.0_f64).prop_map(|(count, clock_ghz)| Vcpus { count, clock_ghz })
}

fn specs() -> impl Strategy<Value = ServiceSpec> {
    let work = 0.001..2.0_f64;
    prop_oneof![
        Just(ServiceSpec::Plain),
        (work.clone(), 1..9_u32, 1..300_u32, 1..20_000_u64).prop_map(
            |(work_gcycles, concurrency, most, long)| {
                let long_query_time = Span::from_millis(long);
                ServiceSpec::Database(DatabaseSpec {
                    work_gcycles,
                    concurrency,
                    max_connections: most,
                    long_query_time,
                })
            }
        ),
        (work, 0..5_000_u64, 1..300_u32, 0..600_u32).prop_map(
            |(work_gcycles, held, max_workers, listen_backlog)| {
                ServiceSpec::Web(WebSpec {
                    work_gcycles,
                    held: Span::from_millis(held),
                    max_workers,
                    listen_backlog,
                })
            }
        ),
    ]
}

fn present(service: &Service) -> f64 {
    let one = |indicator| service.read(indicator);
    one(Indicator::ThreadsRunning).or(one(Indicator::BusyWorkers)).unwrap_or(0.0)
}

proptest! {
    #[test]
    fn indicators_are_numbers_and_counters_never_fall(spec in specs(), vcpus in hosts(), steps in steps()) {
        let mut service = Service::new(&spec).expect("sound");
        let mut before: Vec<Option<f64>> = Indicator::ALL.map(|one| service.read(one)).into();
        for step in steps {
            let demand = service.demand(step.elapsed, step.load, vcpus);
            service.advance(Span::ZERO, 1e6, vcpus, 0.0);
            let unchanged: Vec<Option<f64>> = Indicator::ALL.map(|one| service.read(one)).into();
            prop_assert_eq!(&unchanged, &before, "to ask changes nothing, and no time does nothing");
            let available = step.share * vcpus.ghz();
            let used = service.advance(step.elapsed, step.load, vcpus, available);
            prop_assert!(demand >= 0.0 && demand <= vcpus.ghz() * (1.0 + 1e-12));
            prop_assert!(used >= 0.0 && used <= available * (1.0 + 1e-12));
            prop_assert!(used <= demand + 1e-7 * vcpus.ghz(), "{used} of {demand}");
            for (one, before) in Indicator::ALL.into_iter().zip(&mut before) {
                let now = service.read(one);
                prop_assert_eq!(now.is_some(), before.is_some());
                let Some(value) = now else { continue };
                prop_assert!(value.is_finite() && value >= -1e-9, "{one} {value}");
                if one.is_counter() {
                    prop_assert!(value.fract() == 0.0 && now >= *before, "{one} {value}");
                }
                *before = now;
            }
            prop_assert!(service.read(Indicator::Cpu) <= Some(1.0 + 1e-9));
            prop_assert!(service.read(Indicator::Steal) <= Some(100.0 + 1e-9));
            if let (Some(slow), Some(all)) = (service.read(Indicator::SlowQueries), service.read(Indicator::Queries)) {
                prop_assert!(slow <= all);
            }
        }
    }

    /// What comes is answered, turned away, or there.
    #[test]
    fn nothing_is_lost(spec in specs(), vcpus in hosts(), steps in steps()) {
        prop_assume!(spec != ServiceSpec::Plain);
        let mut service = Service::new(&spec).expect("sound");
        let mut come = 0.0;
        for step in steps {
            come += step.load * step.elapsed.as_secs_f64();
            service.advance(step.elapsed, step.load, vcpus, step.share * vcpus.ghz());
            let answered = service.read(Indicator::Queries).or(service.read(Indicator::Requests));
            let counted = answered.unwrap_or(0.0) + read(&service, Indicator::Refused) + present(&service);
            let waiting = match &spec {
                ServiceSpec::Web(spec) => f64::from(spec.listen_backlog),
                _ => 0.0,
            };
            // Both counters are rounded down.
            prop_assert!(counted <= come * (1.0 + 1e-9) + 1e-6, "{counted} of {come}");
            prop_assert!(counted + waiting + 2.0 >= come * (1.0 - 1e-9), "{counted} of {come}");
        }
    }

    /// More load or less CPU never makes a service better, and a little of either makes it little worse: nothing jumps where the
    /// load crosses what can be served.
    #[test]
    fn it_gets_worse_gradually(spec in specs(), vcpus in hosts(), steps in steps(), load in 0.0..300.0_f64, share in 0.01..1.0_f64) {
        let mut service = Service::new(&spec).expect("sound");
        for step in steps {
            service.advance(step.elapsed, step.load, vcpus, step.share * vcpus.ghz());
        }
        let after = |load: f64, share: f64| {
            let mut service = service.clone();
            service.advance(Span::from_mins(1), load, vcpus, share * vcpus.ghz());
            present(&service)
        };
        let (now, busier, slower) = (after(load, share), after(load * 1.001 + 1e-6, share), after(load, share * 0.999));
        let tiny = 1e-6 * (1.0 + now);
        prop_assert!(busier >= now - tiny && slower >= now - tiny, "{now} {busier} {slower}");
        // At most as many more as come more, or as are served less, in the minute.
        let served = 60.0 * share * vcpus.ghz() / 0.001;
        prop_assert!(busier - now <= 60.0 * (load * 0.001 + 1e-6) + tiny, "{now} {busier}");
        prop_assert!(slower - now <= served * 0.001 + tiny, "{now} {slower}");
    }

    /// Two half steps come to nearly the same as a whole one where nothing is in motion, and to the same bits twice.
    #[test]
    fn a_settled_service_does_not_care_how_often_it_is_looked_at(count in 1..9_u32, used in 0.01..0.95_f64) {
        let load = used * f64::from(count);
        let (mut rare, mut often) = (database(100_000, Span::from_secs(3)), database(100_000, Span::from_secs(3)));
        settle(&mut rare, load, servers(count));
        settle(&mut often, load, servers(count));
        rare.advance(Span::from_mins(10), load, servers(count), f64::from(count));
        for _ in 0..600 {
            often.advance(Span::from_secs(1), load, servers(count), f64::from(count));
        }
        for indicator in [Indicator::ThreadsRunning, Indicator::ResponseMs, Indicator::Queries, Indicator::SlowQueries] {
            let (rare, often) = (read(&rare, indicator), read(&often, indicator));
            prop_assert!((rare - often).abs() <= 1.0 + 1e-6 * rare, "{indicator} {rare} {often}");
        }
    }
}
