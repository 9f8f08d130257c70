//! Windows against an oracle that knows civil time by itself: jiff, with its own copy of the zone database.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::DateTime};
use proptest::prelude::*;

use super::civil::{DAY_MS, HOUR_MS, MINUTE_MS};
use super::*;

const ZONES: [&str; 6] = [
    "Europe/Oslo",
    "America/New_York",
    "Australia/Lord_Howe", // half an hour of summer time
    "Asia/Kathmandu",      // +05:45, no summer time
    "UTC",
    "Africa/Casablanca", // put back for Ramadan
];

fn jiff_zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone of the bundled database")
}

fn wall(text: &str) -> Wall {
    Wall(text.parse::<Timestamp>().expect("RFC 3339").as_millisecond())
}

fn timestamp(wall: Wall) -> Timestamp {
    Timestamp::from_millisecond(wall.0).expect("within jiff's years")
}

/// The table, as a caller would make it.
fn zone(name: &str) -> Zone {
    let tz = jiff_zone(name);
    let (first, last) = (timestamp(wall("1900-01-01T00:00:00Z")), timestamp(wall("2100-01-01T00:00:00Z")));
    let transitions = tz.following(first).take_while(|change| change.timestamp() < last);
    let transitions = transitions.map(|change| (change.timestamp().as_second(), change.offset().seconds()));
    Zone::new(name, tz.to_offset(first).seconds(), transitions.collect()).expect("a sound table")
}

fn days(days: &str, hours: &str) -> Pattern {
    Pattern::Days {
        days: Weekdays::parse(days).expect("sound days"),
        hours: Hours::parse(hours).expect("sound hours"),
    }
}

fn cron(open: &str, close: &str) -> Pattern {
    let expr = |text| CronExpr::parse(text).expect("a sound expression");
    Pattern::Cron { open: expr(open), close: expr(close) }
}

fn window(pattern: Pattern, zone_name: &str) -> Window {
    Window::new(pattern, zone(zone_name)).expect("a sound window")
}

/// The edges from noon to noon UTC, as the zone's clock shows them, with offsets.
fn edges(window: &Window, from: &str, to: &str) -> Vec<String> {
    let tz = jiff_zone(window.zone().name());
    let shown = |(edge, open)| {
        let at = timestamp(edge).to_zoned(tz.clone());
        format!("{} {}", if open { "opens" } else { "closes" }, at.strftime("%a %d %H:%M %:z"))
    };
    window.edges(wall(from), wall(to)).map(shown).collect()
}

const OSLO_FORWARD: (&str, &str) = ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z");
const OSLO_BACK: (&str, &str) = ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z");

#[test]
fn the_night_that_skips_an_hour() {
    let night = |hours| {
        edges(&window(days("daily", hours), "Europe/Oslo"), OSLO_FORWARD.0, OSLO_FORWARD.1).join(", ")
    };
    assert_eq!(night("02:30-06:00"), "opens Sun 29 03:00 +02:00, closes Sun 29 06:00 +02:00");
    assert_eq!(night("22:00-02:30"), "opens Sat 28 22:00 +01:00, closes Sun 29 03:00 +02:00");
    assert_eq!(night("02:10-02:50"), "");
    assert_eq!(night("02:00-03:00"), "");
    assert_eq!(night("01:59-02:01"), "opens Sun 29 01:59 +01:00, closes Sun 29 03:00 +02:00");
    assert_eq!(night("02:59-03:01"), "opens Sun 29 03:00 +02:00, closes Sun 29 03:01 +02:00");
}

#[test]
fn the_night_that_has_an_hour_twice() {
    let night =
        |hours| edges(&window(days("daily", hours), "Europe/Oslo"), OSLO_BACK.0, OSLO_BACK.1).join(", ");
    assert_eq!(night("02:30-06:00"), "opens Sun 25 02:30 +02:00, closes Sun 25 06:00 +01:00");
    assert_eq!(night("22:00-02:00"), "opens Sat 24 22:00 +02:00, closes Sun 25 02:00 +01:00");
    assert_eq!(night("22:00-02:30"), "opens Sat 24 22:00 +02:00, closes Sun 25 02:30 +01:00");
    assert_eq!(night("02:10-02:20"), "opens Sun 25 02:10 +02:00, closes Sun 25 02:20 +01:00");
    assert_eq!(night("02:00-03:00"), "opens Sun 25 02:00 +02:00, closes Sun 25 03:00 +01:00");
    assert_eq!(night("03:00-04:00"), "opens Sun 25 03:00 +01:00, closes Sun 25 04:00 +01:00");
}

