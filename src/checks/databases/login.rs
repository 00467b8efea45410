//! Findings about the connection to a database: reachability, login, TLS, version, time limits and poolers.

use crate::answers::Known;
use crate::answers::postgres::{Application, ConnectionSettings, Pooling, ProbeError, Refusal, Server, SslMode};
use crate::checks::finding::{Finding, Severity};

/// Adds findings about the connection; returns the result if there is one.
pub(super) fn judge<'a, T>(
    application: Application,
    place: &'a Result<ConnectionSettings, String>,
    seen: &'a Result<T, ProbeError>,
    server: fn(&T) -> &Server,
    findings: &mut Vec<Finding>,
) -> Option<(&'a ConnectionSettings, &'a T)> {
    match (place, seen) {
        (Err(why), _) => {
            let text = format!("{} database was not checked: {why}", application.word());
            findings.push(Finding::new("database-reachable", Severity::Unknown, application.path(), text));
        }
        (Ok(place), Err(error)) => findings.push(failed(place, error)),
        (Ok(place), Ok(seen)) => {
            reached(place, server(seen), findings);
            return Some((place, seen));
        }
    }
    None
}

fn failed(place: &ConnectionSettings, error: &ProbeError) -> Finding {
    match error {
        ProbeError::NotAsked(why) => place.finding("not-asked", &[("why", why)]),
        ProbeError::NoWay(why) => place.finding("no-way", &[("why", why)]),
        ProbeError::TimedOut => place.finding("timed-out", &[]),
        ProbeError::Lost(why) => place.finding("lost", &[("why", why)]),
        ProbeError::NotPostgres(why) => place.finding("not-postgres", &[("why", why)]),
        ProbeError::NoTls => place.finding("no-tls", &[]),
        ProbeError::Certificate(why) => place.finding("certificate", &[("why", why)]),
        ProbeError::InClear => place.finding("in-clear", &[]),
        ProbeError::Refused(refusal) => pooler(place, &refusal.message, refused(place, refusal)),
        ProbeError::RefusedPrepared(why) => place.finding("refused-prepared", &[("why", why)]),
    }
}

/// Phrases of poolers' error messages in lower case, each after its product. Sources: PgBouncer (`client.c`, `server.c`), pgcat,
/// Amazon RDS Proxy's and Supavisor's documentation, Odyssey, Pgpool-II.
const POOLERS: &str = include_str!("poolers.txt");

/// Adds the pooler's name to a finding about a refusal, if the refusal is a pooler's.
fn pooler(place: &ConnectionSettings, message: &str, finding: Finding) -> Finding {
    let lower = message.to_lowercase();
    let mut known = POOLERS.lines().filter_map(|line| line.split_once(": "));
    let Some((name, _)) = known.rfind(|(_, phrase)| lower.contains(phrase)) else { return finding };
    let mut rejects = weighed(place, "pooler-rejects", &[("pooler", name), ("why", message)]);
    let remedies = [finding.remedy.as_deref(), rejects.remedy.as_deref()];
    rejects.remedy = Some(remedies.into_iter().flatten().collect::<Vec<_>>().join(" "));
    if ["startup parameter", "statement pooling"].iter().any(|words| lower.contains(words)) {
        return rejects;
    }
    let (host, port) = (&place.host, place.port);
    let message = format!("{}; {name}, a connection pooler, responds at {host}:{port}", finding.message);
    Finding { message, remedy: rejects.remedy, ..finding }
}

/// A finding about a pooler: a blocker for MAS, a warning for Synapse, which already works with it.
fn weighed(place: &ConnectionSettings, name: &str, values: &[(&str, &str)]) -> Finding {
    let finding = place.finding(name, values);
    match place.application {
        Application::Mas => finding,
        Application::Synapse => Finding { severity: Severity::Warning, ..finding },
    }
}

