//! Asks a PostgreSQL server, and changes nothing: one read-only transaction with a limit for each statement and one for all.

mod ask;
mod mas;
mod synapse;
mod tls;
mod wire;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Client, Config, NoTls};

use super::dial::{BoxConnection, NamedBy, NoConnection, Way, dial};
use super::tls::Roots;
use crate::checks::databases::said::{Place, Refusal, SslMode, Trouble, Whose};
use crate::pki::SecretText;
use wire::{Complaint, Facts, Watched};

pub use mas::ask as ask_mas;
pub use synapse::ask as ask_synapse;

/// For one connection: address, TCP, TLS, login.
const CONNECT: Duration = Duration::from_secs(10);
/// For everything that one database is asked.
const WHOLE: Duration = Duration::from_secs(45);
/// What asks a server whether it speaks TLS (protocol 3.0, `SSLRequest`).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// Of a server's own sentences.
const LONGEST: usize = 300;
/// SQLSTATE of a login that `pg_hba.conf` or the role itself does not allow.
const NOT_ALLOWED: &str = "28000";

/// A login.
pub struct Login<'a> {
    /// Where.
    pub place: &'a Place,
    /// Never told to anybody but this server.
    pub password: &'a SecretText,
    /// How to get there.
    pub way: &'a Way,
    /// Who vouches for servers.
    pub roots: Option<&'a Roots>,
}

/// How one attempt protects its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    Plain,
    IfOffered,
    Tls,
}

/// A session.
struct Session {
    client: Client,
    facts: Arc<Mutex<Facts>>,
    tls: bool,
    carrier: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

/// What the client in the cluster would try, one after the other. MAS's library (sqlx) takes `allow` for `disable` and never
/// tries again; Synapse's (libpq) does where the server refuses.
fn attempts(whose: Whose, mode: SslMode) -> &'static [Protection] {
    use Protection::{IfOffered, Plain, Tls};
    match (whose, mode) {
        (_, SslMode::Disable) | (Whose::Mas, SslMode::Allow) => &[Plain],
        (Whose::Synapse, SslMode::Allow) => &[Plain, Tls],
        (Whose::Mas, SslMode::Prefer) => &[IfOffered],
        (Whose::Synapse, SslMode::Prefer) => &[IfOffered, Plain],
        (_, SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull) => &[Tls],
    }
}

impl Login<'_> {
    /// Logs in.
    async fn open(&self, deadline: Instant) -> Result<Session, Trouble> {
        let mut last = Trouble::TimedOut;
        for protection in attempts(self.place.whose, self.place.mode) {
            let until = deadline.min(Instant::now() + CONNECT);
            match timeout_at(until, self.attempt(*protection)).await.unwrap_or(Err(Trouble::TimedOut)) {
                Err(Trouble::Refused(refusal)) if refusal.state == NOT_ALLOWED => last = Trouble::Refused(refusal),
                other => return other,
            }
        }
        Err(last)
    }

    async fn attempt(&self, protection: Protection) -> Result<Session, Trouble> {
        let place = self.place;
        let mut stream = dial(&place.host, place.port, self.way, NamedBy::Spec).await.map_err(|error| match error {
            NoConnection::Failed(why) | NoConnection::Refused(why) => Trouble::NoWay(why),
        })?;
        let through = matches!(self.way, Way::Through(_));
        let mut tls = false;
        if protection != Protection::Plain {
            stream.write_all(&SSL_REQUEST).await.map_err(|error| lost(&error))?;
            stream.flush().await.map_err(|error| lost(&error))?;
            match stream.read_u8().await.map_err(|error| lost(&error))? {
                b'S' => {
                    stream = Box::new(tls::handshake(stream, &place.host, place.mode, self.roots).await?);
                    tls = true;
                }
                b'N' if protection == Protection::Tls => return Err(Trouble::NoTls),
                b'N' => {}
                // An error, in the words of a server that is too old or too busy to answer; it is not repeated here, since
                // nobody has proved yet who says it.
                b'E' => return Err(Trouble::Lost("it refuses before it says who it is".to_owned())),
                other => {
                    let shown: String = std::iter::once(char::from(other)).filter(char::is_ascii_graphic).collect();
                    return Err(Trouble::NotPostgres(format!("asked for TLS it answers {shown:?}")));
                }
            }
        }
        self.session(stream, tls, tls || through).await
    }

    async fn session(&self, stream: BoxConnection, tls: bool, protected: bool) -> Result<Session, Trouble> {
        let (stream, facts) = Watched::new(stream, protected);
        let mut config = Config::new();
        config
            .user(&self.place.user)
            .dbname(&self.place.database)
            .password(self.password.expose())
            .application_name("kubectl-ess-mas")
            // It has been settled above.
            .ssl_mode(tokio_postgres::config::SslMode::Disable);
        let (client, connection) =
            config.connect_raw(stream, NoTls).await.map_err(|error| trouble(&error, &facts, self.password))?;
        let carrier = tokio::spawn(async move {
            // Notices are nobody's business; how it ends is told to whoever asks next.
            let _ = connection.await;
        });
        Ok(Session { client, facts, tls, carrier })
    }
}

fn lost(error: &io::Error) -> Trouble {
    Trouble::Lost(match error.kind() {
        io::ErrorKind::UnexpectedEof => "the other side closed it without an answer".to_owned(),
        _ => plain(&error.to_string()),
    })
}

/// What an error of the library means.
fn trouble(error: &tokio_postgres::Error, facts: &Mutex<Facts>, password: &SecretText) -> Trouble {
    if let Some(complaint) = &facts.lock().unwrap_or_else(PoisonError::into_inner).complaint {
        return match complaint {
            Complaint::NotPostgres(why) => Trouble::NotPostgres(why.clone()),
            Complaint::InClear => Trouble::InClear,
        };
    }
    if let Some(answer) = error.as_db_error() {
        let state = plain(answer.code().code());
        return Trouble::Refused(Refusal { state, message: without(&plain(answer.message()), password) });
    }
    let source = std::error::Error::source(error);
    if let Some(error) = source.and_then(|source| source.downcast_ref::<io::Error>())
        && !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
    {
        return lost(error);
    }
    if error.is_closed() {
        return Trouble::Lost("the other side closed it".to_owned());
    }
    let why = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    Trouble::NotPostgres(without(&plain(&why), password))
}

/// A server's sentence on one line, without what moves cursors, and not too long.
fn plain(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect();
    if text.chars().count() > LONGEST {
        line.push('…');
    }
    line
}

/// A server may say what it was told.
fn without(text: &str, password: &SecretText) -> String {
    let secret = password.expose();
    if secret.is_empty() { text.to_owned() } else { text.replace(secret, "***") }
}

#[cfg(test)]
mod tests;