/// The one place where the answer differs from looking at the clock, said openly: looking at the clock,
/// this window would open twice that night.
#[test]
fn in_a_fold_it_opens_once_where_the_clock_s_reading_would_say_twice() {
    let window = window(days("daily", "02:30-06:00"), "Europe/Oslo");
    let at = |text| window.at(wall(text)).open;
    let reads = |text| timestamp(wall(text)).to_zoned(jiff_zone("Europe/Oslo")).strftime("%H:%M").to_string();
    assert!(at("2026-10-25T00:40:00Z"));
    assert_eq!(reads("2026-10-25T00:40:00Z"), "02:40");
    assert!(at("2026-10-25T01:10:00Z"), "still open, though");
    assert_eq!(reads("2026-10-25T01:10:00Z"), "02:10");
}

#[test]
fn cron_pairs_keep_the_same_nights() {
    for hours in [("02:30", "06:00"), ("02:10", "02:50"), ("22:00", "02:00"), ("02:00", "03:00")] {
        let fires = |time: &str| {
            let (hour, minute) = time.split_once(':').expect("a time");
            format!("{minute} {hour} * * *")
        };
        let by_days = window(days("daily", &format!("{}-{}", hours.0, hours.1)), "Europe/Oslo");
        let by_cron = window(cron(&fires(hours.0), &fires(hours.1)), "Europe/Oslo");
        for (from, to) in [OSLO_FORWARD, OSLO_BACK] {
            assert_eq!(edges(&by_cron, from, to), edges(&by_days, from, to), "{hours:?}");
        }
    }
}

/// The spells of one cron pair can overlap in a fold: then they are one.
#[test]
fn spells_that_overlap_in_a_fold_are_one() {
    let quarters = window(cron("0,30 2 * * *", "15,45 2 * * *"), "Europe/Oslo");
    let back = edges(&quarters, OSLO_BACK.0, OSLO_BACK.1);
    assert_eq!(back, ["opens Sun 25 02:00 +02:00", "closes Sun 25 02:45 +01:00"]);
    // Havana puts its clock back from 01:00 to 00:00: the next day's spell begins before this one's ends.
    let nearly_always = window(days("daily", "00:45-00:30"), "America/Havana");
    assert_eq!(
        edges(&nearly_always, "2020-10-31T00:00:00Z", "2020-11-02T12:00:00Z"),
        [
            "closes Sat 31 00:30 -04:00",
            "opens Sat 31 00:45 -04:00",
            "closes Mon 02 00:30 -05:00",
            "opens Mon 02 00:45 -05:00"
        ],
    );
}

/// Samoa had no 30 December 2011, a Friday.
#[test]
fn a_day_that_is_not() {
    let (from, to) = ("2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z");
    let office = window(days("daily", "09:00-16:00"), "Pacific/Apia");
    assert_eq!(
        edges(&office, from, to),
        [
            "opens Thu 29 09:00 -10:00",
            "closes Thu 29 16:00 -10:00",
            "opens Sat 31 09:00 +14:00",
            "closes Sat 31 16:00 +14:00"
        ],
    );
    let friday = window(days("Fri", "09:00-16:00"), "Pacific/Apia");
    assert!(edges(&friday, from, to).is_empty());
    // The night of Friday to Saturday has only its second half left.
    let night = window(days("Fri", "22:00-06:00"), "Pacific/Apia");
    assert_eq!(edges(&night, from, to), ["opens Sat 31 00:00 +14:00", "closes Sat 31 06:00 +14:00"]);
}

