//! Searches one configuration of Synapse for settings that conflict with MAS. Stores no values.

use std::collections::HashMap;

use super::oidc::losses;
use super::settings::{of_module, rule};
use super::tree::{Entry, Node, Unread, Yaml, read};
use crate::checks::finding::Finding;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// In `settings.yaml`.
    pub setting: &'static str,
    /// A module's name, the line of another entry, a syntax error; else empty.
    pub detail: String,
    /// Keys joined by dots, list positions in brackets; empty for the whole text.
    pub path: String,
    /// From 1; `None` if the text has no lines.
    pub line: Option<u64>,
}

impl Match {
    /// The finding about `PLACE: KEY, line N`.
    pub(super) fn finding(&self, place: &str) -> Finding {
        let path = if self.path.is_empty() { String::new() } else { format!(": {}", self.path) };
        let line = self.line.map_or_else(String::new, |line| format!(", line {line}"));
        rule(self.setting).finding(format!("{place}{path}{line}"), &self.detail)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Process {
    /// The main process, whose settings syn2mas reads too.
    Main,
    /// A worker, whose settings only Synapse reads.
    Worker,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    pub hits: Vec<Match>,
    /// Number of top-level keys.
    pub keys: usize,
    /// Contains the server name or the database: a complete configuration.
    pub whole: bool,
    /// Synapse sends e-mail, so users can reset passwords.
    pub email: bool,
    pub appservices: bool,
}

/// The result of one configuration of Synapse, without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynapseConfig {
    /// `Secret chat-synapse-main, key instance_template.yaml`.
    pub place: String,
    pub scan: Scan,
}

impl SynapseConfig {
    /// Reads a value of a ConfigMap or Secret; `None` if it is not a configuration of Synapse.
    pub fn read(place: String, text: &str) -> Option<Self> {
        // Skips other files without parsing them.
        if !text.contains("server_name") {
            return None;
        }
        let scan = scan(text, Process::Main);
        scan.whole.then_some(Self { place, scan })
    }

    /// Whether a key of an object can contain a configuration. Objects are named after deployment and component.
    pub fn may_be(deployment: &str, object: &str, key: &str) -> bool {
        let named = object.strip_prefix(deployment).is_some_and(|rest| rest.starts_with("-synapse"));
        named && matches!(key.rsplit_once('.'), Some((_, "yaml" | "yml")))
    }
}

pub fn scan(text: &str, process: Process) -> Scan {
    let (setting, detail, line) = match read(text) {
        Ok(root) if !root.is_set() => return Scan::default(),
        Ok(root) if matches!(root.content, Yaml::Map(_)) => return scan_settings(&root, process),
        Ok(root) => ("no-mapping", "", Some(root.line)),
        Err(Unread::Broken { line, what }) => ("broken", what, Some(line)),
        Err(Unread::Several) => ("broken", "it contains more than one document", None),
        Err(Unread::TooMuch) => ("too-much", "", None),
    };
    Scan { hits: vec![Match { setting, detail: detail.to_owned(), path: String::new(), line }], ..Scan::default() }
}

fn scan_settings(root: &Node, process: Process) -> Scan {
    let mut scanner = Scanner { root, hits: Vec::new() };
    scanner.refused();
    scanner.modules();
    scanner.providers();
    if process == Process::Main {
        scanner.syn2mas();
    }
    scanner.duplicates(root, "", 0);
    let present = |key: &str| root.entry(key).is_some_and(|entry| entry.value.is_set());
    Scan {
        hits: scanner.hits,
        keys: root.entries().len(),
        whole: present("server_name") || present("database"),
        email: present("email"),
        appservices: root.has("app_service_config_files"),
    }
}

/// Limit of findings in one configuration.
const MANY: usize = 100;

struct Scanner<'a> {
    root: &'a Node,
    hits: Vec<Match>,
}

impl<'a> Scanner<'a> {
    fn hit(&mut self, setting: &'static str, detail: impl Into<String>, path: impl Into<String>, line: u64) {
        if self.hits.len() < MANY {
            self.hits.push(Match { setting, detail: detail.into(), path: path.into(), line: Some(line) });
        }
    }

