//! End-to-end tests: the built plugin as a process against a real `kube-apiserver`, with a stand-in for the operator.
//!
//! One file or folder per command; [`promises`] has the guarantees of several commands. Every test has its own
//! namespace on one server, and runs the plugin hermetically (see [`common::command`]). Tests that read all namespaces
//! or change the CRD have a second server (see [`promises::choice`]).

mod common;

mod abort;
mod activate;
mod check;
#[cfg(unix)]
mod completion;
#[cfg(unix)]
mod databases;
mod dry_run;
mod prepare;
mod promises;
mod readme;
#[cfg(unix)]
mod real;
mod report;
#[cfg(unix)]
mod sandbox;
mod status;
mod tls;
mod verify;
