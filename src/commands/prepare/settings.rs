//! Settles MAS's settings: flags, else what is there, else questions with good defaults, each answer judged at once.

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

/// The operator's default for Synapse's connection, and so nothing to ask about.
const USUAL_SSL_MODE: &str = "require";
const USUAL_PORT: u16 = 5432;

/// Every setting, or an error that names all flags that are missing.
pub fn resolve(session: &Session, snapshot: &Snapshot, args: &PrepareArgs) -> Result<MasSettings, Failure> {
    let known = snapshot.recorded().and_then(|record| record.settings.clone()).or_else(|| snapshot.settings.clone());
    let mut interview = Interview { session, snapshot, args, known: known.as_ref(), missing: Vec::new(), begun: false };
    let host = interview.host()?;
    let database = interview.database(&host)?;
    let tls = interview.tls()?;
    if !interview.missing.is_empty() {
        return Err(Failure::usage(format!(
            "these are needed and there is no terminal to ask on: {}; nothing was changed",
            interview.missing.join(", ")
        )));
    }
    let secret_name = secret_name(session, snapshot, args.secret_name.as_deref(), known.as_ref())?;
    Ok(MasSettings { host, database, tls, secret_name })
}

/// Settles one value after the other, and remembers the flags of those that nobody can be asked for.
struct Interview<'a> {
    session: &'a Session,
    snapshot: &'a Snapshot,
    args: &'a PrepareArgs,
    known: Option<&'a MasSettings>,
    missing: Vec<&'static str>,
    begun: bool,
}

struct Question<'a> {
    /// The flag that answers it in scripts.
    flag: &'static str,
    text: &'a str,
    given: Option<String>,
    known: Option<String>,
    default: Option<&'a str>,
}

