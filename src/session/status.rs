//! The `Status` object of `-o json`, from which the page is printed as well.

use serde::Serialize;

use crate::checks::{self, DryRunStanding, Finding, Purpose, Snapshot, standing};
use crate::deployment::{
    ChartRelease, Deployment, FailureReport, Phase, Remembered, Run, VersionSource, mas_redirect_uri,
    synapse_redirect_uri,
};
use crate::plan::DRY_RUN_ANNOTATION;
use crate::record;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<T> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    contents: T,
}

impl<T: Serialize> Document<T> {
    pub fn new(kind: &'static str, contents: T) -> Self {
        Self { api_version: "ess-mas/v1", kind, contents }
    }
}

/// `StatusList`, also for one deployment.
#[derive(Debug, Serialize)]
pub struct StatusList {
    items: Vec<Status>,
}

impl StatusList {
    pub fn of(items: Vec<Status>) -> Document<Self> {
        Document::new("StatusList", Self { items })
    }
}

#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    pub namespace: String,
    pub name: String,
    pub phase: Phase,
    pub spec: SpecPart,
    pub status: StatusPart,
    pub identity_providers: Vec<ProviderPart>,
    #[serde(rename = "rehearsal")]
    pub dry_run: DryRunPart,
    pub version: VersionPart,
    pub next: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpecPart {
    pub active: Option<bool>,
    pub host: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusPart {
    pub mas_active: Option<bool>,
    pub available: Option<bool>,
    pub successful: Option<bool>,
    pub run: RunState,
    pub failure: Option<FailureReport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    Never,
    Idle,
    Running,
    Failing,
}

impl RunState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Failing => "failing",
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderPart {
    pub idp_id: String,
    pub name: Option<String>,
    pub issuer: Option<String>,
    pub current_redirect_uri: Option<String>,
    pub mas_redirect_uri: Option<String>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRunPart {
    pub state: DryRunState,
    pub completion: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DryRunState {
    None,
    Passed,
    Failed,
    Outdated,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionPart {
    pub ess: Option<String>,
    pub chart: Option<String>,
    /// The source of the versions. With `crd`, both are minimums.
    pub source: Option<VersionSource>,
}

impl Status {
    pub fn words(&self) -> &'static str {
        match (self.phase, self.status.run, self.dry_run.state) {
            (Phase::Configuration, ..) if self.spec.host.is_some() => "prepared, dry run next",
            (Phase::DryRun, RunState::Running, _) => "dry run in progress",
            (Phase::DryRun, _, DryRunState::Outdated) => "dry run must be repeated",
            (phase, ..) => phase.words(),
        }
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::DryRunFailed | Phase::MigrationFailed)
    }

    /// Derives the status from a snapshot. `command` turns a command into a line to copy.
    pub fn of(snapshot: &Snapshot, command: impl Fn(&str) -> String) -> Self {
        let deployment = &snapshot.deployment;
        let conditions = deployment.conditions();
        let dry_run = standing(snapshot);
        let pending = snapshot.recorded().and_then(|record| record.pending.as_ref());
        let requested = |pending: &record::Pending| {
            let request = pending.request.as_deref();
            request.is_some() && deployment.annotation(DRY_RUN_ANNOTATION) == request
        };
        let remembered = Remembered {
            dry_run_passed: matches!(dry_run, DryRunStanding::Passed | DryRunStanding::Unknown(_)),
            // Unless it is being repeated.
            dry_run_failed: matches!(dry_run, DryRunStanding::Failed(_)) && !pending.is_some_and(requested),
            activation_pending: pending.is_some_and(|pending| pending.step == record::Step::Activate),
        };
        let phase = Phase::of(deployment, remembered);
        Self {
            namespace: deployment.namespace().to_owned(),
            name: deployment.name().to_owned(),
            phase,
            spec: SpecPart { active: deployment.active(), host: mas_host(snapshot) },
            status: StatusPart {
                mas_active: deployment.mas_active(),
                available: conditions.available(),
                successful: conditions.successful(),
                run: match (conditions.run(), conditions.failure()) {
                    (Run::Never, _) => RunState::Never,
                    (Run::Running, _) => RunState::Running,
                    (Run::Succeeded, None) => RunState::Idle,
                    (Run::Succeeded | Run::Failed, _) => RunState::Failing,
                },
                failure: conditions.failure(),
            },
            identity_providers: providers(snapshot),
            dry_run: DryRunPart {
                state: match &dry_run {
                    DryRunStanding::None => DryRunState::None,
                    DryRunStanding::Failed(_) => DryRunState::Failed,
                    DryRunStanding::Outdated(_) => DryRunState::Outdated,
                    // If the Secret was not read, the spec decides here; `activate` itself always compares the Secret too.
                    DryRunStanding::Passed | DryRunStanding::Unknown(_) => DryRunState::Passed,
                },
                completion: snapshot.recorded().and_then(|record| record.dry_run.as_ref()?.completion.clone()),
            },
            version: version(snapshot),
            next: next_command(phase, snapshot.settings.is_some(), deployment.mas_active() == Some(true)).map(command),
        }
    }
}

/// The host in the spec, else the one that `prepare` recorded.
fn mas_host(snapshot: &Snapshot) -> Option<String> {
    let settled = || snapshot.settings.as_ref().map(|settings| settings.host.clone());
    snapshot.deployment.mas_host().map(str::to_owned).or_else(settled)
}

/// The version from the Helm release or the operator's image; else the first release whose schema has the switch `active`.
/// The API server drops fields that the schema doesn't have, so the field in the object proves the schema.
fn version(snapshot: &Snapshot) -> VersionPart {
    if let Some(release) = &snapshot.chart {
        let chart = (!release.is_ess()).then(|| release.version.clone());
        return VersionPart { ess: release.ess(), chart, source: Some(release.source()) };
    }
    let knows_switch = snapshot.features.known().is_some_and(|features| features.active);
    if knows_switch || snapshot.deployment.active().is_some() {
        let (ess, chart) = ChartRelease::FIRST_IN_WORDS;
        let least = |version: &str| Some(format!("{version} or later"));
        return VersionPart { ess: least(ess), chart: least(chart), source: Some(VersionSource::Crd) };
    }
    VersionPart::default()
}

pub fn next_command(phase: Phase, prepared: bool, mas_active: bool) -> Option<&'static str> {
    match phase {
        Phase::Configuration if !prepared => Some("prepare"),
        Phase::Configuration | Phase::DryRun | Phase::DryRunFailed => Some("dry-run"),
        Phase::ReadyToMigrate | Phase::Migrating => Some("activate"),
        // With `mas_active` true a rollback is impossible; follow the operator's next retry.
        Phase::MigrationFailed if mas_active => Some("activate"),
        Phase::MigrationFailed => Some("abort"),
        Phase::Complete => None,
    }
}

pub fn providers(snapshot: &Snapshot) -> Vec<ProviderPart> {
    let deployment: &Deployment = &snapshot.deployment;
    let host = mas_host(snapshot);
    let synapse = deployment.ingress_host("synapse");
    let findings = checks::run(snapshot, Purpose::Check);
    let part = |provider: crate::deployment::IdentityProvider| {
        let subject = format!(".delegatedAuth.oidc[{}].", provider.index);
        let with_id = !provider.idp_id.is_empty();
        ProviderPart {
            current_redirect_uri: synapse.map(synapse_redirect_uri),
            mas_redirect_uri: host.as_deref().filter(|_| with_id).map(|host| mas_redirect_uri(host, &provider.idp_id)),
            findings: findings.iter().filter(|finding| finding.subject.contains(&subject)).cloned().collect(),
            idp_id: provider.idp_id,
            name: provider.name,
            issuer: provider.issuer,
        }
    };
    deployment.identity_providers().into_iter().map(part).collect()
}
