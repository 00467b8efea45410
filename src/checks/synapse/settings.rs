//! Synapse's settings that conflict with MAS, with their findings: the table `settings.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::checks::finding::{Finding, Severity, Table};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| Table::read(include_str!("settings.yaml")));

/// A setting that matters to the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// `password_config.enabled` is truthy in Python.
    PasswordLogin,
    Registration,
    Captcha,
    Consent,
    ThreepidChanges,
    ExistingSession,
    /// One of the three settings that limit how long logins last.
    Lifetime,
    PasswordModule,
    UnknownModule,
    Oidc,
    AttributeRequirements,
    NoRegistration,
    MappingModule,
    JwtKey,
    SecretFile,
    SigningAlgorithms,
    BackchannelLogout,
    Saml,
    Cas,
    Jwt,
    /// `experimental_features.msc3861` or `matrix_authentication_service`.
    Delegates,
    /// `experimental_features.msc3861` exists, but is not enabled.
    OldDelegation,
    Guests,
    Pepper,
    EmptyPepper,
    /// `password_config.localdb_enabled` is false.
    OnlyExternalPasswords,
    NotPostgres,
    /// `database.args` has the database's name twice.
    DatabaseTwice,
    /// Only `dbname`, to which the operator adds `database`.
    DatabaseOtherKey,
    Duplicate,
    Broken,
    NoMapping,
    /// Larger or deeper than the reader's limits, or with an unknown tag.
    TooMuch,
}

/// `settings.yaml`, whose head explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    modules: Modules,
    settings: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Modules {
    passwords: Vec<String>,
    harmless: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) setting: Setting,
    pub(super) code: String,
    severity: Severity,
    rendered: Option<Severity>,
    message: String,
    remedy: String,
    pub(super) field: Option<TypedField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TypedField {
    pub(super) path: String,
    pub(super) becomes: String,
    pub(super) means: String,
    pub(super) remedy: String,
}

pub(super) fn fields() -> impl Iterator<Item = (&'static Rule, &'static TypedField)> {
    SETTINGS.settings.iter().filter_map(|rule| Some((rule, rule.field.as_ref()?)))
}

/// Classifies a module by its name; `None` if it has nothing to do with logins.
pub(super) fn of_module(name: &str) -> Option<Setting> {
    let of = |known: &[String]| known.iter().any(|prefix| name.starts_with(prefix));
    match (of(&SETTINGS.modules.passwords), of(&SETTINGS.modules.harmless)) {
        (true, _) => Some(Setting::PasswordModule),
        (false, true) => None,
        (false, false) => Some(Setting::UnknownModule),
    }
}

impl Setting {
    fn rule(self) -> &'static Rule {
        SETTINGS.settings.iter().find(|rule| rule.setting == self).expect("a test finds a rule for each")
    }

    /// The finding for free-form settings, which the operator copies.
    pub fn finding(self, subject: String, detail: &str) -> Finding {
        let Rule { code, severity, message, remedy, .. } = self.rule();
        Finding::new(code, *severity, subject, message.replace("{detail}", detail)).remedy(remedy)
    }

    /// The same finding for the configuration that the operator rendered for legacy authentication, if that matters.
    pub(super) fn in_rendered(self, finding: Finding) -> Option<Finding> {
        let mut finding = Finding { severity: self.rule().rendered?, ..finding };
        if !finding.blocks() {
            finding.message += "; the operator rendered it, and may omit it once MAS is active";
        }
        let remedy = format!("Find its source; it is not in the free-form settings. {}", self.rule().remedy);
        Some(finding.remedy(remedy))
    }
}
