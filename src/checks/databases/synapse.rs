//! Synapse's database: rows that make syn2mas refuse, warn or fail.

use super::expected::Expected;
use super::report::{FEW, count, list, thousands};
use crate::answers::Known;
use crate::answers::postgres::{ConnectionSettings, Foreign, SynapseDatabase};
use crate::checks::finding::{Code, Finding};

const SYNAPSE_DATABASE_TABLES: Code = "synapse-database-tables";
const SYNAPSE_DATABASE_GUESTS: Code = "synapse-database-guests";
const SYNAPSE_DATABASE_THREEPIDS: Code = "synapse-database-threepids";
const SYNAPSE_DATABASE_PROVIDERS: Code = "synapse-database-providers";
const SYNAPSE_DATABASE_DELEGATED: Code = "synapse-database-delegated";
const SYNAPSE_DATABASE_SERVER_NAME: Code = "synapse-database-server-name";
const SYNAPSE_DATABASE_ORPHANS: Code = "synapse-database-orphans";
const SYNAPSE_DATABASE_NO_LOGIN: Code = "synapse-database-no-login";
const SYNAPSE_DATABASE_SIZE: Code = "synapse-database-size";

/// Rows per second, a cautious estimate: a laptop migrates 1000 users with their rows in 100 ms (MAS's authors), matrix.org
/// far more.
const ROWS_PER_SECOND: i64 = 10_000;
/// The provider of rows that an earlier delegation to MAS left; syn2mas refuses them.
const DELEGATED: &str = "oauth-delegated";

pub(super) fn check(
    expected: &Expected,
    place: &ConnectionSettings,
    said: &SynapseDatabase,
    findings: &mut Vec<Finding>,
) {
    if said.is_synapses != Known::Known(true) {
        let code = SYNAPSE_DATABASE_TABLES;
        findings.push(place.judged(code, &said.is_synapses, "whether Synapse's tables exist", |_| {
            let text =
                format!("{} contains no tables of Synapse that are visible to role {}", place.words(), place.user);
            let remedy = "Compare the spec with Synapse's running configuration, and check the role's search_path.";
            place.blocker(code, text).remedy(remedy)
        }));
        return;
    }
    // These rows matter only before the migration.
    if !expected.migrated {
        findings.push(guests(place, &said.guests));
        findings.push(threepids(place, &said.threepids));
        providers(expected, place, &said.providers, findings);
        findings.push(foreign(expected, place, &said.foreign));
        orphans(place, &said.orphans, findings);
        findings.push(no_login(expected, place, &said.no_login));
    }
    findings.push(sizes(place, &said.sizes));
}

fn guests(place: &ConnectionSettings, guests: &Known<i64>) -> Finding {
    let code = SYNAPSE_DATABASE_GUESTS;
    place.judged(code, guests, "the number of guests", |number| {
        if *number == 0 {
            return place.ok(code, "Synapse has no guest accounts");
        }
        let guests = count(*number, "guest", "guests");
        let text = format!("Synapse has {guests}; syn2mas warns about them, which can make the dry run fail. Their accounts are migrated, their sessions are not");
        let remedy = "If they are not needed, deactivate them with Synapse's admin API. The warning remains until their rows are removed.";
        place.warning(code, text).remedy(remedy)
    })
}

fn threepids(place: &ConnectionSettings, threepids: &Known<Vec<(String, i64)>>) -> Finding {
    let code = SYNAPSE_DATABASE_THREEPIDS;
    place.judged(code, threepids, "phone numbers and other addresses", |all| {
        if all.is_empty() {
            return place.ok(code, "users have only e-mail addresses, no phone numbers or other addresses");
        }
        // `msisdn` is the specification's word for a phone number.
        let word = |medium: &String| if medium == "msisdn" { "phone numbers".to_owned() } else { medium.clone() };
        let all: Vec<(String, i64)> = all.iter().map(|(medium, number)| (word(medium), *number)).collect();
        let text = format!("users have addresses other than e-mail: {}; syn2mas warns about them, and MAS stores them but doesn't use them", list(&all));
        let remedy = "If the dry run fails because of this warning, remove them with Synapse's admin API. Otherwise, no action is needed.";
        place.warning(code, text).remedy(remedy)
    })
}

