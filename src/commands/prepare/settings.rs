//! Settles MAS's settings: flags, else what is there, else questions with good defaults.

use super::interview::{Interview, Question, draft, host_alone, objection, port, word};
use super::preparation::is_charts;
use crate::checks::{Known, Snapshot, codes, default_secret_name};
use crate::cli::{PrepareArgs, TlsChoice};
use crate::error::Failure;
use crate::plan::{Database, MasSettings, Tls, check_host};
use crate::session::Session;

/// Every setting, or an error that names all flags that are missing.
pub fn resolve(session: &Session, snapshot: &Snapshot, args: &PrepareArgs) -> Result<MasSettings, Failure> {
    let known = snapshot.recorded().and_then(|record| record.settings.clone()).or_else(|| snapshot.settings.clone());
    let mut interview = Interview::new(session);
    let host = host(&mut interview, snapshot, args, known.as_ref())?;
    let database = database(&mut interview, snapshot, args, known.as_ref().map(|known| &known.database), &host)?;
    let mut tls = tls(args, known.as_ref())?;
    if tls == Tls::Inherit && args.tls.is_none() && known.is_none() && interview.can_ask() {
        tls = ask_tls(&mut interview, snapshot)?;
    }
    interview.finish()?;
    let secret_name = secret_name(session, snapshot, args, known.as_ref())?;
    Ok(MasSettings { host, database, tls, secret_name })
}

fn host(
    interview: &mut Interview<'_>,
    snapshot: &Snapshot,
    args: &PrepareArgs,
    known: Option<&MasSettings>,
) -> Result<String, Failure> {
    let in_spec = snapshot.deployment.mas_host().map(str::to_owned);
    let guess = guess_host(snapshot);
    interview.settle(
        &Question { flag: "--host", text: "Host that MAS will be reached at:", default: guess.as_deref() },
        args.host.clone(),
        known.map(|known| known.host.clone()).or(in_spec),
        |text| check_host(text).map_err(|error| format!("{error}.")),
        |host| objection(snapshot, draft(host), &[codes::HOST_TAKEN]),
    )
}

/// The database. What Synapse's connection says stands as the default, and where that is out of the ordinary for the same
/// server, it is asked for.
fn database(
    interview: &mut Interview<'_>,
    snapshot: &Snapshot,
    args: &PrepareArgs,
    known: Option<&Database>,
    mas_host: &str,
) -> Result<Database, Failure> {
    let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
    let written = snapshot.deployment.postgres("matrixAuthenticationService").unwrap_or_default();
    let server = "Host of MAS's PostgreSQL server:";
    let host = interview.settle(
        &Question { flag: "--database-host", text: server, default: synapse.host.as_deref() },
        args.database_host.clone(),
        known.map(|known| known.host.clone()).or(written.host),
        word,
        host_alone,
    )?;
    let fresh = known.is_none() && interview.can_ask();
    let same_server = synapse.host.as_deref() == Some(host.as_str());
    let settled = args.database_port.or(known.map(|known| known.port)).or(written.port);
    let port = match (settled, synapse.port.filter(|port| *port != 5432 && same_server && fresh)) {
        (Some(port), _) => port,
        (None, None) => 5432,
        (None, Some(synapses)) => {
            let synapses = synapses.to_string();
            let question = Question {
                flag: "--database-port",
                text: "Port of that server (Synapse's, by default):",
                default: Some(&synapses),
            };
            interview.settle(&question, None, None, port, |_| None)?.parse().unwrap_or(5432)
        }
    };
    let named = |name: &str, ssl_mode: Option<String>| {
        let database = Database { host: host.clone(), port, name: name.to_owned(), user: "-".to_owned(), ssl_mode };
        MasSettings { database, ..draft(mas_host) }
    };
    let name = interview.settle(
        &Question { flag: "--database-name", text: "Name of MAS's database:", default: Some("mas") },
        args.database_name.clone(),
        known.map(|known| known.name.clone()).or(written.database),
        word,
        |name| objection(snapshot, named(name, None), &[codes::DATABASE_SHARED]),
    )?;
    let user = interview.settle(
        &Question { flag: "--database-user", text: "Role that MAS logs in as:", default: Some("mas") },
        args.database_user.clone(),
        known.map(|known| known.user.clone()).or(written.user),
        word,
        |_| None,
    )?;
    // The spec's may be the API server's default, which nobody settled.
    let known_mode = known.map_or(written.ssl_mode, |known| known.ssl_mode.clone());
    let mut ssl_mode = args.database_sslmode.clone().or(known_mode);
    let unusual = synapse.ssl_mode.as_deref().filter(|mode| *mode != USUAL_SSL_MODE && same_server && fresh);
    if let (None, Some(synapses)) = (&ssl_mode, unusual) {
        let text = format!("sslmode of MAS's connection (Synapse's is {synapses}):");
        let question = Question { flag: "--database-sslmode", text: &text, default: Some(synapses) };
        let object = |mode: &str| objection(snapshot, named(&name, Some(mode.to_owned())), &[codes::SETTINGS]);
        ssl_mode = Some(interview.settle(&question, None, None, word, object)?);
    }
    Ok(Database { host, port, name, user, ssl_mode })
}

