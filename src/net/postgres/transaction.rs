//! Queries in one read-only transaction. Every statement consists of constants; values are bound parameters.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, SimpleQueryMessage};

use super::login::{CONNECT, Login, Session, plain, without};
use crate::answers::Known;
use crate::answers::postgres::{Identity, Pooling, ProbeError, Server};

/// Limit of all queries to one database.
const WHOLE: Duration = Duration::from_secs(45);
/// Read-only, with one snapshot for all queries, so that the numbers are consistent.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Limits of one statement, and of the session if the connection is lost.
const LIMITS: &str = "SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '2s'; \
                      SET LOCAL idle_in_transaction_session_timeout = '60s'; SAVEPOINT asked";
const AGAIN: &str = "ROLLBACK TO SAVEPOINT asked";
const PROCESS: &str = "BEGIN READ ONLY; SELECT pg_backend_pid(); COMMIT";
/// Number of comparisons between two sessions.
const TRIES: u8 = 3;

pub(super) type Bound<'a> = (&'a (dyn ToSql + Sync), Type);

pub(super) struct Transaction<'a> {
    login: &'a Login<'a>,
    session: Session,
    deadline: Instant,
    ended: Option<String>,
}

impl<'a> Transaction<'a> {
    /// Logs in, detects poolers, and begins the transaction.
    pub(super) async fn begin(login: &'a Login<'a>) -> Result<(Self, Server), ProbeError> {
        let deadline = Instant::now() + WHOLE;
        let session = login.open(deadline).await?;
        let pooling = pooling(login, &session, deadline).await?;
        let mut transaction = Self { login, session, deadline, ended: None };
        transaction.must(BEGIN).await?;
        transaction.must(LIMITS).await?;
        let server = transaction.server(pooling).await?;
        Ok((transaction, server))
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
        let identity = self.one(DATABASE, &[], read).await.map_err(|_| "the server doesn't report it".to_owned());
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

    /// Returns the rows of a query; the error is a sentence.
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
                (Ok(()), "57014") => ("the query took longer than ten seconds".to_owned(), false),
                (Ok(()), "55P03") => ("another session has locked the table".to_owned(), false),
                (Ok(()), _) => (refusal.message, false),
            },
            other => (words(other), true),
        };
        // Later queries return the same error.
        self.ended = Some(why.clone()).filter(|_| ended);
        Err(why)
    }

    pub(super) async fn all<T>(
        &mut self,
        text: &str,
        bound: &[Bound<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<Vec<T>, String> {
        let read: Result<Vec<T>, _> = self.rows(text, bound).await?.iter().map(read).collect();
        read.map_err(|error| without(&plain(&error.to_string()), self.login.password))
    }

    pub(super) async fn one<T>(
        &mut self,
        text: &str,
        bound: &[Bound<'_>],
        read: impl Fn(&Row) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, String> {
        let first = self.all(text, bound, read).await?.into_iter().next();
        first.ok_or_else(|| "the query returned no row".to_owned())
    }

    pub(super) async fn number(&mut self, text: &str, bound: &[Bound<'_>]) -> Known<i64> {
        self.one(text, bound, |row| row.try_get(0)).await.into()
    }

    /// Names with their numbers; names are made safe to print.
    pub(super) async fn numbers(&mut self, text: &str) -> Known<Vec<(String, i64)>> {
        let read = |row: &Row| Ok((plain(&row.try_get::<_, String>(0)?), row.try_get(1)?));
        self.all(text, &[], read).await.into()
    }

    /// Ends the transaction. Errors don't matter, because nothing was written.
    pub(super) async fn finish(self) {
        let _ = timeout(CONNECT, self.session.client.batch_execute("ROLLBACK")).await;
    }
}

const VERSION: &str = "SELECT current_setting('server_version_num')::int8";
const SYSTEM: &str = "SELECT system_identifier::text FROM pg_control_system()";
/// The role's initial settings, without this session's. `transaction_timeout` exists since PostgreSQL 17.
const TIMEOUTS: &str = "SELECT name::text, reset_val::int8 FROM pg_settings WHERE reset_val <> '0' AND name IN \
                        ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout') ORDER BY 1";
const DATABASE: &str = "SELECT extract(epoch FROM pg_postmaster_start_time())::text, oid::int8, datname::text \
                        FROM pg_database WHERE datname = current_database()";

fn words(trouble: ProbeError) -> String {
    match trouble {
        ProbeError::TimedOut => "the time limit was reached".to_owned(),
        ProbeError::Refused(refusal) => refusal.message,
        ProbeError::RefusedPrepared(why) => why,
        ProbeError::Lost(why) | ProbeError::NotPostgres(why) => format!("the connection was lost: {why}"),
        _ => "the connection was lost".to_owned(),
    }
}

/// The server process of a session, by this query.
async fn process(session: &Session, text: &str) -> Result<Option<i32>, tokio_postgres::Error> {
    let messages = session.client.simple_query(text).await?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.and_then(|number| number.parse().ok()))
}

/// Detects a pooler: it invents the process number at login, where a server reports the real one. The pooling mode shows when a
/// second session needs a process while the first is idle. Statement pooling refuses transactions.
async fn pooling(login: &Login<'_>, session: &Session, deadline: Instant) -> Result<Pooling, ProbeError> {
    let reported = session.facts.lock().unwrap_or_else(PoisonError::into_inner).process;
    let detected = timeout_at(deadline.min(Instant::now() + CONNECT), async {
        let first = process(session, PROCESS).await.map_err(|error| login.trouble(&error, &session.facts))?;
        if first.is_none() || first == reported {
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
    detected.await.unwrap_or_else(|_| Ok(Pooling::Unclear("the test took too long".to_owned())))
}