fn providers(
    expected: &Expected,
    place: &ConnectionSettings,
    providers: &Known<Vec<(String, i64)>>,
    findings: &mut Vec<Finding>,
) {
    let code = SYNAPSE_DATABASE_PROVIDERS;
    let all = match providers {
        Known::Unreadable(why) => {
            findings.push(place.unread(code, "the identity providers in use", why));
            return;
        }
        Known::Known(all) => all,
    };
    findings.push(match all.iter().find(|(name, _)| name == DELEGATED) {
        Some((_, number)) => place.blocker(SYNAPSE_DATABASE_DELEGATED, format!("Synapse's database has {} from an earlier delegation to MAS (auth_provider {DELEGATED}); syn2mas refuses to migrate", count(*number, "row", "rows")))
            .remedy(format!("If that MAS no longer exists, back up Synapse's database, then: DELETE FROM user_external_ids WHERE auth_provider = '{DELEGATED}';")),
        None => place.ok(SYNAPSE_DATABASE_DELEGATED, "Synapse's database has no rows from an earlier delegation to MAS"),
    });
    let used: Vec<(String, i64)> = all.iter().filter(|(name, _)| name != DELEGATED).cloned().collect();
    let (known, strange): (Vec<_>, Vec<_>) = used.into_iter().partition(|(name, _)| expected.providers.contains(name));
    if !known.is_empty() {
        findings.push(place.ok(code, format!("all identity providers in use are configured: {}", list(&known))));
    } else if strange.is_empty() {
        findings.push(place.ok(code, "no users are linked to an identity provider"));
    }
    if !strange.is_empty() {
        findings.push(not_configured(expected, place, &strange));
    }
}

fn not_configured(expected: &Expected, place: &ConnectionSettings, strange: &[(String, i64)]) -> Finding {
    let code = SYNAPSE_DATABASE_PROVIDERS;
    let configured = if expected.providers.is_empty() {
        "none is configured".to_owned()
    } else {
        let few: Vec<&str> = expected.providers.iter().take(FEW).map(String::as_str).collect();
        format!("configured: {}", few.join(", "))
    };
    let names = list(strange);
    let text = format!(
        "users are linked to identity providers that are not in the spec: {names} ({configured}); syn2mas refuses to migrate them"
    );
    let never = strange.iter().any(|(name, _)| name == "saml" || name == "cas");
    let old = strange.iter().any(|(name, _)| name == "oidc");
    let remedy = if never {
        "Users of SAML or CAS can't be migrated; ask Element Support before you continue."
    } else if old {
        "Older releases of Synapse named their only provider `oidc`. Ask Element Support before you change rows, and keep the provider's idpId."
    } else {
        "If a provider was removed or its idpId changed, restore it with that id, or remove the links with Synapse's admin API."
    };
    if expected.more_providers && !never {
        return place
            .unknown(code, format!("{text}, unless Synapse's free-form settings configure them"))
            .remedy(remedy);
    }
    place.blocker(code, text).remedy(remedy)
}

fn foreign(expected: &Expected, place: &ConnectionSettings, foreign: &Known<Foreign>) -> Finding {
    let code = SYNAPSE_DATABASE_SERVER_NAME;
    let name = expected.server_name.as_deref().unwrap_or_default();
    match foreign {
        Known::Unreadable(why) => place.unread(code, "users of other server names", why),
        Known::Known(Foreign { people: 0, services: 0 }) => place.ok(code, format!("every user belongs to server name {name}")),
        Known::Known(Foreign { people: 0, services }) => place.warning(code, format!("{} not of the form @name:{name}; syn2mas skips them, but fails if they have devices or tokens", count(*services, "user of an application service is", "users of application services are")))
            .remedy("Ask Element Support if the dry run fails with `failed to extract localpart`."),
        Known::Known(Foreign { people, .. }) => place.blocker(code, format!("{} not of the form @name:{name}; syn2mas fails with `failed to extract localpart`, and its own check doesn't detect it", count(*people, "user is", "users are")))
            .remedy("Check that spec.global.config.domainName is Synapse's server_name. If it is, ask Element Support how to remove these users."),
    }
}