#[test]
fn whole_days_that_adjoin_have_no_edge_between_them() {
    let (from, to) = ("2026-05-03T12:00:00Z", "2026-05-17T12:00:00Z");
    let week = [
        "opens Mon 04 00:00 +02:00",
        "closes Sat 09 00:00 +02:00",
        "opens Mon 11 00:00 +02:00",
        "closes Sat 16 00:00 +02:00",
    ];
    assert_eq!(edges(&window(days("Mon-Fri", "00:00-24:00"), "Europe/Oslo"), from, to), week);
    // The same as a cron pair: where both fire, one span ends and the next begins.
    assert_eq!(edges(&window(cron("0 0 * * Mon-Fri", "0 0 * * *"), "Europe/Oslo"), from, to), week);
    assert_eq!(edges(&window(cron("0 0 * * Mon-Fri", "0 0 * * Tue-Sat"), "Europe/Oslo"), from, to), week);
    // Round the end of the week.
    let weekend = edges(&window(days("Sat-Mon", "00:00-24:00"), "Europe/Oslo"), from, to);
    assert_eq!(
        weekend,
        [
            "closes Tue 05 00:00 +02:00",
            "opens Sat 09 00:00 +02:00",
            "closes Tue 12 00:00 +02:00",
            "opens Sat 16 00:00 +02:00"
        ]
    );
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_opens() {
    let night = window(days("Fri", "22:00-06:00"), "UTC");
    let edges = edges(&night, "2026-05-04T00:00:00Z", "2026-05-11T00:00:00Z");
    assert_eq!(edges, ["opens Fri 08 22:00 +00:00", "closes Sat 09 06:00 +00:00"]);
}

#[test]
fn pairs_that_never_close_are_refused() {
    let refused =
        |open, close| Window::new(cron(open, close), Zone::utc()).expect_err("no window").to_string();
    assert_eq!(
        refused("0 9 * * *", "0  9 * * Mon-Sun"),
        "`open: 0 9 * * *` and `close: 0 9 * * Mon-Sun` are the same times: there is nothing in between"
    );
    assert_eq!(
        refused("* * * * *", "0 16 * * Mon-Fri"),
        "it never closes: whenever `close: 0 16 * * Mon-Fri` comes, `open: * * * * *` comes, too"
    );
    assert!(Window::new(cron("0 9 * * Mon", "0 9 * * *"), Zone::utc()).is_ok());
}

#[test]
fn rare_pairs_reach_across_years_and_beyond_2100() {
    let leap = window(cron("0 0 29 Feb Mon", "0 0 1 Mar *"), "UTC");
    let edge = |text: &str| leap.at(wall(text)).next_edge.map(|edge| edge.to_string());
    assert_eq!(edge("2026-01-01T00:00:00Z").as_deref(), Some("2044-02-29T00:00:00Z"));
    assert_eq!(edge("2044-02-29T00:00:00Z").as_deref(), Some("2044-03-01T00:00:00Z"));
    assert_eq!(edge("2080-01-01T00:00:00Z").as_deref(), Some("2112-02-29T00:00:00Z"));
    let office = window(cron("0 9 * * Mon-Fri", "0 16 * * Mon-Fri"), "UTC");
    for year in [1, 1850, 2101, 9000] {
        let noon = wall(&format!("{year:04}-06-01T12:00:00Z"));
        let on_weekday =
            noon.0.div_euclid(DAY_MS).rem_euclid(7) != 2 && noon.0.div_euclid(DAY_MS).rem_euclid(7) != 3;
        assert_eq!(office.at(noon).open, on_weekday, "{year}");
    }
}

#[test]
fn at_the_ends_of_time_nothing_changes_any_more() {
    for pattern in [days("Mon-Fri", "22:00-06:00"), cron("0 9 29 Feb *", "0 16 * * *")] {
        let window = Window::new(pattern, zone("Europe/Oslo")).expect("sound");
        let end = window.at(Wall(i64::MAX));
        assert_eq!(end.next_edge, None);
        assert_eq!(window.at(Wall(REACH_MS)), end);
        let beginning = window.at(Wall(i64::MIN));
        assert_eq!(window.at(Wall(-REACH_MS)), beginning);
        let edge = beginning.next_edge.expect("there is all of time ahead");
        assert_ne!(window.at(edge).open, beginning.open);
        // The last edges, one by one.
        for (edge, open) in window.edges(Wall(REACH_MS - 40_000 * DAY_MS), Wall(i64::MAX)) {
            assert!(edge.0 <= REACH_MS);
            assert_eq!(window.at(edge).open, open);
        }
    }
}

#[cfg(feature = "serde")]
#[test]
fn what_is_stored_comes_back_and_is_checked_again() {
    for pattern in [days("Mon-Fri,Sun", "22:00-06:00"), cron("0 9 * * Mon-Fri", "*/20 16 * * *")] {
        let window = Window::new(pattern, zone("Europe/Oslo")).expect("sound");
        let text = serde_json::to_string(&window).expect("it can be written");
        assert_eq!(serde_json::from_str::<Window>(&text).expect("it can be read"), window);
    }
    let read = |pattern: &str| {
        let zone = r#"{"name":"UTC","first_offset_secs":0,"transitions":[]}"#;
        serde_json::from_str::<Window>(&format!(r#"{{"pattern":{pattern},"zone":{zone}}}"#))
            .map_err(|e| e.to_string())
    };
    assert!(read(r#"{"days":{"days":"daily","hours":"09:00-16:00"}}"#).is_ok());
    assert!(read(r#"{"days":{"days":"","hours":"09:00-16:00"}}"#).is_err());
    assert!(
        read(r#"{"cron":{"open":"0 9 31 2 *","close":"0 9 * * *"}}"#)
            .is_err_and(|e| e.contains("never comes"))
    );
    assert!(
        read(r#"{"cron":{"open":"0 9 * * *","close":"0 9 * * *"}}"#).is_err_and(|e| e.contains("same times"))
    );
    assert!(
        serde_json::from_str::<Zone>(r#"{"name":"x","first_offset_secs":0,"transitions":[[2,0],[1,0]]}"#)
            .is_err()
    );
}

/// Whether a clock that shows `at` shows a time of the window: what a person without this code would say.
fn clock_says(pattern: &Pattern, at: DateTime) -> bool {
    let Pattern::Days { days, hours } = pattern else { panic!("days and hours only") };
    let on = |date: jiff::civil::Date| {
        days.contains(Weekday::ALL[date.weekday().to_monday_zero_offset() as usize])
    };
    let secs = at.hour() as u32 * 3_600 + at.minute() as u32 * 60 + at.second() as u32;
    let (from, to) = (hours.from_secs(), hours.to_secs());
    if hours.wraps() {
        (on(at.date()) && secs >= from)
            || (on(at.date().yesterday().expect("not the first day")) && secs < to)
    } else {
        on(at.date()) && (from..to).contains(&secs)
    }
}

/// Compares every `step_mins`-th minute, keeping each view as long as it says that it holds.
/// Minutes that the clock shows twice are left out: they have tests of their own.
fn compare_with_clock(windows: &[Window], tz: &TimeZone, from: Wall, to: Wall, step_mins: i64) {
    let mut views: Vec<View> = windows.iter().map(|window| window.at(from)).collect();
    for ms in (from.0..to.0).step_by((step_mins * MINUTE_MS) as usize) {
        let now = Wall(ms);
        let shown = tz.to_datetime(timestamp(now));
        let twice = tz.to_ambiguous_timestamp(shown).is_ambiguous();
        for (window, view) in windows.iter().zip(&mut views) {
            if view.next_edge.is_some_and(|edge| edge <= now) {
                *view = window.at(now);
            }
            assert!(
                twice || view.open == clock_says(window.pattern(), shown),
                "{} at {now}, when the clock shows {shown}: {:?}",
                tz.iana_name().unwrap_or("?"),
                window.pattern(),
            );
        }
    }
}

const ORACLE_PATTERNS: [(&str, &str); 7] = [
    ("Mon-Fri", "09:00-16:00"),
    ("daily", "00:30-02:15"),
    ("Sat,Sun", "02:00-03:00"),
    ("Fri-Mon", "22:00-06:00"),
    ("Sun", "00:00-24:00"),
    ("Mon-Fri", "00:00-24:00"),
    ("daily", "02:45-02:30"),
];

#[test]
fn days_and_hours_agree_with_the_clock_around_every_change_and_all_year() {
    for name in ZONES {
        let tz = jiff_zone(name);
        let windows = ORACLE_PATTERNS.map(|(d, h)| window(days(d, h), name));
        let (from, to) = (wall("2019-01-01T00:00:00Z"), wall("2029-01-01T00:00:00Z"));
        let changes = tz.following(timestamp(from)).take_while(|change| change.timestamp() < timestamp(to));
        for change in changes {
            let at_ms = change.timestamp().as_millisecond();
            compare_with_clock(&windows, &tz, Wall(at_ms - 30 * HOUR_MS), Wall(at_ms + 30 * HOUR_MS), 1);
        }
        compare_with_clock(&windows, &tz, wall("2026-01-01T00:00:00Z"), wall("2027-01-01T00:00:00Z"), 15);
    }
}

fn any_zone() -> impl Strategy<Value = Zone> {
    let wild =
        (-26..26i32, prop::collection::vec((1..200i64, -26..26i32), 0..9)).prop_map(|(first, changes)| {
            let mut at = 1_792_000_000;
            let table = changes.into_iter().map(|(after, offset)| {
                at += after * 1_800;
                (at, offset * 3_600)
            });
            Zone::new("wild", first * 3_600, table.collect()).expect("ascending")
        });
    prop_oneof![3 => prop::sample::select(ZONES.to_vec()).prop_map(zone), 1 => wild]
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    let weekday = || prop::sample::select(Weekday::ALL.to_vec());
    let weekdays = move || (weekday(), weekday()).prop_map(|(first, last)| Weekdays::range(first, last));
    let hours =
        (0..96u32, 0..=96u32).prop_filter_map("no length", |(a, b)| Hours::new(a * 900, b * 900).ok());
    let whole = Just(Hours::WHOLE_DAY);
    let field = || prop_oneof![Just("*"), Just("0"), Just("*/7"), Just("15,20"), Just("2"), Just("1-3")];
    let expr = move || {
        (field(), field(), prop_oneof![3 => Just("*"), 1 => Just("1-7"), 1 => Just("29")], weekdays())
            .prop_map(|(minute, hour, day, weekdays)| {
                let names: Vec<String> = weekdays.iter().map(|day| day.to_string()).collect();
                CronExpr::parse(&format!("{minute} {hour} {day} * {}", names.join(","))).expect("sound")
            })
    };
    prop_oneof![
        (weekdays(), prop_oneof![4 => hours, 1 => whole])
            .prop_map(|(days, hours)| Pattern::Days { days, hours }),
        (expr(), expr()).prop_map(|(open, close)| Pattern::Cron { open, close }),
    ]
}

fn any_window() -> impl Strategy<Value = Window> {
    (any_pattern(), any_zone())
        .prop_filter_map("it must close", |(pattern, zone)| Window::new(pattern, zone).ok())
}

proptest! {
    #[test]
    fn the_table_says_what_the_database_says(name in prop::sample::select(ZONES.to_vec()), secs in -2_200_000_000..4_100_000_000i64) {
        let (wall, tz) = (Wall::from_secs(secs), jiff_zone(name));
        let zone = zone(name);
        prop_assert_eq!(zone.offset_secs_at(wall), tz.to_offset(timestamp(wall)).seconds());
        prop_assert_eq!(zone.civil_at(wall).to_string(), tz.to_datetime(timestamp(wall)).to_string());
    }

    /// What the caller relies on when it keeps a view.
    #[test]
    fn a_view_holds_until_its_edge_and_not_beyond(
        window in any_window(),
        secs in prop_oneof![-2_000_000_000..5_000_000_000i64, 1_791_900_000..1_793_000_000i64],
        parts in prop::collection::vec(0.0..1.0f64, 8),
    ) {
        let wall = Wall::from_secs(secs);
        let view = window.at(wall);
        let end = view.next_edge.unwrap_or(wall.shifted(10_000 * DAY_MS));
        prop_assert!(end > wall);
        for part in parts {
            let between = wall.shifted(((end.0 - wall.0) as f64 * part) as i64);
            prop_assert_eq!(window.at(between), view, "at {}", between);
        }
        prop_assert_eq!(window.at(end.shifted(-1)), view);
        if let Some(edge) = view.next_edge {
            prop_assert_eq!(window.at(edge).open, !view.open);
        }
    }

    #[test]
    fn edges_are_what_at_says(window in any_window(), secs in 1_791_900_000..1_792_500_000i64, hours in 0..200i64) {
        let (from, to) = (Wall::from_secs(secs), Wall::from_secs(secs + hours * 3_600));
        let (mut before, mut open) = (from, window.at(from).open);
        for (edge, opens) in window.edges(from, to) {
            prop_assert!(before < edge && edge < to);
            prop_assert_eq!(opens, !open);
            prop_assert_eq!(window.at(edge).open, opens);
            (before, open) = (edge, opens);
        }
        prop_assert!(window.at(before).next_edge.is_none_or(|edge| edge >= to));
    }

    #[test]
    fn a_cron_pair_is_the_same_as_days_and_hours(
        zone in any_zone(),
        days in prop::sample::select(vec!["Mon-Fri", "Sat,Sun", "Sun", "*"]),
        (from, to) in (0..47u32).prop_flat_map(|from| (Just(from), from + 1..48)),
        secs in 1_700_000_000..1_800_000_000i64,
    ) {
        let expr = |half: u32| CronExpr::parse(&format!("{} {} * * {days}", half % 2 * 30, half / 2)).expect("sound");
        let pair = Pattern::Cron { open: expr(from), close: expr(to) };
        let by_cron = Window::new(pair, zone.clone()).expect("sound");
        let hours = Hours::new(from * 1_800, to * 1_800).expect("some length");
        let by_days = Pattern::Days { days: Weekdays::parse(days).expect("sound"), hours };
        let by_days = Window::new(by_days, zone).expect("sound");
        prop_assert_eq!(by_cron.at(Wall::from_secs(secs)), by_days.at(Wall::from_secs(secs)));
    }

    /// kubernetes#121594 started twice when the clock went back.
    #[test]
    fn it_opens_exactly_once_on_the_night_of_a_change(
        name in prop::sample::select(vec!["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
        nth in 0..20usize,
        (from, to) in (0..660u32, 1..60u32),
    ) {
        let tz = jiff_zone(name);
        let change = tz.following(timestamp(wall("2018-01-01T00:00:00Z"))).nth(nth).expect("changes until 2037");
        let hours = Hours::new(from * 60, (from + to) * 60).expect("some length");
        let window = Window::new(Pattern::Days { days: Weekdays::ALL, hours }, zone(name)).expect("sound");
        let date = tz.to_datetime(change.timestamp()).date();
        let at = |time: DateTime| tz.to_ambiguous_timestamp(time);
        let (noon_before, noon) = (date.yesterday().expect("a day").at(12, 0, 0, 0), date.at(12, 0, 0, 0));
        let ms = |time: DateTime| Wall(at(time).compatible().expect("in range").as_millisecond());
        let opened = window.edges(ms(noon_before), ms(noon)).filter(|&(_, open)| open).count();
        let exists = (from..=from + to).any(|minute| {
            let time = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
            // The closing minute counts only for a window that began before it.
            minute < from + to && !matches!(at(time).offset(), jiff::tz::AmbiguousOffset::Gap { .. })
        });
        prop_assert_eq!(opened, usize::from(exists), "{} {}", date, hours);
    }

    #[test]
    fn no_instant_panics(window in any_window(), ms in any::<i64>(), shift in 0..1_000_000i64) {
        for ms in [ms, i64::MIN + shift, i64::MAX - shift, REACH_MS - shift, -REACH_MS + shift] {
            let view = window.at(Wall(ms));
            prop_assert!(view.next_edge.is_none_or(|edge| edge > Wall(ms)));
            if let Some(edge) = view.next_edge {
                prop_assert_eq!(window.at(edge).open, !view.open);
            }
        }
    }
}
