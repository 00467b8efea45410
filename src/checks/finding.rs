//! A finding, and the codes there are.

use serde::Serialize;

/// How much a finding weighs. Ordered: what stops comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The step would fail or do harm. Cannot be accepted.
    Blocker,
    /// To be thought about; a person's confirmation covers it, a script names its code.
    Warning,
    /// Could not be found out; weighs as much as a warning.
    Unknown,
    /// Looked at and found in order.
    Ok,
}

impl Severity {
    /// In a word, as in data.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blocker => "blocker",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}

/// Something that a person must know before a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: &'static str,
    pub severity: Severity,
    /// The path or object it is about.
    pub subject: String,
    pub message: String,
    /// What to do about it, in the imperative.
    pub remedy: Option<String>,
    pub docs: Option<&'static str>,
}

/// The vendor's page that the migration follows.
pub(super) const GUIDE: &str = "https://docs.element.io/latest/element-server-suite-classic/administration/migration-to-matrix-authentication-service";

impl Finding {
    pub(super) fn new(
        code: &'static str,
        severity: Severity,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { code, severity, subject: subject.into(), message: message.into(), remedy: None, docs: None }
    }

    pub(super) fn blocker(code: &'static str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Blocker, subject, message)
    }

    pub(super) fn warning(code: &'static str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, subject, message)
    }

    pub(super) fn unknown(code: &'static str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Unknown, subject, message)
    }

    pub(super) fn ok(code: &'static str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Ok, subject, message)
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn guide(mut self) -> Self {
        self.docs = Some(GUIDE);
        self
    }

    /// Whether it stops the step whatever anybody says.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Blocker
    }

    /// Whether somebody has to accept it.
    pub fn needs_accepting(&self) -> bool {
        matches!(self.severity, Severity::Warning | Severity::Unknown)
    }
}

