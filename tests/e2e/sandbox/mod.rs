//! The sandbox itself, held against what it stands in for.

mod cleanup;
mod control_plane;
mod crds;
mod operator;
mod recordings;
