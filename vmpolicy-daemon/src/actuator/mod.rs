//! Actuators: how a move is asked for.
