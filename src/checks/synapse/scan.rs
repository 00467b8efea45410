//! Looks through one configuration of Synapse for what cannot stay. Pure, and keeps no value of it.

use std::collections::HashMap;

use super::super::oidc::{Loss, losses};
use super::tree::{Entry, Kind, Node, Unread, read};
use super::value::{is_duration, is_true, str_to_bool, text};

/// Something that stands in a configuration and matters to the migration. What is to be said about each is in
/// `super::words`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `password_config.enabled` is set to something that Python takes for true.
    PasswordLogin,
    Registration,
    Captcha,
    Consent,
    ThreepidChanges,
    ExistingSession,
    /// One of the three settings that limit how long logins last.
    Lifetime,
    /// A module that checks passwords, by its name.
    PasswordModule(String),
    /// A module of which this is not known, by its name.
    UnknownModule(String),
    Oidc,
    /// An access restriction or another setting of an OIDC provider that MAS does not take over.
    Provider(Loss),
    Saml,
    Cas,
    Jwt,
    /// `experimental_features.msc3861` or `matrix_authentication_service`.
    Delegates,
    /// `experimental_features.msc3861` is there, but not on.
    OldDelegation,
    Guests,
    Pepper,
    EmptyPepper,
    /// `password_config.localdb_enabled` is off: only something else checks passwords.
    OnlyExternalPasswords,
    NotPostgres,
    /// `database.args` has the database's name twice.
    DatabaseTwice,
    /// Only `dbname`, beside which the operator writes `database`.
    DatabaseOtherKey,
    /// The key comes again; the line of the last one, which counts.
    Duplicate(u64),
    /// It is not YAML; what is wrong.
    Broken(&'static str),
    /// It is YAML, but no mapping.
    NoMapping,
    /// It is larger or deeper than is looked at, or of a type of its own.
    TooMuch,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub setting: Setting,
    /// Keys joined by dots, list positions in brackets; empty for the whole text.
    pub path: String,
    /// From 1; `None` where the text has no lines of its own.
    pub line: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// Synapse's main process, which syn2mas reads as well.
    Main,
    /// A worker's own part, which only Synapse reads.
    Worker,
}

/// What was found in one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    pub hits: Vec<Hit>,
    /// How many keys the outermost mapping has.
    pub keys: usize,
    /// It names the server or its database, so it is a whole configuration and not a part of one.
    pub whole: bool,
    /// Synapse sends e-mail, so passwords can be reset.
    pub email: bool,
    pub appservices: bool,
}

pub fn scan(text: &str, process: Process) -> Scan {
    match read(text) {
        Ok(root) => scan_tree(&root, process),
        Err(unread) => {
            let (setting, line) = match unread {
                Unread::Broken { line, what } => (Setting::Broken(what), Some(line)),
                Unread::Several => (Setting::Broken("there is more than one document in it"), None),
                Unread::TooMuch => (Setting::TooMuch, None),
            };
            Scan { hits: vec![Hit { setting, path: String::new(), line }], ..Scan::default() }
        }
    }
}

fn scan_tree(root: &Node, process: Process) -> Scan {
    if root.is_null() {
        return Scan::default();
    }
    let Kind::Map(entries) = &root.kind else {
        let hit = Hit { setting: Setting::NoMapping, path: String::new(), line: Some(root.line) };
        return Scan { hits: vec![hit], ..Scan::default() };
    };
    let mut look = Look { root, hits: Vec::new() };
    look.refused();
    look.modules();
    look.providers();
    if process == Process::Main {
        look.syn2mas();
    }
    look.duplicates(root, "", 0);
    let present = |key: &str| root.entry(key).is_some_and(|entry| !entry.value.is_null());
    Scan {
        hits: look.hits,
        keys: entries.len(),
        whole: present("server_name") || present("database"),
        email: present("email"),
        appservices: root.entry("app_service_config_files").is_some_and(|entry| is_true(&entry.value)),
    }
}

/// Modules that check passwords: Synapse refuses them once logins are MAS's. Source: Synapse's module API.
const PASSWORD_MODULES: &[&str] = &[
    "ldap_auth_provider.",
    "synapse.util.ldap_auth_provider.",
    "shared_secret_authenticator.",
    "rest_auth_provider.",
    "synapse_http_auth.",
    "ldap3_auth_provider.",
    "pam_auth_provider.",
    "synapse_simple_antispam_auth.",
];

