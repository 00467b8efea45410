//! Questions, one after the other in one read-only transaction. Every text is made of constants; what varies is bound.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, SimpleQueryMessage};

use super::login::{CONNECT, Login, Session, plain, without};
use crate::answers::Known;
use crate::answers::postgres::{Identity, Pooling, ProbeError, Server};

/// For everything that one database is asked.
const WHOLE: Duration = Duration::from_secs(45);
/// Nothing can be written in it, by whatever statement. One view of the whole, so that numbers fit one another.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Limits for one statement; and where the connection is lost, for what stays behind on the server.
const LIMITS: &str = "SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '2s'; \
                      SET LOCAL idle_in_transaction_session_timeout = '60s'; SAVEPOINT asked";
const AGAIN: &str = "ROLLBACK TO SAVEPOINT asked";
const PROCESS: &str = "BEGIN READ ONLY; SELECT pg_backend_pid(); COMMIT";
/// How often two sessions are held against one another.
const TRIES: u8 = 3;

pub(super) type Bound<'a> = (&'a (dyn ToSql + Sync), Type);

pub(super) struct Asking<'a> {
    login: &'a Login<'a>,
    session: Session,
    deadline: Instant,
    ended: Option<String>,
}

impl<'a> Asking<'a> {
    /// Logs in, sees who answers, and begins the transaction.
    pub(super) async fn begin(login: &'a Login<'a>) -> Result<(Self, Server), ProbeError> {
        let deadline = Instant::now() + WHOLE;
        let session = login.open(deadline).await?;
        let pooling = pooling(login, &session, deadline).await?;
        let mut asking = Self { login, session, deadline, ended: None };
        asking.must(BEGIN).await?;
        asking.must(LIMITS).await?;
        let server = asking.server(pooling).await?;
        Ok((asking, server))
    }

    async fn must(&mut self, text: &'static str) -> Result<(), ProbeError> {
        match timeout_at(self.deadline, self.session.client.batch_execute(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.login.trouble(&error, &self.session.facts)),
            Err(_) => Err(ProbeError::TimedOut),
        }
    }

