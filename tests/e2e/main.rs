//! End-to-end tests: the built plugin as a process against a real `kube-apiserver`, with a stand-in for the operator.
//!
//! Every test has a namespace of its own on one server, and runs the plugin hermetically (see [`plugin`]). What looks
//! at all namespaces, or changes the resource definition, has a second server (see [`choice`]).

mod abort;
mod choice;
mod connection;
mod faults;
mod flow;
mod gates;
mod json;
mod kill;
mod outside;
mod owners;
mod people;
mod plugin;
mod prepare;
#[cfg(unix)]
mod questions;
mod rbac;
mod scene;
mod schedules;
mod shape;
mod signals;
mod stage;
mod tls;
mod together;
mod via_owner;
mod waiting;
