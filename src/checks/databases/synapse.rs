//! Synapse's database: rows that make syn2mas refuse, warn or fail.

use super::expected::Expected;
use super::report::{FEW, count, list, thousands};
use crate::answers::Known;
use crate::answers::postgres::{ConnectionSettings, Foreign, SynapseDatabase};
use crate::checks::finding::Finding;

/// Rows per second, a cautious estimate: a laptop migrates 1000 users with their rows in 100 ms (MAS's authors), matrix.org
/// far more.
const ROWS_PER_SECOND: i64 = 10_000;
/// The provider of rows that an earlier delegation to MAS left; syn2mas refuses them.
const DELEGATED: &str = "oauth-delegated";

pub(super) fn check(expected: &Expected, place: &ConnectionSettings, seen: &SynapseDatabase) -> Vec<Finding> {
    if seen.is_synapses != Known::Known(true) {
        let what = "whether Synapse's tables exist";
        return vec![place.judged("no-synapse", &seen.is_synapses, what, |_| place.finding("no-synapse", &[]))];
    }
    let mut findings = Vec::new();
    // These rows matter only before the migration.
    if !expected.migrated {
        findings.push(place.judged("guests", &seen.guests, "the number of guests", |number| match number {
            0 => place.finding("no-guests", &[]),
            _ => place.finding("guests", &[("number", &count(*number, "guest", "guests"))]),
        }));
        findings.push(threepids(place, &seen.threepids));
        findings.extend(providers(expected, place, &seen.providers));
        findings.push(foreign(expected, place, &seen.foreign));
        findings.extend(orphans(place, &seen.orphans));
        let what = "users without a way to log in";
        findings.push(place.judged("all-log-in", &seen.no_login, what, |number| {
            let name = match number {
                0 => "all-log-in",
                _ if expected.ldap => "only-ldap",
                _ => "no-way-to-log-in",
            };
            place.finding(name, &[("number", &count(*number, "active user has", "active users have"))])
        }));
    }
    findings.push(sizes(place, &seen.sizes));
    findings
}

fn threepids(place: &ConnectionSettings, threepids: &Known<Vec<(String, i64)>>) -> Finding {
    place.judged("threepids", threepids, "phone numbers and other addresses", |all| {
        // `msisdn` is the specification's word for a phone number.
        let word = |medium: &String| if medium == "msisdn" { "phone numbers".to_owned() } else { medium.clone() };
        let words: Vec<(String, i64)> = all.iter().map(|(medium, number)| (word(medium), *number)).collect();
        place.finding(if all.is_empty() { "only-email" } else { "threepids" }, &[("all", &list(&words))])
    })
}

fn providers(expected: &Expected, place: &ConnectionSettings, read: &Known<Vec<(String, i64)>>) -> Vec<Finding> {
    let all = match read {
        Known::Unreadable(why) => return vec![place.unread("providers", "the identity providers in use", why)],
        Known::Known(all) => all,
    };
    let mut findings = Vec::new();
    findings.push(match all.iter().find(|(name, _)| name == DELEGATED) {
        Some((_, number)) => place.finding("delegated", &[("rows", &count(*number, "row", "rows"))]),
        None => place.finding("not-delegated", &[]),
    });
    let used = all.iter().filter(|(name, _)| name != DELEGATED).cloned();
    let (known, strange): (Vec<_>, Vec<_>) = used.partition(|(name, _)| expected.providers.contains(name));
    if !known.is_empty() {
        findings.push(place.finding("providers", &[("all", &list(&known))]));
    } else if strange.is_empty() {
        findings.push(place.finding("no-providers", &[]));
    }
    if !strange.is_empty() {
        findings.push(not_configured(expected, place, &strange));
    }
    findings
}

fn not_configured(expected: &Expected, place: &ConnectionSettings, strange: &[(String, i64)]) -> Finding {
    let few: Vec<&str> = expected.providers.iter().take(FEW).map(String::as_str).collect();
    let configured =
        if few.is_empty() { "none is configured".to_owned() } else { format!("configured: {}", few.join(", ")) };
    let has = |one: &str| strange.iter().any(|(name, _)| name == one);
    let never = has("saml") || has("cas");
    let remedy = if never {
        "Users of SAML or CAS can't be migrated; ask Element Support before you continue."
    } else if has("oidc") {
        "Older releases of Synapse named their only provider `oidc`. Ask Element Support before you change rows, and keep the provider's idpId."
    } else {
        "If a provider was removed or its idpId changed, restore it with that id, or remove the links with Synapse's admin API."
    };
    let name = if expected.more_providers && !never { "providers-unclear" } else { "providers-missing" };
    place.finding(name, &[("all", &list(strange)), ("configured", &configured), ("remedy", remedy)])
}

fn foreign(expected: &Expected, place: &ConnectionSettings, foreign: &Known<Foreign>) -> Finding {
    place.judged("server-name", foreign, "users of other server names", |foreign| {
        let services = ("user of an application service is", "users of application services are");
        let (finding, number) = match foreign {
            Foreign { people: 0, services: 0 } => ("server-name", String::new()),
            Foreign { people: 0, services: number } => ("foreign-services", count(*number, services.0, services.1)),
            Foreign { people, .. } => ("foreign-users", count(*people, "user is", "users are")),
        };
        let name = expected.server_name.as_deref().unwrap_or_default();
        place.finding(finding, &[("number", &number), ("name", name)])
    })
}

fn orphans(place: &ConnectionSettings, orphans: &[(&'static str, Known<i64>)]) -> Vec<Finding> {
    let (mut findings, mut found) = (Vec::new(), Vec::new());
    let mut all_read = !orphans.is_empty();
    for (table, number) in orphans {
        match number {
            Known::Unreadable(why) => {
                all_read = false;
                findings.push(place.unread("orphans", &format!("rows without a user in {table}"), why));
            }
            Known::Known(0) => {}
            Known::Known(number) => found.push(((*table).to_owned(), *number)),
        }
    }
    if !found.is_empty() {
        findings.push(place.finding("orphans", &[("all", &list(&found)), ("sql", &remove(&found))]));
    } else if all_read {
        findings.push(place.finding("no-orphans", &[]));
    }
    findings
}

fn remove(found: &[(String, i64)]) -> String {
    let one = |(table, _): &(String, i64)| {
        let hidden = if table == "devices" { "NOT coalesce(t.hidden, false) AND " } else { "" };
        format!("DELETE FROM {table} t WHERE {hidden}NOT EXISTS (SELECT 1 FROM users u WHERE u.name = t.user_id);")
    };
    found.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn sizes(place: &ConnectionSettings, sizes: &Known<Vec<(String, Option<i64>)>>) -> Finding {
    place.judged("sizes", sizes, "the sizes of the tables", |all| {
        if all.iter().all(|(_, rows)| rows.is_none()) {
            return place.finding("no-sizes", &[]);
        }
        let rows = |rows: Option<i64>| rows.map_or_else(|| "unknown".to_owned(), thousands);
        let shown = all.iter().map(|(name, number)| format!("{name} {}", rows(*number))).collect::<Vec<_>>().join(", ");
        let time = about(copying_seconds(all.iter().filter_map(|(_, rows)| *rows).sum()));
        place.finding("sizes", &[("all", &shown), ("time", &time)])
    })
}

/// An estimate of at least one second.
pub(super) fn copying_seconds(rows: i64) -> i64 {
    (rows / ROWS_PER_SECOND).max(1)
}

fn about(seconds: i64) -> String {
    if seconds < 120 { count(seconds, "second", "seconds") } else { count((seconds + 59) / 60, "minute", "minutes") }
}
