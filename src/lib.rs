//! `kubectl ess-mas` takes an Element Server Suite Classic deployment from legacy authentication to the
//! Matrix Authentication Service (MAS).

pub mod checks;
pub mod cluster;
pub mod deployment;
pub mod pki;
pub mod plan;
pub mod reconcile;
pub mod record;
pub mod terminal;
