//! What MAS, Synapse, the identity providers and the databases answered, as values: `net` reads them, `checks` judges them.

pub mod http;
mod known;
pub mod postgres;

pub use known::Known;
