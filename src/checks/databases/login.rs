//! Findings about the connection to a database: reachability, login, TLS, version, time limits and poolers.

use crate::answers::Known;
use crate::answers::postgres::{Application, ConnectionSettings, Pooling, ProbeError, Refusal, Server, SslMode};
use crate::checks::finding::{Code, Finding};
use crate::checks::settings::DATABASE_POOLER;

const DATABASE_REACHABLE: Code = "database-reachable";
const DATABASE_LOGIN: Code = "database-login";
const DATABASE_SSLMODE: Code = "database-sslmode";
const DATABASE_TIMEOUTS: Code = "database-timeouts";
const MAS_DATABASE_VERSION: Code = "mas-database-version";

/// Adds findings about the connection; returns the result if there is one.
pub(super) fn judge<'a, T>(
    application: Application,
    place: &'a Result<ConnectionSettings, String>,
    said: &'a Result<T, ProbeError>,
    server: fn(&T) -> &Server,
    findings: &mut Vec<Finding>,
) -> Option<(&'a ConnectionSettings, &'a T)> {
    match (place, said) {
        (Err(why), _) => {
            let text = format!("{} database was not checked: {why}", application.word());
            findings.push(Finding::unknown(DATABASE_REACHABLE, application.path(), text));
        }
        (Ok(place), Err(error)) => findings.push(failed(place, error)),
        (Ok(place), Ok(said)) => {
            reached(place, server(said), findings);
            return Some((place, said));
        }
    }
    None
}

fn failed(place: &ConnectionSettings, error: &ProbeError) -> Finding {
    let who = place.application.word();
    let at = place.words();
    let inside = "If only the cluster can reach this host: `kubectl ess-mas check --databases --through-cluster`.";
    let login = |text: String| place.unknown(DATABASE_LOGIN, text);
    let unreached = |text: String| place.unknown(DATABASE_REACHABLE, text);
    match error {
        ProbeError::NotAsked(why) => login(format!("{who} database {at} was not checked: {why}")),
        ProbeError::NoWay(why) => unreached(format!("{who} database {at} can't be reached from here: {why}")).remedy(inside),
        ProbeError::TimedOut => unreached(format!("{who} database {at} doesn't respond within the time limit"))
            .remedy(inside),
        ProbeError::Lost(why) => unreached(format!("the connection to {who} database {at} was lost: {why}"))
            .remedy("Retry. If it fails again, check the server's log."),
        ProbeError::NotPostgres(why) => place.blocker(DATABASE_REACHABLE, format!("the server of {who} database {at} is not a PostgreSQL server: {why}"))
            .remedy("Check the host and port of the PostgreSQL server."),
        ProbeError::NoTls => place.blocker(DATABASE_SSLMODE, format!("{} requires TLS (sslmode {}), but the server at {}:{} doesn't support it", place.application.program(), place.mode.word(), place.host, place.port))
            .remedy("Enable TLS on the server. If the network is trusted, you can set sslMode to prefer or disable instead."),
        ProbeError::Certificate(why) => certificate(place, why),
        ProbeError::InClear => login(format!("the server of {who} database {at} requests the password in plain text over an unencrypted connection; it was not sent"))
            .remedy("Configure scram-sha-256 in the server's pg_hba.conf, or use TLS."),
        ProbeError::Refused(refusal) => pooler(place, &refusal.message, refused(place, refusal, inside)),
        ProbeError::RefusedPrepared(message) => {
            let text = format!("the server rejects role {} of {who} database: {message}", place.user);
            login(format!("{text}. The login used the password of Secret {} after SASLprep. {READ_TWO_WAYS}", place.password.0))
                .remedy(choose_another(place))
        }
    }
}

const READ_TWO_WAYS: &str = "psql and Synapse apply SASLprep to a password; MAS and syn2mas send its bytes unchanged";

fn choose_another(place: &ConnectionSettings) -> String {
    let (secret, key) = &place.password;
    format!(
        "Choose a password of ASCII letters and digits: set it for role {} with `\\password` in psql, and in Secret {secret}, key {key}.",
        place.user
    )
}

/// Phrases of poolers' error messages in lower case, each after its product. Sources: PgBouncer (`client.c`, `server.c`), pgcat,
/// Amazon RDS Proxy's and Supavisor's documentation, Odyssey, Pgpool-II.
const POOLERS: &str = include_str!("poolers.txt");

