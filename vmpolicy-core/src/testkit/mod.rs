<<<<<<< HEAD
//! What tests are made of: an onlooker that knows what must never happen, a reference model of the engine,
//! and policies and inputs to try both on.

pub mod checker;
pub mod model;
pub mod sketch;
pub mod stage;
=======
//! What tests are made of: the independent checker of the invariants, a reference model of the engine, and
//! policies and inputs to try both on.

pub mod checker;
pub mod model;
>>>>>>> main
