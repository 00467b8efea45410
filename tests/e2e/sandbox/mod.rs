//! Tests of the sandbox against the systems that it replaces.

mod cleanup;
mod control_plane;
mod crds;
mod operator;
mod recordings;