/// Adds the pooler's name to a finding about a refusal, if the refusal is a pooler's.
fn pooler(place: &ConnectionSettings, message: &str, finding: Finding) -> Finding {
    let lower = message.to_lowercase();
    let mut known = POOLERS.lines().filter_map(|line| line.split_once(": "));
    let Some((name, _)) = known.rfind(|(_, phrase)| lower.contains(phrase)) else { return finding };
    let who = client(place);
    let remedy = format!(
        "Configure session pooling in {name} (PgBouncer: pool_mode = session, ignore_startup_parameters = extra_float_digits), or use the direct \
         address of the PostgreSQL server."
    );
    let remedy = finding.remedy.as_ref().map_or_else(|| remedy.clone(), |first| format!("{first} {remedy}"));
    let at = format!("{name}, a connection pooler, answers at {}:{}", place.host, place.port);
    if ["startup parameter", "statement pooling"].iter().any(|words| lower.contains(words)) {
        let text = format!("{at} and rejects a request that {who} needs: {message}");
        return weighed(place, text).remedy(remedy);
    }
    let text = format!("{}; {at}", finding.message);
    Finding { message: text, ..finding }.remedy(remedy)
}

/// The program that the pooler must support. Synapse already works with its pooler; syn2mas connects like MAS.
fn client(place: &ConnectionSettings) -> &'static str {
    match place.application {
        Application::Mas => "MAS",
        Application::Synapse => "syn2mas",
    }
}

fn weighed(place: &ConnectionSettings, text: String) -> Finding {
    match place.application {
        Application::Mas => place.blocker(DATABASE_POOLER, text),
        Application::Synapse => place.warning(DATABASE_POOLER, text),
    }
}

fn certificate(place: &ConnectionSettings, why: &str) -> Finding {
    place.warning(DATABASE_SSLMODE, format!("sslmode {} requires a valid certificate, but the server's can't be verified from here: {why}. The login was not attempted.", place.mode.word()))
        .remedy("If a private CA issued the certificate, pass it with --ca-certificate. MAS must trust the same CA in the cluster.")
}

/// SQLSTATEs: PostgreSQL's documentation, appendix A.
fn refused(place: &ConnectionSettings, refusal: &Refusal, inside: &str) -> Finding {
    let Refusal { state, message } = refusal;
    let who = place.application.word();
    let (user, database) = (&place.user, &place.database);
    let (secret, key) = &place.password;
    let blocker = |text: String| place.blocker(DATABASE_LOGIN, text);
    let unknown = |text: String| place.unknown(DATABASE_LOGIN, text);
    let no_entry = message.contains("pg_hba.conf");
    match state.as_str() {
        "28P01" => blocker(format!("the server rejects role {user} of {who} database with the password of Secret {secret}, key {key}: {message}"))
            .remedy(match place.application {
            Application::Mas => format!("Set this password for the role (`\\password` in psql), or replace it in the Secret: `kubectl ess-mas prepare --replace {key} --database-password-file FILE`."),
            Application::Synapse => "Synapse uses another password. Check which Secret contains it.".to_owned(),
        }),
        "28000" if no_entry => unknown(format!("the server of {who} database rejects logins of {user} from here: {message}"))
            .remedy(format!("pg_hba.conf must allow {} to connect from the cluster's pods. {inside}", place.application.program())),
        "28000" if message.contains("not permitted to log in") => {
            blocker(format!("role {user} of {who} database has no LOGIN permission: {message}"))
                .remedy(format!("As a superuser: ALTER ROLE … LOGIN for {user}."))
        }
        "28000" => blocker(format!("the server rejects role {user} of {who} database: {message}"))
            .remedy(create(place, "Create the role")),
        "3D000" => blocker(format!("database {database} doesn't exist at {}:{}: {message}", place.host, place.port))
            .remedy(create(place, "Create the database")),
        "42501" => blocker(format!("role {user} has no CONNECT permission on database {database}: {message}"))
            .remedy("As a superuser: GRANT CONNECT ON DATABASE … TO the role, or make the role its owner."),
        "53300" => blocker(format!("{who} server accepts no more connections: {message}"))
            .remedy("Raise max_connections or the role's limit; syn2mas and MAS together need about 20."),
        "57P03" => unknown(format!("the server of {who} database currently accepts no connections: {message}"))
            .remedy("Retry in a few minutes."),
        _ => unknown(format!("the server of {who} database rejects the login of {user}: {message} (SQLSTATE {state})")),
    }
}

fn create(place: &ConnectionSettings, what: &str) -> String {
    match place.application {
        Application::Mas => format!("{what} with the SQL that `kubectl ess-mas prepare` prints."),
        Application::Synapse => "Compare the spec with Synapse's running configuration.".to_owned(),
    }
}

