//! The settings of MAS: from flags, else the existing ones, else prompts with defaults. Answers are validated at once.

use super::answers::{database_host, port, word};
use super::preparation::secret_name;
use crate::checks::{self, Purpose, Snapshot, codes};
use crate::cli::{PrepareArgs, TlsChoice};
use crate::deployment::Postgres;
use crate::error::Failure;
use crate::plan::{Database, MasSettings, Tls};
use crate::session::Session;
use crate::terminal::prompt::PromptError;
use crate::x509::HostName;

/// The operator's default for Synapse's connection; needs no prompt.
const USUAL_SSL_MODE: &str = "require";
const USUAL_PORT: u16 = 5432;

/// All settings, or an error with all missing flags.
pub fn resolve(session: &Session, snapshot: &Snapshot, args: &PrepareArgs) -> Result<MasSettings, Failure> {
    let known = snapshot.recorded().and_then(|record| record.settings.clone()).or_else(|| snapshot.settings.clone());
    let mut interview = Prompts { session, snapshot, args, known: known.as_ref(), missing: Vec::new(), begun: false };
    let host = interview.host()?;
    let database = interview.database(&host)?;
    let tls = interview.tls()?;
    if !interview.missing.is_empty() {
        return Err(Failure::usage(format!(
            "missing flags, and no terminal for prompts: {}; nothing was changed",
            interview.missing.join(", ")
        )));
    }
    let secret_name = secret_name(session, snapshot, args.secret_name.as_deref(), known.as_ref())?;
    Ok(MasSettings { host, database, tls, secret_name })
}

/// Resolves one value after the other, and collects the missing flags if there is no terminal.
struct Prompts<'a> {
    session: &'a Session,
    snapshot: &'a Snapshot,
    args: &'a PrepareArgs,
    known: Option<&'a MasSettings>,
    missing: Vec<&'static str>,
    begun: bool,
}

/// A flag, and the prompt for its value.
type Question<'a> = (&'static str, &'a str);

