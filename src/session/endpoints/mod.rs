//! A look at MAS, Synapse and the identity providers from outside: asks what [`checks::endpoints`] wants asked, all side by
//! side, and hands back its findings.

mod ask;
mod reach;
mod steps;
pub mod through;
mod ways;

pub use ask::{NO_LOGINS, expected, look};
pub use reach::Reach;
pub use steps::{after, before, for_check};
pub use through::Through;
pub use ways::Ways;