    /// The entry at a path, if its value passes a test.
    fn entry(&self, path: &[&str], test: impl Fn(&Node) -> bool) -> Option<&'a Entry> {
        self.root.at(path).filter(|entry| test(&entry.value))
    }

    /// Settings that Synapse refuses together with MAS. Source: `synapse/config/mas.py`.
    fn refused(&mut self) {
        type Test = fn(&Node) -> bool;
        fn unless_off(section: &Node) -> bool {
            section.is_true() && section.entry("enabled").is_none_or(|enabled| enabled.value.is_true())
        }
        // Synapse ignores a section without one of these two.
        let saml: Test = |section| unless_off(section) && (section.has("sp_config") || section.has("config_path"));
        let on: Test = |node| node.str_to_bool() == Some(true);
        let off: Test = |node| node.str_to_bool() == Some(false);
        let if_on: Test = |section| section.has("enabled");
        let there_but_off: Test = |section| section.is_true() && !section.has("enabled");
        let rows: [(&[&str], &str, Test); 18] = [
            (&["password_config", "enabled"], "password-login", Node::is_true),
            (&["enable_registration"], "registration", on),
            (&["disable_registration"], "registration", off),
            (&["enable_registration_captcha"], "captcha", Node::is_true),
            (&["user_consent"], "consent", Node::is_set),
            (&["enable_3pid_changes"], "threepid-changes", Node::is_true),
            (&["login_via_existing_session", "enabled"], "existing-session", Node::is_true),
            (&["session_lifetime"], "lifetime", Node::is_duration),
            (&["refresh_token_lifetime"], "lifetime", Node::is_duration),
            (&["nonrefreshable_access_token_lifetime"], "lifetime", Node::is_duration),
            (&["saml2_config"], "saml", saml),
            (&["cas_config"], "cas", unless_off),
            (&["jwt_config"], "jwt", if_on),
            (&["oidc_config"], "oidc", if_on),
            (&["experimental_features", "msc3861"], "delegates", if_on),
            (&["experimental_features", "msc3861"], "old-delegation", there_but_off),
            (&["matrix_authentication_service"], "delegates", if_on),
            (&["allow_guest_access"], "guests", Node::is_true),
        ];
        for (path, setting, test) in rows {
            if let Some(entry) = self.entry(path, test) {
                self.hit(setting, "", path.join("."), entry.line);
            }
        }
    }

    fn modules(&mut self) {
        if let Some(entry) = self.entry(&["ldap_config", "enabled"], Node::is_true) {
            self.hit("password-module", "ldap_config", "ldap_config", entry.line);
        }
        for (place, item) in self.listed("password_providers") {
            self.hit("password-module", module(item), place, item.line);
        }
        for (place, item) in self.listed("modules") {
            let name = module(item);
            if let Some(setting) = of_module(&name) {
                self.hit(setting, name, place, item.line);
            }
        }
    }

    /// Items of a top-level list with their paths.
    fn listed(&self, key: &str) -> Vec<(String, &'a Node)> {
        let items = self.root.at(&[key]).map(|entry| entry.value.list()).unwrap_or_default();
        items.iter().enumerate().take(MANY).map(|(index, item)| (format!("{key}[{index}]"), item)).collect()
    }

    fn providers(&mut self) {
        if let Some(list) = self.entry(&["oidc_providers"], Node::is_true) {
            self.hit("oidc", "", "oidc_providers", list.line);
        }
        let legacy = self.root.at(&["oidc_config"]).map(|entry| ("oidc_config".to_owned(), entry.line, &entry.value));
        let listed = self.listed("oidc_providers").into_iter().map(|(place, item)| (place, item.line, item));
        for (place, line, provider) in listed.chain(legacy).collect::<Vec<_>>() {
            for loss in losses(&provider.value()) {
                self.hit(loss.setting, loss.module, format!("{place}.{}", loss.key), line);
            }
        }
    }

    /// Settings that only syn2mas refuses.
    fn syn2mas(&mut self) {
        if let Some(pepper) = self.entry(&["password_config", "pepper"], Node::is_set) {
            let setting = if pepper.value.text() == Some("") { "empty-pepper" } else { "pepper" };
            self.hit(setting, "", "password_config.pepper", pepper.line);
        }
        let passwords = self.root.at(&["password_config", "enabled"]).is_none_or(|entry| entry.value.is_true());
        if let Some(local) =
            self.entry(&["password_config", "localdb_enabled"], |local: &Node| passwords && !local.is_true())
        {
            self.hit("only-external-passwords", "", "password_config.localdb_enabled", local.line);
        }
        let other = |name: &Node| name.text().is_some_and(|driver| driver != "psycopg2");
        if let Some(name) = self.entry(&["database", "name"], other) {
            self.hit("not-postgres", "", "database.name", name.line);
        }
        if let Some(dbname) = self.entry(&["database", "args", "dbname"], Node::is_set) {
            let both = self.entry(&["database", "args", "database"], Node::is_set).is_some();
            let setting = if both { "database-twice" } else { "database-other-key" };
            self.hit(setting, "", "database.args.dbname", dbname.line);
        }
    }

    /// Duplicate keys of a mapping: Synapse silently uses the last one.
    fn duplicates(&mut self, node: &Node, prefix: &str, depth: usize) {
        // Deeper keys belong to modules.
        if depth > 2 {
            return;
        }
        let named = || node.entries().iter().filter_map(|entry| Some((entry.key.as_deref()?, entry)));
        let last: HashMap<&str, &Entry> = named().collect();
        for (key, entry) in named() {
            // Safe to print.
            let shown: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
            let path = if prefix.is_empty() { shown } else { format!("{prefix}.{shown}") };
            if std::ptr::eq(last[key], entry) {
                self.duplicates(&entry.value, &path, depth + 1);
            } else {
                self.hit("duplicate", last[key].line.to_string(), path, entry.line);
            }
        }
    }
}

fn module(item: &Node) -> String {
    let name = item.entry("module").and_then(|module| module.value.text()).unwrap_or("without a name");
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}
