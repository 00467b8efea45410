//! Synapse's settings that conflict with MAS, with their findings: the table `settings.yaml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::checks::finding::{Finding, Severity};

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| table!("checks/synapse/settings"));

/// `settings.yaml`, whose head explains the fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Prefixes of modules.
    password_modules: Vec<String>,
    harmless_modules: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub(super) setting: String,
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
    SETTINGS.rules.iter().filter_map(|rule| Some((rule, rule.field.as_ref()?)))
}

pub fn rule(setting: &str) -> &'static Rule {
    SETTINGS.rules.iter().find(|rule| rule.setting == setting).expect("a test finds a rule for each")
}

/// Classifies a module by its name; `None` if it has nothing to do with logins.
pub(super) fn of_module(name: &str) -> Option<&'static str> {
    let of = |known: &[String]| known.iter().any(|prefix| name.starts_with(prefix));
    match (of(&SETTINGS.password_modules), of(&SETTINGS.harmless_modules)) {
        (true, _) => Some("password-module"),
        (false, true) => None,
        (false, false) => Some("unknown-module"),
    }
}

impl Rule {
    /// The finding for free-form settings, which the operator copies.
    pub fn finding(&'static self, subject: String, detail: &str) -> Finding {
        let message = self.message.replace("{detail}", detail);
        Finding::new(&self.code, self.severity, subject, message).remedy(&self.remedy)
    }

    /// The same finding for the configuration that the operator rendered for legacy authentication, if that matters.
    pub(super) fn in_rendered(&self, finding: Finding) -> Option<Finding> {
        let mut finding = Finding { severity: self.rendered?, ..finding };
        if !finding.blocks() {
            finding.message += "; the operator rendered it, and may omit it once MAS is active";
        }
        let remedy = format!("Find its source; it is not in the free-form settings. {}", self.remedy);
        Some(finding.remedy(remedy))
    }
}
