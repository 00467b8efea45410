//! What MAS's and Synapse's databases say when they are asked: `check --databases`. Pure; what was asked and heard is in
//! [`answers`](crate::answers).

mod count;
mod expected;
mod login;
mod mas;
mod place;
mod synapse;

pub use crate::answers::postgres::{MAS_TABLES, Place, SslMode, Whose};
pub use expected::Expected;

use super::finding::Finding;
use crate::answers::postgres::{MasSaid, ProbeError, SynapseSaid};

#[derive(Debug, Clone)]
pub struct Probed {
    pub mas: Result<MasSaid, ProbeError>,
    pub synapse: Result<SynapseSaid, ProbeError>,
}

/// The findings, blockers first.
pub fn judge(expected: &Expected, answers: &Probed) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_synapse = answers.synapse.as_ref().ok();
    let mas = login::judge(Whose::Mas, &expected.mas, &answers.mas, |said| &said.server, &mut findings);
    if let Some((place, said)) = mas {
        mas::check(expected, place, said, of_synapse, &mut findings);
    }
    let synapse = login::judge(Whose::Synapse, &expected.synapse, &answers.synapse, |said| &said.server, &mut findings);
    if let Some((place, said)) = synapse {
        synapse::check(expected, place, said, &mut findings);
    }
    findings.sort_by_key(|finding| finding.severity);
    #[cfg(test)]
    findings.iter().for_each(super::explain::assert_true);
    findings
}

#[cfg(test)]
mod tests;