impl Interview<'_> {
    fn host(&mut self) -> Result<String, Failure> {
        let deployment = &self.snapshot.deployment;
        let in_spec = deployment.mas_host().map(str::to_owned);
        // `auth.` beside Synapse's host: `matrix.example.com` suggests `auth.example.com`.
        let beside = deployment.ingress_host("synapse").and_then(|host| host.split_once('.')).map(|(_, rest)| rest);
        let domain = beside.filter(|rest| rest.contains('.')).or_else(|| deployment.domain_name());
        let guess = domain.map(|domain| format!("auth.{domain}"));
        let question = Question {
            flag: "--host",
            text: "Host that MAS will be reached at:",
            given: self.args.host.clone(),
            known: self.known.map(|known| known.host.clone()).or(in_spec),
            default: guess.as_deref(),
        };
        let check =
            |text: &str| HostName::parse(text).map(|host| host.to_string()).map_err(|error| format!("{error}."));
        let snapshot = self.snapshot;
        self.settle(question, check, |host| objection(snapshot, draft(host), codes::HOST_TAKEN))
    }

    /// What Synapse's connection says stands as the default, and where that is out of the ordinary for the same server, it
    /// is asked for.
    fn database(&mut self, mas_host: &str) -> Result<Database, Failure> {
        let (snapshot, args) = (self.snapshot, self.args);
        let synapse = snapshot.deployment.postgres("synapse").unwrap_or_default();
        let known = match self.known.map(|known| known.database.clone()) {
            Some(Database { host, port, name, user, ssl_mode }) => {
                Postgres { host: Some(host), port: Some(port), database: Some(name), user: Some(user), ssl_mode }
            }
            None => snapshot.deployment.postgres("matrixAuthenticationService").unwrap_or_default(),
        };
        let question = Question {
            flag: "--database-host",
            text: "Host of MAS's PostgreSQL server:",
            given: args.database_host.clone(),
            known: known.host,
            default: synapse.host.as_deref(),
        };
        let at = |host: &str| {
            let open = draft(mas_host);
            MasSettings { database: Database { host: host.to_owned(), ..open.database }, ..open }
        };
        let host = self.settle(question, database_host, |host| objection(snapshot, at(host), codes::DATABASE_HOST))?;
        // Another server's peculiarities are no guess for this one.
        let as_synapse = synapse.host.as_deref() == Some(host.as_str()) && self.known.is_none() && self.can_ask();
        let unusual_port = synapse.port.filter(|port| *port != USUAL_PORT && as_synapse);
        let port = match (args.database_port.or(known.port), unusual_port) {
            (Some(port), _) => port,
            (None, None) => USUAL_PORT,
            (None, Some(default)) => {
                let text = "Port of that server (Synapse's, by default):";
                self.ask("--database-port", text, Some(&default.to_string()), port, |_| None)?
                    .parse()
                    .unwrap_or(USUAL_PORT)
            }
        };
        let with = |name: &str, user: &str, ssl_mode: Option<String>| {
            let (name, user) = (name.to_owned(), user.to_owned());
            let database = Database { port, name, user, ssl_mode, ..at(&host).database };
            MasSettings { database, ..draft(mas_host) }
        };
        let question = Question {
            flag: "--database-name",
            text: "Name of MAS's database:",
            given: args.database_name.clone(),
            known: known.database,
            default: Some("mas"),
        };
        let name =
            self.settle(question, word, |name| objection(snapshot, with(name, "-", None), codes::DATABASE_SHARED))?;
        let question = Question {
            flag: "--database-user",
            text: "Role that MAS logs in as:",
            given: args.database_user.clone(),
            known: known.user,
            default: Some("mas"),
        };
        let user =
            self.settle(question, word, |user| objection(snapshot, with("-", user, None), codes::DATABASE_ROLE))?;
        // The spec's may be the API server's default, which nobody settled.
        let mut ssl_mode = args.database_sslmode.clone().or(known.ssl_mode);
        let unusual = synapse.ssl_mode.as_deref().filter(|mode| *mode != USUAL_SSL_MODE && as_synapse);
        if let (None, Some(default)) = (&ssl_mode, unusual) {
            let text = format!("sslmode of MAS's connection (Synapse's is {default}):");
            let object = |mode: &str| objection(snapshot, with(&name, &user, Some(mode.to_owned())), codes::SETTINGS);
            ssl_mode = Some(self.ask("--database-sslmode", &text, Some(default), word, object)?);
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
            None if self.known.is_none() && self.can_ask() => self.ask_tls()?,
            None => self.known.map_or(Tls::Inherit, |known| known.tls.clone()),
            Some(TlsChoice::Inherit) => Tls::Inherit,
            Some(TlsChoice::External) => Tls::External,
            Some(TlsChoice::Certmanager) => {
                Tls::Certmanager { issuer: named(&args.issuer, "--issuer", "certmanager")? }
            }
            Some(TlsChoice::Existing) => Tls::Existing { secret: named(&args.tls_secret, "--tls-secret", "existing")? },
            // Issued or given, it is kept in the same place.
            Some(TlsChoice::Certfile | TlsChoice::Issue) => Tls::Certfile,
        })
    }

    /// Asks for the TLS mode where nothing says one: a deployment that sets it for all has settled it for MAS too.
    fn ask_tls(&mut self) -> Result<Tls, Failure> {
        if draft("-").tls_mode(&self.snapshot.deployment).is_some() {
            return Ok(Tls::Inherit);
        }
        let offered =
            self.snapshot.features.known().and_then(|features| features.tls_modes.clone()).unwrap_or_default();
        let mut modes = vec![
            ("external", "it ends in front of the ingress"),
            ("certmanager", "cert-manager issues one"),
            ("existing", "it is in a Secret that is there"),
        ];
        modes.retain(|(mode, _)| offered.is_empty() || offered.iter().any(|one| one == mode));
        let options: Vec<String> = modes.iter().map(|(mode, what)| format!("{mode}: {what}")).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let text = "Where does MAS's certificate come from? No TLS mode is set anywhere.";
        self.begin();
        let chosen = self.session.ui().choose(text, &options, None);
        Ok(match modes[chosen.map_err(|error| Failure::unanswered(error, "--tls"))?].0 {
            "certmanager" => {
                Tls::Certmanager { issuer: self.ask("--issuer", "Name of the ClusterIssuer:", None, word, |_| None)? }
            }
            "existing" => {
                Tls::Existing { secret: self.ask("--tls-secret", "Name of that Secret:", None, word, |_| None)? }
            }
            _ => Tls::External,
        })
    }

    fn can_ask(&self) -> bool {
        self.session.ui().terminal().can_ask()
    }

    /// Before the first question: what it is about, and how to answer.
    fn begin(&mut self) {
        if self.can_ask() && !std::mem::replace(&mut self.begun, true) {
            let place = self.session.place();
            self.session.ui().status(format!(
                "Settings of MAS for {place}. Enter takes what stands in brackets; Ctrl-C ends this and changes nothing."
            ));
        }
    }

    /// The answer to a question that no flag answered.
    fn ask(
        &mut self,
        flag: &'static str,
        text: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<String, String>,
        object: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Failure> {
        self.settle(Question { flag, text, given: None, known: None, default }, check, object)
    }

    /// The flag's value, else the known one, else an answer. `check` says what is no value at all; `object` says why an
    /// answer will not do here. A flag that will not do is a finding later, with its code.
    fn settle(
        &mut self,
        question: Question<'_>,
        check: impl Fn(&str) -> Result<String, String>,
        object: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Failure> {
        let Question { flag, text, given, known, default } = question;
        if let Some(given) = given {
            return check(&given).map_err(|problem| Failure::usage(format!("{flag}: {problem} Nothing was changed.")));
        }
        if let Some(known) = known {
            return Ok(known);
        }
        let judged = |text: &str| {
            let value = check(text)?;
            object(&value).map_or(Ok(value), Err)
        };
        // What will not do is no default either.
        let default = default.filter(|default| judged(default).is_ok());
        self.begin();
        match self.session.ui().text(text, default, judged) {
            Ok(answer) => Ok(answer),
            Err(PromptError::NoTerminal) => {
                self.missing.push(flag);
                Ok(String::new())
            }
            Err(error) => Err(Failure::unanswered(error, flag)),
        }
    }
}

/// Settings of which only some are settled; what is not yet cannot be anybody else's.
fn draft(host: &str) -> MasSettings {
    let open = || "-".to_owned();
    let database = Database { host: open(), port: USUAL_PORT, name: open(), user: open(), ssl_mode: None };
    MasSettings { host: host.to_owned(), database, tls: Tls::Inherit, secret_name: open() }
}

/// Why a step would be blocked with these settings, by this code: the same words as `check` has.
fn objection(snapshot: &Snapshot, settings: MasSettings, code: &str) -> Option<String> {
    let candidate = Snapshot { settings: Some(settings), ..snapshot.clone() };
    let found = checks::run(&candidate, Purpose::Prepare);
    let finding = found.iter().find(|finding| finding.blocks() && finding.code == code)?;
    let remedy = finding.remedy.as_deref().map_or_else(String::new, |remedy| format!(" {remedy}"));
    Some(format!("That will not do: {}.{remedy}", finding.message.trim_end_matches('.')))
}
