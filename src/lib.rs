//! `kubectl ess-mas` takes an Element Server Suite Classic deployment from legacy authentication to the
//! Matrix Authentication Service (MAS).

pub mod cluster;
