//! A login to a PostgreSQL server, with the behaviour of the client in the cluster.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use rustls::Error as TlsError;
use rustls::pki_types::InvalidDnsNameError;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{ChannelBinding, SslMode as Offer};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::guard::{Facts, Guard};
use crate::answers::postgres::{Application, ConnectionSettings, ProbeError, Refusal, SslMode};
use crate::connection_failure::{cause, causes, complaint, one_line};
use crate::net::dial::{BoxConnection, Way, addresses, bare, connect};
use crate::net::tls::{Mode, Roots, Verifier};
use crate::secrets::{SecretText, saslprep_changes};

/// Limit of one connection: DNS, TCP, TLS and login.
pub const CONNECT: Duration = Duration::from_secs(10);
const LONGEST: usize = 300;
/// SQLSTATE of a login that `pg_hba.conf` or the role's settings reject.
const NOT_ALLOWED: &str = "28000";
const WRONG_PASSWORD: &str = "28P01";

pub struct Login<'a> {
    pub place: &'a ConnectionSettings,
    pub password: &'a SecretText,
    pub way: &'a Way,
    pub roots: Option<&'a Roots>,
}

pub struct Session {
    pub client: Client,
    pub facts: Arc<Mutex<Facts>>,
    _carrier: JoinSet<()>,
}

/// The attempts of the client in the cluster. MAS's library (sqlx) treats `allow` as `disable` and never retries; Synapse's
/// (libpq) retries after a refusal.
fn attempts(application: Application, mode: SslMode) -> &'static [Offer] {
    match (application, mode) {
        (_, SslMode::Disable) | (Application::Mas, SslMode::Allow) => &[Offer::Disable],
        (Application::Synapse, SslMode::Allow) => &[Offer::Disable, Offer::Require],
        (Application::Mas, SslMode::Prefer) => &[Offer::Prefer],
        (Application::Synapse, SslMode::Prefer) => &[Offer::Prefer, Offer::Disable],
        (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => &[Offer::Require],
    }
}

