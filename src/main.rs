//! `kubectl ess-mas`: see the library for everything but the start.

fn main() {}
