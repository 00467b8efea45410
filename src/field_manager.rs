//! The field manager under which the API server notes what this program writes.

pub const FIELD_MANAGER: &str = "kubectl-ess-mas";
