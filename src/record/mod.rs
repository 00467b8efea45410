//! The record in the cluster (one ConfigMap per deployment, no secrets) and the failure file on disk.

mod archive;
mod cluster_record;
mod failure_file;
mod pending;

pub use archive::Archive;
pub use cluster_record::{Backup, DryRun, DryRunResult, HistoryEntry, Record, RecordError, record_name};
pub use failure_file::{FailureFile, TimelineEntry, amend, save, saved};
pub use pending::{OwnersChange, Pending, Step};
