//! Synapse's database: what syn2mas refuses, warns of or stumbles over, counted beforehand.

use super::count::{FEW, count, list, thousands};
use super::expected::Expected;
use crate::answers::Known;
use crate::answers::postgres::{Foreign, Place, SynapseSaid};
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

/// Rows that are copied in a second, as a cautious floor: a laptop did 1000 users with all that hangs on them in 100 ms
/// (MAS's authors), matrix.org far more.
const ROWS_PER_SECOND: i64 = 10_000;
/// What an earlier delegation to MAS left; syn2mas refuses it.
const DELEGATED: &str = "oauth-delegated";

pub(super) fn check(expected: &Expected, place: &Place, said: &SynapseSaid, findings: &mut Vec<Finding>) {
    if said.is_synapses != Known::Known(true) {
        let code = SYNAPSE_DATABASE_TABLES;
        findings.push(place.judged(code, &said.is_synapses, "whether Synapse's tables are there", |_| {
            let text = format!("{} holds no tables of a Synapse that role {} could see", place.words(), place.user);
            let remedy = "Compare the spec with what Synapse runs with, and the role's search_path.";
            place.blocker(code, text).remedy(remedy)
        }));
        return;
    }
    // The migration is done: what it would have stumbled over is of no interest any more.
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

fn guests(place: &Place, guests: &Known<i64>) -> Finding {
    let code = SYNAPSE_DATABASE_GUESTS;
    place.judged(code, guests, "the number of guests", |number| {
        if *number == 0 {
            return place.ok(code, "no guests");
        }
        let guests = count(*number, "guest", "guests");
        let text = format!("{guests}; syn2mas warns of them, which is enough to fail a dry run that checks first. They come along, their logins do not");
        let remedy = "Deactivate them through Synapse's admin API if nobody needs them; the warning stays as long as their rows do.";
        place.warning(code, text).remedy(remedy)
    })
}

fn threepids(place: &Place, threepids: &Known<Vec<(String, i64)>>) -> Finding {
    let code = SYNAPSE_DATABASE_THREEPIDS;
    place.judged(code, threepids, "phone numbers and the like", |all| {
        if all.is_empty() {
            return place.ok(code, "no phone numbers or other addresses beside e-mail");
        }
        // `msisdn` is the specification's word for a phone number.
        let word = |medium: &String| if medium == "msisdn" { "phone numbers".to_owned() } else { medium.clone() };
        let all: Vec<(String, i64)> = all.iter().map(|(medium, number)| (word(medium), *number)).collect();
        let text = format!("addresses of users that are no e-mail addresses: {}; syn2mas warns of them, and MAS keeps them without using them", list(&all));
        let remedy = "Nothing has to be done if nobody relies on them. If the dry run fails on the warning, remove them through Synapse's admin API.";
        place.warning(code, text).remedy(remedy)
    })
}

fn providers(expected: &Expected, place: &Place, providers: &Known<Vec<(String, i64)>>, findings: &mut Vec<Finding>) {
    let code = SYNAPSE_DATABASE_PROVIDERS;
    let all = match providers {
        Known::Unreadable(why) => {
            findings.push(place.unread(code, "the identity providers in use", why));
            return;
        }
        Known::Known(all) => all,
    };
    findings.push(match all.iter().find(|(name, _)| name == DELEGATED) {
        Some((_, number)) => place.blocker(SYNAPSE_DATABASE_DELEGATED, format!("{} from an earlier delegation to MAS (auth_provider {DELEGATED}); syn2mas refuses to migrate with them", count(*number, "row", "rows")))
            .remedy(format!("If that MAS is gone for good, with Synapse's database backed up: DELETE FROM user_external_ids WHERE auth_provider = '{DELEGATED}';")),
        None => place.ok(SYNAPSE_DATABASE_DELEGATED, "nothing is left of an earlier delegation"),
    });
    let used: Vec<(String, i64)> = all.iter().filter(|(name, _)| name != DELEGATED).cloned().collect();
    let (known, strange): (Vec<_>, Vec<_>) = used.into_iter().partition(|(name, _)| expected.providers.contains(name));
    if !known.is_empty() {
        findings.push(place.ok(code, format!("identity providers in use, and configured: {}", list(&known))));
    } else if strange.is_empty() {
        findings.push(place.ok(code, "no user is linked to an identity provider"));
    }
    if !strange.is_empty() {
        findings.push(not_configured(expected, place, &strange));
    }
}

fn not_configured(expected: &Expected, place: &Place, strange: &[(String, i64)]) -> Finding {
    let code = SYNAPSE_DATABASE_PROVIDERS;
    let configured = if expected.providers.is_empty() {
        "none is configured".to_owned()
    } else {
        let few: Vec<&str> = expected.providers.iter().take(FEW).map(String::as_str).collect();
        format!("configured are {}", few.join(", "))
    };
    let names = list(strange);
    let text = format!(
        "users are linked to identity providers that the spec does not have: {names} ({configured}); syn2mas refuses to migrate them"
    );
    let never = strange.iter().any(|(name, _)| name == "saml" || name == "cas");
    let old = strange.iter().any(|(name, _)| name == "oidc");
    let remedy = if never {
        "Users of SAML or CAS cannot be migrated; ask Element's support before anything else."
    } else if old {
        "`oidc` is how Synapse named its only provider before it could have several. Ask Element's support before changing rows; the provider's idpId must not be changed."
    } else {
        "Has a provider been removed, or its idpId changed? Bring it back under that id, or have the links removed through Synapse's admin API."
    };
    if expected.more_providers && !never {
        return place
            .unknown(code, format!("{text} unless they are among those in Synapse's free-form settings"))
            .remedy(remedy);
    }
    place.blocker(code, text).remedy(remedy)
}

fn foreign(expected: &Expected, place: &Place, foreign: &Known<Foreign>) -> Finding {
    let code = SYNAPSE_DATABASE_SERVER_NAME;
    let name = expected.server_name.as_deref().unwrap_or_default();
    match foreign {
        Known::Unreadable(why) => place.unread(code, "users of other server names", why),
        Known::Known(Foreign { people: 0, services: 0 }) => place.ok(code, format!("every user is of {name}")),
        Known::Known(Foreign { people: 0, services }) => place.warning(code, format!("{} not of the form @name:{name}; syn2mas skips them, and stumbles over their devices and tokens if there are any", count(*services, "user of an application service is", "users of application services are")))
            .remedy("Ask Element's support if the dry run ends with `failed to extract localpart`."),
        Known::Known(Foreign { people, .. }) => place.blocker(code, format!("{} not of the form @name:{name}; syn2mas ends with `failed to extract localpart`, and its check beforehand does not see it", count(*people, "user is", "users are")))
            .remedy("Is spec.global.config.domainName Synapse's server_name? If so, have these users removed; ask Element's support how."),
    }
}

fn orphans(place: &Place, orphans: &[(&'static str, Known<i64>)], findings: &mut Vec<Finding>) {
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
            "rows of users who are not there: {}; syn2mas ends with `was not found for migration`",
            list(&found)
        );
        let remedy =
            format!("With Synapse's database backed up, remove them, or ask Element's support: {}", remove(&found));
        findings.push(place.blocker(code, text).remedy(remedy));
    } else if all_read {
        findings.push(place.ok(code, "every device, token, address and link belongs to a user"));
    }
}

fn remove(found: &[(String, i64)]) -> String {
    let one = |(table, _): &(String, i64)| {
        let hidden = if table == "devices" { "NOT coalesce(t.hidden, false) AND " } else { "" };
        format!("DELETE FROM {table} t WHERE {hidden}NOT EXISTS (SELECT 1 FROM users u WHERE u.name = t.user_id);")
    };
    found.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn no_login(expected: &Expected, place: &Place, no_login: &Known<i64>) -> Finding {
    let code = SYNAPSE_DATABASE_NO_LOGIN;
    match no_login {
        Known::Unreadable(why) => place.unread(code, "users without a way to log in", why),
        Known::Known(0) => place.ok(code, "every active user has a password or a link to an identity provider"),
        Known::Known(number) if expected.ldap => place.warning(code, format!("{} neither a password nor a link to a configured identity provider. Those of LDAP are among them, and log in through it after the migration (ESS 25.10.1 and later); the others will not be able to", count(*number, "active user has", "active users have")))
            .remedy("Compare the number with that of the people in LDAP. After the migration log in as one of them before everybody does."),
        Known::Known(number) => place.warning(code, format!("{} neither a password nor a link to a configured identity provider, and will not be able to log in; sessions that they have go on", count(*number, "active user has", "active users have")))
            .remedy("Bots with a token of their own are such users, which is in order. For people: set a password, or let the provider link them by their name."),
    }
}

fn sizes(place: &Place, sizes: &Known<Vec<(String, Option<i64>)>>) -> Finding {
    let code = SYNAPSE_DATABASE_SIZE;
    let all = match sizes {
        Known::Unreadable(why) => return place.unread(code, "the sizes of tables", why),
        Known::Known(all) => all,
    };
    if all.iter().all(|(_, rows)| rows.is_none()) {
        let text = "PostgreSQL has no estimate of the numbers of rows yet; it makes one by itself (autovacuum)";
        return place.ok(code, text);
    }
    let shown = |(name, rows): &(String, Option<i64>)| match rows {
        Some(rows) => format!("{name} {}", thousands(*rows)),
        None => format!("{name} never counted"),
    };
    let text = all.iter().map(shown).collect::<Vec<_>>().join(", ");
    let time = about(copying_seconds(all.iter().filter_map(|(_, rows)| *rows).sum()));
    place.ok(code, format!("rows to copy, as PostgreSQL estimates them: {text}. Copying them takes about {time}; the dry run measures it"))
}

/// An estimate, and at least one.
pub(super) fn copying_seconds(rows: i64) -> i64 {
    (rows / ROWS_PER_SECOND).max(1)
}

fn about(seconds: i64) -> String {
    if seconds < 120 { count(seconds, "second", "seconds") } else { count((seconds + 59) / 60, "minute", "minutes") }
}
