//! The context of `prepare`, and the plan of its Secret: existing values are kept, missing ones are generated, given or
//! prompted for.

use super::inputs::ask_password;
use crate::checks::{self, Finding, Known, Snapshot, default_secret_name};
use crate::error::{Exit, Failure};
use crate::plan::export::{CHART, is_chart_secret};
use crate::plan::{
    MasSettings, SecretContents, SecretContext, SecretInputs, SecretKeys, SecretPlan, SecretPlanError, Tls,
};
use crate::session::{Session, findings};
use crate::terminal::Ui;

/// A deployment and the settings of MAS.
pub struct Preparation<'a> {
    pub session: &'a Session,
    pub snapshot: &'a Snapshot,
    pub settings: &'a MasSettings,
    pub keys: &'a SecretKeys,
}

impl Preparation<'_> {
    pub fn ui(&self) -> &Ui {
        self.session.ui()
    }

    pub fn recorded(&self) -> Option<&MasSettings> {
        self.snapshot.recorded()?.settings.as_ref()
    }

    /// Whether the chart creates a Secret of the chosen name. Helm owns such Secrets, so this program never writes them.
    pub fn secret_is_charts(&self) -> bool {
        is_charts(self.snapshot, &self.settings.secret_name)
    }

    async fn read_secret(&self, name: &str) -> Result<Option<SecretContents>, Failure> {
        match self.session.read_secret(name).await {
            Known::Known(present) => Ok(present),
            Known::Unreadable(why) => {
                let text = format!("Secret {name} can't be read: {why}; nothing was changed");
                Err(Failure::failed(text).advise("Fix the problem, then run the command again."))
            }
        }
    }

    /// Reads the Secret, prompts for a missing password, and plans the Secret.
    pub async fn plan_secret(&self, inputs: &mut SecretInputs) -> Result<SecretPlan, Failure> {
        let present = self.read_secret(&self.settings.secret_name).await?;
        self.refuse_other_encryption_secret(present.as_ref()).await?;
        let context = self.secret_context(present.as_ref(), inputs);
        context.check(inputs).map_err(|error| refusal(self.session, &error))?;
        if inputs.postgres_password.is_none() && context.needs_password(&inputs.replace) {
            inputs.postgres_password = Some(ask_password(self.session, self.settings)?);
        }
        context.plan(inputs).map_err(|error| refusal(self.session, &error))
    }

    /// Shows and returns the warnings about what becomes of the Secret.
    pub fn show_concerns(&self, plan: &SecretPlan) -> Vec<Finding> {
        let earlier = checks::earlier_encryption_secret(self.snapshot, Some(&plan.after()));
        let mut found: Vec<Finding> =
            plan.writes_to().and_then(checks::secret_managed).into_iter().chain(earlier).collect();
        self.session.complete_findings(&mut found);
        for finding in &found {
            findings::show(self.ui(), finding);
        }
        found
    }

    /// Plans the Secret without prompts.
    pub fn plan_on(&self, present: Option<&SecretContents>, inputs: &SecretInputs) -> Result<SecretPlan, Failure> {
        self.secret_context(present, inputs).plan(inputs).map_err(|error| refusal(self.session, &error))
    }

    fn secret_context<'a>(&'a self, present: Option<&'a SecretContents>, inputs: &SecretInputs) -> SecretContext<'a> {
        SecretContext {
            name: &self.settings.secret_name,
            present,
            keys: self.keys,
            certfile: self.settings.tls == Tls::Certfile || inputs.certificate.is_some(),
            deployed: self.snapshot.deployment.mas().is_some(),
            recorded: self.snapshot.encryption_secret_in_use(),
            ran: self.snapshot.mas_has_run(),
        }
    }

    /// Refuses another Secret than the deployed one, unless it contains the same encryption secret. The guide: it "must not
    /// change after installation".
    pub async fn refuse_other_encryption_secret(&self, present: Option<&SecretContents>) -> Result<(), Failure> {
        let (key, chosen) = (&self.keys.encryption_secret, &self.settings.secret_name);
        let deployed = self.session.deployment.mas_secret_name().filter(|name| name != chosen);
        let Some(deployed) = deployed else { return Ok(()) };
        let before = self.read_secret(deployed).await?.and_then(|mut secret| secret.data.remove(key));
        if before.is_none() || present.and_then(|secret| secret.data.get(key)) == before.as_ref() {
            return Ok(());
        }
        let text = format!(
            "--secret-name: {key} cannot change after MAS is deployed, and Secret {chosen} doesn't contain the value of Secret \
             {deployed}; nothing was changed"
        );
        Err(Failure::new(Exit::Usage, text).advise(format!(
            "Omit --secret-name, or first create Secret {chosen} with the {key} of Secret {deployed}."
        )))
    }

    pub fn may_write(&self, plan: &SecretPlan) -> Result<(), Failure> {
        if !self.secret_is_charts() || !plan.writes() {
            return Ok(());
        }
        if plan.creates() {
            return Err(self.never_adopted());
        }
        let text = format!(
            "Secret {} is created by chart {CHART}, and the next upgrade overwrites other changes to it; nothing was changed",
            plan.name
        );
        Err(Failure::failed(text).then(
            "To export the Secret's values and the change as Helm values:",
            self.session.command("prepare") + " --export helm-values --inline-secrets --export-file FILE",
        ))
    }

    /// The error for a name that the chart uses.
    pub fn never_adopted(&self) -> Failure {
        let text = format!(
            "--secret-name: chart {CHART} uses the name {}, and Helm refuses to adopt a Secret that it didn't create; nothing was \
             changed",
            self.settings.secret_name
        );
        let ours = default_secret_name(&self.session.target.name);
        Failure::new(Exit::Usage, text).advise(format!("Choose another name, such as {ours}."))
    }
}