/// Every code. Scripts name them, so they are never renamed; `docs/findings.md` explains each.
pub mod codes {
    pub const MAS_SUPPORTED: &str = "mas-supported";
    pub const API_VERSION: &str = "api-version";
    pub const RELEASE_TOO_OLD: &str = "release-too-old";
    pub const OPERATOR: &str = "operator-running";
    pub const PAUSED: &str = "paused";
    pub const RECONCILE_PERIOD: &str = "reconcile-period";
    pub const PERMISSIONS: &str = "permissions";
    pub const PERMISSION_TO_FOLLOW: &str = "permission-to-follow";
    pub const AVAILABLE: &str = "available";
    pub const SUCCESSFUL: &str = "successful";
    pub const RUN_UNDER_WAY: &str = "run-under-way";
    pub const ALREADY_MIGRATED: &str = "already-migrated";
    pub const MIGRATION_UNDER_WAY: &str = "migration-under-way";
    pub const BEING_DELETED: &str = "being-deleted";
    pub const NAME_TOO_LONG: &str = "name-too-long";
    pub const SAML: &str = "saml-not-supported";
    pub const CAS: &str = "cas-not-supported";
    pub const JWT: &str = "jwt-not-supported";
    pub const GROUP_SYNC: &str = "group-sync-not-supported";
    pub const LDAP: &str = "ldap-needs-release";
    pub const LDAP_ONLY: &str = "ldap-only";
    pub const PROVIDER_RESTRICTION: &str = "oidc-restriction-lost";
    pub const PROVIDER_SETTING: &str = "oidc-setting-lost";
    pub const PASSWORD_PEPPER: &str = "password-pepper";
    pub const MAS_EMAIL: &str = "mas-email";
    pub const SYNAPSE_SETTINGS: &str = "synapse-settings";
    pub const SYNAPSE_CONFIG_UNREADABLE: &str = "synapse-config-unreadable";
    pub const SYNAPSE_DUPLICATE_KEY: &str = "synapse-duplicate-key";
    pub const SYNAPSE_PASSWORD_LOGIN: &str = "synapse-password-login";
    pub const SYNAPSE_PASSWORD_MODULE: &str = "synapse-password-module";
    pub const SYNAPSE_REGISTRATION: &str = "synapse-registration";
    pub const SYNAPSE_CAPTCHA: &str = "synapse-captcha";
    pub const SYNAPSE_CONSENT: &str = "synapse-user-consent";
    /// People may change their e-mail addresses.
    pub const SYNAPSE_3PID_CHANGES: &str = "synapse-3pid-changes";
    pub const SYNAPSE_EXISTING_SESSION: &str = "synapse-login-via-existing-session";
    pub const SYNAPSE_LIFETIME: &str = "synapse-session-lifetime";
    pub const SYNAPSE_OIDC: &str = "synapse-oidc-free-form";
    pub const SYNAPSE_DELEGATES: &str = "synapse-delegates-already";
    pub const SYNAPSE_GUESTS: &str = "synapse-guests";
    pub const SYNAPSE_DATABASE: &str = "synapse-database";
    pub const SYNAPSE_DATABASE_TLS: &str = "synapse-database-tls";
    pub const IDP_ID_MISSING: &str = "idp-id-missing";
    pub const IDP_ID_DUPLICATE: &str = "idp-id-duplicate";
    pub const IDP_ID_NOT_ULID: &str = "idp-id-not-ulid";
    pub const HOST_TAKEN: &str = "mas-host-taken";
    pub const HOST_UNRESOLVED: &str = "mas-host-unresolved";
    pub const DATABASE_POOLER: &str = "database-pooler";
    pub const DATABASE_TLS: &str = "mas-database-tls";
    pub const DATABASE_SHARED: &str = "mas-database-is-synapses";
    pub const SETTINGS: &str = "mas-settings";
    pub const TLS_MODE: &str = "tls-mode";
    pub const CERTIFICATE: &str = "certificate";
    pub const CERTIFICATE_UNREADABLE: &str = "certificate-unreadable";
    pub const CERTIFICATE_KEY_UNREADABLE: &str = "certificate-key-unreadable";
    pub const CERTIFICATE_LAYOUT: &str = "certificate-layout";
    pub const CERTIFICATE_MISSING: &str = "certificate-missing";
    pub const CERTIFICATE_SECRET_TYPE: &str = "certificate-secret-type";
    pub const CERTIFICATE_UNKNOWN: &str = "certificate-unknown";
    pub const CERTIFICATE_TRUST: &str = "certificate-trust";
    pub const TLS_ENDPOINT: &str = "tls-endpoint";
    pub const CLUSTER_ISSUER: &str = "cluster-issuer";
    pub const SECRET: &str = "mas-secret";
    pub const COMPONENT_SECRET: &str = "component-secret";
    pub const BOTS: &str = "bots-and-bridges";
    pub const ADMIN_TOOLS: &str = "admin-tools";
    pub const ENCRYPTION_SECRET_WEAK: &str = "encryption-secret-weak";
    pub const REHEARSAL: &str = "rehearsal";
    pub const REHEARSAL_OLD: &str = "rehearsal-old";
    pub const RECORD: &str = "record";
    pub const OWNED_BY_HELM: &str = "manifest-owned-by-helm";
    pub const OWNED_BY_INSTALLER: &str = "manifest-owned-by-installer";
    pub const OWNED_BY_GITOPS: &str = "manifest-owned-by-gitops";
    pub const APPLIED: &str = "manifest-applied";
    pub const MAS_REACHABLE: &str = "mas-reachable";
    pub const MAS_DISCOVERY: &str = "mas-discovery";
    pub const MAS_ISSUER: &str = "mas-issuer";
    pub const MAS_SIGNING_KEY: &str = "mas-signing-key";
    pub const MAS_LOGIN_PAGE: &str = "mas-login-page";
    pub const IDP_AT_MAS: &str = "idp-at-mas";
    pub const IDP_REDIRECT_URI: &str = "idp-redirect-uri";
    pub const IDP_OFFERED: &str = "idp-offered";
    pub const SYNAPSE_REACHABLE: &str = "synapse-reachable";
    pub const SYNAPSE_AUTH_METADATA: &str = "synapse-auth-metadata";
    pub const SYNAPSE_LOGIN: &str = "synapse-login";
    pub const SYNAPSE_ASKS_MAS: &str = "synapse-asks-mas";
    pub const OLD_TOKEN: &str = "old-token";
    pub const WELL_KNOWN_CLIENT: &str = "well-known-client";
    pub const OUTSIDE_HOSTS: &str = "outside-hosts";
    pub const OUTSIDE_ROUTE: &str = "outside-route";
    pub const DATABASE_REACHABLE: &str = "database-reachable";
    pub const DATABASE_LOGIN: &str = "database-login";
    pub const DATABASE_SSLMODE: &str = "database-sslmode";
    pub const MAS_DATABASE_VERSION: &str = "mas-database-version";
    pub const MAS_DATABASE_EMPTY: &str = "mas-database-empty";
    pub const MAS_DATABASE_RIGHTS: &str = "mas-database-rights";
    pub const MAS_DATABASE_TRIGRAM: &str = "mas-database-pg-trgm";
    pub const MAS_DATABASE_ENCODING: &str = "mas-database-encoding";
    pub const MAS_DATABASE_CONNECTIONS: &str = "mas-database-connections";
    pub const SYNAPSE_DATABASE_TABLES: &str = "synapse-database-tables";
    pub const SYNAPSE_DATABASE_GUESTS: &str = "synapse-database-guests";
    pub const SYNAPSE_DATABASE_THREEPIDS: &str = "synapse-database-threepids";
    pub const SYNAPSE_DATABASE_PROVIDERS: &str = "synapse-database-providers";
    pub const SYNAPSE_DATABASE_DELEGATED: &str = "synapse-database-delegated";
    pub const SYNAPSE_DATABASE_SERVER_NAME: &str = "synapse-database-server-name";
    pub const SYNAPSE_DATABASE_ORPHANS: &str = "synapse-database-orphans";
    pub const SYNAPSE_DATABASE_NO_LOGIN: &str = "synapse-database-no-login";
    pub const SYNAPSE_DATABASE_SIZE: &str = "synapse-database-size";
    pub const BACKUP_FILE: &str = "backup-file";
    pub const OWNERS: [&str; 4] = [OWNED_BY_HELM, OWNED_BY_INSTALLER, OWNED_BY_GITOPS, APPLIED];
}