    async fn server(&mut self, pooling: Pooling) -> Result<Server, ProbeError> {
        let version = self.one(VERSION, &[], |row| row.try_get(0)).await;
        let standby = self.one("SELECT pg_is_in_recovery()", &[], |row| row.try_get(0)).await;
        let system = self.one(SYSTEM, &[], |row| row.try_get(0)).await.ok();
        let timeouts = self.numbers(TIMEOUTS).await;
        let read = |row: &Row| {
            Ok(Identity {
                system: system.clone(),
                started: row.try_get(0)?,
                oid: row.try_get(1)?,
                name: row.try_get(2)?,
            })
        };
        let identity = self.one(DATABASE, &[], read).await.map_err(|_| "it was not told".to_owned());
        if let Some(why) = &self.ended {
            return Err(ProbeError::Lost(why.clone()));
        }
        let facts = self.session.facts.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Server {
            version: version.into(),
            tls: facts.tls,
            through_cluster: self.login.is_through(),
            asked_password: facts.asked_password,
            prepared: self.login.is_prepared(&facts),
            timeouts,
            standby: standby.into(),
            identity: identity.into(),
            pooling,
        })
    }

    /// The rows that answer a question; a sentence where there are none to be had.
    async fn rows(&mut self, text: &str, bound: &[Bound<'_>]) -> Result<Vec<Row>, String> {
        if let Some(why) = &self.ended {
            return Err(why.clone());
        }
        let trouble = match timeout_at(self.deadline, self.session.client.query_typed(text, bound)).await {
            Ok(Ok(rows)) => return Ok(rows),
            Ok(Err(error)) => self.login.trouble(&error, &self.session.facts),
            Err(_) => ProbeError::TimedOut,
        };
        let (why, ended) = match trouble {
            ProbeError::Refused(refusal) => match (self.must(AGAIN).await, refusal.state.as_str()) {
                (Err(trouble), _) => (words(trouble), true),
                (Ok(()), "57014") => ("it took longer than ten seconds".to_owned(), false),
                (Ok(()), "55P03") => ("somebody else has locked the table".to_owned(), false),
                (Ok(()), _) => (refusal.message, false),
            },
            other => (words(other), true),
        };
        // Everything that is asked from now on is answered with this.
        self.ended = Some(why.clone()).filter(|_| ended);
        Err(why)
    }

    /// What all rows hold that answer a question.
    pub(super) async fn all<T>(
        &mut self,
        text: &str,
        bound: &[Bound<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, String> {
        let read: Result<Vec<T>, _> = self.rows(text, bound).await?.iter().map(read).collect();
        read.map_err(|error| without(&plain(&error.to_string()), self.login.password))
    }

    /// What the one row holds that answers a question.
    pub(super) async fn one<T>(
        &mut self,
        text: &str,
        bound: &[Bound<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, String> {
        let first = self.all(text, bound, read).await?.into_iter().next();
        first.ok_or_else(|| "the server answered with no row".to_owned())
    }

    pub(super) async fn number(&mut self, text: &str, bound: &[Bound<'_>]) -> Known<i64> {
        self.one(text, bound, |row| row.try_get(0)).await.into()
    }

    /// Names with their numbers; names are the database's and are shown on one line.
    pub(super) async fn numbers(&mut self, text: &str) -> Known<Vec<(String, i64)>> {
        let read = |row: &Row| Ok((plain(&row.try_get::<_, String>(0)?), row.try_get(1)?));
        self.all(text, &[], read).await.into()
    }

    /// Ends the transaction; there is nothing to keep. Whether that is heard does not matter.
    pub(super) async fn finish(self) {
        let _ = timeout(CONNECT, self.session.client.batch_execute("ROLLBACK")).await;
    }
}

impl<T> From<Result<T, String>> for Known<T> {
    fn from(asked: Result<T, String>) -> Self {
        asked.map_or_else(Self::Unreadable, Self::Known)
    }
}

const VERSION: &str = "SELECT current_setting('server_version_num')::int8";
const SYSTEM: &str = "SELECT system_identifier::text FROM pg_control_system()";
/// What a session of the role begins with, whatever was set in this one. `transaction_timeout` is of PostgreSQL 17.
const TIMEOUTS: &str = "SELECT name::text, reset_val::int8 FROM pg_settings WHERE reset_val <> '0' AND name IN \
                        ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout') ORDER BY 1";
const DATABASE: &str = "SELECT extract(epoch FROM pg_postmaster_start_time())::text, oid::int8, datname::text \
                        FROM pg_database WHERE datname = current_database()";

fn words(trouble: ProbeError) -> String {
    match trouble {
        ProbeError::TimedOut => "no time was left for it".to_owned(),
        ProbeError::Refused(refusal) => refusal.message,
        ProbeError::RefusedPrepared(why) => why,
        ProbeError::Lost(why) | ProbeError::NotPostgres(why) => format!("the connection ended: {why}"),
        _ => "the connection ended".to_owned(),
    }
}

/// The server's process that serves a session now, asked for with this text.
async fn process(session: &Session, text: &str) -> Result<Option<i32>, tokio_postgres::Error> {
    let messages = session.client.simple_query(text).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.and_then(|number| number.parse().ok()))
}

/// A pooler makes up the number that a session is told; the server's own sessions are told their process. How it pools is
/// seen when a second session wants a process while the first one rests. One that pools by statement refuses transactions.
async fn pooling(login: &Login<'_>, session: &Session, deadline: Instant) -> Result<Pooling, ProbeError> {
    let told = session.facts.lock().unwrap_or_else(PoisonError::into_inner).process;
    let looked = timeout_at(deadline.min(Instant::now() + CONNECT), async {
        let first = process(session, PROCESS).await.map_err(|error| login.trouble(&error, &session.facts))?;
        if first.is_none() || first == told {
            return Ok(Pooling::None);
        }
        let Ok(other) = login.open(deadline).await else {
            return Ok(Pooling::Unclear("a second session was refused".to_owned()));
        };
        let compared = async {
            for _ in 0..TRIES {
                other.client.batch_execute("BEGIN READ ONLY").await?;
                let theirs = process(&other, "SELECT pg_backend_pid()").await?;
                if theirs == first || process(session, PROCESS).await? != first {
                    return Ok(Pooling::ByTransaction);
                }
                other.client.batch_execute("ROLLBACK").await?;
            }
            Ok::<_, tokio_postgres::Error>(Pooling::BySession)
        };
        Ok(compared.await.unwrap_or_else(|_| Pooling::Unclear("a second session was lost".to_owned())))
    });
    looked.await.unwrap_or_else(|_| Ok(Pooling::Unclear("it took too long".to_owned())))
}
