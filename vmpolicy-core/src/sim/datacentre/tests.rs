//! Properties of the data centre as a whole.
