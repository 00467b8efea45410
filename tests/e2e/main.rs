//! End-to-end tests: the built plugin as a process against a real `kube-apiserver`, with a stand-in for the operator.
//!
//! A file or folder per command, those of [`promises`] for what cuts across. Every test has a namespace of its own on one server,
//! and runs the plugin hermetically (see [`common::command`]). What looks at all namespaces, or changes the resource definition,
//! has a second server (see [`promises::choice`]).

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
