//! The field manager of this program's writes.

pub const FIELD_MANAGER: &str = "kubectl-ess-mas";
