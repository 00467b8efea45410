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
    /// Stable, in kebab-case.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The path or object it is about.
    pub subject: String,
    /// What is so.
    pub message: String,
    /// What to do about it, in the imperative.
    pub remedy: Option<String>,
    /// Where it is documented.
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

/// Every code. Scripts name them, so they are never renamed.
pub mod codes {
    /// The ElementDeployment's schema knows MAS and its switch.
    pub const MAS_SUPPORTED: &str = "mas-supported";
    /// The version in which the ElementDeployment is served.
    pub const API_VERSION: &str = "api-version";
    /// The ESS release is older than the guide asks for.
    pub const RELEASE_TOO_OLD: &str = "release-too-old";
    /// The operator has a pod that is ready.
    pub const OPERATOR: &str = "operator-running";
    /// An annotation says that the object is paused.
    pub const PAUSED: &str = "paused";
    /// The annotation with the operator's reconcile period cannot be read by it.
    pub const RECONCILE_PERIOD: &str = "reconcile-period";
    /// A right that the steps need is missing.
    pub const PERMISSIONS: &str = "permissions";
    /// The right to follow the operator is missing.
    pub const PERMISSION_TO_FOLLOW: &str = "permission-to-follow";
    /// `Available` is what it should be.
    pub const AVAILABLE: &str = "available";
    /// The last run of the operator ended well.
    pub const SUCCESSFUL: &str = "successful";
    /// A run of the operator is under way.
    pub const RUN_UNDER_WAY: &str = "run-under-way";
    /// The migration is done.
    pub const ALREADY_MIGRATED: &str = "already-migrated";
    /// `active` is true, but the migration is not done.
    pub const MIGRATION_UNDER_WAY: &str = "migration-under-way";
    /// The object is being deleted.
    pub const BEING_DELETED: &str = "being-deleted";
    /// The name is longer than the operator takes.
    pub const NAME_TOO_LONG: &str = "name-too-long";
    /// SAML is configured.
    pub const SAML: &str = "saml-not-supported";
    /// CAS is configured.
    pub const CAS: &str = "cas-not-supported";
    /// Logging in with JSON Web Tokens is configured.
    pub const JWT: &str = "jwt-not-supported";
    /// `GroupSync` is configured.
    pub const GROUP_SYNC: &str = "group-sync-not-supported";
    /// LDAP is configured.
    pub const LDAP: &str = "ldap-needs-release";
    /// Only LDAP, or another password provider, checks passwords.
    pub const LDAP_ONLY: &str = "ldap-only";
    /// A rule about who may log in does not come along.
    pub const PROVIDER_RESTRICTION: &str = "oidc-restriction-lost";
    /// Another setting of a provider does not come along.
    pub const PROVIDER_SETTING: &str = "oidc-setting-lost";
    /// Passwords are peppered.
    pub const PASSWORD_PEPPER: &str = "password-pepper";
    /// MAS is to send mails and cannot.
    pub const MAS_EMAIL: &str = "mas-email";
    /// Nothing in Synapse's settings that MAS excludes.
    pub const SYNAPSE_SETTINGS: &str = "synapse-settings";
    /// Synapse's free-form settings cannot be read.
    pub const SYNAPSE_CONFIG_UNREADABLE: &str = "synapse-config-unreadable";
    /// A key comes twice.
    pub const SYNAPSE_DUPLICATE_KEY: &str = "synapse-duplicate-key";
    /// Password logins are switched on in so many words.
    pub const SYNAPSE_PASSWORD_LOGIN: &str = "synapse-password-login";
    /// A module checks passwords.
    pub const SYNAPSE_PASSWORD_MODULE: &str = "synapse-password-module";
    /// People may register.
    pub const SYNAPSE_REGISTRATION: &str = "synapse-registration";
    /// Registration asks for a CAPTCHA.
    pub const SYNAPSE_CAPTCHA: &str = "synapse-captcha";
    /// Consent to terms is asked for.
    pub const SYNAPSE_CONSENT: &str = "synapse-user-consent";
    /// People may change their e-mail addresses.
    pub const SYNAPSE_3PID_CHANGES: &str = "synapse-3pid-changes";
    /// A session may log in another one.
    pub const SYNAPSE_EXISTING_SESSION: &str = "synapse-login-via-existing-session";
    /// Logins end after some time.
    pub const SYNAPSE_LIFETIME: &str = "synapse-session-lifetime";
    /// OIDC providers stand in free-form settings.
    pub const SYNAPSE_OIDC: &str = "synapse-oidc-free-form";
    /// Synapse delegates logins already.
    pub const SYNAPSE_DELEGATES: &str = "synapse-delegates-already";
    /// Guests are let in.
    pub const SYNAPSE_GUESTS: &str = "synapse-guests";
    /// Synapse's database is none that syn2mas reads.
    pub const SYNAPSE_DATABASE: &str = "synapse-database";
    /// syn2mas does not check the certificate of Synapse's database.
    pub const SYNAPSE_DATABASE_TLS: &str = "synapse-database-tls";
    /// An OIDC entry has no `idpId`.
    pub const IDP_ID_MISSING: &str = "idp-id-missing";
    /// Two OIDC entries share an `idpId`.
    pub const IDP_ID_DUPLICATE: &str = "idp-id-duplicate";
    /// An `idpId` is not one that MAS keeps as it is.
    pub const IDP_ID_NOT_ULID: &str = "idp-id-not-ulid";
    /// MAS's host is another component's.
    pub const HOST_TAKEN: &str = "mas-host-taken";
    /// DNS does not know MAS's host.
    pub const HOST_UNRESOLVED: &str = "mas-host-unresolved";
    /// A pooler stands before a database.
    pub const DATABASE_POOLER: &str = "database-pooler";
    /// How MAS's connection to its database is protected.
    pub const DATABASE_TLS: &str = "mas-database-tls";
    /// MAS's database is Synapse's.
    pub const DATABASE_SHARED: &str = "mas-database-is-synapses";
    /// The settings do not fit the schema.
    pub const SETTINGS: &str = "mas-settings";
    /// No TLS mode is set anywhere.
    pub const TLS_MODE: &str = "tls-mode";
    /// The certificate for MAS's host is good. What is wrong with one has a code of its own, `certificate-…`: see
    /// [`CertificateProblem::code`](crate::pki::CertificateProblem::code).
    pub const CERTIFICATE: &str = "certificate";
    /// There is no certificate in it that could be read.
    pub const CERTIFICATE_UNREADABLE: &str = "certificate-unreadable";
    /// There is no private key in it that could be used.
    pub const CERTIFICATE_KEY_UNREADABLE: &str = "certificate-key-unreadable";
    /// Certificate or key are good, but laid out so that servers cannot read them.
    pub const CERTIFICATE_LAYOUT: &str = "certificate-layout";
    /// The certificate that is to be used is not where it should be.
    pub const CERTIFICATE_MISSING: &str = "certificate-missing";
    /// The Secret that is named for TLS is not of type `kubernetes.io/tls`.
    pub const CERTIFICATE_SECRET_TYPE: &str = "certificate-secret-type";
    /// Where the certificate is kept could not be looked at.
    pub const CERTIFICATE_UNKNOWN: &str = "certificate-unknown";
    /// Whether somebody who does not know this certificate trusts it.
    pub const CERTIFICATE_TRUST: &str = "certificate-trust";
    /// What answers at MAS's host does not speak TLS, or nothing answers.
    pub const TLS_ENDPOINT: &str = "tls-endpoint";
    /// The ClusterIssuer that is to issue MAS's certificate.
    pub const CLUSTER_ISSUER: &str = "cluster-issuer";
    /// A key of the MAS Secret.
    pub const SECRET: &str = "mas-secret";
    /// A key that another component refers to.
    pub const COMPONENT_SECRET: &str = "component-secret";
    /// Bots and bridges that may stop.
    pub const BOTS: &str = "bots-and-bridges";
    /// Tools that lose their administrator's rights.
    pub const ADMIN_TOOLS: &str = "admin-tools";
    /// The encryption secret is one that MAS takes and that can be guessed.
    pub const ENCRYPTION_SECRET_WEAK: &str = "encryption-secret-weak";
    /// The rehearsal.
    pub const REHEARSAL: &str = "rehearsal";
    /// The rehearsal is of another time: long ago, or before an upgrade.
    pub const REHEARSAL_OLD: &str = "rehearsal-old";
    /// The record in the cluster cannot be read.
    pub const RECORD: &str = "record";
    /// Helm owns the manifest.
    pub const OWNED_BY_HELM: &str = "manifest-owned-by-helm";
    /// The installer owns the manifest.
    pub const OWNED_BY_INSTALLER: &str = "manifest-owned-by-installer";
    /// A GitOps tool owns the manifest and reverts changes.
    pub const OWNED_BY_GITOPS: &str = "manifest-owned-by-gitops";
    /// The manifest is applied from somewhere else.
    pub const APPLIED: &str = "manifest-applied";
    /// MAS's host can be reached from here.
    pub const MAS_REACHABLE: &str = "mas-reachable";
    /// MAS's discovery document is one, and offers what clients need.
    pub const MAS_DISCOVERY: &str = "mas-discovery";
    /// MAS's issuer is the one that clients expect.
    pub const MAS_ISSUER: &str = "mas-issuer";
    /// MAS runs with the key of its Secret.
    pub const MAS_SIGNING_KEY: &str = "mas-signing-key";
    /// MAS's login page, which reads its database.
    pub const MAS_LOGIN_PAGE: &str = "mas-login-page";
    /// MAS can begin a login at an identity provider.
    pub const IDP_AT_MAS: &str = "idp-at-mas";
    /// An identity provider knows MAS's redirect URI.
    pub const IDP_REDIRECT_URI: &str = "idp-redirect-uri";
    /// Synapse offers the identity providers of the spec.
    pub const IDP_OFFERED: &str = "idp-offered";
    /// Synapse answers.
    pub const SYNAPSE_REACHABLE: &str = "synapse-reachable";
    /// What Synapse says of MAS.
    pub const SYNAPSE_AUTH_METADATA: &str = "synapse-auth-metadata";
    /// Who answers requests for a login at Synapse's host.
    pub const SYNAPSE_LOGIN: &str = "synapse-login";
    /// Synapse's processes ask MAS about tokens.
    pub const SYNAPSE_ASKS_MAS: &str = "synapse-asks-mas";
    /// A token from before the migration still names its user.
    pub const OLD_TOKEN: &str = "old-token";
    /// What answers for the server name.
    pub const WELL_KNOWN_CLIENT: &str = "well-known-client";
    /// The spec names the hosts to look at.
    pub const OUTSIDE_HOSTS: &str = "outside-hosts";
    /// A way through the cluster to a host.
    pub const OUTSIDE_ROUTE: &str = "outside-route";
    /// A database answers, and is a PostgreSQL server.
    pub const DATABASE_REACHABLE: &str = "database-reachable";
    /// A database takes the login of the spec.
    pub const DATABASE_LOGIN: &str = "database-login";
    /// The connection to a database is protected as `sslMode` has it.
    pub const DATABASE_SSLMODE: &str = "database-sslmode";
    /// The release of PostgreSQL that MAS's database runs on.
    pub const MAS_DATABASE_VERSION: &str = "mas-database-version";
    /// MAS's database is empty.
    pub const MAS_DATABASE_EMPTY: &str = "mas-database-empty";
    /// MAS's role may make its tables.
    pub const MAS_DATABASE_RIGHTS: &str = "mas-database-rights";
    /// The extension that MAS needs.
    pub const MAS_DATABASE_TRIGRAM: &str = "mas-database-pg-trgm";
    /// The encoding of MAS's database.
    pub const MAS_DATABASE_ENCODING: &str = "mas-database-encoding";
    /// MAS's database takes enough connections.
    pub const MAS_DATABASE_CONNECTIONS: &str = "mas-database-connections";
    /// Synapse's tables are where the spec says.
    pub const SYNAPSE_DATABASE_TABLES: &str = "synapse-database-tables";
    /// Guests in Synapse's database.
    pub const SYNAPSE_DATABASE_GUESTS: &str = "synapse-database-guests";
    /// Phone numbers in Synapse's database.
    pub const SYNAPSE_DATABASE_THREEPIDS: &str = "synapse-database-threepids";
    /// Identity providers that users are linked to.
    pub const SYNAPSE_DATABASE_PROVIDERS: &str = "synapse-database-providers";
    /// What an earlier delegation left in Synapse's database.
    pub const SYNAPSE_DATABASE_DELEGATED: &str = "synapse-database-delegated";
    /// Users of other server names.
    pub const SYNAPSE_DATABASE_SERVER_NAME: &str = "synapse-database-server-name";
    /// Rows of users who are not there.
    pub const SYNAPSE_DATABASE_ORPHANS: &str = "synapse-database-orphans";
    /// Users who will not be able to log in.
    pub const SYNAPSE_DATABASE_NO_LOGIN: &str = "synapse-database-no-login";
    /// How large Synapse's tables are.
    pub const SYNAPSE_DATABASE_SIZE: &str = "synapse-database-size";
    /// A dump that was named as the backup.
    pub const BACKUP_FILE: &str = "backup-file";
    /// Those about the manifest's owner.
    pub const OWNERS: [&str; 4] = [OWNED_BY_HELM, OWNED_BY_INSTALLER, OWNED_BY_GITOPS, APPLIED];
}
