//! `vmpolicy` from outside: what it prints, and with which status it ends.

#![expect(clippy::unwrap_used, reason = "a test ends where something it needs is missing")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples");

/// A folder with these files, in which the program runs: the paths that it prints are the same everywhere.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        Self(folder)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmpolicy"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        for variable in ["NO_COLOR", "COLUMNS", "TERM", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }
}

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self { code: output.status.code(), stdout: String::from_utf8(output.stdout).unwrap(), stderr }
    }

    /// All that a user sees.
    fn whole(&self) -> String {
        format!("{}--- stderr\n{}--- status {}", self.stdout, self.stderr, self.code.unwrap_or(-1))
    }
}

const GOOD: &[u8] = b"\
version: 1
arrays: { oslo: { hosts: [mln1, mln2], base: mln6 } }
indicators: { load: { probe: { load: {} }, every: 60s } }
windows: { night: { hours: 23:00-05:00, zone: UTC } }
rules:
  - { name: off, when: inside night, do: rest }
  - { name: busy, when: load > 8, tarry: 3, do: move }
";

const UNWISE: &[u8] = b"\
version: 1
arrays: { oslo: { hosts: [mln1, mln2], base: mln6, price: { host: 0.1, base: 0.2 } } }
indicators: { load: { every: 60s } }
";

const BAD: &[u8] = b"\
version: 1
arrays:
  oslo:
    hosts: [mln1, mln2, mln1]
    base: mln2
indicators:
  slow_queries: { every: 0s, read: delt }
windows:
  w: { days: Mon-Fry, hours: 09:00-09:00, zone: Europe/Olso }
rules:
  - name: overloaded
    when: slow_querys > 50
    trary: 3
    do: mov
  - { name: a, when: { all: [] }, do: move }
  - { name: a, when: slow_queries > 5, do: move-to-home }
";

const TAB: &[u8] = b"version: 1\narrays:\n\toslo: { hosts: [mln1] }\n";

#[test]
fn check_draws_every_error_of_every_file() {
    let bench = Bench::new(&[("good.yaml", GOOD), ("bad.yaml", BAD), ("tab.yaml", TAB)]);
    let ran = bench.run(&["check", "good.yaml", "bad.yaml", "tab.yaml"]);
    insta::assert_snapshot!(ran.whole());
}

#[test]
fn check_warns_and_can_be_told_to_deny() {
    let bench = Bench::new(&[("unwise.yaml", UNWISE)]);
    insta::assert_snapshot!(bench.run(&["check", "unwise.yaml"]).whole());
    let denied = bench.run(&["check", "--deny", "warnings", "unwise.yaml"]);
    assert_eq!(denied.code, Some(1));
    assert!(denied.stdout.contains("unwise.yaml: denied, 3 warnings"), "{}", denied.stdout);
}

