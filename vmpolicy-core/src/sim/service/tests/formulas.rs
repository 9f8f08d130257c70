//! Against closed forms and values from the literature.

use super::*;

#[test]
fn erlang_s_formulas_have_the_values_of_the_tables() {
    // Erlang B as tabulated by every vendor of telephone exchanges.
    for (servers, load, blocked) in
        [(1, 1.0, 0.5), (2, 1.0, 0.2), (10, 5.0, 0.018_385), (100, 100.0, 0.075_7)]
    {
        assert!(
            (erlang::b(servers, load) - blocked).abs() < 5e-6_f64.max(blocked * 1e-3),
            "B({servers}, {load})"
        );
    }
    // Gross and Harris, the eye clinic: three doctors, six patients an hour, three an hour each: p₀ = 1/9, Lq = 8/9.
    assert!((erlang::c(3, 2.0) - 4.0 / 9.0).abs() < 1e-15);
    assert!((erlang::c(10, 8.0) - 0.409_2).abs() < 5e-5);
}

/// M/M/1: N = ρ/(1 − ρ), R = 1/(μ − λ) (Kleinrock 1975, 3.2).
#[test]
fn one_server_is_the_closed_form() {
    for load in [0.001, 0.1, 0.5, 0.9, 0.99] {
        let mut one = database(1_000_000, Span::from_secs(1));
        settle(&mut one, load, servers(1));
        let (present, response_s) =
            (read(&one, Indicator::ThreadsRunning), read(&one, Indicator::ResponseMs) / 1_000.0);
        assert!((present - load / (1.0 - load)).abs() < 1e-6 * present, "{load}: {present}");
        assert!((response_s - 1.0 / (1.0 - load)).abs() < 1e-6 * response_s, "{load}: {response_s}");
        assert!((read(&one, Indicator::Cpu) - load).abs() < 1e-6);
    }
}

/// M/M/c: R = 1/μ + C/(cμ − λ) (Gross and Harris 1998, chapter 2).
#[test]
fn several_servers_are_erlang_s_formula() {
    for (count, used) in [(2, 0.3), (2, 0.9), (3, 2.0 / 3.0), (4, 0.7), (16, 0.95), (64, 0.5)] {
        let load = used * f64::from(count);
        let mut several = database(1_000_000, Span::from_secs(1));
        settle(&mut several, load, servers(count));
        let wanted = 1.0 + erlang::c(count, load) / (f64::from(count) - load);
        let response_s = read(&several, Indicator::ResponseMs) / 1_000.0;
        assert!((response_s - wanted).abs() < 1e-6 * wanted, "{count} {used}: {response_s} {wanted}");
    }
}

/// Little 1961: N = λR, whatever else holds; with requests that hold a worker, too.
#[test]
fn little_s_law_holds() {
    let web = |spec| Service::new(&ServiceSpec::Web(spec)).expect("a sound web server");
    for load in [0.01, 0.7, 1.5, 1.95] {
        let mut service = database(1_000_000, Span::from_secs(1));
        settle(&mut service, load, servers(2));
        let wanted = load * read(&service, Indicator::ResponseMs) / 1_000.0;
        assert!((read(&service, Indicator::ThreadsRunning) - wanted).abs() < 1e-6 * wanted);

        let spec =
            WebSpec { work_gcycles: 1.0, held: Span::from_secs(5), max_workers: 500, listen_backlog: 10 };
        let mut service = web(spec);
        settle(&mut service, load, servers(2));
        let wanted = load * read(&service, Indicator::ResponseMs) / 1_000.0;
        assert!((read(&service, Indicator::BusyWorkers) - wanted).abs() < 1e-6 * wanted);
        assert!((read(&service, Indicator::RequestsPerS) - load).abs() < 1e-6);
    }
    // Eight workers, each held five seconds and more: fewer than 1.6 requests a second, though the CPU could do two.
    let spec = WebSpec { work_gcycles: 1.0, held: Span::from_secs(5), max_workers: 8, listen_backlog: 10 };
    let mut full = web(spec);
    settle(&mut full, 1.9, servers(2));
    assert_eq!((read(&full, Indicator::BusyWorkers), read(&full, Indicator::IdleWorkers)), (8.0, 0.0));
    let answered = read(&full, Indicator::RequestsPerS);
    assert!(answered > 1.2 && answered < 1.6, "{answered}");
    let response_s = read(&full, Indicator::ResponseMs) / 1_000.0;
    assert!((answered * response_s - 18.0).abs() < 1e-6, "eight inside and ten that wait");
    assert!(read(&full, Indicator::Refused) > 0.0);
}

