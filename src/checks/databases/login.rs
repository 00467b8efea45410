//! Reaching a database and logging in.

use crate::answers::Known;
use crate::answers::postgres::{Application, ConnectionSettings, Pooling, ProbeError, Refusal, Server, SslMode};
use crate::checks::finding::{Code, Finding};
use crate::checks::settings::DATABASE_POOLER;

const DATABASE_REACHABLE: Code = "database-reachable";
const DATABASE_LOGIN: Code = "database-login";
const DATABASE_SSLMODE: Code = "database-sslmode";
const DATABASE_TIMEOUTS: Code = "database-timeouts";
const MAS_DATABASE_VERSION: Code = "mas-database-version";

/// Says whether a database could be asked; if so, what it said.
pub(super) fn judge<'a, T>(
    application: Application,
    place: &'a Result<ConnectionSettings, String>,
    said: &'a Result<T, ProbeError>,
    server: fn(&T) -> &Server,
    findings: &mut Vec<Finding>,
) -> Option<(&'a ConnectionSettings, &'a T)> {
    match (place, said) {
        (Err(why), _) => {
            let text = format!("{} database was not asked: {why}", application.word());
            findings.push(Finding::unknown(DATABASE_REACHABLE, application.path(), text));
        }
        (Ok(place), Err(error)) => findings.push(trouble(place, error)),
        (Ok(place), Ok(said)) => {
            reached(place, server(said), findings);
            return Some((place, said));
        }
    }
    None
}

