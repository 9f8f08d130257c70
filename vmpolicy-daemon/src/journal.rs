//! Records as JSON lines.