#[test]
fn check_tells_programs() {
    let bench = Bench::new(&[("good.yaml", GOOD), ("unwise.yaml", UNWISE), ("bad.yaml", BAD)]);
    let ran =
        bench.run(&["check", "--format", "json", "good.yaml", "bad.yaml", "missing.yaml", "unwise.yaml"]);
    assert_eq!(ran.code, Some(3));
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let ok: Vec<_> = told.as_array().unwrap().iter().map(|file| file["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [true, false, false, true]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&told[1]["problems"][0]).unwrap());
    let keys = ["code", "severity", "message", "line", "column", "end_line", "end_column", "hint", "labels"];
    for problem in
        told[1]["problems"].as_array().unwrap().iter().chain(told[3]["problems"].as_array().unwrap())
    {
        assert!(keys.iter().all(|key| problem.get(key).is_some()), "{problem}");
    }
    assert!(told[2]["unreadable"].is_string());
}

#[test]
fn the_greatest_status_counts() {
    let bench = Bench::new(&[("good.yaml", GOOD), ("unwise.yaml", UNWISE), ("bad.yaml", BAD)]);
    let cases: [(&[&str], i32); 9] = [
        (&["check", "good.yaml"], 0),
        (&["check", "good.yaml", "unwise.yaml"], 0),
        (&["check", "bad.yaml", "good.yaml"], 1),
        (&["check", "missing.yaml", "bad.yaml"], 3),
        (&["check", "."], 3),
        (&["check"], 2),
        (&["check", "--format", "xml", "good.yaml"], 2),
        (&["explain", "bad.yaml"], 1),
        (&["explain", "missing.yaml"], 3),
    ];
    for (args, code) in cases {
        assert_eq!(bench.run(args).code, Some(code), "{args:?}");
    }
    let ran = bench.run(&["check", "missing.yaml", "good.yaml"]);
    assert!(ran.stdout.contains("good.yaml: ok (2 rules, 1 window)"), "{}", ran.stdout);
    assert!(ran.stderr.contains("can't read missing.yaml"), "{}", ran.stderr);
}

#[test]
fn standard_input_is_a_file_too() {
    let bench = Bench::new(&[]);
    for (command, shown) in [("check", "<stdin>: ok (2 rules, 1 window)"), ("explain", "<stdin>")] {
        let mut child =
            bench.command(&[command, "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(GOOD).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0));
        assert!(ran.stdout.starts_with(shown), "{}", ran.stdout);
    }
}

#[test]
fn colour_and_width_are_the_users() {
    let bench = Bench::new(&[("bad.yaml", BAD)]);
    let escapes = |args: &[&str], variables: &[(&str, &str)]| {
        let output = bench.command(args).envs(variables.iter().copied()).output().unwrap();
        Ran::of(output).stdout.contains('\x1b')
    };
    assert!(!escapes(&["check", "bad.yaml"], &[]), "a pipe gets no colour");
    assert!(
        escapes(&["check", "--color", "always", "bad.yaml"], &[("NO_COLOR", "1")]),
        "an option is stronger"
    );
    assert!(!escapes(&["check", "--color", "never", "bad.yaml"], &[]));

    let long = format!("version: 1\nhoem: {}\n", "x".repeat(5_000));
    let bench = Bench::new(&[("long.yaml", long.as_bytes())]);
    for columns in ["1", "20", "60", "100000", "x"] {
        let output = bench.command(&["check", "long.yaml"]).env("COLUMNS", columns).output().unwrap();
        assert_eq!(Ran::of(output).code, Some(1), "{columns}");
    }
}

#[test]
fn any_bytes_are_an_error_with_a_place() {
    let texts: [&[u8]; 8] = [
        b"",
        b"\xff\xfe\x00",
        b"version: 1\r\narrays: {}\r\n",
        b"a: &a [*a, *a]",
        b"version: 1\narrays: { \xc3\x28: 1 }",
        b"\xef\xbb\xbfversion: 2",
        b"\x1b[31mversion: 1",
        b"{[",
    ];
    for bytes in texts {
        let bench = Bench::new(&[("odd.yaml", bytes)]);
        let ran = bench.run(&["check", "odd.yaml"]);
        assert_eq!(ran.code, Some(1), "{bytes:?}");
        assert!(ran.stdout.contains("odd.yaml") && !ran.stdout.contains('\x1b'), "{}", ran.stdout);
        assert_eq!(bench.run(&["check", "--format", "json", "odd.yaml"]).code, Some(1));
    }
}

#[test]
fn a_code_is_explained() {
    let bench = Bench::new(&[]);
    insta::assert_snapshot!(bench.run(&["check", "--explain", "vp0012"]).whole());
    let unknown = bench.run(&["check", "--explain", "VP9999"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
}

/// Each code that a heading of `docs/errors.md` has.
#[test]
fn every_code_has_its_explanation() {
    let docs = std::fs::read_to_string(Path::new(EXAMPLES).join("../errors.md")).unwrap();
    let headings = docs.lines().filter(|line| line.starts_with('#'));
    let codes: Vec<_> = headings
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|word| word.len() == 6 && (word.starts_with("VP") || word.starts_with("VW")))
        .collect();
    assert!(codes.len() > 30, "{codes:?}");
    let bench = Bench::new(&[]);
    for code in codes {
        let ran = bench.run(&["check", "--explain", code]);
        assert!(
            ran.code == Some(0) && ran.stdout.lines().next().is_some_and(|line| line.contains(code)),
            "{code}"
        );
    }
}

fn examples() -> Vec<PathBuf> {
    let files = std::fs::read_dir(EXAMPLES).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    files
}

#[test]
fn every_example_is_sound_and_explained() {
    let bench = Bench::new(&[]);
    for path in examples() {
        let file = path.to_str().unwrap();
        let checked = bench.run(&["check", "--deny", "warnings", file]);
        assert_eq!(checked.code, Some(0), "{}", checked.stdout);
        let explained = bench.run(&["explain", file]);
        assert_eq!(explained.code, Some(0), "{}", explained.stderr);
        assert!(explained.stdout.contains("\nRules\n") && explained.stdout.contains("\nMoves\n"));
        let json = bench.run(&["explain", "--format", "json", "--from", "2026-03-23", file]);
        let told: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert!(told["rules"].as_array().is_some_and(|rules| !rules.is_empty()), "{file}");
    }
}

/// The week in which the clock is put forward, and the same in another zone.
#[test]
fn explain_draws_a_week() {
    let bench = Bench::new(&[(
        "night.yaml",
        b"version: 1\narrays: { a: { hosts: [h1], base: h2 } }\nwindows:\n  night: { hours: 22:00-02:30, zone: Europe/Oslo }\n\
          rules: [{ name: off, when: inside night, do: rest }]\n",
    )]);
    let week = |args: &[&str]| {
        let ran = bench.run(&[&["explain", "night.yaml", "--from", "2026-03-23"], args].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        ran.stdout.split_once("A week of").unwrap().1.to_owned()
    };
    insta::assert_snapshot!(format!("{}\n---{}", week(&[]), week(&["--zone", "UTC"])));
    assert_eq!(bench.run(&["explain", "night.yaml", "--zone", "Europe/Olso"]).code, Some(2));
    assert_eq!(bench.run(&["explain", "night.yaml", "--from", "2026-02-30"]).code, Some(2));
}

#[test]
fn help_has_examples_and_goes_to_stdout() {
    let bench = Bench::new(&[]);
    for args in [
        &["--help"][..],
        &["check", "--help"],
        &["explain", "--help"],
        &["demo", "--help"],
        &["backtest", "--help"],
        &["completions", "--help"],
    ] {
        let ran = bench.run(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(ran.stdout.contains("Examples:\n  "), "{args:?}: {}", ran.stdout);
    }
    let version = bench.run(&["--version"]);
    assert_eq!(version.stdout.trim(), concat!("vmpolicy ", env!("CARGO_PKG_VERSION")));
    let slip = bench.run(&["chekc"]);
    assert!(slip.code == Some(2) && slip.stderr.contains("'check'"), "{}", slip.stderr);
    assert_eq!(bench.run(&[]).code, Some(2));
}

#[test]
fn completions_for_every_shell() {
    let bench = Bench::new(&[]);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        for program in ["vmpolicy", "vmpolicyd"] {
            let ran = bench.run(&["completions", shell, "--program", program]);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            assert!(ran.stdout.contains(program) && ran.stdout.len() > 500, "{shell}");
        }
    }
}

#[cfg(feature = "manual")]
#[test]
fn man_pages_for_every_command() {
    let bench = Bench::new(&[]);
    let ran = bench.run(&["manual", "man"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mut pages: Vec<_> = std::fs::read_dir(bench.0.path().join("man"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    for page in ["vmpolicy.1", "vmpolicy-check.1", "vmpolicy-demo.1", "vmpolicy-explain.1", "vmpolicyd.8"] {
        assert!(pages.iter().any(|found| found == page), "{pages:?}");
        let text = std::fs::read_to_string(bench.0.path().join("man").join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains("Examples:"), "{page}: {text}");
    }
    assert!(!pages.iter().any(|page| page.contains("manual")), "it is hidden: {pages:?}");
    assert_eq!(bench.run(&["manual", "/dev/null/x"]).code, Some(3));
}

const TESTS: &[u8] = b"\
version: 1
policy: policies/good.yaml
tests:
  - { name: two high ones move it, readings: { load: 9x2 }, expect: [{ at: 1m, event: request }] }
";

const EXPECT: &[u8] = b"version: 1\nexpect: [{ moves: { at_most: 6, per: 1h } }, { never_on: mln1 }]\n";

/// Files of all kinds by what stands in them, sound and not, alone and for programs.
#[test]
fn check_knows_tests_and_expectations() {
    let tests = String::from_utf8(TESTS.to_vec()).unwrap();
    let bad = tests.replace("load: 9x2", "laod: 9x2").replace("good", "bad");
    let bench = Bench::new(&[
        ("tests.yaml", TESTS),
        ("none.yaml", tests.replace("good", "none").as_bytes()),
        ("bad-tests.yaml", bad.as_bytes()),
        ("expect.yaml", EXPECT),
        ("bad-expect.yaml", b"version: 1\nexpect: [{ never_on: mln3 }]\n"),
    ]);
    std::fs::create_dir(bench.0.path().join("policies")).unwrap();
    std::fs::write(bench.0.path().join("policies/good.yaml"), GOOD).unwrap();
    std::fs::write(bench.0.path().join("policies/bad.yaml"), BAD).unwrap();
    let lines: [&[&str]; 5] = [
        &["check", "tests.yaml", "none.yaml"],
        &["check", "bad-tests.yaml"],
        &["check", "expect.yaml", "tests.yaml"],
        &["check", "expect.yaml", "bad-expect.yaml", "--policy", "policies/good.yaml"],
        &["check", "expect.yaml", "--format", "json"],
    ];
    let told = lines.map(|line| format!("$ vmpolicy {}\n{}\n", line.join(" "), bench.run(line).whole()));
    insta::assert_snapshot!(told.join("\n"));
    // A command that wants a policy says what it was given.
    for (file, says) in [
        ("tests.yaml", "this looks like tests: vmpolicy test tests.yaml"),
        ("expect.yaml", "this looks like expectations: vmpolicy verify POLICY --expect expect.yaml"),
    ] {
        let ran = bench.run(&["verify", file]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}

/// `| head -0`: the reader has gone before the first byte.
#[test]
fn a_closed_pipe_is_no_panic() {
    let bench = Bench::new(&[("good.yaml", GOOD), ("bad.yaml", BAD)]);
    let cases: [(&[&str], i32); 8] = [
        (&["check", "good.yaml"], 0),
        (&["check", "bad.yaml"], 1),
        (&["check", "--format", "json", "good.yaml"], 0),
        (&["explain", "good.yaml"], 0),
        (&["explain", "bad.yaml"], 1),
        (&["completions", "bash"], 0),
        (&["--help"], 0),
        (&["check", "--explain", "VP0012"], 0),
    ];
    for (args, code) in cases {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = Ran::of(bench.command(args).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.stderr);
    }
}

/// Nobody else writes to standard output: a failure would go unheard. The demonstration draws its screen by itself.
#[test]
fn standard_output_is_written_in_few_places() {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let writes = ["stdout()", "println!(", "print!("]
                    .iter()
                    .any(|way| text.match_indices(way).any(|(at, _)| !text[..at].ends_with(['_', 'e'])));
                if writes {
                    found.push(path.file_name().unwrap().to_string_lossy().into_owned());
                }
            }
        }
    }
    found.sort();
    assert_eq!(found, ["outputs.rs", "screen.rs", "stdout.rs", "terminal.rs"]);
}

/// Whatever a command prints, what could not be written is a failure; and it says so.
#[test]
fn a_full_disk_is_a_failure_of_every_command() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let scenario = b"version: 1\nlasts: 2m\narrays: { oslo: { hosts: mln1 } }\nguests: { web: {} }\n";
    let bench = Bench::new(&[
        ("good.yaml", GOOD),
        ("bad.yaml", BAD),
        ("world.yaml", scenario),
        ("tests.yaml", &String::from_utf8_lossy(TESTS).replace("policies/", "").into_bytes()),
        ("expect.yaml", b"version: 1\nexpect: [{ never_on: mln2 }]\n"),
        ("load.csv", b"timestamp,value\n43200,1\n43260,20\n43320,30\n43380,40\n43440,1\n43500,1\n"),
    ]);
    let shard = bench.run(&["verify", "good.yaml", "--worlds", "1", "--shard", "1/1", "--format", "json"]);
    std::fs::write(bench.0.path().join("shard.json"), shard.stdout).unwrap();
    let both: [&[&str]; 11] = [
        &["check", "good.yaml"],
        &["check", "bad.yaml"],
        &["explain", "good.yaml"],
        &["explain", "bad.yaml"],
        &["backtest", "good.yaml", "--trace", "load.csv"],
        &["simulate", "world.yaml"],
        &["test", "tests.yaml"],
        &[
            "tune",
            "good.yaml",
            "--trace",
            "load.csv",
            "--hold-out",
            "0",
            "--candidates",
            "4",
            "--allow-warnings",
        ],
        &["verify", "good.yaml", "--worlds", "2"],
        &["verify", "good.yaml", "--scenario", "world.yaml"],
        &["merge", "shard.json"],
    ];
    let once: [&[&str]; 8] = [
        &["--help"],
        &["--version"],
        &["tune", "--help"],
        &["completions", "zsh"],
        &["check", "--explain", "VP0012"],
        &["verify", "good.yaml", "--expect", "expect.yaml", "--worlds", "40"],
        &["backtest", "good.yaml", "--trace", "load.csv", "--events", "-"],
        &["simulate", "world.yaml", "--events", "-"],
    ];
    let lines = both
        .iter()
        .flat_map(|line| ["text", "json"].map(|format| [line, &["--format", format][..]].concat()));
    for line in lines.chain(once.iter().map(|line| line.to_vec())) {
        let sound = bench.run(&line);
        assert!(sound.code < Some(2), "{line:?}: {}", sound.whole());
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = Ran::of(bench.command(&line).stdout(full).output().unwrap());
        // A world without guests that have a policy has no events: nothing is written, nothing is lost.
        let code = if sound.stdout.is_empty() { 0 } else { 3 };
        assert_eq!(ran.code, Some(code), "{line:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("can't write"), code == 3, "{line:?}: {}", ran.stderr);
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let daemon = Command::new(env!("CARGO_BIN_EXE_vmpolicyd")).arg("--help").stdout(full).output().unwrap();
    let ran = Ran::of(daemon);
    assert_eq!(
        (ran.code, ran.stderr.starts_with("vmpolicyd: can't write")),
        (Some(3), true),
        "{}",
        ran.stderr
    );
}
