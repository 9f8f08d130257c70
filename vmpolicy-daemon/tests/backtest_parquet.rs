//! Parquet as pyarrow, pandas and DuckDB write it: `parquet/make.py` made the files.
#![cfg(feature = "parquet")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on should say where")]

use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vmpolicy_core::input::Absence;
use vmpolicy_daemon::trace::{Columns, Pick, Traces, read, read_path, read_path_with};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet")
}

/// The files whose names begin so, in order.
fn files(like: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let all = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut files: Vec<_> =
        all.filter(|path| name(path).ends_with(".parquet") && like(&name(path))).collect();
    files.sort();
    files
}

fn notes(traces: &Traces) -> Vec<String> {
    traces.notes.iter().map(ToString::to_string).collect()
}

#[test]
fn every_kind_of_file_holds_the_rows_of_the_csv() {
    let expected = read_path(&folder().join("rows.csv"), Pick::All).unwrap();
    assert_eq!(expected.series.len(), 2);
    assert!(expected.series.iter().all(|series| (series.trace.len(), series.trace.numbers()) == (40, 38)));
    let files = files(|name| !name.starts_with("odd-"));
    assert!(files.len() > 25, "{files:?}");
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let traces = read_path(&file, Pick::All).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(traces.series, expected.series, "{name}");
        // The rows of web1 that have none come first: it is ahead of db1 by five minutes.
        let mut said =
            vec!["4 rows have no value: unknown at that time (the first: row 24 (row group 1))".to_owned()];
        if name.contains("no-zone") || name.contains("int96") {
            said.push("1 column has times without a zone: taken as UTC (`timestamp`)".to_owned());
        }
        assert_eq!(notes(&traces), said, "{name}");
        let one = read_path(&file, Pick::One("web1")).unwrap();
        assert_eq!(one.series, expected.series[1..], "{name}");
    }
}

#[test]
fn numbers_below_zero_and_with_a_fraction_are_read_as_they_are() {
    let plain = read_path(&folder().join("rows.csv"), Pick::All).unwrap();
    for name in ["odd-negative-float16.parquet", "odd-negative-decimal.parquet"] {
        let traces = read_path(&folder().join(name), Pick::All).unwrap();
        for (series, plain) in traces.series.iter().zip(&plain.series) {
            for (row, plain) in series.trace.iter().zip(plain.trace.iter()) {
                assert_eq!(row.value, plain.value.map(|value| -value - 0.25), "{name}");
            }
        }
    }
}

#[test]
fn columns_of_other_names_are_found_and_the_rest_is_left_aside() {
    let file = folder().join("odd-columns.parquet");
    let error = read_path(&file, Pick::All).unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no column `timestamp`; there are `ts`, `cpu`, `core`; did you mean `ts` (rename it, or say --columns timestamp=ts)?"
    );
    let columns: Columns = "timestamp=ts,value=cpu".parse().unwrap();
    let traces = read_path_with(&file, Pick::All, &columns).unwrap();
    assert_eq!((traces.series.len(), traces.series[0].trace.len()), (1, 40));
    assert_eq!(notes(&traces)[0], "1 column is not used (`core`)");
    let columns: Columns = "timestamp=ts,value=cpu,series=core".parse().unwrap();
    let traces = read_path_with(&file, Pick::All, &columns).unwrap();
    assert_eq!(traces.series[0].name.as_deref(), Some("1"));
    let columns: Columns = "timestamp=ts,value=cpu,series=host".parse().unwrap();
    let error = read_path_with(&file, Pick::All, &columns).unwrap_err().to_string();
    assert!(error.starts_with("there is no column `host`"), "{error}");
}

#[test]
fn a_number_that_is_not_finite_is_unknown() {
    let traces = read_path(&folder().join("odd-not-finite.parquet"), Pick::All).unwrap();
    let firsts = traces.series.iter().map(|series| series.trace.row(0).unwrap().value);
    assert_eq!(firsts.collect::<Vec<_>>(), [Err(Absence::NotFinite); 2]);
    assert_eq!(
        notes(&traces),
        ["2 rows have a value that is not finite: unknown at that time (the first: row 1 (row group 1))"]
    );
}

#[test]
fn what_can_not_be_used_is_an_error_with_its_place() {
    let mut told = String::new();
    let odd = ["odd-codec", "odd-empty", "odd-null", "odd-time", "odd-value"];
    for file in files(|name| odd.iter().any(|odd| name.starts_with(odd))) {
        let error = read_path(&file, Pick::All).unwrap_err();
        let name = file.file_name().unwrap().to_string_lossy();
        let _ = writeln!(told, "{name}\n    {error} [{}]", error.exit() as u8);
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_torn_file_says_so_wherever_it_is_torn() {
    let whole = fs::read(folder().join("packed-zstd.parquet")).unwrap();
    for cut in 4..whole.len() {
        let error = read(&whole[..cut], Pick::All).unwrap_err().to_string();
        assert!(error.starts_with("the Parquet file is torn or damaged: "), "{cut}: {error}");
    }
}

#[test]
fn what_is_called_parquet_and_is_none_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    fs::write(&path, "nothing of the kind").unwrap();
    let error = read_path(&path, Pick::All).unwrap_err().to_string();
    assert!(error.starts_with("its name says Parquet, but it does not begin with `PAR1`"), "{error}");
    // The name says nothing where the content speaks for itself.
    fs::write(&path, "timestamp,value\n0,1\n").unwrap();
    assert_eq!(read_path(&path, Pick::All).unwrap().series[0].trace.len(), 1);
    let csv = folder.path().join("x.csv");
    fs::copy(self::folder().join("plain.parquet"), &csv).unwrap();
    assert_eq!(read_path(&csv, Pick::All).unwrap().series.len(), 2);
}

#[test]
fn the_command_says_the_same_of_parquet_as_of_csv() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "version: 1\nguest: web1\narrays: { oslo: { hosts: [mln1, mln2, mln3] } }\n\
        indicators: { load: { probe: { load: {} }, every: 60s } }\n\
        rules: [{ name: overloaded, when: load > 50, tarry: 3, do: move }]\n";
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    for name in ["rows.csv", "duckdb-zstd.parquet"] {
        fs::copy(self::folder().join(name), folder.path().join(name)).unwrap();
    }
    let events = |trace: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        let args = ["backtest", "policy.yaml", "--trace", trace, "--events", "-"];
        let output = command.current_dir(folder.path()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let csv = events("rows.csv");
    assert!(csv.contains("\"request\""));
    assert_eq!(events("duckdb-zstd.parquet"), csv);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Not the reader of pages, nor the decoder of their directory, nor ours.
    #[test]
    fn no_damage_makes_the_reader_panic(
        file in prop::sample::select(files(|_| true)),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = fs::read(file).unwrap();
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        let _ = read(bytes.as_slice(), Pick::All);
    }
}
