//! What a failure and its surroundings tell.

pub mod around;