/// A server that slows down for the others' sake is a slower server, and what it wanted and did not get is stolen.
#[test]
fn steal_is_what_was_wanted_and_not_got() {
    let mut guest = database(151, Span::from_secs(1));
    let minute = Span::from_mins(1);
    for _ in 0..60 {
        guest.advance(minute, 1.0, servers(2), 0.5);
    }
    // It has nearly as much to do as it can, and gets a quarter of what it could use.
    assert!((read(&guest, Indicator::Cpu) - 0.25).abs() < 1e-4);
    assert_eq!(read(&guest, Indicator::ThreadsRunning), 151.0);
    assert!((read(&guest, Indicator::Steal) - 75.0).abs() < 1.5, "{}", read(&guest, Indicator::Steal));

    let mut plain = Service::new(&ServiceSpec::Plain).expect("sound");
    assert_eq!(plain.demand(minute, 0.75, servers(4)), 3.0);
    assert_eq!(plain.advance(minute, 0.75, servers(4), 1.0), 1.0);
    let read =
        [Indicator::Cpu, Indicator::Steal, Indicator::Load, Indicator::Queries].map(|one| plain.read(one));
    assert_eq!(read, [Some(0.25), Some(50.0), Some(3.0), None]);
}

#[test]
fn a_paused_database_fills_up_and_catches_up() {
    let mut paused = database(100, Span::from_secs(10));
    settle(&mut paused, 0.5, servers(1));
    let second = Span::from_secs(1);
    let answered = read(&paused, Indicator::Queries);
    for n in 1..=20_u32 {
        paused.advance(second, 0.5, servers(1), 0.0);
        assert!((read(&paused, Indicator::ThreadsRunning) - 1.0 - 0.5 * f64::from(n)).abs() < 1e-6);
        assert_eq!(read(&paused, Indicator::ResponseMs), 1_000.0 * f64::from(n));
    }
    assert_eq!((read(&paused, Indicator::Queries), read(&paused, Indicator::Cpu)), (answered, 0.0));
    // Eleven are there, one a second can go and every other second one comes.
    for _ in 0..60 {
        paused.advance(second, 0.5, servers(1), 1.0);
    }
    assert!(read(&paused, Indicator::ThreadsRunning) < 1.1);
    paused.restart();
    assert_eq!((read(&paused, Indicator::Queries), read(&paused, Indicator::ThreadsRunning)), (0.0, 0.0));
}

#[test]
fn what_is_no_service_is_refused() {
    let database = |spec| ServiceSpec::Database(spec).check().expect_err("no database").to_string();
    let web = |spec| ServiceSpec::Web(spec).check().expect_err("no web server").to_string();
    let errors = [
        database(DatabaseSpec { work_gcycles: 0.0, ..DatabaseSpec::default() }),
        database(DatabaseSpec { work_gcycles: f64::NAN, ..DatabaseSpec::default() }),
        database(DatabaseSpec { concurrency: 0, ..DatabaseSpec::default() }),
        database(DatabaseSpec { long_query_time: Span::ZERO, ..DatabaseSpec::default() }),
        web(WebSpec { max_workers: 0, ..WebSpec::default() }),
        web(WebSpec { held: Span::from_hours(25), ..WebSpec::default() }),
    ];
    insta::assert_snapshot!(errors.join("\n"), @r"
    `work` must be more than 0 and at most 1e9 Gcycles
    `work` must be more than 0 and at most 1e9 Gcycles
    `concurrency` must be from 1 to 4294967295
    `long_query_time` must be longer than nothing and at most 1d
    `max_workers` must be from 1 to 1000000
    `held` must be longer than nothing and at most 1d
    ");
}
