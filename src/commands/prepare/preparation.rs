//! What a call of `prepare` is about, and the Secret that it plans: what is there is kept, what is missing is made, given or
//! asked for.

use super::inputs::ask_password;
use crate::checks::{Known, Snapshot, default_secret_name};
use crate::error::{Exit, Failure};
use crate::plan::export::{CHART, is_chart_secret};
use crate::plan::{
    MasSettings, SecretContents, SecretContext, SecretInputs, SecretKeys, SecretPlan, SecretPlanError, Tls,
};
use crate::session::{Session, findings};
use crate::terminal::Ui;

/// One deployment, and the settings that MAS is to have.
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

    /// Whether the chart makes a Secret of the chosen name by itself. Such Secrets are Helm's: nothing is created under their
    /// names, and nothing is written to them.
    pub fn secret_is_charts(&self) -> bool {
        is_charts(self.snapshot, &self.settings.secret_name)
    }

    /// Reads the Secret of the chosen name, asks for what only a person knows, and plans it.
    pub async fn plan_secret(&self, inputs: &mut SecretInputs) -> Result<SecretPlan, Failure> {
        let name = &self.settings.secret_name;
        let present = match self.session.read_secret(name).await {
            Known::Known(present) => present,
            Known::Unreadable(why) => {
                let text = format!("Secret {name} has to be read before anything is written to it: {why}");
                return Err(
                    Failure::failed(text).advise("Nothing was changed. Once that is mended, run the command again.")
                );
            }
        };
        self.refuse_other_encryption_secret(present.as_ref()).await?;
        let context = self.secret_context(present.as_ref(), inputs);
        context.check(inputs).map_err(|error| refusal(self.session, &error))?;
        if inputs.postgres_password.is_none() && context.needs_password(&inputs.replace) {
            inputs.postgres_password = Some(ask_password(self.session, self.settings)?);
        }
        context.plan(inputs).map_err(|error| refusal(self.session, &error))
    }

    /// The same with what is known already.
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

    /// Refuses a Secret of another name than the deployed one's, unless it holds the same encryption secret already. The
    /// guide: it "must not change after installation", and a new name for the Secret would be a way around that.
    pub async fn refuse_other_encryption_secret(&self, present: Option<&SecretContents>) -> Result<(), Failure> {
        let (key, chosen) = (&self.keys.encryption_secret, &self.settings.secret_name);
        let deployed = self.session.deployment.mas_secret_name().filter(|name| name != chosen);
        let Some(deployed) = deployed else { return Ok(()) };
        let before = match self.session.read_secret(deployed).await {
            Known::Known(secret) => secret.and_then(|mut secret| secret.data.remove(key)),
            Known::Unreadable(why) => {
                let text = format!(
                    "Secret {deployed}, which MAS has been deployed with, has to be read first: {why}; nothing was changed"
                );
                return Err(Failure::failed(text));
            }
        };
        if before.is_none() || present.and_then(|secret| secret.data.get(key)) == before.as_ref() {
            return Ok(());
        }
        let text = format!(
            "--secret-name: MAS has been deployed with Secret {deployed}, and {key} cannot change after that; Secret {chosen} does not hold \
             the same one. Nothing was changed"
        );
        Err(Failure::new(Exit::Usage, text).advise(format!(
            "Leave --secret-name out, or first make Secret {chosen} with the same {key} as in {deployed}."
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
            "Secret {} is made by chart {CHART} from its values, and the next upgrade would write over what is written there; nothing \
             was changed",
            plan.name
        );
        Err(Failure::failed(text).then(
            "Let the values carry it; with what is in the Secret already this puts it into a file:",
            self.session.command("prepare") + " --export helm-values --inline-secrets --export-file FILE",
        ))
    }

    /// A Secret that Helm would stumble over.
    pub fn never_adopted(&self) -> Failure {
        let text = format!(
            "--secret-name: {} is a name that chart {CHART} gives to Secrets of its own, and Helm refuses to adopt a Secret that it \
             did not make; nothing was changed",
            self.settings.secret_name
        );
        let ours = default_secret_name(&self.session.target.name);
        Failure::new(Exit::Usage, text).advise(format!("Choose another name, such as {ours}."))
    }
}

fn is_charts(snapshot: &Snapshot, secret: &str) -> bool {
    is_chart_secret(secret, snapshot.deployment.annotation("meta.helm.sh/release-name"))
}

/// The name that was typed, or what the deployment and the earlier settings say, else our own.
pub fn secret_name(
    session: &Session,
    snapshot: &Snapshot,
    typed: Option<&str>,
    known: Option<&MasSettings>,
) -> Result<String, Failure> {
    // The chart names a Secret of its own for a component also where it makes none.
    let absent = matches!(snapshot.secret, Known::Known(None));
    let usable = |name: &&str| !(absent && is_charts(snapshot, name));
    let deployed = snapshot.deployment.mas_secret_name().filter(usable);
    let settled = known.map(|known| known.secret_name.as_str()).filter(usable);
    let name = typed.or(deployed).or(settled).map_or_else(|| default_secret_name(&session.target.name), str::to_owned);
    let is_label = |label: &str| {
        let plain = label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(Failure::usage(format!("--secret-name: {name:?} is no name of a Secret; nothing was changed")))
}

fn refusal(session: &Session, error: &SecretPlanError) -> Failure {
    let (code, next) = match error {
        SecretPlanError::NoPassword => {
            (Exit::Usage, "Give it in a file, or on standard input: --database-password-file FILE|-".to_owned())
        }
        SecretPlanError::NoCertificate => {
            (Exit::Usage, "Pass --certificate FILE and --private-key FILE, or choose another --tls mode.".to_owned())
        }
        SecretPlanError::NothingToReplaceWith(_) => (Exit::Usage, "Pass the file that holds it.".to_owned()),
        SecretPlanError::Unusable { key, .. } => (
            Exit::Failed,
            format!(
                "Mend the value in the Secret, or replace it by name: --replace {key} (not the encryption secret, once MAS has run with it)."
            ),
        ),
        SecretPlanError::Immutable(_) => (Exit::Failed, "Use another Secret: --secret-name NAME.".to_owned()),
        SecretPlanError::EncryptionSecretIsLost { key, lost, .. } => {
            (Exit::Blocked, findings::complete(&lost.remedy(key, false), |command| session.command(command)))
        }
        SecretPlanError::EncryptionSecretIsFixed(_) | SecretPlanError::NoSuchKey(..) => (Exit::Usage, String::new()),
        SecretPlanError::Generate(_) => (Exit::Failed, String::new()),
    };
    let failure = Failure::new(code, format!("{error}; nothing was changed"));
    if next.is_empty() { failure } else { failure.advise(next) }
}
