//! The checks before the confirmation: findings, certificate, network endpoints, record, and what the write leads to.

use super::resume;
use super::step::{Request, Step};
use crate::checks::tls::Offered;
use crate::checks::{self, Finding, Known, Snapshot, codes};
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::plan::MasSettings;
use crate::session::endpoints;
use crate::session::workloads::{downtime, synapse_times};
use crate::session::{Session, certificate, findings};
use crate::workloads::Times;

/// The results, kept between attempts. Findings are judged on every attempt and printed when they change; the network is
/// tested once.
#[derive(Default)]
pub struct Preflight {
    shown: Option<Vec<Finding>>,
    network: bool,
    /// How long Synapse's pods take to stop and start.
    times: Option<Times>,
    /// The estimate of the downtime, for display.
    pub downtime: Vec<String>,
}

impl Preflight {
    /// Fails on blockers, and in a script on warnings that were not accepted. Returns whether other findings were shown before.
    pub async fn check(&mut self, session: &Session, request: &Request, seen: &Snapshot) -> Result<bool, Failure> {
        if self.shown.is_none()
            && let Some(words) = resume::awaited_from_owner(session, seen)
        {
            session.ui().status(words);
        }
        let script = !request.preview && request.is_script;
        let found = self.findings(session, request, seen).await;
        let changed = self.shown.as_ref().is_some_and(|shown| *shown != found);
        if changed || self.shown.is_none() {
            findings::tell(session.ui(), &session.place(), &found);
        }
        let judged = findings::judge(&found, &request.accept, script);
        self.shown = Some(found);
        judged?;
        if request.step == Step::Activate && !std::mem::replace(&mut self.network, true) {
            endpoints::before(session, seen, &request.accept, script).await?;
            self.times = synapse_times(session).await;
        }
        self.downtime = downtime(seen, self.times);
        Ok(changed)
    }

    /// Refuses a write that can't be recorded. A rollback works without the record.
    pub fn refuse_unrecordable(step: Step, seen: &Snapshot) -> Result<(), Failure> {
        match &seen.record {
            Known::Unreadable(why) if !step.goes_back() => {
                let text =
                    format!("can't read the record, which is required before a write to the ElementDeployment: {why}");
                Err(Failure::failed(text).suggest("Fix the cause, then run the command again:", step.command()))
            }
            _ => Ok(()),
        }
    }

    /// Checks the Secret that the deployment will refer to after the write. Its name and, by defaults of the CRD, its keys
    /// are known from the answer to the server-side dry run; the operator fails without them.
    pub async fn foresee(
        session: &Session,
        step: Step,
        seen: Snapshot,
        answer: &Deployment,
    ) -> Result<Snapshot, Failure> {
        if step != Step::DryRun {
            return Ok(seen);
        }
        let mut after = Snapshot { deployment: answer.clone(), ..seen.clone() };
        after.settings = MasSettings::of(answer).or(after.settings);
        let read = seen.secret.known().and_then(Option::as_ref).map(|secret| secret.name.as_str());
        if let Some(name) = answer.mas_secret_name().filter(|name| read != Some(*name)) {
            after.secret = session.read_secret(name).await;
        }
        let mut found = checks::run(&after, step.checks());
        found.retain(|finding| finding.code == codes::SECRET && finding.blocks());
        session.complete_findings(&mut found);
        if !found.is_empty() {
            findings::tell(session.ui(), &session.place(), &found);
        }
        findings::judge(&found, &[], false)?;
        // The record needs the contents of the Secret that the dry run uses.
        Ok(Snapshot { secret: after.secret, ..seen })
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
        session.complete_findings(&mut found);
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
