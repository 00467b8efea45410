//! The checks before the confirmation: findings, certificate, network endpoints.

use super::resume;
use super::step::{Request, Step};
use crate::checks::tls::Offered;
use crate::checks::{self, Finding, Snapshot, codes};
use crate::error::Failure;
use crate::session::endpoints;
use crate::session::workloads::synapse_times;
use crate::session::{Session, certificate, findings};
use crate::workloads::Times;

/// The results, kept between attempts. Findings are judged on every attempt and printed when they change; the network is
/// tested once.
#[derive(Default)]
pub struct Preflight {
    shown: Option<Vec<Finding>>,
    network: bool,
    /// How long Synapse's pods take to stop and start, for the downtime estimate.
    pub times: Option<Times>,
}

impl Preflight {
    /// Fails on blockers, and in a script on warnings that were not accepted.
    pub async fn check(&mut self, session: &Session, request: &Request, seen: &Snapshot) -> Result<(), Failure> {
        if self.shown.is_none()
            && let Some(words) = resume::awaited_from_owner(session, seen)
        {
            session.ui().status(words);
        }
        let script = !request.preview && request.is_script(session);
        let found = self.findings(session, request, seen).await;
        if self.shown.as_ref() != Some(&found) {
            findings::tell(session.ui(), &session.place(), &found);
        }
        let judged = findings::judge(&found, &request.accept, script);
        self.shown = Some(found);
        judged?;
        if request.step == Step::Activate && !std::mem::replace(&mut self.network, true) {
            endpoints::before(session, seen, &request.accept, script).await?;
            self.times = synapse_times(session).await;
        }
        Ok(())
    }

    async fn findings(&self, session: &Session, request: &Request, seen: &Snapshot) -> Vec<Finding> {
        let mut found = checks::run(seen, request.step.checks());
        found.extend(self.certificate(session, request.step, seen).await);
        found.extend(request.findings.iter().cloned());
        found.sort_by_key(|finding| finding.severity);
        if request.via_owner {
            // These findings are about a change that the owner doesn't make.
            found.retain(|finding| !codes::OWNERS.contains(&finding.code));
        }
        if !request.wait || request.preview {
            found.retain(|finding| finding.code != codes::PERMISSION_TO_FOLLOW);
        }
        findings::name_commands(session, &mut found);
        found
    }

    /// Checks the certificate that MAS has, or will have with the settings of the step.
    async fn certificate(&self, session: &Session, step: Step, seen: &Snapshot) -> Vec<Finding> {
        let Some(settings) = step.settings(seen) else { return Vec::new() };
        let found = certificate::check(session, seen, &settings, Offered::default()).await;
        let shared = |finding: &Finding| certificate::is_shared_issuer_unread(finding, &settings);
        let (notes, found): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(shared);
        for note in notes.iter().filter(|_| self.shown.is_none()) {
            session.ui().status(format!("{}: {}", note.subject, note.message));
        }
        found
    }
}