impl Prompts<'_> {
    fn host(&mut self) -> Result<String, Failure> {
        let deployment = &self.snapshot.deployment;
        let in_spec = deployment.mas_host().map(str::to_owned);
        // `auth.` beside Synapse's host: `matrix.example.com` suggests `auth.example.com`.
        let beside = deployment.ingress_host("synapse").and_then(|host| host.split_once('.')).map(|(_, rest)| rest);
        let domain = beside.filter(|rest| rest.contains('.')).or_else(|| deployment.domain_name());
        let guess = domain.map(|domain| format!("auth.{domain}"));
        let known = self.known.map(|known| known.host.clone()).or(in_spec);
        let check =
            |text: &str| HostName::parse(text).map(|host| host.to_string()).map_err(|error| format!("{error}."));
        let snapshot = self.snapshot;
        let object = |host: &str| objection(snapshot, draft(host), codes::HOST_TAKEN);
        let given = self.args.host.as_ref();
        self.answer(("--host", "Host name of MAS:"), given, known, guess.as_deref(), check, object)
    }

    /// Uses Synapse's connection for the defaults, and prompts for unusual values of the same server.
    fn database(&mut self, mas_host: &str) -> Result<Database, Failure> {
        let (snapshot, args) = (self.snapshot, self.args);
        let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
        let known = match self.known.map(|known| known.database.clone()) {
            Some(Database { host, port, name, user, ssl_mode }) => {
                Postgres { host: Some(host), port: Some(port), database: Some(name), user: Some(user), ssl_mode }
            }
            None => snapshot.deployment.postgres("matrixAuthenticationService").unwrap_or_default(),
        };
        let at = |host: &str| {
            let open = draft(mas_host);
            MasSettings { database: Database { host: host.to_owned(), ..open.database }, ..open }
        };
        let question = ("--database-host", "Host of the PostgreSQL server for MAS:");
        let object = |host: &str| objection(snapshot, at(host), codes::DATABASE_HOST);
        let (given, default) = (args.database_host.as_ref(), synapse.host.as_deref());
        let host = self.answer(question, given, known.host, default, database_host, object)?;
        // Unusual values are a default only for the same server.
        let as_synapse = synapse.host.as_deref() == Some(host.as_str()) && self.known.is_none() && self.can_ask();
        let unusual_port = synapse.port.filter(|port| *port != USUAL_PORT && as_synapse);
        let port = match (args.database_port.or(known.port), unusual_port) {
            (Some(port), _) => port,
            (None, None) => USUAL_PORT,
            (None, Some(default)) => {
                let question = ("--database-port", "Port of the PostgreSQL server (default: Synapse's):");
                let answer = self.answer(question, None, None, Some(&default.to_string()), port, |_| None)?;
                answer.parse().unwrap_or(USUAL_PORT)
            }
        };
        let with = |name: &str, user: &str, ssl_mode: Option<String>| {
            let (name, user) = (name.to_owned(), user.to_owned());
            let database = Database { port, name, user, ssl_mode, ..at(&host).database };
            MasSettings { database, ..draft(mas_host) }
        };
        let question = ("--database-name", "Name of the database for MAS:");
        let object = |name: &str| objection(snapshot, with(name, "-", None), codes::DATABASE_SHARED);
        let name = self.answer(question, args.database_name.as_ref(), known.database, Some("mas"), word, object)?;
        let question = ("--database-user", "PostgreSQL role of MAS:");
        let object = |user: &str| objection(snapshot, with("-", user, None), codes::DATABASE_ROLE);
        let user = self.answer(question, args.database_user.as_ref(), known.user, Some("mas"), word, object)?;
        // The value in the spec may be a default of the API server.
        let mut ssl_mode = args.database_sslmode.clone().or(known.ssl_mode);
        let unusual = synapse.ssl_mode.as_deref().filter(|mode| *mode != USUAL_SSL_MODE && as_synapse);
        if let (None, Some(default)) = (&ssl_mode, unusual) {
            let text = format!("sslmode of the connection (Synapse uses {default}):");
            let object = |mode: &str| objection(snapshot, with(&name, &user, Some(mode.to_owned())), codes::SETTINGS);
            let question = ("--database-sslmode", text.as_str());
            ssl_mode = Some(self.answer(question, None, None, Some(default), word, object)?);
        }
        Ok(Database { host, port, name, user, ssl_mode })
    }

    fn tls(&mut self) -> Result<Tls, Failure> {
        let args = self.args;
        let refused = |text: String| Failure::usage(text + "; nothing was changed");
        for (given, flag, choice, mode) in [
            (&args.ca_certificate, "--ca-certificate", TlsChoice::Issue, "issue"),
            (&args.issuer, "--issuer", TlsChoice::Certmanager, "certmanager"),
            (&args.tls_secret, "--tls-secret", TlsChoice::Existing, "existing"),
        ] {
            if given.is_some() && args.tls != Some(choice) {
                return Err(refused(format!("{flag} requires --tls {mode}")));
            }
        }
        if args.tls == Some(TlsChoice::Issue) && args.certificate.is_some() {
            let text = "--tls issue creates the certificate; to use --certificate, pass --tls certfile";
            return Err(refused(text.to_owned()));
        }
        let named = |value: &Option<String>, flag: &str, mode: &str| {
            let value = value.clone().filter(|value| !value.trim().is_empty());
            value.ok_or_else(|| refused(format!("--tls {mode} requires {flag} NAME")))
        };
        Ok(match args.tls {
            None if self.known.is_none() && self.can_ask() => self.ask_tls()?,
            None => self.known.map_or(Tls::Inherit, |known| known.tls.clone()),
            Some(TlsChoice::Inherit) => Tls::Inherit,
            Some(TlsChoice::External) => Tls::External,
            Some(TlsChoice::Certmanager) => {
                Tls::Certmanager { issuer: named(&args.issuer, "--issuer", "certmanager")? }
            }
            Some(TlsChoice::Existing) => Tls::Existing { secret: named(&args.tls_secret, "--tls-secret", "existing")? },
            // The certificate is in the same Secret in both cases.
            Some(TlsChoice::Certfile | TlsChoice::Issue) => Tls::Certfile,
        })
    }

    /// Prompts for the TLS mode, unless the deployment sets one globally.
    fn ask_tls(&mut self) -> Result<Tls, Failure> {
        if draft("-").tls_mode(&self.snapshot.deployment).is_some() {
            return Ok(Tls::Inherit);
        }
        let offered =
            self.snapshot.features.known().and_then(|features| features.tls_modes.clone()).unwrap_or_default();
        let mut modes = vec![
            ("external", "TLS terminates in front of the ingress"),
            ("certmanager", "cert-manager issues the certificate"),
            ("existing", "the certificate is in an existing Secret"),
        ];
        modes.retain(|(mode, _)| offered.is_empty() || offered.iter().any(|one| one == mode));
        let options: Vec<String> = modes.iter().map(|(mode, what)| format!("{mode}: {what}")).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let text = "Source of the MAS certificate (the deployment sets no TLS mode):";
        self.begin();
        let chosen = self.session.ui().choose(text, &options);
        Ok(match modes[chosen.map_err(|error| Failure::unanswered(error, "--tls"))?].0 {
            "certmanager" => Tls::Certmanager { issuer: self.name(("--issuer", "Name of the ClusterIssuer:"))? },
            "existing" => Tls::Existing { secret: self.name(("--tls-secret", "Name of the Secret:"))? },
            _ => Tls::External,
        })
    }

    fn can_ask(&self) -> bool {
        self.session.ui().terminal.can_ask()
    }

    /// Prints an introduction before the first prompt.
    fn begin(&mut self) {
        if self.can_ask() && !std::mem::replace(&mut self.begun, true) {
            let place = self.session.place();
            self.session.ui().status(format!(
                "Settings of MAS for {place}. Press Enter for the default in brackets, or Ctrl-C to exit without changes."
            ));
        }
    }

    fn name(&mut self, question: Question<'_>) -> Result<String, Failure> {
        self.answer(question, None, None, None, word, |_| None)
    }

    /// The value of the flag, else the existing one, else an answer. `check` validates the syntax; `object` returns why an
    /// answer is unsuitable. An unsuitable flag becomes a finding later.
    fn answer(
        &mut self,
        (flag, text): Question<'_>,
        given: Option<&String>,
        known: Option<String>,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<String, String>,
        object: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Failure> {
        if let Some(given) = given {
            return check(given).map_err(|problem| Failure::usage(format!("{flag}: {problem} Nothing was changed.")));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        let validate = |text: &str| {
            let value = check(text)?;
            object(&value).map_or(Ok(value), Err)
        };
        let default = default.filter(|default| validate(default).is_ok());
        self.begin();
        match self.session.ui().text(text, default, validate) {
            Ok(answer) => Ok(answer),
            Err(PromptError::NoTerminal) => {
                self.missing.push(flag);
                Ok(String::new())
            }
            Err(error) => Err(Failure::unanswered(error, flag)),
        }
    }
}

/// Incomplete settings; the placeholders match no other component's values.
fn draft(host: &str) -> MasSettings {
    let open = || "-".to_owned();
    let database = Database { host: open(), port: USUAL_PORT, name: open(), user: open(), ssl_mode: None };
    MasSettings { host: host.to_owned(), database, tls: Tls::Inherit, secret_name: open() }
}

/// Why the finding with this code would block these settings, in the words of `check`.
fn objection(snapshot: &Snapshot, settings: MasSettings, code: &str) -> Option<String> {
    let candidate = Snapshot { settings: Some(settings), ..snapshot.clone() };
    let found = checks::run(&candidate, Purpose::Prepare);
    let finding = found.iter().find(|finding| finding.blocks() && finding.code == code)?;
    let remedy = finding.remedy.as_deref().map_or_else(String::new, |remedy| format!(" {remedy}"));
    Some(format!("Not possible: {}.{remedy}", finding.message.trim_end_matches('.')))
}