fn reached(place: &ConnectionSettings, server: &Server, findings: &mut Vec<Finding>) {
    let who = place.application.word();
    let way = if server.through_cluster { " through the cluster" } else { "" };
    let version = server.version.known().map(|version| format!(", PostgreSQL {}", release(*version)));
    let text = format!("{who} database {} responds{way}{}", place.words(), version.unwrap_or_default());
    findings.push(place.ok(DATABASE_REACHABLE, text));
    findings.push(if server.prepared {
        place.blocker(DATABASE_LOGIN, format!("the server accepts the password of Secret {} only after SASLprep. {READ_TWO_WAYS}, so the server rejects them", place.password.0))
            .remedy(choose_another(place))
    } else if server.asked_password {
        place.ok(DATABASE_LOGIN, format!("role {} can log in with the password of Secret {}", place.user, place.password.0))
    } else {
        place.unknown(DATABASE_LOGIN, format!("the server accepts role {} from here without a password, so the password of Secret {} was not tested", place.user, place.password.0))
            .remedy(if server.through_cluster {
            "A port-forward connects from inside the server's pod, where pg_hba.conf often requires no password. If you can, check without --through-cluster."
        } else {
            "pg_hba.conf requires no password from this address. Test the password from another one."
        })
    });
    findings.extend(tls(place, server));
    findings.extend(version_of(place, server));
    if server.standby == Known::Known(true) {
        let text = format!("{}:{} is a standby, which accepts no writes", place.host, place.port);
        findings.push(place.blocker(DATABASE_LOGIN, text).remedy("Use the address of the primary."));
    }
    findings.push(pooling(place, &server.pooling));
}

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
    let who = place.application.word();
    let ok = |how: &str| place.ok(DATABASE_SSLMODE, format!("the connection to {who} database is {how} ({mode})"));
    match (server.tls, place.mode) {
        (true, _) => Some(ok("encrypted with TLS")),
        (false, SslMode::Disable | SslMode::Allow) => Some(ok("not encrypted, as configured")),
        (false, SslMode::Prefer) => {
            let text = format!("the connection to {who} database is not encrypted: the server has no TLS ({mode})");
            let remedy = "Enable TLS on the server, or set sslMode to disable if the network is trusted.";
            Some(place.warning(DATABASE_SSLMODE, text).remedy(remedy))
        }
        // The client refuses such a connection.
        (false, _) => None,
    }
}

/// The oldest version that MAS's documentation recommends.
const OLDEST: i64 = 130_000;

fn version_of(place: &ConnectionSettings, server: &Server) -> Option<Finding> {
    if place.application != Application::Mas {
        return None;
    }
    let code = MAS_DATABASE_VERSION;
    Some(match &server.version {
        Known::Unreadable(why) => place.unread(code, "the server's version", why),
        Known::Known(version) if *version < OLDEST => {
            let text = format!("MAS's database runs on PostgreSQL {}; MAS requires 13 or later", release(*version));
            place.warning(code, text).remedy("Use a newer PostgreSQL server for MAS's database.")
        }
        Known::Known(version) => place.ok(code, format!("MAS's database runs on PostgreSQL {}", release(*version))),
    })
}

/// Time limits of the role, its database or the server that can cancel a long migration.
pub(super) fn timeouts(place: &ConnectionSettings, server: &Server) -> Finding {
    let code = DATABASE_TIMEOUTS;
    place.judged(code, &server.timeouts, "the time limits of the role", |all| {
        let who = place.application.word();
        let Some((first, _)) = all.first() else {
            return place.ok(code, format!("role {} of {who} database has no time limit for statements", place.user));
        };
        let shown = |(name, limit): &(String, i64)| match limit % 1000 {
            0 => format!("{name} is {} s", limit / 1000),
            _ => format!("{name} is {limit} ms"),
        };
        let limits = all.iter().map(shown).collect::<Vec<_>>().join(", ");
        let text = format!("for role {} of {who} database, {limits}; the server cancels a migration that takes longer", place.user);
        let role = place.user.replace('"', "\"\"");
        let sql = |(name, _): &(String, i64)| format!("ALTER ROLE \"{role}\" SET {name} = 0;");
        let sql = all.iter().map(sql).collect::<Vec<_>>().join(" ");
        place.warning(code, text).remedy(format!("For the migration, as a superuser: {sql} For a limit of the role in one database, add IN DATABASE. Afterwards, RESET {first}."))
    })
}

fn pooling(place: &ConnectionSettings, pooling: &Pooling) -> Finding {
    let who = client(place);
    let at = format!("{}:{}", place.host, place.port);
    let code = DATABASE_POOLER;
    match pooling {
        Pooling::None => place.ok(code, format!("{at} is the PostgreSQL server, without a connection pooler")),
        Pooling::BySession => place.ok(code, format!("a connection pooler answers at {at}, and it uses session pooling")),
        Pooling::ByTransaction => {
            let text = format!("a connection pooler answers at {at} and uses transaction pooling; {who} needs session pooling");
            weighed(place, text).remedy("Use the address of the PostgreSQL server, or configure session pooling.")
        }
        Pooling::Unclear(why) => place.warning(code, format!("a connection pooler answers at {at}, and its pooling mode couldn't be determined ({why}); {who} needs session pooling"))
            .remedy("Use the address of the PostgreSQL server, or make sure that the pooler uses session pooling."),
    }
}