/// The operator's default for Synapse's connection, and so nothing to ask about.
const USUAL_SSL_MODE: &str = "require";

/// Asks for the TLS mode where nothing says one: a deployment that sets it for all has settled it for MAS too.
fn ask_tls(interview: &mut Interview<'_>, snapshot: &Snapshot) -> Result<Tls, Failure> {
    if draft("-").tls_mode(&snapshot.deployment).is_some() {
        return Ok(Tls::Inherit);
    }
    let known = snapshot.features.known().and_then(|features| features.tls_modes.clone()).unwrap_or_default();
    let ways: Vec<(&str, &str)> = [
        ("external", "it ends in front of the ingress"),
        ("certmanager", "cert-manager issues one"),
        ("existing", "it is in a Secret that is there"),
    ]
    .into_iter()
    .filter(|(mode, _)| known.is_empty() || known.iter().any(|one| one == mode))
    .collect();
    let options: Vec<String> = ways.iter().map(|(mode, what)| format!("{mode}: {what}")).collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let text = "Where does MAS's certificate come from? No TLS mode is set anywhere.";
    let mode = ways[interview.choose("--tls", text, &options)?].0;
    let name = |interview: &mut Interview<'_>, flag, text| {
        interview.settle(&Question { flag, text, default: None }, None, None, word, |_| None)
    };
    Ok(match mode {
        "certmanager" => Tls::Certmanager { issuer: name(interview, "--issuer", "Name of the ClusterIssuer:")? },
        "existing" => Tls::Existing { secret: name(interview, "--tls-secret", "Name of that Secret:")? },
        _ => Tls::External,
    })
}

fn secret_name(
    session: &Session,
    snapshot: &Snapshot,
    args: &PrepareArgs,
    known: Option<&MasSettings>,
) -> Result<String, Failure> {
    // The chart names a Secret of its own for a component also where it makes none.
    let absent = matches!(snapshot.secret, Known::Known(None));
    let usable = |name: &String| !(absent && is_charts(snapshot, name));
    let name = args
        .secret_name
        .clone()
        .or_else(|| snapshot.deployment.mas_secret_name().map(str::to_owned).filter(usable))
        .or_else(|| known.map(|known| known.secret_name.clone()).filter(usable))
        .unwrap_or_else(|| default_secret_name(&session.target.name));
    let is_label = |label: &str| {
        let plain = label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(Failure::usage(format!("--secret-name: {name:?} is no name of a Secret; nothing was changed")))
}

fn tls(args: &PrepareArgs, known: Option<&MasSettings>) -> Result<Tls, Failure> {
    let refused = |text: String| Failure::usage(text + "; nothing was changed");
    for (given, flag, choice, mode) in [
        (&args.ca_certificate, "--ca-certificate", TlsChoice::Issue, "issue"),
        (&args.issuer, "--issuer", TlsChoice::Certmanager, "certmanager"),
        (&args.tls_secret, "--tls-secret", TlsChoice::Existing, "existing"),
    ] {
        if given.is_some() && args.tls != Some(choice) {
            return Err(refused(format!("{flag} goes with --tls {mode}")));
        }
    }
    if args.tls == Some(TlsChoice::Issue) && args.certificate.is_some() {
        let text = "--tls issue makes a certificate, so --certificate goes with --tls certfile";
        return Err(refused(text.to_owned()));
    }
    let named = |value: &Option<String>, flag: &str, mode: &str| {
        let value = value.clone().filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| refused(format!("--tls {mode} needs {flag} NAME")))
    };
    Ok(match args.tls {
        None => known.map_or(Tls::Inherit, |known| known.tls.clone()),
        Some(TlsChoice::Inherit) => Tls::Inherit,
        Some(TlsChoice::External) => Tls::External,
        Some(TlsChoice::Certmanager) => Tls::Certmanager { issuer: named(&args.issuer, "--issuer", "certmanager")? },
        Some(TlsChoice::Existing) => Tls::Existing { secret: named(&args.tls_secret, "--tls-secret", "existing")? },
        // Issued or given, it is kept in the same place.
        Some(TlsChoice::Certfile | TlsChoice::Issue) => Tls::Certfile,
    })
}

/// `auth.` beside Synapse's host: `matrix.example.com` suggests `auth.example.com`.
fn guess_host(snapshot: &Snapshot) -> Option<String> {
    let deployment = &snapshot.deployment;
    let beside = deployment.ingress_host("synapse").and_then(|host| host.split_once('.')).map(|(_, rest)| rest);
    let domain = beside.filter(|rest| rest.contains('.')).or_else(|| deployment.domain_name())?;
    Some(format!("auth.{domain}"))
}
