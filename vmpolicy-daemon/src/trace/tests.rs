use super::*;
use proptest::prelude::*;
use std::io::Write as _;
use vmpolicy_core::input::Absence;
use vmpolicy_core::time::{Span, Wall};

fn all(text: &str) -> Result<Traces, TraceError> {
    read(text.as_bytes(), Pick::All)
}

/// The rows of the first series, times in seconds.
fn rows(traces: &Traces) -> Vec<(i64, Result<f64, Absence>)> {
    traces.series[0].trace.iter().map(|row| (row.at.0 / 1_000, row.value)).collect()
}

fn notes(traces: &Traces) -> Vec<String> {
    traces.notes.iter().map(ToString::to_string).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn columns_are_found_by_name_whatever_surrounds_them() {
    let plain = [(60, Ok(1.5)), (120, Ok(2.0))];
    for text in [
        "timestamp,value\n60,1.5\n120,2\n",
        "timestamp,value\n60,1.5\n120,2",
        "timestamp,value\r\n60,1.5\r\n120,2\r\n",
        "\u{feff}timestamp,value\r\n\r\n60,1.5\r\n120,2",
        "value,timestamp\n1.5,60\n2,120\n",
        " Timestamp , VALUE \n 60 , 1.5 \n 120 ,2\n\n\n",
        "\"timestamp\",\"value\"\n\"60\",\"1.5\"\n\"120\",\"2\"\n",
        "timestamp,value\n60,1.5\n\"120\",2\n",
        "timestamp,value\r60,1.5\r120,2\r",
        "timestamp,value\n1970-01-01T00:01:00Z,1.5\n1970-01-01T01:02:00+01:00,2e0\n",
    ] {
        let traces = all(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(rows(&traces), plain, "{text:?}");
        assert_eq!(notes(&traces), [""; 0], "{text:?}");
        let packed = gzip(text.as_bytes());
        assert_eq!(read(packed.as_slice(), Pick::All).unwrap(), traces, "{text:?}");
    }
}

#[test]
fn series_keep_the_order_in_which_they_first_come() {
    let text = "series,timestamp,value\nb,0,1\na,0,2\nb,60,3\n\"c, d\",0,4\na,60,5\n";
    let traces = all(text).unwrap();
    let names: Vec<_> =
        traces.series.iter().map(|series| (series.name.as_deref().unwrap(), series.trace.len())).collect();
    assert_eq!(names, [("b", 2), ("a", 2), ("c, d", 1)]);
    let one = read(text.as_bytes(), Pick::One("a")).unwrap();
    assert_eq!((one.series.len(), rows(&one)), (1, vec![(0, Ok(2.0)), (60, Ok(5.0))]));
}

#[test]
fn what_can_be_mended_is_mended_and_said() {
    let text = "timestamp,value,unit,host\n120,1,x,y\n60,2,x,y\n60,3,x,y\n180,,x,y\n240,abc,x,y\n300,NaN,x,y\n360,-inf,x,y\n420,1e999,x,y\n";
    let traces = all(text).unwrap();
    let expected = [
        (60, Ok(3.0)),
        (120, Ok(1.0)),
        (180, Err(Absence::Missing)),
        (240, Err(Absence::Unparsable)),
        (300, Err(Absence::NotFinite)),
        (360, Err(Absence::NotFinite)),
        (420, Err(Absence::NotFinite)),
    ];
    assert_eq!(rows(&traces), expected);
    insta::assert_snapshot!(notes(&traces).join("\n"), @"
    2 columns are not used (the first: line 1, `unit`)
    1 row was out of order, and sorted (line 3, `60`)
    1 row has the time of a later one, which counts instead (`1970-01-01T00:01:00Z`)
    1 row has no value: unknown at that time (line 5)
    1 row has a value that is not a number: unknown at that time (line 6, `abc`)
    3 rows have a value that is not finite: unknown at that time (the first: line 7, `NaN`)
    ");
    let doubled = all("timestamp,value\n60,1\n60,2\n60,3\n120,1\n").unwrap();
    assert_eq!(rows(&doubled), [(60, Ok(3.0)), (120, Ok(1.0))]);
    assert_eq!(doubled.notes[0].count, 2);
    assert_eq!(doubled.notes[0].place, Some(Place::Line { line: 3 }));
}

#[test]
fn a_series_without_numbers_is_said_and_a_trace_without_any_is_refused() {
    let traces = all("series,timestamp,value\na,0,x\nb,0,1\n").unwrap();
    assert_eq!(notes(&traces)[1], "1 series has no usable value at all (`a`)");
    let error = all("timestamp,value\n0,x\n1,\n").unwrap_err();
    assert_eq!(error.to_string(), "no row has a number that can be used: line 2 has `x`");
}

#[test]
fn a_recording_of_nothing_but_gaps_is_one() {
    let traces = all("timestamp,value\n0,\n60,nan\n").unwrap();
    assert_eq!(rows(&traces).len(), 2);
    assert!(notes(&traces).iter().any(|note| note.contains("no usable value at all")));
}

#[test]
fn a_quote_that_is_not_closed_swallows_nothing() {
    for (text, line) in [
        ("timestamp,value\n0,76\n60,\"76\n120,76\n180,76\n", 3),
        ("timestamp,value\n0,76\n60,\"76\n120,76\n180,\"76\"\n240,1\n", 3),
        ("timestamp,value\n0,76\n60,\"76", 3),
    ] {
        let error = all(text).unwrap_err();
        assert!(matches!(error, TraceError::OpenQuote(at) if at == line), "{text}: {error}");
    }
}

#[test]
fn what_can_not_be_used_is_an_error_with_its_line() {
    let cases: &[&[u8]] = &[
        b"",
        b"\n\n",
        b"\xEF\xBB\xBF",
        b"timestamp,value\n",
        b"timestamp,value",
        b"60,1\n120,2\n",
        b"2009-05-06T12:44:20Z,1\n",
        b"time,value\n60,1\n",
        b"timestamp,val\n60,1\n",
        b"timestamp;value\n60;1\n",
        b"timestamp\tvalue\n60\t1\n",
        b"timestamp,value,value\n60,1,2\n",
        b"timestamp,value\n60,1\n120\n",
        b"timestamp,value\n60,1,5\n",
        b"timestamp,value\n\n\n60,\"1\"\n\"120\n\n",
        b"timestamp,value\n60,1\n,2\n",
        b"timestamp,value\n60,1\nyesterday,2\n",
        b"timestamp,value\n2009-05-06T12:44:20,1\n",
        b"timestamp,value\n1241613860000,1\n",
        b"timestamp,value\n1241613860000000000,1\n",
        b"timestamp,value\n60,\xFF\n",
        b"timestamp,value\n\xFF,1\n",
        b"timestamp,val\xFFue\n60,1\n",
        b"series,timestamp,value\n\xFF,60,1\n",
        b"series,timestamp,value\n,60,1\n",
        b"\xFF\xFEt\0i\0m\0e\0s\0",
        b"PK\x03\x04rest",
        b"\x28\xB5\x2F\xFDrest",
        b"\x1f\x8b",
        b"\x1f\x8bnot gzip at all",
        b"\0\0\0\0\0\0\0\0\0\0",
    ];
    let mut told = String::new();
    for case in cases {
        let error = read(*case, Pick::All).unwrap_err();
        told.push_str(&format!(
            "{:?}\n    {} [{}]\n",
            String::from_utf8_lossy(case),
            error,
            error.exit() as u8
        ));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_series_that_is_not_there_is_refused_with_those_that_are() {
    let text = "series,timestamp,value\nweb1,0,1\nweb2,0,1\n";
    let told = |name| read(text.as_bytes(), Pick::One(name)).unwrap_err().to_string();
    assert_eq!(told("wbe1"), "there is no series `wbe1`; did you mean `web1`?; there are `web1`, `web2`");
    let error = read("timestamp,value\n0,1\n".as_bytes(), Pick::One("web1")).unwrap_err();
    assert!(matches!(error, TraceError::NoSeriesColumn(_)));
    assert_eq!(error.exit() as u8, 2);
}

#[test]
fn a_torn_or_damaged_gzip_says_how_far_it_got() {
    let mut text = String::from("timestamp,value\n");
    for minute in 0..50_000_u64 {
        text.push_str(&format!("{},{}\n", minute * 60, minute.wrapping_mul(2_654_435_761) % 977));
    }
    let whole = gzip(text.as_bytes());
    assert_eq!(read(whole.as_slice(), Pick::All).unwrap().series[0].trace.len(), 50_000);
    for cut in [whole.len() - 1, whole.len() - 8, whole.len() / 2] {
        let error = read(&whole[..cut], Pick::All).unwrap_err();
        assert!(
            matches!(error, TraceError::Gzip { what: "ends early", rows: 1_000.., .. }),
            "{cut}: {error}"
        );
    }
    let mut flipped = whole.clone();
    let last = flipped.len() - 5;
    flipped[last] ^= 1;
    let error = read(flipped.as_slice(), Pick::All).unwrap_err();
    assert!(matches!(error, TraceError::Gzip { what: "is damaged", .. }), "{error}");
    // Several members are one stream, as gzip has it.
    let two = [gzip(b"timestamp,value\n60,1\n"), gzip(b"120,2\n")].concat();
    assert_eq!(rows(&read(two.as_slice(), Pick::All).unwrap()), [(60, Ok(1.0)), (120, Ok(2.0))]);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let line = |text: &str| match all(text).unwrap_err() {
        TraceError::Time { place: Place::Line { line }, .. } => line,
        other => panic!("{other}"),
    };
    assert_eq!(line("timestamp,value\n\n60,1\n\nx,2\n"), 5);
    assert_eq!(line("timestamp,value\r\n\r\n60,1\r\n\r\nx,2\r\n"), 5);
    assert_eq!(line("\"timestamp\",value\n\n60,1\n\nx,2"), 5);
    assert_eq!(line("\"timestamp\",value\r\n\r\n60,\"1\"\r\n\r\nx,2"), 5);
    assert_eq!(line("timestamp,value\r60,1\rx,2"), 3);
}

#[test]
fn an_input_that_fails_is_told_as_such() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let error = read("timestamp,value\n60,1\n".as_bytes().chain(Broken), Pick::All).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.exit() as u8), ("can't read it: the disk is gone", 3));
}

#[test]
fn a_line_without_an_end_is_refused() {
    let error = read(io::repeat(b'x').take(1 << 23), Pick::All).unwrap_err();
    assert!(matches!(error, TraceError::LongLine { line: 1, .. }), "{error}");
}

proptest! {
    #[test]
    fn the_reader_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), zip in any::<bool>()) {
        let bytes = if zip { gzip(&bytes) } else { bytes };
        let _ = read(bytes.as_slice(), Pick::All);
    }

    #[test]
    fn the_reader_never_panics_on_what_is_nearly_a_trace(
        text in "(series,)?timestamp,value\r?\n([ab\"]{0,2},?[-+0-9T:Z.e\"]{0,12},[-0-9.eNan\"]{0,6}\r?\n){0,12}",
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(text.len() + 1);
        let _ = read(&text.as_bytes()[..cut], Pick::All);
        let zip = gzip(text.as_bytes());
        let _ = read(&zip[..cut.min(zip.len())], Pick::All);
    }

    #[test]
    fn quotes_and_the_way_it_comes_in_make_no_difference(
        rows in prop::collection::vec((0_i64..1_000, prop_oneof![Just(None), (-9_i32..9).prop_map(Some)], any::<bool>()), 1..40),
        chunk in 1_usize..50,
    ) {
        struct Bites<'a>(&'a [u8], usize);
        impl Read for Bites<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                let len = to.len().min(self.1).min(self.0.len());
                to[..len].copy_from_slice(&self.0[..len]);
                self.0 = &self.0[len..];
                Ok(len)
            }
        }
        let (mut plain, mut quoted) = (String::from("timestamp,value\n-1,1\n"), String::from("timestamp,value\n-1,1\n"));
        for (at, value, quote) in &rows {
            let value = value.map(|value| value.to_string()).unwrap_or_default();
            plain.push_str(&format!("{at},{value}\n"));
            quoted.push_str(&if *quote { format!("\"{at}\",\"{value}\"\r\n") } else { format!("{at},{value}\n") });
        }
        let one = all(&plain).unwrap();
        prop_assert_eq!(&all(&quoted).unwrap(), &one);
        prop_assert_eq!(&read(Bites(quoted.as_bytes(), chunk), Pick::All).unwrap(), &one);
        // The last row of a time is the one that counts.
        let mut last = std::collections::BTreeMap::from([(-1, Some(1))]);
        last.extend(rows.iter().map(|(at, value, _)| (*at, *value)));
        let expected: Vec<_> = last
            .into_iter()
            .map(|(at, value)| (at, value.map(f64::from).ok_or(Absence::Missing)))
            .collect();
        prop_assert_eq!(tests::rows(&one), expected);
    }
}

#[test]
fn times_keep_their_milliseconds() {
    let traces = all("timestamp,value\n0.25,1\n0.75,2\n").unwrap();
    assert_eq!(traces.series[0].trace.span(), Some((Wall(250), Wall(750))));
    assert_eq!(traces.series[0].trace.median_interval(), Some(Span::from_millis(500)));
}
