//! Sends the requests of [`checks::endpoints`] to MAS, Synapse and the identity providers concurrently, and returns the findings.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lc_rs::rand;
use futures::future::join_all;
use jiff::Timestamp;
use reqwest::Url;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::access::EndpointAccess;
use super::through::{self, Through};
use crate::checks::endpoints::{Commands, Expected, Outcome, Probe, Replies, Server, judge, next_at_provider, probes};
use crate::checks::{Finding, Severity, Snapshot, endpoints};
use crate::net::dial;
use crate::net::http::{self, Ask, LIMIT, Security, Seen};
use crate::secrets::SecretText;
use crate::session::certificate::Trusted;
use crate::session::connect::Session;
use crate::session::inputs::roots_or_system;
use crate::x509::HostName;

const WHOLE: Duration = Duration::from_millis(9_500);
const AGAIN: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 6;

/// Shown when MAS is deployed and not migrated.
pub const NO_LOGINS: &str = "This check completed no login. Never complete a login to MAS before the migration, not even as a test: \
                             it leaves a row in MAS's database that makes the migration fail.";

/// The expected state, with commands that include this call's flags.
pub fn expected(session: &Session, snapshot: &Snapshot, ways: &EndpointAccess) -> Expected {
    let commands = Commands {
        verify: session.command("verify"),
        kubectl: format!("kubectl -n {}{}", session.target.namespace, session.cluster.place.context_flag()),
    };
    let test_user = ways.login.as_ref().map(|account| account.user.clone());
    Expected { test_user, ..Expected::of(snapshot, ways.given.clone(), commands) }
}

/// Checks all endpoints in less than ten seconds; cancelled when dropped.
pub async fn check(expected: &Expected, ways: &EndpointAccess, now: Timestamp) -> Vec<Finding> {
    let deadline = Instant::now() + WHOLE;
    let system = ways.roots.is_none();
    let roots = roots_or_system(ways.roots.clone()).await;
    let mut round = Round { expected, ways, trusted: Trusted { roots, system }, deadline };
    round.at_everything(now).await
}

pub(super) struct Round<'a> {
    expected: &'a Expected,
    ways: &'a EndpointAccess,
    trusted: Trusted,
    deadline: Instant,
}

