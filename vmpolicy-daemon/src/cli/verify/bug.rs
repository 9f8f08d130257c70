//! A panic in a world: a bug of vmpolicy, and told as that. It says nothing of the policy.

use super::Args;
use crate::cli::Exit;
use crate::cli::check::shown;
use crate::cli::terminal::complain;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// A panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bug {
    /// The number of the world; none for that of `--scenario`.
    pub world: Option<u64>,
    /// Its message.
    pub says: String,
}

/// Runs this; if it panics, the message. Where it happened was said on standard error by the panic itself.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // A world shares nothing that it changes, and nothing is made of one that has panicked.
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| says(&*payload))
}

fn says(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}

/// The bug of the first world that has one, by number.
#[derive(Debug, Default)]
pub(super) struct First(Mutex<Option<Bug>>);

impl First {
    /// Whether this world may have to be told.
    pub(super) fn may_come_after(&self, world: u64) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().is_none_or(|bug| bug.world > Some(world))
    }

    pub(super) fn meet(&self, bug: Bug) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|other| other.world > bug.world) {
            *known = Some(bug);
        }
    }

    pub(super) fn found(self) -> Option<Bug> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bug {
    /// Says what it is and how to see it again, on standard error.
    pub(super) fn tell(&self, args: &Args) -> Exit {
        complain(&self.told(args));
        Exit::Outside
    }

    fn told(&self, args: &Args) -> String {
        let which = self.world.map_or_else(
            || "this scenario".to_owned(),
            |world| format!("world {world} of seed {}", args.seed),
        );
        let expect =
            args.expect.as_ref().map_or_else(String::new, |path| format!(" --expect {}", shown(path)));
        let again = match (self.world, &args.scenario) {
            (None, Some(path)) => format!("--scenario {}", shown(path)),
            (world, _) => {
                format!(
                    "--seed {} --faults {} --world {}",
                    args.seed,
                    args.faults.name(),
                    world.unwrap_or_default()
                )
            }
        };
        format!(
            "{which} ended in a bug of vmpolicy: {}\n\
             This is a fault of vmpolicy, not of the policy, and there is no result. Please report it with your files: {}/issues\n\
             To see it again: vmpolicy verify {}{expect} {again}",
            self.says,
            env!("CARGO_PKG_REPOSITORY"),
            shown(&args.file),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Args {
        Line::parse_from(line.split(' ')).args
    }

    #[test]
    fn a_panic_is_told_with_the_command_that_repeats_it() {
        let one = Bug { world: Some(17), says: "index out of bounds".to_owned() };
        let other = Bug { world: None, ..one.clone() };
        let told = [
            one.told(&args("verify policy.yaml --expect expect.yaml --faults host --seed 7 --shard 1/4")),
            one.told(&args("verify policy.yaml")),
            other.told(&args("verify policy.yaml --scenario verify-1-17.yaml")),
        ];
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn the_first_world_is_told_whichever_came_first() {
        let first = First::default();
        assert!(first.may_come_after(9));
        for world in [7, 3, 5] {
            first.meet(Bug { world: Some(world), says: format!("in {world}") });
        }
        assert!(first.may_come_after(2) && !first.may_come_after(3) && !first.may_come_after(4));
        assert_eq!(first.found(), Some(Bug { world: Some(3), says: "in 3".to_owned() }));
    }

    #[test]
    fn messages_of_all_kinds_are_caught() {
        assert_eq!(caught(|| 7), Ok(7));
        let number = 3;
        assert_eq!(caught(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(caught(|| panic!("of {number}")), Err::<(), _>("of 3".to_owned()));
        let odd = caught(|| std::panic::panic_any(number));
        assert_eq!(odd, Err::<(), _>("a panic without a message".to_owned()));
    }
}
