//! Findings of `check --databases`, from the values in [`answers`](crate::answers).

mod expected;
mod login;
mod mas;
mod report;
mod synapse;

pub use crate::answers::postgres::{Application, ConnectionSettings, MAS_TABLES, SslMode};
pub use expected::Expected;

use super::finding::Finding;
use crate::answers::postgres::{MasDatabase, ProbeError, SynapseDatabase};

#[derive(Debug, Clone)]
pub struct Probed {
    pub mas: Result<MasDatabase, ProbeError>,
    pub synapse: Result<SynapseDatabase, ProbeError>,
}

/// The findings, blockers first.
pub fn judge(expected: &Expected, answers: &Probed) -> Vec<Finding> {
    let mut findings = Vec::new();
    let of_synapse = answers.synapse.as_ref().ok();
    let mas = login::judge(Application::Mas, &expected.mas, &answers.mas, |seen| &seen.server, &mut findings);
    if let Some((place, seen)) = mas {
        mas::check(expected, place, seen, of_synapse, &mut findings);
    }
    let synapse =
        login::judge(Application::Synapse, &expected.synapse, &answers.synapse, |seen| &seen.server, &mut findings);
    if let Some((place, seen)) = synapse {
        findings.extend(synapse::check(expected, place, seen));
    }
    // Time limits matter only to the migration.
    if !expected.migrated {
        findings.extend(mas.map(|(place, seen)| login::timeouts(place, &seen.server)));
        findings.extend(synapse.map(|(place, seen)| login::timeouts(place, &seen.server)));
    }
    findings.sort_by_key(|finding| finding.severity);
    #[cfg(test)]
    findings.iter().for_each(super::tests::assert_explained);
    findings
}

#[cfg(test)]
mod tests;