fn orphans(place: &ConnectionSettings, orphans: &[(&'static str, Known<i64>)], findings: &mut Vec<Finding>) {
    let code = SYNAPSE_DATABASE_ORPHANS;
    let mut found = Vec::new();
    let mut all_read = !orphans.is_empty();
    for (table, number) in orphans {
        match number {
            Known::Unreadable(why) => {
                all_read = false;
                findings.push(place.unread(code, &format!("rows without a user in {table}"), why));
            }
            Known::Known(0) => {}
            Known::Known(number) => found.push(((*table).to_owned(), *number)),
        }
    }
    if !found.is_empty() {
        let text = format!(
            "rows refer to users that don't exist: {}; syn2mas fails with `was not found for migration`",
            list(&found)
        );
        let remedy =
            format!("Back up Synapse's database, then remove the rows, or ask Element Support: {}", remove(&found));
        findings.push(place.blocker(code, text).remedy(remedy));
    } else if all_read {
        findings.push(place.ok(code, "every device, token, address and link belongs to an existing user"));
    }
}

fn remove(found: &[(String, i64)]) -> String {
    let one = |(table, _): &(String, i64)| {
        let hidden = if table == "devices" { "NOT coalesce(t.hidden, false) AND " } else { "" };
        format!("DELETE FROM {table} t WHERE {hidden}NOT EXISTS (SELECT 1 FROM users u WHERE u.name = t.user_id);")
    };
    found.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn no_login(expected: &Expected, place: &ConnectionSettings, no_login: &Known<i64>) -> Finding {
    let code = SYNAPSE_DATABASE_NO_LOGIN;
    match no_login {
        Known::Unreadable(why) => place.unread(code, "users without a way to log in", why),
        Known::Known(0) => place.ok(code, "every active user has a password or a link to an identity provider"),
        Known::Known(number) if expected.ldap => place.warning(code, format!("{} neither a password nor a link to a configured identity provider. After the migration, only those in LDAP can log in (ESS 25.10.1 and later)", count(*number, "active user has", "active users have")))
            .remedy("Compare the number with the number of users in LDAP. After the migration, first test a login as one of them."),
        Known::Known(number) => place.warning(code, format!("{} neither a password nor a link to a configured identity provider, and can't log in after the migration; existing sessions stay valid", count(*number, "active user has", "active users have")))
            .remedy("No action is needed for bots that use a token. For other users, set a password, or configure the provider to link them by name."),
    }
}

fn sizes(place: &ConnectionSettings, sizes: &Known<Vec<(String, Option<i64>)>>) -> Finding {
    let code = SYNAPSE_DATABASE_SIZE;
    let all = match sizes {
        Known::Unreadable(why) => return place.unread(code, "the sizes of the tables", why),
        Known::Known(all) => all,
    };
    if all.iter().all(|(_, rows)| rows.is_none()) {
        let text = "PostgreSQL has not estimated the number of rows yet; autovacuum does it";
        return place.ok(code, text);
    }
    let shown = |(name, rows): &(String, Option<i64>)| match rows {
        Some(rows) => format!("{name} {}", thousands(*rows)),
        None => format!("{name} unknown"),
    };
    let text = all.iter().map(shown).collect::<Vec<_>>().join(", ");
    let time = about(copying_seconds(all.iter().filter_map(|(_, rows)| *rows).sum()));
    place.ok(code, format!("rows to copy, estimated by PostgreSQL: {text}. Copying takes about {time}; the dry run measures the real time"))
}

/// An estimate of at least one second.
pub(super) fn copying_seconds(rows: i64) -> i64 {
    (rows / ROWS_PER_SECOND).max(1)
}

fn about(seconds: i64) -> String {
    if seconds < 120 { count(seconds, "second", "seconds") } else { count((seconds + 59) / 60, "minute", "minutes") }
}
