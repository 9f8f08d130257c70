//! Zones of civil time, from the system's database or the bundled one.