/// Modules that are known to have nothing to do with logging in.
const HARMLESS_MODULES: &[&str] = &[
    "mjolnir.",
    "synapse_domain_rule_checker.",
    "synapse_auto_accept_invite.",
    "synapse_auto_invite.",
    "synapse_simple_antispam.",
    "synapse_s3_storage_provider.",
    "s3_storage_provider.",
    "synapse_invite_checker.",
    "synapse_user_restrictions.",
    "synapse_room_access_rules.",
    "room_access_rules.",
    "matrix_content_scanner.",
    "synapse_email_account_validity.",
    "email_account_validity.",
    "ldap_group_sync.",
    "manage_last_admin.",
    "freeze_room.",
];

/// More findings than this help nobody.
const MANY: usize = 100;

struct Look<'a> {
    root: &'a Node,
    hits: Vec<Hit>,
}

impl Look<'_> {
    fn hit(&mut self, setting: Setting, path: impl Into<String>, line: u64) {
        if self.hits.len() < MANY {
            self.hits.push(Hit { setting, path: path.into(), line: Some(line) });
        }
    }

    fn entry(&self, path: &[&str]) -> Option<&Entry> {
        self.root.at(path)
    }

    /// The settings of which Synapse says itself that they exclude MAS. Source: `synapse/config/mas.py`.
    fn refused(&mut self) {
        type Test = fn(&Node) -> bool;
        let is_set: Test = |node| !node.is_null();
        let not_false: Test = |node| str_to_bool(node) == Some(false);
        let on: Test = |node| str_to_bool(node) == Some(true);
        let unless_off: Test =
            |section| is_true(section) && section.entry("enabled").is_none_or(|enabled| is_true(&enabled.value));
        // Synapse passes over a section without one of these two.
        let saml: Test = |section| {
            let has = |key: &str| section.entry(key).is_some_and(|entry| is_true(&entry.value));
            is_true(section)
                && section.entry("enabled").is_none_or(|enabled| is_true(&enabled.value))
                && (has("sp_config") || has("config_path"))
        };
        let if_on: Test = |section| section.entry("enabled").is_some_and(|enabled| is_true(&enabled.value));
        let there_but_off: Test =
            |section| is_true(section) && !section.entry("enabled").is_some_and(|e| is_true(&e.value));
        let rows: [(&[&str], Setting, Test); 18] = [
            (&["password_config", "enabled"], Setting::PasswordLogin, is_true),
            (&["enable_registration"], Setting::Registration, on),
            (&["disable_registration"], Setting::Registration, not_false),
            (&["enable_registration_captcha"], Setting::Captcha, is_true),
            (&["user_consent"], Setting::Consent, is_set),
            (&["enable_3pid_changes"], Setting::ThreepidChanges, is_true),
            (&["login_via_existing_session", "enabled"], Setting::ExistingSession, is_true),
            (&["session_lifetime"], Setting::Lifetime, is_duration),
            (&["refresh_token_lifetime"], Setting::Lifetime, is_duration),
            (&["nonrefreshable_access_token_lifetime"], Setting::Lifetime, is_duration),
            (&["saml2_config"], Setting::Saml, saml),
            (&["cas_config"], Setting::Cas, unless_off),
            (&["jwt_config"], Setting::Jwt, if_on),
            (&["oidc_config"], Setting::Oidc, if_on),
            (&["experimental_features", "msc3861"], Setting::Delegates, if_on),
            (&["experimental_features", "msc3861"], Setting::OldDelegation, there_but_off),
            (&["matrix_authentication_service"], Setting::Delegates, if_on),
            (&["allow_guest_access"], Setting::Guests, is_true),
        ];
        for (path, setting, test) in rows {
            if let Some(entry) = self.entry(path).filter(|entry| test(&entry.value)) {
                let line = entry.line;
                self.hit(setting, path.join("."), line);
            }
        }
    }

    fn modules(&mut self) {
        let ldap = self.entry(&["ldap_config", "enabled"]).filter(|entry| is_true(&entry.value));
        if let Some(line) = ldap.map(|entry| entry.line) {
            self.hit(Setting::PasswordModule("ldap_config".to_owned()), "ldap_config", line);
        }
        for (path, element, line, name) in self.listed("password_providers") {
            self.hit(Setting::PasswordModule(name), format!("{path}[{element}]"), line);
        }
        for (path, element, line, name) in self.listed("modules") {
            let of = |known: &[&str]| known.iter().any(|prefix| name.starts_with(prefix));
            let place = format!("{path}[{element}]");
            if of(PASSWORD_MODULES) {
                self.hit(Setting::PasswordModule(name), place, line);
            } else if !of(HARMLESS_MODULES) {
                self.hit(Setting::UnknownModule(name), place, line);
            }
        }
    }

    /// The modules of a list: its key, their positions, lines and names.
    fn listed(&self, key: &'static str) -> Vec<(&'static str, usize, u64, String)> {
        let items = self.entry(&[key]).map(|entry| entry.value.list()).unwrap_or_default();
        let name = |node: &Node| {
            let module = node.entry("module").and_then(|module| text(&module.value));
            module.unwrap_or("without a name").chars().filter(|c| !c.is_control()).take(100).collect::<String>()
        };
        items.iter().enumerate().take(MANY).map(|(index, item)| (key, index, item.line, name(item))).collect()
    }

    fn providers(&mut self) {
        let list = self.entry(&["oidc_providers"]).filter(|entry| is_true(&entry.value));
        if let Some(line) = list.map(|entry| entry.line) {
            self.hit(Setting::Oidc, "oidc_providers", line);
        }
        let items = self.entry(&["oidc_providers"]).map(|entry| entry.value.list()).unwrap_or_default();
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate().take(MANY) {
            found.extend(losses(item).into_iter().map(|loss| (loss, format!("oidc_providers[{index}]"), item.line)));
        }
        if let Some(legacy) = self.entry(&["oidc_config"]) {
            let all = losses(&legacy.value).into_iter();
            found.extend(all.map(|loss| (loss, "oidc_config".to_owned(), legacy.line)));
        }
        for (loss, place, line) in found {
            let path = format!("{place}.{}", loss.key());
            self.hit(Setting::Provider(loss), path, line);
        }
    }

    /// What syn2mas looks at beyond Synapse.
    fn syn2mas(&mut self) {
        if let Some(pepper) = self.entry(&["password_config", "pepper"]).filter(|entry| !entry.value.is_null()) {
            let empty = text(&pepper.value).is_some_and(str::is_empty);
            let setting = if empty { Setting::EmptyPepper } else { Setting::Pepper };
            let line = pepper.line;
            self.hit(setting, "password_config.pepper", line);
        }
        let on = self.entry(&["password_config", "enabled"]).is_none_or(|entry| is_true(&entry.value));
        let local = self.entry(&["password_config", "localdb_enabled"]).filter(|entry| on && !is_true(&entry.value));
        if let Some(line) = local.map(|entry| entry.line) {
            self.hit(Setting::OnlyExternalPasswords, "password_config.localdb_enabled", line);
        }
        self.database();
    }

    fn database(&mut self) {
        if let Some(name) = self.entry(&["database", "name"])
            && let Some(driver) = text(&name.value)
            && driver != "psycopg2"
        {
            let line = name.line;
            self.hit(Setting::NotPostgres, "database.name", line);
        }
        let set = |key: &str| self.entry(&["database", "args", key]).filter(|entry| !entry.value.is_null());
        let hit = match (set("dbname"), set("database")) {
            (Some(dbname), Some(_)) => Some((Setting::DatabaseTwice, dbname.line)),
            (Some(dbname), None) => Some((Setting::DatabaseOtherKey, dbname.line)),
            _ => None,
        };
        if let Some((setting, line)) = hit {
            self.hit(setting, "database.args.dbname", line);
        }
    }

    /// Keys that come twice in one mapping: the last one counts, silently.
    fn duplicates(&mut self, node: &Node, prefix: &str, depth: usize) {
        // What is deeper belongs to modules and the like.
        if depth > 2 {
            return;
        }
        let entries = node.entries();
        let named = entries.iter().enumerate().filter_map(|(index, entry)| Some((entry.key.as_deref()?, index)));
        let last: HashMap<&str, usize> = named.collect();
        for (index, entry) in entries.iter().enumerate() {
            let Some(key) = entry.key.as_deref() else { continue };
            let path = || if prefix.is_empty() { shown(key) } else { format!("{prefix}.{}", shown(key)) };
            match last.get(key) {
                Some(last) if *last != index => {
                    let line = entries[*last].line;
                    self.hit(Setting::Duplicate(line), path(), entry.line);
                }
                _ if entry.value.entries().is_empty() => {}
                _ => self.duplicates(&entry.value, &path(), depth + 1),
            }
        }
    }
}

/// A key that somebody typed, fit for a line of a terminal.
fn shown(key: &str) -> String {
    key.chars().filter(|c| !c.is_control()).take(60).collect()
}
