//! Whether the hosts can be reached from here at all: found out while the operator works, so that after its verdict nobody
//! waits for a network that does not answer.

use std::time::Duration;

use ::http::Uri;
use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::super::session::Session;
use crate::cluster::proxy_from_environment;
use crate::probe::dial;

/// So long it may take to connect.
const LIMIT: Duration = Duration::from_secs(4);
/// After a verdict nobody waits longer than this to know. What takes longer does not answer.
const MOMENT: Duration = Duration::from_millis(30);

/// A look at Synapse's host and MAS's that is under way.
pub struct Reach(Option<JoinHandle<Result<(), String>>>);

impl Reach {
    /// Begins it. Where a proxy leads to the hosts there is nothing to find out: it finds them by itself.
    pub fn begin(session: &Session) -> Self {
        let synapse = session.deployment.ingress_host("synapse");
        let hosts: Vec<String> = synapse.into_iter().chain(session.deployment.mas_host()).map(str::to_owned).collect();
        if hosts.is_empty() || !hosts.iter().all(|host| is_direct(host)) {
            return Self(None);
        }
        Self(Some(tokio::spawn(async move {
            let ended = join_all(hosts.iter().map(async |host| {
                let late = Err(format!("no connection to {host} within {} seconds", LIMIT.as_secs()));
                timeout(LIMIT, dial::connects(host, 443)).await.unwrap_or(late)
            }));
            // One that can be reached is worth asking.
            ended.await.into_iter().reduce(|one, other| if one.is_ok() { one } else { other }).unwrap_or(Ok(()))
        })))
    }

    /// Why they cannot be reached, if they cannot.
    pub async fn why_not(self) -> Option<String> {
        let mut task = self.0?;
        let Ok(ended) = timeout(MOMENT, &mut task).await else {
            task.abort();
            return Some("nothing took a connection meanwhile".to_owned());
        };
        // A task that could not end tells nothing.
        ended.ok()?.err()
    }
}

fn is_direct(host: &str) -> bool {
    let address = Uri::builder().scheme("https").authority(host).path_and_query("/").build();
    address.is_ok_and(|address| matches!(proxy_from_environment(&address), Ok(None)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_after_a_verdict_for_a_network_that_does_not_answer() {
        let begun = std::time::Instant::now();
        let silent = Reach(Some(tokio::spawn(std::future::pending())));
        assert!(silent.why_not().await.is_some());
        assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
        let refused = Reach(Some(tokio::spawn(async { Err("nothing answers".to_owned()) })));
        assert_eq!(refused.why_not().await.as_deref(), Some("nothing answers"));
        assert_eq!(Reach(Some(tokio::spawn(async { Ok(()) }))).why_not().await, None);
        assert_eq!(Reach(None).why_not().await, None);
    }
}
