//! The agent: the loop around the engine, which makes no decision.
