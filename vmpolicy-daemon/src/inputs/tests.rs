//! What is written is what is replayed, whatever happens to the file in between.

use super::*;
use crate::agent::Identity;
use crate::journal::render;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use vmpolicy_core::file::load;
use vmpolicy_core::id::RequestId;
use vmpolicy_core::input::{Absence, Outcome, Reading, Setup, Word};
use vmpolicy_core::policy::UtcOnly;
use vmpolicy_core::time::{Mono, Span, Wall};
use vmpolicy_core::{Effect, Output};

const POLICY: &str = "version: 1
guest: nii3
arrays: { oslo: { hosts: [mln1, mln2, mln3], base: mln4 } }
indicators: { x: { every: 60s } }
windows: { night: { days: Mon-Sun, hours: 22:00-06:00, zone: UTC } }
rules:
  - { name: over, when: x > 5, tarry: 2, do: move }
  - { name: idle, when: { all: [inside night, x < 1] }, tarry: 3, do: move-to-base }
";

fn policy(text: &str) -> Arc<Policy> {
    Arc::new(load(text.as_bytes(), &UtcOnly).expect("a sound policy").policy)
}

/// A daemon without its threads: an engine, its inputs written down, and whatever the test does to it.
struct Guest {
    folder: TempDir,
    identity: Identity,
    engine: Engine,
    log: Option<InputLog>,
    out: Output,
    now: Now,
    records: usize,
}

impl Guest {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(policy(POLICY), Setup::default());
        let mut guest = Self {
            log: InputLog::open(&folder.path().join("inputs")).ok(),
            folder,
            identity: Identity { guest: "nii3".to_owned(), dry_run: false },
            engine,
            out: Output::default(),
            now: Now { mono: Mono(1_000), wall: Wall(1_241_618_400_000) },
            records: 0,
        };
        guest.hear(&Input::Start(Setup { at: guest.engine.policy().host_named("mln1"), ..Setup::default() }));
        guest
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("inputs")
    }

    fn hear(&mut self, input: &Input) {
        if let Some(log) = &mut self.log {
            log.heard(&self.identity, &self.engine, self.now, input);
        }
        self.engine.step(self.now, input, &mut self.out);
        let mut lines = Vec::new();
        render(self.engine.policy(), &self.identity.guest, false, &self.out, &mut lines);
        self.records += self.out.records.len();
        if let Some(log) = &mut self.log
            && !lines.is_empty()
        {
            log.recorded(&lines);
        }
    }

    /// A minute passes, and the probe reads this.
    fn minute(&mut self, value: Result<f64, Absence>) {
        let step = Span::from_secs(60);
        self.now = Now { mono: self.now.mono.plus(step), wall: self.now.wall.plus(step) };
        self.hear(&Input::Tick);
        let effects = self.out.effects.clone();
        for effect in effects {
            match effect {
                Effect::Probe(indicator) => {
                    self.hear(&Input::Reading(Reading { indicator, taken: self.now.mono, value }));
                }
                Effect::Request(request) => self.confirm(request.id),
                _ => {}
            }
        }
        if let Some(request) = self.engine.open_request() {
            self.confirm(request.id);
        }
    }

    fn confirm(&mut self, id: RequestId) {
        self.hear(&Input::Outcome { id, outcome: Outcome::Confirmed });
    }

    fn again(&mut self) {
        self.log = None;
        self.log = InputLog::open(&self.path()).ok();
        let saved = self.engine.save();
        self.engine = Engine::load(self.engine.policy().clone(), saved).unwrap();
        self.hear(&Input::Start(Setup::default()));
    }

    fn close(&mut self) -> Vec<u8> {
        self.log = None;
        fs::read(self.path()).unwrap()
    }
}

fn replayed(bytes: &[u8]) -> Replayed {
    replay(bytes).unwrap()
}

#[derive(Clone, Debug)]
enum Happens {
    Minute(Result<f64, Absence>),
    Again,
    Rotated,
    Reload,
    Word(Word),
}