impl Login<'_> {
    pub async fn open(&self, deadline: Instant) -> Result<Session, ProbeError> {
        let mut last = ProbeError::TimedOut;
        for offer in attempts(self.place.application, self.place.mode) {
            let until = deadline.min(Instant::now() + CONNECT);
            match timeout_at(until, self.attempt(*offer)).await.unwrap_or(Err(ProbeError::TimedOut)) {
                Err(ProbeError::Refused(refusal)) if refusal.state == NOT_ALLOWED => {
                    last = ProbeError::Refused(refusal);
                }
                other => return other,
            }
        }
        Err(last)
    }

    async fn attempt(&self, offer: Offer) -> Result<Session, ProbeError> {
        let place = self.place;
        let stream = self.connect().await.map_err(ProbeError::NoWay)?;
        let need = match place.mode {
            SslMode::VerifyFull => Mode::Name,
            SslMode::VerifyCa => Mode::Chain,
            _ => Mode::Nothing,
        };
        let facts = Arc::new(Mutex::new(Facts { through: self.is_through(), ..Facts::default() }));
        let (_, tls) = Verifier::client(self.roots, need, None).map_err(ProbeError::Certificate)?;
        let host = bare(&place.host).trim_end_matches('.');
        let Ok(tls) = MakeTlsConnect::<BoxConnection>::make_tls_connect(&mut MakeRustlsConnect::new(tls), host);
        let stream = Guard::new(stream, Arc::clone(&facts), offer);
        // MAS's library (sqlx) never uses channel binding, which a TLS-terminating proxy would break.
        let by_sqlx = place.application == Application::Mas;
        let mut config = Config::new();
        config
            .user(&place.user)
            .dbname(&place.database)
            .password(self.password.expose())
            .application_name("kubectl-ess-mas")
            .channel_binding(if by_sqlx { ChannelBinding::Disable } else { ChannelBinding::Prefer })
            .ssl_mode(offer);
        let (client, connection) =
            config.connect_raw(stream, Guarded(tls)).await.map_err(|error| self.trouble(&error, &facts))?;
        // Notices are ignored; the next query returns the error of a lost connection.
        let carrier = JoinSet::from_iter([connection.map(drop)]);
        Ok(Session { client, facts, _carrier: carrier })
    }

    async fn connect(&self) -> Result<BoxConnection, String> {
        let stream = match self.way {
            Way::Through(door) => return door().await,
            Way::To(addresses) => connect(addresses).await?,
            Way::Direct | Way::Proxy(_) => connect(&addresses(&self.place.host, self.place.port).await?).await?,
        };
        Ok(Box::new(stream))
    }

    pub fn is_through(&self) -> bool {
        matches!(self.way, Way::Through(_))
    }

    /// Whether `SASLprep` changed the password that was sent.
    pub fn is_prepared(&self, facts: &Facts) -> bool {
        facts.scram && saslprep_changes(self.password.expose())
    }

    pub fn trouble(&self, error: &tokio_postgres::Error, facts: &Mutex<Facts>) -> ProbeError {
        let facts = facts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(complaint) = &facts.complaint {
            return complaint.clone();
        }
        if let Some(answer) = error.as_db_error() {
            let message = without(&plain(answer.message()), self.password);
            // PgBouncer has no specific SQLSTATE for it.
            let of_pooler = message == "SASL authentication failed";
            let state = if of_pooler { WRONG_PASSWORD.to_owned() } else { plain(answer.code().code()) };
            if state == WRONG_PASSWORD && self.is_prepared(&facts) {
                return ProbeError::RefusedPrepared(message);
            }
            return ProbeError::Refused(Refusal { state, message });
        }
        let host = &self.place.host;
        match cause::<TlsError>(error) {
            Some(TlsError::InvalidCertificate(problem)) => {
                return ProbeError::Certificate(format!("it {}", complaint(problem, &format!("is not for {host}"))));
            }
            Some(TlsError::InvalidMessage(_)) => {
                return ProbeError::NotPostgres("it accepts the TLS request, but sends no TLS".to_owned());
            }
            Some(other) => return ProbeError::Lost(format!("the TLS handshake with {host} failed: {other}")),
            None => {}
        }
        if cause::<InvalidDnsNameError>(error).is_some() {
            return ProbeError::Certificate(format!("{host} is not a valid name for a certificate"));
        }
        match cause::<io::Error>(error) {
            Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                ProbeError::Lost("the server closed the connection without a response".to_owned())
            }
            Some(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                ProbeError::Lost(plain(&error.to_string()))
            }
            _ if error.is_closed() => ProbeError::Lost("the server closed the connection".to_owned()),
            _ => {
                let why: Vec<String> = causes(error).map(ToString::to_string).collect();
                ProbeError::NotPostgres(without(&plain(&why.join(": ")), self.password))
            }
        }
    }
}

/// Moves the guard from the TCP stream to the decrypted stream.
struct Guarded<T>(T);

impl<S: Send + 'static, T: TlsConnect<S, Error = io::Error>> TlsConnect<Guard<S>> for Guarded<T>
where
    T::Future: Send + 'static,
{
    type Stream = Guard<T::Stream>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Stream>>;

    fn connect(self, carrier: Guard<S>) -> Self::Future {
        let Guard { inner, facts, .. } = carrier;
        let connecting = self.0.connect(inner);
        Box::pin(async move {
            let stream = connecting.await?;
            facts.lock().unwrap_or_else(PoisonError::into_inner).tls = true;
            Ok(Guard::new(stream, facts, Offer::Disable))
        })
    }
}

pub fn plain(text: &str) -> String {
    one_line(text, LONGEST)
}

/// Removes the password, because a server can repeat it.
pub fn without(text: &str, password: &SecretText) -> String {
    let secret = password.expose();
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, "***") }
}

#[cfg(test)]
mod tests;
