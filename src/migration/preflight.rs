//! What must hold before anybody is asked: the findings, the certificate, what answers over the network.

use std::borrow::Cow;

use super::resume;
use super::step::{Request, Step};
use crate::checks::tls::Offered;
use crate::checks::{self, Finding, Snapshot, codes};
use crate::error::Failure;
use crate::plan::MasSettings;
use crate::session::endpoints;
use crate::session::workloads::synapse_times;
use crate::session::{Session, certificate, findings};
use crate::workloads::Times;

/// What was found, kept from one attempt to the next: findings are told once and judged every time, the network and the
/// certificate are looked at once.
#[derive(Default)]
pub struct Preflight {
    told: Option<Vec<Finding>>,
    certificate: Option<(MasSettings, Vec<Finding>)>,
    network: bool,
    /// How long Synapse's pods take to stop and start, for the question of `activate`.
    pub times: Option<Times>,
}

impl Preflight {
    /// Stops at blockers, in a script also at warnings that were not accepted.
    pub async fn check(&mut self, session: &Session, request: &Request, seen: &Snapshot) -> Result<(), Failure> {
        if self.told.is_none()
            && let Some(words) = resume::left_to_the_owner(session, seen)
        {
            session.ui().status(words);
        }
        let script = !request.preview && request.is_script(session);
        let found = self.findings(session, request, seen).await;
        if self.told.as_ref() != Some(&found) {
            findings::tell(session.ui(), &session.place(), &found);
        }
        let judged = findings::judge(&found, &request.accept, script);
        self.told = Some(found);
        judged?;
        if request.step == Step::Activate && !std::mem::replace(&mut self.network, true) {
            endpoints::before(session, seen, &request.accept, script).await?;
            self.times = synapse_times(session).await;
        }
        Ok(())
    }

    /// It is looked at again after a long wait.
    pub fn forget_certificate(&mut self) {
        self.certificate = None;
    }

    async fn findings(&mut self, session: &Session, request: &Request, seen: &Snapshot) -> Vec<Finding> {
        let mut found = checks::run(seen, request.step.checks());
        found.extend(self.certificate(session, request.step, seen).await);
        found.extend(request.findings.iter().cloned());
        found.sort_by_key(|finding| finding.severity);
        if request.via_owner {
            // They are about a change behind the owner's back, which this is not.
            found.retain(|finding| !codes::OWNERS.contains(&finding.code));
        }
        if !request.wait || request.preview {
            // Nothing is followed then.
            found.retain(|finding| finding.code != codes::PERMISSION_TO_FOLLOW);
        }
        findings::name_commands(session, &mut found);
        found
    }

    /// The certificate that MAS will have with the settings of the step, or has.
    async fn certificate(&mut self, session: &Session, step: Step, seen: &Snapshot) -> Vec<Finding> {
        let Some(settings) = step.settings(seen) else { return Vec::new() };
        match &self.certificate {
            Some((of, found)) if *of == *settings => found.clone(),
            _ => {
                let found = certificate::look(session, seen, &settings, Offered::default()).await;
                let shared = |finding: &Finding| certificate::is_shared_issuer_unread(finding, &settings);
                let (told, found): (Vec<Finding>, Vec<Finding>) = found.into_iter().partition(shared);
                for finding in &told {
                    session.ui().status(format!("{}: {}", finding.subject, finding.message));
                }
                self.certificate = Some((Cow::into_owned(settings), found.clone()));
                found
            }
        }
    }
}

/// Somebody else changed what was decided upon: a person is shown everything again, a script is refused.
pub fn conflict(session: &Session, request: &Request) -> Result<(), Failure> {
    let by = session
        .deployment
        .active_written_by()
        .map_or_else(String::new, |(manager, _)| format!(" (field manager {manager})"));
    let text = format!("another client{by} changed ElementDeployment {} in the meantime", session.place());
    if request.is_script(session) {
        return Err(Failure::failed(text).then("Check the status, then run the command again:", session.command("status")));
    }
    session.ui().warning(text + "; nothing was written");
    Ok(())
}
