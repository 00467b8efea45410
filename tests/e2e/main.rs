//! End-to-end tests: the built plugin as a process against a real `kube-apiserver`, with a stand-in for the operator.
//!
//! Every test has a namespace of its own on one server, and runs the plugin hermetically (see [`plugin`]). What looks
//! at all namespaces, or changes the resource definition, has a second server (see [`choice`]).

mod abort;
mod advice;
#[cfg(target_os = "linux")]
mod canary;
mod choice;
#[cfg(unix)]
mod completion;
mod configured;
mod connection;
#[cfg(target_os = "linux")]
mod detector;
#[cfg(unix)]
mod examples;
mod expiry;
mod explain;
#[cfg(unix)]
mod export_rules;
mod exports;
mod faults;
#[cfg(unix)]
mod first_words;
mod flow;
mod gates;
mod helm;
mod json;
mod kill;
mod kubelet;
mod many;
mod neighbours;
#[cfg(unix)]
mod outputs;
mod outside;
#[cfg(unix)]
mod outside_hostile;
mod outside_steps;
mod owners;
mod people;
mod plugin;
mod prepare;
mod promptness;
#[cfg(unix)]
mod questions;
mod rbac;
mod report;
mod requests;
mod scene;
mod schedules;
mod shape;
mod signals;
mod stage;
mod stages;
mod tls;
mod together;
mod unseen;
mod via_owner;
mod waiting;
