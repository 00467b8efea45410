//! Settles MAS's settings: flags, else what is there, else questions with good defaults.

use super::super::exit::Failure;
use super::super::session::Session;
use crate::checks::{Snapshot, default_secret_name};
use crate::cli::{PrepareArgs, TlsChoice};
use crate::plan::{Database, MasSettings, Tls, check_host};
use crate::terminal::prompt::PromptError;

/// Every setting, or an error that names all flags that are missing.
pub fn resolve(session: &Session, snapshot: &Snapshot, args: &PrepareArgs) -> Result<MasSettings, Failure> {
    let known = snapshot.recorded().and_then(|record| record.settings.clone()).or_else(|| snapshot.settings.clone());
    let in_spec = snapshot.deployment.postgres("matrixAuthenticationService");
    let spec_host = snapshot.deployment.mas_host().map(str::to_owned);
    let mut asker = Asker { session, missing: Vec::new() };

    let guess = guess_host(snapshot);
    let host = asker.settle(
        "--host",
        args.host.clone(),
        known.as_ref().map(|known| known.host.clone()).or(spec_host),
        "Host that MAS will be reached at:",
        guess.as_deref(),
        |text| check_host(text).map_err(|error| format!("{error}.")),
    )?;
    let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
    let known_database = known.as_ref().map(|known| known.database.clone());
    let from = |pick: fn(&Database) -> String| known_database.as_ref().map(pick);
    let written = in_spec.unwrap_or_default();
    let database_host = asker.settle(
        "--database-host",
        args.database_host.clone(),
        from(|database| database.host.clone()).or(written.host),
        "Host of MAS's PostgreSQL server:",
        synapse.host.as_deref(),
        word,
    )?;
    let name = asker.settle(
        "--database-name",
        args.database_name.clone(),
        from(|database| database.name.clone()).or(written.database),
        "Name of MAS's database:",
        Some("mas"),
        word,
    )?;
    let user = asker.settle(
        "--database-user",
        args.database_user.clone(),
        from(|database| database.user.clone()).or(written.user),
        "Role that MAS logs in as:",
        Some("mas"),
        word,
    )?;
    asker.finish()?;
    let port =
        args.database_port.or(known_database.as_ref().map(|database| database.port)).or(written.port).unwrap_or(5432);
    // The spec's may be the API server's default, which nobody settled.
    let known_mode = known_database.map_or(written.ssl_mode, |database| database.ssl_mode);
    let ssl_mode = args.database_sslmode.clone().or(known_mode);
    let secret_name = secret_name(session, snapshot, args, known.as_ref())?;
    Ok(MasSettings {
        host,
        database: Database { host: database_host, port, name, user, ssl_mode },
        tls: tls(args, known.as_ref())?,
        secret_name,
    })
}

fn secret_name(
    session: &Session,
    snapshot: &Snapshot,
    args: &PrepareArgs,
    known: Option<&MasSettings>,
) -> Result<String, Failure> {
    let name = args
        .secret_name
        .clone()
        .or_else(|| snapshot.deployment.mas_secret_name().map(str::to_owned))
        .or_else(|| known.map(|known| known.secret_name.clone()))
        .unwrap_or_else(|| default_secret_name(&session.target.name));
    let valid = !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        });
    if valid {
        Ok(name)
    } else {
        Err(Failure::usage(format!("--secret-name: {name:?} is no name of a Secret; nothing was changed")))
    }
}

fn tls(args: &PrepareArgs, known: Option<&MasSettings>) -> Result<Tls, Failure> {
    let needs = |flag: &str, mode: &str| Failure::usage(format!("--tls {mode} needs {flag}; nothing was changed"));
    let only = |given: &Option<String>, flag: &str, mode: &str| match given {
        Some(_) => Err(Failure::usage(format!("{flag} goes with --tls {mode}; nothing was changed"))),
        None => Ok(()),
    };
    if args.tls != Some(TlsChoice::Issue) {
        only(&args.ca_certificate, "--ca-certificate", "issue")?;
    } else if args.certificate.is_some() {
        return Err(Failure::usage(
            "--tls issue makes a certificate, so --certificate goes with --tls certfile; nothing was changed",
        ));
    }
    let Some(choice) = args.tls else {
        only(&args.issuer, "--issuer", "certmanager")?;
        only(&args.tls_secret, "--tls-secret", "existing")?;
        return Ok(known.map_or(Tls::Inherit, |known| known.tls.clone()));
    };
    if choice != TlsChoice::Certmanager {
        only(&args.issuer, "--issuer", "certmanager")?;
    }
    if choice != TlsChoice::Existing {
        only(&args.tls_secret, "--tls-secret", "existing")?;
    }
    let filled = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    Ok(match choice {
        TlsChoice::Inherit => Tls::Inherit,
        TlsChoice::External => Tls::External,
        TlsChoice::Certmanager => {
            Tls::Certmanager { issuer: filled(&args.issuer).ok_or_else(|| needs("--issuer NAME", "certmanager"))? }
        }
        TlsChoice::Existing => {
            Tls::Existing { secret: filled(&args.tls_secret).ok_or_else(|| needs("--tls-secret NAME", "existing"))? }
        }
        // Issued or given, it is kept in the same place.
        TlsChoice::Certfile | TlsChoice::Issue => Tls::Certfile,
    })
}

/// `auth.` beside Synapse's host: `matrix.example.com` suggests `auth.example.com`.
fn guess_host(snapshot: &Snapshot) -> Option<String> {
    let deployment = &snapshot.deployment;
    let beside = deployment.ingress_host("synapse").and_then(|host| host.split_once('.')).map(|(_, rest)| rest);
    let domain = beside.filter(|rest| rest.contains('.')).or_else(|| deployment.domain_name())?;
    Some(format!("auth.{domain}"))
}

fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("One word is needed here, without spaces.".to_owned());
    }
    Ok(text.to_owned())
}

/// Settles one value after the other, and remembers the flags of those that could not be asked for.
struct Asker<'a> {
    session: &'a Session,
    missing: Vec<&'static str>,
}

impl Asker<'_> {
    fn settle(
        &mut self,
        flag: &'static str,
        given: Option<String>,
        known: Option<String>,
        question: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<String, String>,
    ) -> Result<String, Failure> {
        if let Some(given) = given {
            return check(&given).map_err(|problem| Failure::usage(format!("{flag}: {problem} Nothing was changed.")));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        match self.session.ui().text(question, default, check) {
            Ok(answer) => Ok(answer),
            Err(PromptError::NoTerminal) => {
                self.missing.push(flag);
                Ok(String::new())
            }
            Err(error) => Err(Failure::unanswered(error, flag)),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        if self.missing.is_empty() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "these are needed and there is no terminal to ask on: {}; nothing was changed",
            self.missing.join(", ")
        )))
    }
}
