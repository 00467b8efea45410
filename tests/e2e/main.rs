//! End-to-end tests: the built plugin as a process against a real `kube-apiserver`, with a stand-in for the operator.
//!
//! Every test has a namespace of its own on one server, and runs the plugin hermetically (see [`plugin`]).

mod flow;
mod plugin;
mod tls;
