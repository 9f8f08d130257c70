//! Unit tests of policies: given these readings, these decisions at these times.
//!
//! A [`Case`] is data: where and when a guest starts, what its probes read, what happens round it, and what is
//! expected. [`run`] leads the real [`Engine`](crate::Engine) through it in simulated time, with the independent
//! [checker](crate::checker) watching every step, and compares. What differs comes back as data with all it takes
//! to say why: the [frames](Frame) round each difference and how every rule [stood](Standing).
//!
//! Names are texts here, not ids: the policy may change while a case runs, and ids with it. The reader of test
//! files is [`file::trial`](crate::file::trial), with the feature `file`.

mod case;
mod compare;
mod fact;
mod pattern;
mod run;
mod series;
mod world;

pub use case::{Answer, Answers, Case, Expectation, Happening, Jobs, Told, Want, When};
pub use compare::Difference;
pub use fact::{Fact, Got};
pub use pattern::{DECISIVE, EVENTS, Field, FieldKind, Pattern, Value, fields_of};
pub use run::{Broken, Frame, MOST_STEPS, Report, Said, Standing, run};
pub use series::{Item, Segment, Series, SeriesError, Then, parse_items};
