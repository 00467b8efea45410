//! Tests during the reconcile whether the hosts are reachable, so that no time is lost after the verdict.

use std::collections::HashMap;
use std::time::Duration;

use ::http::Uri;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::cluster::proxy_from_environment;
use crate::net::dial::{addresses, connect};
use crate::session::connect::Session;

const LIMIT: Duration = Duration::from_secs(4);
/// Limit of the wait after the verdict.
const MOMENT: Duration = Duration::from_millis(30);

type Answer = Result<(), String>;

/// Running connection attempts to Synapse's host and MAS's host. Empty if a proxy is in use.
pub struct ConnectionTest(Vec<(String, JoinHandle<Answer>)>);

impl ConnectionTest {
    /// Starts the attempts, unless a proxy connects to the hosts.
    pub fn begin(session: &Session) -> Self {
        let deployment = &session.deployment;
        let hosts: Vec<&str> = deployment.ingress_host("synapse").into_iter().chain(deployment.mas_host()).collect();
        if !hosts.iter().all(|host| is_direct(host)) {
            return Self(Vec::new());
        }
        Self(hosts.into_iter().map(|host| (host.to_owned(), tokio::spawn(connects(host.to_owned())))).collect())
    }

    /// The reasons by host if no host is reachable; `None` if at least one may be.
    pub async fn unreached(self, hosts: impl Iterator<Item = &str>) -> Option<HashMap<String, String>> {
        let mut reasons = HashMap::new();
        for (host, task) in self.0 {
            let stop = task.abort_handle();
            let answer = if let Ok(ended) = timeout(MOMENT, task).await {
                ended.ok()?
            } else {
                stop.abort();
                Err(format!("{host} accepted no connection during the reconcile"))
            };
            reasons.insert(host, answer.err()?);
        }
        if reasons.is_empty() {
            return None;
        }
        for host in hosts {
            if !reasons.contains_key(host)
                && let Ok(answer) = timeout(MOMENT, connects(host.to_owned())).await
            {
                reasons.insert(host.to_owned(), answer.err()?);
            }
        }
        Some(reasons)
    }
}

async fn connects(host: String) -> Answer {
    let late = Err(format!("no connection to {host} within {} seconds", LIMIT.as_secs()));
    let connecting = async { connect(&addresses(&host, 443).await?).await.map(drop) };
    timeout(LIMIT, connecting).await.unwrap_or(late)
}

fn is_direct(host: &str) -> bool {
    let address = Uri::builder().scheme("https").authority(host).path_and_query("/").build();
    address.is_ok_and(|address| matches!(proxy_from_environment(&address), Ok(None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(answers: Vec<(&str, Option<Answer>)>) -> ConnectionTest {
        let begin = |answer| match answer {
            Some(answer) => tokio::spawn(std::future::ready(answer)),
            None => tokio::spawn(std::future::pending()),
        };
        ConnectionTest(answers.into_iter().map(|(host, answer)| (host.to_owned(), begin(answer))).collect())
    }

    #[tokio::test]
    async fn silent_network_causes_no_wait_after_the_verdict() {
        let begun = std::time::Instant::now();
        let silent = tried(vec![("a.invalid", None), ("b.invalid", None)]);
        assert_eq!(silent.unreached(std::iter::empty()).await.unwrap().len(), 2);
        assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn each_host_gets_its_own_reason() {
        let no = |why: &str| Some(Err(why.to_owned()));
        let none = tried(vec![("a.invalid", no("a is closed")), ("b.invalid", no("b is not found"))]);
        let reasons = none.unreached(["a.invalid", "b.invalid"].into_iter()).await.unwrap();
        assert_eq!((&*reasons["a.invalid"], &*reasons["b.invalid"]), ("a is closed", "b is not found"));
    }

    #[tokio::test]
    async fn one_reachable_host_is_enough_for_a_check() {
        let one = tried(vec![("a.invalid", Some(Err("a is closed".to_owned()))), ("b.invalid", Some(Ok(())))]);
        assert_eq!(one.unreached(std::iter::empty()).await, None);
        assert_eq!(tried(Vec::new()).unreached(["c.invalid"].into_iter()).await, None, "a proxy leads there");
    }
}
