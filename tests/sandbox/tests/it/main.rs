//! The sandbox held against what it stands in for. One binary, so that one API server serves all of it.

mod cleanup;
mod control_plane;
mod crds;
mod operator;
mod recordings;