impl Round<'_> {
    async fn at_everything(&mut self, now: Timestamp) -> Vec<Finding> {
        let mut wanted = probes(self.expected);
        let mut findings = Vec::new();
        if let Some(through) = &self.ways.through {
            findings.extend(self.keep_routable(through, &mut wanted).await);
        }
        let tries = wanted.extract_if(.., |probe| *probe == Probe::WhoamiJunk).count();
        let (asked, junk) =
            tokio::join!(join_all(wanted.iter().map(|probe| self.ask(probe))), self.every_process(tries));
        let mut answers = Replies::default();
        let mut certificates: Vec<(Server, Vec<Vec<u8>>)> = Vec::new();
        for (probe, (seen, more)) in wanted.iter().zip(asked) {
            if !seen.certificates.is_empty() && certificates.iter().all(|(server, _)| *server != probe.server()) {
                certificates.push((probe.server(), seen.certificates));
            }
            answers.add(probe.clone(), seen.outcome);
            if let Some((probe, outcome)) = more {
                answers.add(probe, outcome);
            }
        }
        for outcome in junk {
            answers.add(Probe::WhoamiJunk, outcome);
        }
        let ways = self.ways;
        if let Some(account) = &ways.login
            && endpoints::not_tried(self.expected, &answers).is_none()
        {
            // A login needs time for its logout, however long the other requests took.
            self.deadline = Instant::now() + 3 * LIMIT;
            for (probe, outcome) in self.log_in(account).await {
                answers.add(probe, outcome);
            }
        }
        findings.extend(judge(self.expected, &answers));
        for (server, chain) in certificates {
            findings.extend(self.certificates(server, &chain, now));
        }
        if self.expected.synapse_host.is_none() {
            findings.push(Finding::of("no-host", "spec.components.synapse.k8s.ingress.fqdn", &[]));
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// Removes requests without a route through the cluster; returns one finding for each route, and for each missing one.
    async fn keep_routable(&self, through: &Through, wanted: &mut Vec<Probe>) -> Vec<Finding> {
        let mut ways: BTreeMap<String, Result<Vec<String>, String>> = BTreeMap::new();
        let mut kept = Vec::new();
        for probe in wanted.drain(..) {
            let host = probe.host(self.expected).unwrap_or_default();
            // DNS and `--resolve` don't need the cluster.
            if probe == Probe::MasAddress || self.ways.named(host, None).is_some() {
                kept.push(probe);
                continue;
            }
            let home = format!("https://{host}/");
            let path = probe.path(self.expected);
            let found = timeout_at(self.deadline - LIMIT, through.way(probe.server(), host, &path)).await;
            match found.unwrap_or_else(|_| Err("the API server doesn't return the route in time".to_owned())) {
                Ok(found) => {
                    if let Some(found) = found
                        && let Ok(texts) = ways.entry(home).or_insert_with(|| Ok(Vec::new()))
                        && !texts.contains(&found.text)
                    {
                        texts.push(found.text);
                    }
                    kept.push(probe);
                }
                Err(why) if ways.values().any(|way| way.as_ref().is_err_and(|known| *known == why)) => {}
                Err(why) => drop(ways.insert(format!("https://{host}{path}"), Err(why))),
            }
        }
        *wanted = kept;
        through::findings(&ways)
    }

    /// Sends one request; if MAS redirects to a provider, also requests that URL.
    async fn ask(&self, probe: &Probe) -> (Seen, Option<(Probe, Outcome)>) {
        if *probe == Probe::MasAddress {
            return (Seen::only(self.address_of_mas().await), None);
        }
        let token = self.ways.token.as_ref().filter(|_| *probe == Probe::WhoamiToken);
        let seen = self.at_spec(probe, token, None).await;
        let Probe::Authorize(index) = probe else { return (seen, None) };
        let mut answers = Replies::default();
        answers.add(probe.clone(), seen.outcome.clone());
        let outcome = match next_at_provider(&answers, *index) {
            Ok(uri) => match Url::parse(&uri.to_string()) {
                Ok(url) => self.at_provider(&url).await,
                Err(_) => Outcome::NotAsked(format!("{uri} is not a valid URL")),
            },
            Err(Some(why)) => Outcome::NotAsked(why),
            Err(None) => return (seen, None),
        };
        (seen, Some((Probe::AtProvider(*index), outcome)))
    }

    pub(super) async fn at_spec(&self, probe: &Probe, bearer: Option<&SecretText>, body: Option<&SecretText>) -> Seen {
        let url = probe.url(self.expected);
        let Ok(url) = Url::parse(&url) else {
            return Seen::only(Outcome::NotAsked(format!("{url} is not a valid URL")));
        };
        let security =
            if probe.is_secret() { Security::Trusted(self.trusted.roots.clone()) } else { Security::Witness };
        let host = url.host_str().unwrap_or_default();
        let through = self.ways.through.as_ref().filter(|_| self.ways.named(host, None).is_none());
        let found = match through {
            Some(through) => through.way(probe.server(), host, &probe.path(self.expected)).await,
            None => Ok(None),
        };
        let (way, security) = match found {
            Ok(Some(found)) if found.tls => (Ok(found.way), Security::Witness),
            // The port-forward is encrypted up to the cluster.
            Ok(Some(found)) => (Ok(found.way), Security::Plain),
            Ok(None) => (self.ways.way(&url).map_err(Outcome::NotAsked), security),
            Err(why) => (Err(Outcome::NotAsked(why)), security),
        };
        match way {
            Ok(way) => self.get(Ask { url: &url, way: &way, by_redirect: false, security, bearer, body }).await,
            Err(outcome) => Seen::only(outcome),
        }
    }

    /// Requests the target of MAS's redirect once, without cookies, and doesn't follow redirects.
    async fn at_provider(&self, url: &Url) -> Outcome {
        let way = match self.ways.way(url) {
            Ok(way) => way,
            Err(why) => return Outcome::NotAsked(why),
        };
        let security = Security::Trusted(self.trusted.roots.clone());
        self.get(Ask { url, way: &way, by_redirect: true, security, bearer: None, body: None }).await.outcome
    }

    async fn get(&self, ask: Ask<'_>) -> Seen {
        let host = ask.url.host_str().unwrap_or_default();
        let late = || Outcome::NotReached(format!("no response from {host} within {} seconds", WHOLE.as_secs()));
        timeout_at(self.deadline, http::send(ask)).await.unwrap_or_else(|_| Seen::only(late()))
    }

    /// Sends invalid tokens over separate connections, a few at a time to stay below rate limits. Repeats requests that fail
    /// with 5xx, because Synapse's processes restart one by one.
    async fn every_process(&self, tries: usize) -> Vec<Outcome> {
        let mut all = Vec::new();
        while all.len() < tries {
            let asked = (0..AT_ONCE.min(tries - all.len())).map(|_| async {
                let token = invalid_token();
                self.at_spec(&Probe::WhoamiJunk, Some(&token), None).await.outcome
            });
            let outcomes = join_all(asked).await;
            let unavailable = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if answer.status >= 500);
            let lost = |outcome: &Outcome| matches!(outcome, Outcome::NotReached(_) | Outcome::Silent(_));
            let time = Instant::now() + AGAIN + LIMIT < self.deadline;
            if time && outcomes.iter().any(unavailable) {
                sleep(AGAIN).await;
                continue;
            }
            // More requests to a silent host give no more information.
            let enough = !time || outcomes.iter().all(lost);
            all.extend(outcomes);
            if enough {
                break;
            }
        }
        all
    }

    async fn address_of_mas(&self) -> Outcome {
        let host = self.expected.mas_host.as_deref().unwrap_or_default();
        if self.ways.named(host, None).is_some() {
            return Outcome::NotAsked("--resolve sets its address".to_owned());
        }
        let late = || format!("{host} couldn't be resolved within {} seconds", LIMIT.as_secs());
        match timeout(LIMIT, dial::addresses(host, 443)).await.unwrap_or_else(|_| Err(late())) {
            Ok(addresses) => {
                let all: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let body = all.join(", ").into_bytes();
                Outcome::Answered(endpoints::Reply { body, ..endpoints::Reply::default() })
            }
            Err(why) => Outcome::NotReached(why),
        }
    }

    fn certificates(&self, server: Server, chain: &[Vec<u8>], now: Timestamp) -> Vec<Finding> {
        let host = match server {
            Server::Mas => &self.expected.mas_host,
            Server::Synapse => &self.expected.synapse_host,
            Server::Provider | Server::ServerName => return Vec::new(),
        };
        let Some(host) = host.as_deref().and_then(|host| HostName::parse(host).ok()) else { return Vec::new() };
        let subject = format!("https://{host}/");
        let mut found = self.trusted.judge_presented(&subject, chain, &host, now);
        // Synapse's certificate is already in use, so only problems matter.
        found.retain(|finding| server == Server::Mas || finding.severity != Severity::Ok);
        found
    }
}

fn invalid_token() -> SecretText {
    let mut bytes = [0_u8; 16];
    // Without randomness, the token is still invalid.
    let _ = rand::fill(&mut bytes);
    SecretText::new(format!("kubectl-ess-mas-made-up-{:032x}", u128::from_ne_bytes(bytes)))
}
