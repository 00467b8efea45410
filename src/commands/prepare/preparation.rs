//! What a call of `prepare` is about.

use crate::checks::Snapshot;
use crate::plan::export::is_chart_secret;
use crate::plan::{MasSettings, SecretKeys};
use crate::session::Session;
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

    /// The settings as the record has them.
    pub fn recorded(&self) -> Option<&MasSettings> {
        self.snapshot.recorded()?.settings.as_ref()
    }

    /// Whether the chart makes a Secret of the chosen name by itself. Such Secrets are Helm's: nothing is created under their
    /// names, and nothing is written to them.
    pub fn secret_is_charts(&self) -> bool {
        is_charts(self.snapshot, &self.settings.secret_name)
    }
}

/// Whether the chart of this deployment makes a Secret of that name.
pub fn is_charts(snapshot: &Snapshot, secret: &str) -> bool {
    is_chart_secret(secret, snapshot.deployment.annotation("meta.helm.sh/release-name"))
}
