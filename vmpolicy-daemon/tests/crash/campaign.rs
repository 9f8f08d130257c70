//! Every operation of the write path is the last before the end, or fails: what the daemon asks of its manager stays sound.

use crate::disk::{BYTES, Bytes, Errno, Fallible, Moment, Op, Plan};
use crate::world::{RECORDS, Sight, Still, World};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use vmpolicy_daemon::daemon::restore::Trust;

/// What the manager is asked in a run that nothing disturbs: each of its answers, and one more.
const REQUESTS: usize = 6;

/// How long after the end the daemon is started again: soon, and when what was open has long expired.
const DOWN: [i64; 2] = [3_000, 300_000];

/// In this time of the world, whatever was open has ended, and the daemon asks and moves again.
pub(crate) const SOON: i64 = 30 * 60_000;

/// How a process ends, for its disk.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    PoweredOff(usize, Bytes),
}

#[derive(Debug, Default)]
struct Tally {
    /// Points at which something went wrong.
    points: usize,
    /// What the daemon began from afterwards, each but once.
    beginnings: HashSet<u64>,
    /// Operations that were hit, with the file that they are about.
    hit: BTreeMap<(Op, String), usize>,
}

impl Tally {
    fn say(&self, what: &str) {
        println!("{what}: {} points, {} different beginnings after them", self.points, self.beginnings.len());
        for ((op, name), count) in &self.hit {
            println!("  {op:?} {name}: {count}");
        }
    }

    /// Every operation of the write path was hit.
    fn assert_whole(&self) {
        let hit = |op, name: &str| self.hit.contains_key(&(op, name.to_owned()));
        for (op, name) in [
            (Op::CreateFolder, "state"),
            (Op::Hold, "state.lock"),
            (Op::Names, "state"),
            (Op::Read, "state"),
            (Op::Create, ".state.new"),
            (Op::Write, ".state.new"),
            (Op::Sync, ".state.new"),
            (Op::Rename, "state"),
            (Op::SyncFolder, "state"),
            (Op::Append, "records"),
            (Op::Last, "records"),
            (Op::SyncFolder, "log"),
            (Op::Write, "records"),
            (Op::Sync, "records"),
            (Op::Ask, ""),
        ] {
            assert!(hit(op, name), "{op:?} of {name:?} was never hit: {:#?}", self.hit);
        }
    }
}

/// Runs until enough was asked and nothing is open.
pub(crate) fn enough(world: &World) -> bool {
    world.asked().len() >= REQUESTS && world.open_request().is_none()
}

/// What is done to the disk in a run that nothing disturbs.
fn undisturbed(sight: Sight) -> Vec<(Op, String)> {
    let disk = Fallible::new(Plan::Nothing);
    disk.keep_trace();
    let mut world = World::new(sight, disk.clone());
    assert_eq!(world.begin(), Still::So);
    assert_eq!(world.run(SOON, enough), Still::So, "{:#?}", world.asked());
    assert_sound(sight, &world);
    disk.trace()
}

/// Nothing was asked twice, nothing beside another, nothing on a false belief, nothing without its record.
#[track_caller]
fn assert_sound(sight: Sight, world: &World) {
    let asked = world.asked();
    let numbers: Vec<u64> = asked.iter().map(|asked| asked.id).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "numbers rise and don't come twice: {numbers:?}");
    for asked in &asked {
        assert!(!asked.beside_another, "one was under way still: {asked:?}");
        assert!(asked.from != asked.to, "{asked:?}");
        assert!(sight == Sight::Believes || asked.from == asked.at, "it knew where it was: {asked:?}");
    }
    let records = world.disk().bytes(RECORDS).unwrap_or_default();
    let recorded: Vec<u64> = records
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<serde_json::Value>(line).ok())
        .filter(|record| record["event"] == "request")
        .filter_map(|record| record["id"].as_u64())
        .collect();
    for number in numbers {
        assert!(recorded.contains(&number), "{number} has left and has no record: {recorded:?}");
    }
}

/// The daemon is started again, as often as it takes, and goes on.
fn goes_on(sight: Sight, world: &mut World, down: i64) {
    world.idle(down);
    let mut begun = world.begin();
    for _ in 0..3 {
        if begun == Still::So {
            break;
        }
        assert_eq!(begun, Still::NoBeginning);
        world.idle(5_000);
        begun = world.begin();
    }
    assert_eq!(begun, Still::So, "it never begins");
    remembers(sight, world);
    moves_again(sight, world);
}

/// What is under way is known to be open.
#[track_caller]
fn remembers(sight: Sight, world: &World) {
    if let (Sight::Looks, Trust::Sound, Some(id)) = (sight, world.trust, world.under_way()) {
        assert_eq!(world.open_request().map(|open| open.0), Some(id), "an open request is forgotten");
    }
}

