//! `check`.

mod configuration;
mod explain;
