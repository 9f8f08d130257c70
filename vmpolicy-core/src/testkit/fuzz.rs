//! What the fuzz targets call, and the properties too: bytes go in, and a broken promise is a panic.

#[cfg(feature = "file")]
mod files;

#[cfg(feature = "file")]
pub use files::*;

use super::drive::{Guest, compare, for_each_act};
#[cfg(feature = "file")]
use super::generate::TestZones;
use super::generate::{Source, World};
use super::model::Model;
use crate::Engine;
use crate::checker::Checker;
use crate::engine::Saved;
use crate::input::Input;
use crate::output::Output;
use crate::time::{Mono, Now, Wall};
use std::sync::Arc;

/// How many bytes make a world; the rest is its guest's life.
const WORLD_BYTES: usize = 96;

/// Engine and model live the same life and do the same, with saving and loading in between; and the
/// checker, who knows neither of them, finds nothing.
///
/// # Panics
///
/// With the whole story, where they differ or an invariant is broken.
pub fn steps(bytes: &[u8]) {
    let (seed, life) = bytes.split_at(bytes.len().min(WORLD_BYTES));
    let world = World::new(&mut Source::new(seed));
    let mut guest = Guest::new(Arc::clone(world.policy()), world.setup());
    let mut model = Model::new(Arc::clone(world.policy()), world.setup());
    if let Err(difference) = compare(world.clone(), life, &mut guest, &mut model) {
        panic!("{difference}");
    }
    let mut engine = Engine::new(Arc::clone(world.policy()), world.setup());
    let mut checker = Checker::new(Arc::clone(world.policy()), world.setup());
    let mut out = Output::default();
    let watched = for_each_act(world, life, |act, heed| {
        if let super::generate::Act::Step(now, input) = act {
            engine.step(now, &input, &mut out);
            heed(&out);
            checker.observe(now, &input, &out)?;
        }
        Ok(())
    });
    let watched: Result<(), crate::checker::Violation> = watched;
    if let Err(violation) = watched {
        panic!("{violation}");
    }
}

/// A saved state, with some of its bytes changed, is refused or goes on without a panic; what was loaded and
/// saved again is loaded as the same.
///
/// # Panics
///
/// Where it does not.
pub fn saved_state(bytes: &[u8]) {
    let (seed, rest) = bytes.split_at(bytes.len().min(WORLD_BYTES));
    let (life, changes) = rest.split_at(rest.len() / 2);
    let world = World::new(&mut Source::new(seed));
    let policy = Arc::clone(world.policy());
    let mut engine = Engine::new(Arc::clone(&policy), world.setup());
    let mut out = Output::default();
    let mut last = Now::default();
    let lived: Result<(), core::convert::Infallible> = for_each_act(world, life, |act, heed| {
        if let super::generate::Act::Step(now, input) = act {
            engine.step(now, &input, &mut out);
            heed(&out);
            last = now;
        }
        Ok(())
    });
    let Ok(()) = lived;
    let mut text = serde_json::to_vec(&engine.save()).unwrap_or_default();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % text.len().max(1);
        if let Some(byte) = text.get_mut(at) {
            // Mostly a digit for a digit, so that the text stays JSON and its meaning changes.
            *byte = if byte.is_ascii_digit() { b'0' + change[2] % 10 } else { *byte ^ (change[2] & 0x11) };
        }
    }
    let Ok(saved) = serde_json::from_slice::<Saved>(&text) else { return };
    let Ok(mut engine) = Engine::load(policy, saved) else { return };
    let again = serde_json::to_vec(&engine.save()).unwrap_or_default();
    let twin = serde_json::from_slice::<Saved>(&again).ok();
    assert_eq!(twin, Some(engine.save()), "what was saved is not what is read");
    for step in 0..8 {
        let now = Now {
            mono: last.mono.shifted(step * 30_000),
            wall: Wall(last.wall.0.saturating_add(step * 30_000)),
        };
        engine.step(now, &Input::Tick, &mut out);
        if let Some(deadline) = out.deadline {
            let _: Mono = deadline.at;
        }
    }
}