/// SQLSTATEs: PostgreSQL's documentation, appendix A.
fn refused(place: &ConnectionSettings, Refusal { state, message }: &Refusal) -> Finding {
    let of_mas = place.application == Application::Mas;
    let name = match state.as_str() {
        "28P01" if of_mas => "password-mas",
        "28P01" => "password-synapse",
        "28000" if message.contains("pg_hba.conf") => "no-entry",
        "28000" if message.contains("not permitted to log in") => "no-login",
        "28000" if of_mas => "no-role-mas",
        "28000" => "no-role-synapse",
        "3D000" if of_mas => "no-database-mas",
        "3D000" => "no-database-synapse",
        "42501" => "no-connect",
        "53300" => "full",
        "57P03" => "not-ready",
        _ => "refused",
    };
    place.finding(name, &[("why", message), ("state", state)])
}

fn reached(place: &ConnectionSettings, server: &Server, findings: &mut Vec<Finding>) {
    let way = if server.through_cluster { " through the cluster" } else { "" };
    let version = server.version.known().map(|version| format!(", PostgreSQL {}", release(*version)));
    findings.push(place.finding("responds", &[("way", way), ("version", &version.unwrap_or_default())]));
    let login = match server {
        Server { prepared: true, .. } => "only-prepared",
        Server { asked_password: true, .. } => "login",
        Server { through_cluster: true, .. } => "no-password-forwarded",
        _ => "no-password",
    };
    findings.push(place.finding(login, &[]));
    findings.extend(tls(place, server));
    if place.application == Application::Mas {
        findings.push(place.judged("version", &server.version, "the server's version", |version| {
            let name = if *version < OLDEST { "version-old" } else { "version" };
            place.finding(name, &[("version", &release(*version))])
        }));
    }
    if server.standby == Known::Known(true) {
        findings.push(place.finding("standby", &[]));
    }
    findings.push(match &server.pooling {
        Pooling::None => place.finding("no-pooler", &[]),
        Pooling::BySession => place.finding("pooler-by-session", &[]),
        Pooling::ByTransaction => weighed(place, "pooler-by-transaction", &[]),
        Pooling::Unclear(why) => place.finding("pooler-unclear", &[("why", why)]),
    });
}

/// The oldest version that MAS's documentation recommends.
const OLDEST: i64 = 130_000;

/// 150018 is 15.18, 90624 was 9.6.24.
fn release(number: i64) -> String {
    if number >= 100_000 {
        format!("{}.{}", number / 10_000, number % 10_000)
    } else {
        format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100)
    }
}

fn tls(place: &ConnectionSettings, server: &Server) -> Option<Finding> {
    let mode = format!("sslmode {}{}", place.mode.word(), if place.mode_set { "" } else { ", the default" });
    let name = match (server.tls, place.mode) {
        (true, _) => "encrypted",
        (false, SslMode::Disable | SslMode::Allow) => "not-encrypted",
        (false, SslMode::Prefer) => "without-tls",
        // The client refuses such a connection.
        (false, _) => return None,
    };
    Some(place.finding(name, &[("sslmode", &mode)]))
}

/// Time limits of the role, its database or the server that can cancel a long migration.
pub(super) fn timeouts(place: &ConnectionSettings, server: &Server) -> Finding {
    place.judged("timeouts", &server.timeouts, "the time limits of the role", |all| {
        let Some((first, _)) = all.first() else { return place.finding("no-timeouts", &[]) };
        let shown = |(name, limit): &(String, i64)| match limit % 1000 {
            0 => format!("{name} is {} s", limit / 1000),
            _ => format!("{name} is {limit} ms"),
        };
        let limits = all.iter().map(shown).collect::<Vec<_>>().join(", ");
        let role = place.user.replace('"', "\"\"");
        let sql = |(name, _): &(String, i64)| format!("ALTER ROLE \"{role}\" SET {name} = 0;");
        let sql = all.iter().map(sql).collect::<Vec<_>>().join(" ");
        place.finding("timeouts", &[("limits", &limits), ("sql", &sql), ("first", first)])
    })
}