/// Why a database said nothing, as a finding.
fn trouble(place: &ConnectionSettings, trouble: &ProbeError) -> Finding {
    let who = place.application.word();
    let at = place.words();
    let inside = "If this host is only known or let in inside the cluster: `kubectl ess-mas check --databases --through-cluster`.";
    let login = |text: String| place.unknown(DATABASE_LOGIN, text);
    let unreached = |text: String| place.unknown(DATABASE_REACHABLE, text);
    match trouble {
        ProbeError::NotAsked(why) => login(format!("{who} database {at} was not asked: {why}")),
        ProbeError::NoWay(why) => unreached(format!("{who} database {at} was not reached from here: {why}")).remedy(inside),
        ProbeError::TimedOut => unreached(format!("{who} database {at}: no answer within the time that it is given"))
            .remedy(inside),
        ProbeError::Lost(why) => unreached(format!("the connection to {who} database {at} ended: {why}"))
            .remedy("Try again; then look into the server's log."),
        ProbeError::NotPostgres(why) => place.blocker(DATABASE_REACHABLE, format!("what answers for {who} database {at} is no PostgreSQL server: {why}"))
            .remedy("Compare host and port with those of the PostgreSQL server."),
        ProbeError::NoTls => place.blocker(DATABASE_SSLMODE, format!("{} insists on TLS (sslmode {}), and the server at {}:{} has none", place.application.program(), place.mode.word(), place.host, place.port))
            .remedy("Turn TLS on at the server, or set sslMode to prefer or disable if the way to it is trusted."),
        ProbeError::Certificate(why) => certificate(place, why),
        ProbeError::InClear => login(format!("the server of {who} database {at} asks for the password in clear over a connection that is not encrypted; it was not sent"))
            .remedy("Let the server ask by scram-sha-256 (pg_hba.conf), or use TLS."),
        ProbeError::Refused(refusal) => pooler(place, &refusal.message, refused(place, refusal, inside)),
        ProbeError::RefusedPrepared(message) => {
            let text = format!("the server refuses role {} of {who} database: {message}", place.user);
            login(format!("{text}. The server was sent the password of Secret {} as SASLprep changes it. {READ_TWO_WAYS}", place.password.0))
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

/// What only poolers write, in lower case, and whose words they are. Sources: PgBouncer (`client.c`, `server.c`), pgcat, Amazon RDS
/// Proxy's and Supavisor's documentation, Odyssey, Pgpool-II.
const POOLERS: &str = include_str!("poolers.txt");

/// Names the pooler in a finding about a refusal, if the words of the refusal are a pooler's.
fn pooler(place: &ConnectionSettings, message: &str, finding: Finding) -> Finding {
    let lower = message.to_lowercase();
    let mut known = POOLERS.lines().filter_map(|line| line.split_once(": "));
    let Some((name, _)) = known.rfind(|(_, phrase)| lower.contains(phrase)) else { return finding };
    let who = client(place);
    let remedy = format!(
        "In {name}, use session pooling (PgBouncer: pool_mode = session, ignore_startup_parameters = extra_float_digits), or use the direct \
         address of the PostgreSQL server."
    );
    let remedy = finding.remedy.as_ref().map_or_else(|| remedy.clone(), |first| format!("{first} {remedy}"));
    let at = format!("{name}, a connection pooler, answers at {}:{}", place.host, place.port);
    if ["startup parameter", "statement pooling"].iter().any(|words| lower.contains(words)) {
        let text = format!("{at} and refuses what {who} needs: {message}");
        return weighed(place, text).remedy(remedy);
    }
    let text = format!("{}; {at}", finding.message);
    Finding { message: text, ..finding }.remedy(remedy)
}

/// Who has to get along with a pooler before a database: Synapse itself does, syn2mas reads its database like MAS.
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
    place.warning(DATABASE_SSLMODE, format!("sslmode {} wants a certificate that can be verified, and seen from here it is not: {why}. Nothing was sent.", place.mode.word()))
        .remedy("If the server's CA is a private one, name it with --ca-certificate; in the cluster, MAS has to know it as well.")
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
        "28P01" => blocker(format!("the server refuses role {user} of {who} database with the password of Secret {secret}, key {key}: {message}"))
            .remedy(match place.application {
            Application::Mas => format!("Give the role that password (`\\password` in psql, as `kubectl ess-mas prepare` prints it), or replace the Secret's: `kubectl ess-mas prepare --replace {key} --database-password-file FILE`."),
            Application::Synapse => "Synapse runs with another password than this one; find out which Secret is the right one.".to_owned(),
        }),
        "28000" if no_entry => unknown(format!("the server of {who} database takes no login of {user} from here: {message}"))
            .remedy(format!("pg_hba.conf has to let {} in from the cluster's pods. {inside}", place.application.program())),
        "28000" if message.contains("not permitted to log in") => {
            blocker(format!("role {user} of {who} database may not log in: {message}"))
                .remedy(format!("As a superuser: ALTER ROLE … LOGIN for {user}."))
        }
        "28000" => blocker(format!("the server refuses role {user} of {who} database: {message}"))
            .remedy(create(place, "Make the role")),
        "3D000" => blocker(format!("there is no database {database} at {}:{}: {message}", place.host, place.port))
            .remedy(create(place, "Make the database")),
        "42501" => blocker(format!("role {user} may not connect to database {database}: {message}"))
            .remedy("As a superuser: GRANT CONNECT ON DATABASE … TO the role, or let it own the database."),
        "53300" => blocker(format!("{who} server takes no more connections: {message}"))
            .remedy("Raise max_connections or the role's limit; syn2mas and MAS need about 20 of them at once."),
        "57P03" => unknown(format!("the server of {who} database takes no connections at the moment: {message}"))
            .remedy("Try again in a while."),
        _ => unknown(format!("the server of {who} database refuses the login of {user}: {message} (SQLSTATE {state})")),
    }
}

fn create(place: &ConnectionSettings, what: &str) -> String {
    match place.application {
        Application::Mas => format!("{what} with the SQL that `kubectl ess-mas prepare` prints."),
        Application::Synapse => "Compare the spec with what Synapse runs with.".to_owned(),
    }
}

fn reached(place: &ConnectionSettings, server: &Server, findings: &mut Vec<Finding>) {
    let who = place.application.word();
    let way = if server.through_cluster { " through the cluster" } else { "" };
    let version = server.version.known().map(|version| format!(", PostgreSQL {}", release(*version)));
    let text = format!("{who} database {} answers{way}{}", place.words(), version.unwrap_or_default());
    findings.push(place.ok(DATABASE_REACHABLE, text));
    findings.push(if server.prepared {
        place.blocker(DATABASE_LOGIN, format!("the server accepts the password of Secret {} only as SASLprep changes it. {READ_TWO_WAYS}, and the server refuses them", place.password.0))
            .remedy(choose_another(place))
    } else if server.asked_password {
        place.ok(DATABASE_LOGIN, format!("role {} logs in with the password of Secret {}", place.user, place.password.0))
    } else {
        place.unknown(DATABASE_LOGIN, format!("the server let role {} in from here without asking for the password, so whether that of Secret {} is right is not known", place.user, place.password.0))
            .remedy(if server.through_cluster {
            "A port-forward ends inside the server's pod, where pg_hba.conf often trusts everybody. Ask without --through-cluster if there is a way."
        } else {
            "pg_hba.conf trusts everybody who comes from here. Try the password from another address."
        })
    });
    findings.extend(tls(place, server));
    findings.extend(version_of(place, server));
    if server.standby == Known::Known(true) {
        let text = format!("{}:{} is a standby, which takes no writes", place.host, place.port);
        findings.push(place.blocker(DATABASE_LOGIN, text).remedy("Name the primary."));
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
        (false, SslMode::Disable | SslMode::Allow) => Some(ok("not encrypted, as is wanted")),
        (false, SslMode::Prefer) => Some(
            place.warning(DATABASE_SSLMODE, format!("the connection to {who} database is not encrypted: the server has no TLS, and that is put up with ({mode})"))
                .remedy("Turn TLS on at the server, or set sslMode to disable if the way to it is trusted, so that nobody relies on it.")),
        // No such connection is made.
        (false, _) => None,
    }
}

/// The oldest that MAS's documentation recommends.
const OLDEST: i64 = 130_000;

fn version_of(place: &ConnectionSettings, server: &Server) -> Option<Finding> {
    if place.application != Application::Mas {
        return None;
    }
    let code = MAS_DATABASE_VERSION;
    Some(match &server.version {
        Known::Unreadable(why) => place.unread(code, "the server's version", why),
        Known::Known(version) if *version < OLDEST => {
            let text = format!("PostgreSQL {} is older than the 13 that MAS asks for", release(*version));
            place.warning(code, text).remedy("Use a newer server for MAS's database.")
        }
        Known::Known(version) => place.ok(code, format!("PostgreSQL {}", release(*version))),
    })
}

/// Limits that end a long migration half-way: of the role, its database or the server.
pub(super) fn timeouts(place: &ConnectionSettings, server: &Server) -> Finding {
    let code = DATABASE_TIMEOUTS;
    place.judged(code, &server.timeouts, "the time limits of the role", |all| {
        let who = place.application.word();
        let Some((first, _)) = all.first() else {
            return place.ok(code, format!("role {} of {who} database has no time limit on statements", place.user));
        };
        let shown = |(name, limit): &(String, i64)| match limit % 1000 {
            0 => format!("{name} is {} s", limit / 1000),
            _ => format!("{name} is {limit} ms"),
        };
        let limits = all.iter().map(shown).collect::<Vec<_>>().join(", ");
        let text = format!("for role {} of {who} database {limits}; the server then cancels a migration that takes longer", place.user);
        let role = place.user.replace('"', "\"\"");
        let sql = |(name, _): &(String, i64)| format!("ALTER ROLE \"{role}\" SET {name} = 0;");
        let sql = all.iter().map(sql).collect::<Vec<_>>().join(" ");
        place.warning(code, text).remedy(format!("For the migration, as a superuser: {sql} A limit of the role in one database needs IN DATABASE as well. Afterwards, RESET {first}."))
    })
}

fn pooling(place: &ConnectionSettings, pooling: &Pooling) -> Finding {
    let who = client(place);
    let at = format!("{}:{}", place.host, place.port);
    let code = DATABASE_POOLER;
    match pooling {
        Pooling::None => place.ok(code, format!("the sessions at {at} are the server's own, no pooler is in between")),
        Pooling::BySession => place.ok(code, format!("a pooler answers at {at}; it left a session with its process of the server, as pooling by session does")),
        Pooling::ByTransaction => {
            let text = format!("a pooler answers at {at} and moved a session to another process of the server between two transactions; {who} needs a session of its own");
            weighed(place, text).remedy("Name the server itself, or let the pooler pool by session.")
        }
        Pooling::Unclear(why) => place.warning(code, format!("a pooler answers at {at}, and how it pools was not to be seen ({why}); {who} needs a session of its own"))
            .remedy("Name the server itself, or make sure that the pooler pools by session."),
    }
}