#[track_caller]
pub(crate) fn moves_again(sight: Sight, world: &mut World) {
    if (sight, world.trust) == (Sight::Believes, Trust::Lost) {
        // Only a person can say where the guest is.
        let asked = world.asked().len();
        assert_eq!(world.run(SOON, |_| false), Still::Late);
        assert_eq!(world.asked().len(), asked);
        return;
    }
    let before = world.asked().len();
    let still = world.run(SOON, |world| {
        world.asked().len() >= before + 2
            && world.open_request().is_none()
            && world.under_way().is_none()
            && (sight == Sight::Believes || world.location() == Some(world.at()))
    });
    assert_eq!(still, Still::So, "it does not go on: {:#?}", world.asked());
    assert_sound(sight, world);
}

/// All that an end may leave, for a world whose daemon is gone; each that was not met before goes on.
fn after(sight: Sight, world: &World, tally: &Mutex<Tally>, what: &dyn std::fmt::Debug) {
    let pending = world.disk().pending();
    let cuts = (0..=pending).flat_map(|names| BYTES.map(|bytes| End::PoweredOff(names, bytes)));
    for end in std::iter::once(End::Killed).chain(cuts) {
        for down in DOWN {
            let mut next = world.fork();
            match end {
                End::Killed => next.disk().killed(),
                End::PoweredOff(names, bytes) => {
                    next.disk().powered_off(names, bytes);
                    next.power_off();
                }
            }
            let mut hasher = DefaultHasher::new();
            (sight as u8, down, next.rest(), next.disk().image()).hash(&mut hasher);
            if tally.lock().unwrap().beginnings.insert(hasher.finish()) {
                say_where(what, end, down, || {
                    assert_sound_so_far(&next);
                    goes_on(sight, &mut next, down);
                    assert_eq!(next.trust, Trust::Sound, "no crash damages the state");
                });
            }
        }
    }
}

/// What has left so far has its record, even now.
fn assert_sound_so_far(world: &World) {
    assert_sound(Sight::Believes, world);
}

fn say_where(what: &dyn std::fmt::Debug, end: End, down: i64, run: impl FnOnce()) {
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    if let Err(panic) = ran {
        eprintln!("this was {what:?}, then {end:?}, {down} ms");
        std::panic::resume_unwind(panic);
    }
}

/// Runs until the end that is planned.
fn until_dead(sight: Sight, plan: Plan) -> World {
    let mut world = World::new(sight, Fallible::new(plan));
    let mut still = world.begin();
    if still == Still::So {
        still = world.run(SOON, |_| false);
    }
    assert_eq!(still, Still::Dead, "{plan:?}");
    world.bury();
    world
}

fn moments(op: Op) -> impl Iterator<Item = Moment> {
    let moments = [Moment::Before, Moment::Midway, Moment::After];
    moments.into_iter().filter(move |moment| op == Op::Write || *moment != Moment::Midway)
}

fn hit(tally: &Mutex<Tally>, at: &(Op, String)) {
    let mut tally = tally.lock().unwrap();
    tally.points += 1;
    *tally.hit.entry(at.clone()).or_default() += 1;
}

#[test]
fn the_process_or_the_machine_ends_at_any_operation() {
    let tally = Mutex::new(Tally::default());
    for sight in [Sight::Looks, Sight::Believes] {
        let trace = undisturbed(sight);
        trace.par_iter().enumerate().for_each(|(number, at)| {
            for moment in moments(at.0) {
                hit(&tally, at);
                let plan = Plan::Crash(number, moment);
                after(sight, &until_dead(sight, plan), &tally, &(sight, plan, at));
            }
        });
    }
    let tally = tally.into_inner().unwrap();
    tally.say("one end");
    tally.assert_whole();
}

#[test]
fn it_ends_again_while_it_begins_after_an_end() {
    let tally = Mutex::new(Tally::default());
    let trace = undisturbed(Sight::Looks);
    // Every ask and what is before it, and some of the rest.
    let near =
        |number: usize| trace[number..trace.len().min(number + 2)].iter().any(|(op, _)| *op == Op::Ask);
    let firsts: Vec<usize> = (0..trace.len()).filter(|number| near(*number) || number % 29 == 0).collect();
    firsts.par_iter().for_each(|first| {
        let plan = Plan::Crash(*first, Moment::After);
        let world = until_dead(Sight::Looks, plan);
        let pending = world.disk().pending();
        for end in [End::Killed, End::PoweredOff(0, Bytes::Half), End::PoweredOff(pending, Bytes::Zeros)] {
            let began = world.disk().done();
            for second in began..began + 25 {
                for moment in [Moment::Before, Moment::After] {
                    let mut again = world.fork();
                    match end {
                        End::Killed => again.disk().killed(),
                        End::PoweredOff(names, bytes) => {
                            again.disk().powered_off(names, bytes);
                            again.power_off();
                        }
                    }
                    again.idle(3_000);
                    let plans = (plan, end, Plan::Crash(second, moment));
                    again.disk().set_plan(plans.2);
                    again.disk().keep_trace();
                    if again.begin() == Still::So {
                        assert_eq!(again.run(SOON, |_| false), Still::Dead, "{plans:?}");
                    }
                    let last = again.disk().trace().pop().unwrap();
                    hit(&tally, &last);
                    again.bury();
                    after(Sight::Looks, &again, &tally, &(plans, last));
                }
            }
        }
    });
    let tally = tally.into_inner().unwrap();
    tally.say("two ends");
    tally.assert_whole();
}

