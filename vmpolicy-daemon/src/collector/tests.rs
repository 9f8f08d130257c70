use super::*;
use crate::disk::SystemDisk;
use crate::spool::{Room, Spool};
use proptest::prelude::*;
use std::sync::mpsc::{Sender, channel};

const PAUSE_OF_TESTS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(2));

/// What a collector does with a batch.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Takes,
    /// It has the records, and its answer is lost.
    TakesAndIsNotHeard,
    Refuses,
    FindsItTooLarge,
    Panics,
}

struct Moody {
    moods: Vec<Mood>,
    heard: Sender<Vec<u8>>,
}

impl Collector for Moody {
    fn take(&mut self, batch: &Batch) -> Result<(), Refusal> {
        let mood = self.moods.pop().unwrap_or(Mood::Takes);
        if matches!(mood, Mood::Takes | Mood::TakesAndIsNotHeard) {
            self.heard.send(batch.lines.clone()).unwrap();
        }
        match mood {
            Mood::Takes => Ok(()),
            Mood::Panics => panic!("as the test wants it"),
            Mood::FindsItTooLarge => Err(Refusal { too_large: true, ..Refusal::new("too large") }),
            Mood::Refuses | Mood::TakesAndIsNotHeard => Err(Refusal::new("not now")),
        }
    }
}

fn moods() -> impl Strategy<Value = Vec<Mood>> {
    let mood = prop_oneof![
        Just(Mood::Takes),
        Just(Mood::TakesAndIsNotHeard),
        Just(Mood::Refuses),
        Just(Mood::FindsItTooLarge),
        Just(Mood::Panics),
    ];
    prop::collection::vec(mood, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_moody_collector_gets_all_records_in_order(moods in moods(), count in 1_u64..40) {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { bytes_max: 1 << 20, drops: false };
        let mut spool = Spool::open(Arc::new(SystemDisk), folder.path(), room).unwrap();
        let (heard, lines) = channel();
        let rest = spool.rest();
        let made = Made { name: "it".to_owned(), collector: Box::new(Moody { moods, heard }) };
        let desk = Arc::new(Mutex::new(Desk { next: Some(made), ..Desk::default() }));
        let thread = {
            let (rest, desk) = (rest.clone(), Arc::clone(&desk));
            thread::spawn(move || work(&rest, &desk, PAUSE_OF_TESTS))
        };
        for n in 1..=count {
            spool.append(format!("{{\"n\":{n}}}\n").as_bytes()).unwrap();
        }
        prop_assert!(rest.drained(Duration::from_secs(60)));
        rest.close();
        thread.join().unwrap();
        prop_assert_eq!(lock(&desk).plight.fault(), None);
        let mut numbers: Vec<u64> = Vec::new();
        for batch in lines {
            for line in String::from_utf8(batch).unwrap().lines() {
                let number = serde_json::from_str::<serde_json::Value>(line).unwrap()["number"].as_u64().unwrap();
                // Each is the next one, or one that came before.
                prop_assert!(number <= numbers.len() as u64 + 1);
                if number > numbers.len() as u64 {
                    numbers.push(number);
                }
            }
        }
        prop_assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
    }
}

#[test]
fn a_pause_is_spread_and_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room { bytes_max: 1 << 20, drops: false };
    let spool = Spool::open(Arc::new(SystemDisk), folder.path(), room).unwrap();
    let pause = Duration::from_secs(60);
    let spreads: Vec<_> = (0..50).map(|times| spread(pause, &spool.rest(), times)).collect();
    assert!(spreads.iter().all(|one| *one >= pause * 3 / 4 && *one <= pause));
    assert!(spreads.iter().any(|one| *one != spreads[0]));
}
