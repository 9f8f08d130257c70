//! What holds a ready rule back: a budget of moves, bars on hosts, a tour in vain (thesis 3.5 and 5.3:
//! "continuous migration"; Lartey names the danger and has nothing against it).

pub mod backoff;
pub mod budget;