#[test]
fn an_operation_fails_once() {
    let tally = Mutex::new(Tally::default());
    for sight in [Sight::Looks, Sight::Believes] {
        let trace = undisturbed(sight);
        trace.par_iter().enumerate().filter(|(_, at)| at.0 != Op::Ask).for_each(|(number, at)| {
            let mut plans = [Errno::Full, Errno::Broken].map(|errno| Plan::Once(number, errno)).to_vec();
            if at.0 == Op::Write {
                plans.extend([Plan::Short(number, Errno::Full), Plan::Short(number, Errno::Broken)]);
            }
            for plan in plans {
                hit(&tally, at);
                let mut world = World::new(sight, Fallible::new(plan));
                goes_on(sight, &mut world, 0);
                // And when the power fails after that, before and after the next request.
                world.bury();
                after(sight, &world, &tally, &(sight, plan, at));
                let mut world = World::new(sight, Fallible::new(plan));
                while world.begin() != Still::So {
                    world.idle(5_000);
                }
                world.run(SOON, |world| world.disk().done() > number + 1);
                let asked = world.asked().len();
                world.run(SOON, |world| world.asked().len() > asked);
                world.bury();
                after(sight, &world, &tally, &(sight, plan, at));
            }
        });
    }
    let mut tally = tally.into_inner().unwrap();
    tally.say("one failure");
    tally.hit.insert((Op::Ask, String::new()), 0);
    tally.assert_whole();
}

/// The daemon is started again while the disk fails, and gets to its first operation or to a later one.
fn still_failing(sight: Sight, world: &World, errno: Errno) {
    for sound in 0..8 {
        let mut next = world.fork();
        next.disk().killed();
        next.disk().set_plan(Plan::Lasting(next.disk().done() + sound, errno));
        next.idle(3_000);
        let asked = next.asked().len();
        if next.begin() == Still::So {
            assert_eq!(next.run(60_000, |_| false), Still::Late);
        }
        assert_eq!(next.asked().len(), asked, "{errno:?} from the operation {sound} on");
        next.bury();
        next.disk().killed();
        goes_on(sight, &mut next, 5_000);
    }
}

/// The canary: on a disk that does not sync and says that it has, some power cut makes the daemon ask twice or forget.
#[test]
fn a_disk_that_lies_is_found_out() {
    let number = undisturbed(Sight::Looks).iter().rposition(|(op, _)| *op == Op::Ask).unwrap();
    let mut world = World::new(Sight::Looks, Fallible::new(Plan::Crash(number, Moment::After)).lies());
    assert_eq!(world.begin(), Still::So);
    assert_eq!(world.run(SOON, |_| false), Still::Dead);
    world.bury();
    world.disk().powered_off(0, Bytes::Nothing);
    world.power_off();
    let ran =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| goes_on(Sight::Looks, &mut world, 3_000)));
    let panic = ran.expect_err("the campaign has gone blind");
    let words = panic.downcast_ref::<String>().cloned().unwrap_or_default();
    assert!(words.contains("an open request is forgotten"), "{words}");
}

#[test]
fn the_disk_fails_for_a_while() {
    let tally = Mutex::new(Tally::default());
    for sight in [Sight::Looks, Sight::Believes] {
        let trace = undisturbed(sight);
        trace.par_iter().enumerate().filter(|(_, at)| at.0 != Op::Ask).for_each(|(number, at)| {
            for errno in [Errno::Full, Errno::Broken] {
                hit(&tally, at);
                let plan = Plan::Lasting(number, errno);
                let mut world = World::new(sight, Fallible::new(plan));
                let mut begun = world.begin();
                if begun == Still::So {
                    begun = world.run(SOON, |world| world.disk().done() > number);
                }
                let asked = world.asked().len();
                if begun == Still::So {
                    // It goes on looking, and nothing that acts on the world leaves.
                    assert_eq!(world.run(400_000, |_| false), Still::Late, "{plan:?} {at:?}");
                    assert_eq!(world.asked().len(), asked, "{plan:?} {at:?}: {:#?}", world.asked());
                }
                still_failing(sight, &world, errno);
                let (probed, is_running) = (world.probed(), begun == Still::So);
                let mut dead = world.fork();
                dead.bury();
                after(sight, &dead, &tally, &(sight, plan, at));
                world.disk().set_plan(Plan::Nothing);
                if is_running {
                    say_where(&(sight, plan, at), End::Killed, 0, || moves_again(sight, &mut world));
                    assert!(world.probed() > probed);
                } else {
                    goes_on(sight, &mut world, 5_000);
                }
            }
        });
    }
    let mut tally = tally.into_inner().unwrap();
    tally.say("lasting failure");
    tally.hit.insert((Op::Ask, String::new()), 0);
    tally.assert_whole();
}
