//! A state file that was cut anywhere, or in which any bit is another: the daemon that begins from it knows, asks for nothing
//! on its strength, forgets nothing that is under way, and goes on when it is known where the guest is.

use crate::campaign::{SOON, enough, moves_again};
use crate::disk::{Fallible, Plan};
use crate::world::{STATE, Sight, Still, World};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use vmpolicy_daemon::daemon::restore::Trust;

/// A limit on how long a request may be open, in the world's policy.
const CONFIRM_WITHIN: i64 = 120_000;

/// Of so many damaged files, one is followed until the guest has moved again.
const FOLLOWED: usize = 61;

/// A world with a request under way, whose daemon was killed; and one in which nothing is.
fn worlds(sight: Sight) -> [World; 2] {
    let begun = |is_so: fn(&World) -> bool| {
        let mut world = World::new(sight, Fallible::new(Plan::Nothing));
        assert_eq!(world.begin(), Still::So);
        assert_eq!(world.run(SOON, enough), Still::So);
        assert_eq!(world.run(SOON, is_so), Still::So);
        world.bury();
        world.disk().killed();
        world
    };
    [begun(|world| world.under_way().is_some()), begun(|world| world.under_way().is_none())]
}

fn begins(sight: Sight, world: &World, bytes: &[u8], follow: bool) {
    let mut world = world.fork();
    world.disk().put(STATE, bytes);
    assert_eq!(world.begin(), Still::So);
    assert_eq!(world.trust, Trust::Lost);
    assert_eq!(world.open_request(), None, "nothing of it is believed");
    let kept = world.disk().bytes(&format!("{STATE}.damaged"));
    match sight {
        Sight::Looks => assert_eq!(kept.as_deref(), Some(bytes), "a person can look at it"),
        Sight::Believes => assert_eq!(world.disk().bytes(STATE).as_deref(), Some(bytes), "it stays"),
    }
    if follow {
        let asked = world.asked().len();
        // What was under way has ended by then, one way or the other.
        assert_eq!(world.run(CONFIRM_WITHIN - 1_000, |_| false), Still::Late);
        assert_eq!(world.asked().len(), asked, "{:?}", world.asked());
        moves_again(sight, &mut world);
    }
}

/// A way to damage a file: its length, or a bit.
#[derive(Clone, Copy)]
enum Damage {
    Length(usize),
    Bit(usize),
}

fn damaged_ones(sight: Sight) {
    let count = AtomicUsize::new(0);
    let lengths = worlds(sight).map(|world| world.disk().bytes(STATE).unwrap().len());
    // Without a locator all is the same but the end: it asks for nothing, ever.
    let step = if sight == Sight::Looks { 1 } else { 7 };
    for (index, length) in lengths.into_iter().enumerate() {
        let bits = (0..length * 8).step_by(step).map(Damage::Bit);
        let damages: Vec<Damage> = (0..length).map(Damage::Length).chain(bits).collect();
        let each = |(world, bytes): &mut (World, Vec<u8>), damage: &Damage| {
            count.fetch_add(1, Ordering::Relaxed);
            match *damage {
                Damage::Length(length) => begins(sight, world, &bytes[..length], length % FOLLOWED == 0),
                Damage::Bit(bit) => {
                    let mut flipped = bytes.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    begins(sight, world, &flipped, bit % (8 * FOLLOWED) == 0);
                }
            }
        };
        let own = || {
            let [one, other] = worlds(sight);
            let world = if index == 0 { one } else { other };
            let bytes = world.disk().bytes(STATE).unwrap();
            (world, bytes)
        };
        damages.par_iter().with_min_len(2_000).for_each_init(own, each);
    }
    let count = count.into_inner();
    println!("{sight:?}: began from {count} damaged files");
    assert!(count > 5_000);
}

#[test]
fn a_damaged_state_is_not_built_upon() {
    damaged_ones(Sight::Looks);
}

#[test]
fn a_damaged_state_without_a_locator_is_not_built_upon() {
    damaged_ones(Sight::Believes);
}
