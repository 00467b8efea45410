//! Nothing is left running or lying about, however the owner of a control plane ends.