fn is_charts(snapshot: &Snapshot, secret: &str) -> bool {
    is_chart_secret(secret, snapshot.deployment.annotation("meta.helm.sh/release-name"))
}

/// The name of the Secret: from the flag, the deployment or the recorded settings, else the default.
pub fn secret_name(
    session: &Session,
    snapshot: &Snapshot,
    typed: Option<&str>,
    known: Option<&MasSettings>,
) -> Result<String, Failure> {
    // The chart sets the name of its own Secret even if it creates none.
    let absent = matches!(snapshot.secret, Known::Known(None));
    let usable = |name: &&str| !(absent && is_charts(snapshot, name));
    let deployed = snapshot.deployment.mas_secret_name().filter(usable);
    let recorded = known.map(|known| known.secret_name.as_str()).filter(usable);
    let name = typed.or(deployed).or(recorded).map_or_else(|| default_secret_name(&session.target.name), str::to_owned);
    let is_label = |label: &str| {
        let plain = label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(Failure::usage(format!("--secret-name: {name:?} is not a valid name for a Secret; nothing was changed")))
}

fn refusal(session: &Session, error: &SecretPlanError) -> Failure {
    let (code, next) = match error {
        SecretPlanError::NoPassword => {
            (Exit::Usage, "Pass --database-password-file FILE, or - for standard input.".to_owned())
        }
        SecretPlanError::NoCertificate => {
            (Exit::Usage, "Pass --certificate FILE and --private-key FILE, or another --tls mode.".to_owned())
        }
        SecretPlanError::NothingToReplaceWith(_) => (Exit::Usage, "Pass the file with the new value.".to_owned()),
        SecretPlanError::Unusable { key, .. } => (
            Exit::Failed,
            format!(
                "Fix the value in the Secret, or pass --replace {key}. Keep an encryption secret that MAS has already used."
            ),
        ),
        SecretPlanError::Immutable(_) => (Exit::Failed, "Use another Secret: --secret-name NAME.".to_owned()),
        SecretPlanError::EncryptionSecretIsLost { key, lost, .. } => {
            (Exit::Blocked, session.complete(&lost.remedy(key, false)))
        }
        SecretPlanError::EncryptionSecretIsFixed(_) | SecretPlanError::NoSuchKey(..) => (Exit::Usage, String::new()),
        SecretPlanError::Generate(_) => (Exit::Failed, String::new()),
    };
    let failure = Failure::new(code, format!("{error}; nothing was changed"));
    if next.is_empty() { failure } else { failure.advise(next) }
}
