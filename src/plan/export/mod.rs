//! What the owner of the manifest has to add, as text. Pure: values come in, YAML goes out; whoever asked writes it where it
//! belongs.
//!
//! Every change in here is the one that `dry-run` would make (`MasSettings::component`), so that an export and a write
//! cannot disagree.

mod chart;
mod helm;
mod manifests;
mod subject;
mod yaml;

pub use chart::{CHART, is_chart_secret};
pub use helm::{HelmSecrets, helm_values};
pub use manifests::{patch, secret};
pub use subject::{NotText, Subject, Values};

#[cfg(test)]
mod tests;