fn happens() -> impl Strategy<Value = Happens> {
    let value = prop_oneof![
        4 => (0.0..12.0_f64).prop_map(Ok),
        2 => Just(Ok(9.0)),
        1 => prop::sample::select(Absence::ALL.to_vec()).prop_map(Err),
    ];
    prop_oneof![
        20 => value.prop_map(Happens::Minute),
        1 => Just(Happens::Again),
        1 => Just(Happens::Rotated),
        1 => Just(Happens::Reload),
        1 => prop::sample::select(vec![Word::Hold(None), Word::Resume]).prop_map(Happens::Word),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_came_in_gives_the_same_records_again(happens in prop::collection::vec(happens(), 1..200)) {
        let mut guest = Guest::new();
        let (mut files, mut reloads) = (Vec::new(), 0);
        for happened in happens {
            match happened {
                Happens::Minute(value) => guest.minute(value),
                Happens::Again => guest.again(),
                Happens::Rotated => {
                    let aside = guest.path().with_extension(files.len().to_string());
                    // Twice before anything was written, there is nothing to put aside.
                    if fs::rename(guest.path(), &aside).is_ok() {
                        files.push(aside);
                    }
                }
                Happens::Reload => {
                    reloads += 1;
                    let text = POLICY.replace("x > 5", &format!("x > {}", 4 + reloads % 3));
                    guest.hear(&Input::Policy(policy(&text)));
                }
                Happens::Word(word) => guest.hear(&Input::Operator(word)),
            }
        }
        let last = guest.close();
        let mut records = 0;
        for bytes in files.iter().map(|path| fs::read(path).unwrap()).chain([last]) {
            // A file that was put aside before anything was written to it is empty.
            if bytes.is_empty() {
                continue;
            }
            let replayed = replayed(&bytes);
            prop_assert_eq!(replayed.differs, None);
            records += replayed.records;
        }
        prop_assert_eq!(records, guest.records as u64);
    }
}

fn busy_hour() -> Vec<u8> {
    let mut guest = Guest::new();
    (0..60).for_each(|_| guest.minute(Ok(9.0)));
    guest.close()
}

#[test]
fn a_file_that_is_cut_anywhere_is_replayed_as_far_as_it_goes() {
    let bytes = busy_hour();
    let whole = replayed(&bytes);
    assert!(whole.records > 10 && whole.differs.is_none(), "{whole:?}");
    let begin = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let last_lines = bytes.len() - 400;
    for length in (begin + 1..last_lines).step_by(61).chain(last_lines..bytes.len()) {
        let part = replayed(&bytes[..length]);
        assert_eq!(part.differs, None, "{length} bytes");
        assert!(part.cut_off <= 1);
    }
    for length in (0..begin).step_by(61) {
        assert!(replay(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_daemon_that_was_killed_in_mid_line_goes_on_in_a_line_of_its_own() {
    let mut guest = Guest::new();
    (0..10).for_each(|_| guest.minute(Ok(9.0)));
    let bytes = guest.close();
    fs::write(guest.path(), &bytes[..bytes.len() - 20]).unwrap();
    guest.again();
    (0..10).for_each(|_| guest.minute(Ok(9.0)));
    let replayed = replayed(&guest.close());
    assert_eq!((replayed.begins, replayed.cut_off, replayed.differs), (2, 1, None));
}

#[test]
fn what_is_not_the_same_is_told_with_its_line() {
    let text = String::from_utf8(busy_hour()).unwrap();
    let changed = text.replacen(r#""to":"mln2""#, r#""to":"mln3""#, 1);
    let differs = replayed(changed.as_bytes()).differs.expect("a difference");
    assert!(differs.recorded.unwrap().contains("mln3") && differs.replayed.unwrap().contains("mln2"));
    let line = usize::try_from(differs.line).unwrap();
    assert!(changed.lines().nth(line - 1).unwrap().contains("mln3"));

    // A record that the file lacks, and one too many.
    let record = text.lines().find(|line| line.starts_with(r#"{"record""#)).unwrap();
    let less = text.replacen(&format!("{record}\n"), "", 1);
    assert_eq!(replayed(less.as_bytes()).differs.expect("a difference").recorded, None);
    let more = text.replacen(record, &format!("{record}\n{record}"), 1);
    assert_eq!(replayed(more.as_bytes()).differs.expect("a difference").replayed, None);
}

#[test]
fn what_is_no_recording_is_said() {
    let say = |bytes: &[u8]| replay(bytes).expect_err("no recording").to_string();
    assert!(say(b"").contains("empty"));
    assert!(say(b"timestamp,value\n1,2\n").contains("line 1: this is not a file that `vmpolicyd --inputs`"));
    assert!(say(&[0xff, 0xfe, b'\n']).contains("line 1"));
    let text = String::from_utf8(busy_hour()).unwrap();
    let (begin, rest) = text.split_once('\n').unwrap();
    assert!(say(rest.as_bytes()).contains("line 1: there is no `begin`"));
    assert!(say(begin.replace(r#""form":1"#, r#""form":7"#).as_bytes()).contains("its form is 7"));
    let broken = format!("{begin}\nnonsense\n{rest}");
    assert!(say(broken.as_bytes()).contains("line 2: this line can't be read"));
}

#[test]
fn what_can_t_be_written_holds_nobody_up() {
    let mut guest = Guest::new();
    guest.log = InputLog::open(Path::new("/dev/full")).ok();
    assert!(guest.log.is_some());
    (0..60).for_each(|_| guest.minute(Ok(9.0)));
    assert!(guest.records > 10);
}
