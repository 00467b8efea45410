//! A look at MAS, Synapse and the identity providers from outside: asks what [`checks::endpoints`] wants asked, all side by
//! side, and hands back its findings.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand;
use futures::future::join_all;
use jiff::Timestamp;
use reqwest::Url;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::access::EndpointAccess;
use super::through::{self, Through};
use crate::checks::endpoints::{
    Commands, Expected, Outcome, Question, Replies, Server, judge, next_at_provider, questions,
};
use crate::checks::{Finding, Severity, Snapshot, endpoints};
use crate::net::dial::{self, Way};
use crate::net::http::{self, Ask, LIMIT, NamedBy, Security, Seen};
use crate::secrets::SecretText;
use crate::session::certificate::Trusted;
use crate::session::connect::Session;
use crate::session::inputs::roots_or_system;
use crate::x509::HostName;

const WHOLE: Duration = Duration::from_millis(9_500);
/// Before processes that did not answer well are asked once more.
const AGAIN: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 6;

/// What to say wherever MAS is up before the migration.
pub const NO_LOGINS: &str = "Nobody was logged in by this. Never complete a login at MAS before the migration, not even as a try: what it \
                             leaves in MAS's database makes the migration fail.";

/// What there is to expect, with commands that fit this call.
pub fn expected(session: &Session, snapshot: &Snapshot, ways: &EndpointAccess) -> Expected {
    let commands = Commands {
        verify: session.command("verify"),
        kubectl: format!("kubectl -n {}{}", session.target.namespace, session.cluster.place().context_flag()),
    };
    Expected::of(snapshot, ways.given.clone(), commands)
}

/// Looks. Takes less than ten seconds, whatever is there; dropping it ends it at once.
pub async fn look(expected: &Expected, ways: &EndpointAccess, now: Timestamp) -> Vec<Finding> {
    let deadline = Instant::now() + WHOLE;
    let system = ways.roots.is_none();
    let roots = roots_or_system(ways.roots.clone()).await;
    let round = Round { expected, ways, trusted: Trusted { roots, system }, deadline, names: Mutex::default() };
    round.at_everything(now).await
}

struct Round<'a> {
    expected: &'a Expected,
    ways: &'a EndpointAccess,
    trusted: Trusted,
    deadline: Instant,
    names: Mutex<HashMap<String, Arc<OnceCell<Addresses>>>>,
}

type Addresses = Result<Vec<SocketAddr>, String>;

impl Round<'_> {
    async fn at_everything(&self, now: Timestamp) -> Vec<Finding> {
        let mut wanted = questions(self.expected);
        let mut findings = Vec::new();
        if let Some(through) = &self.ways.through {
            findings.extend(self.keep_what_has_a_way(through, &mut wanted).await);
        }
        let before = wanted.len();
        wanted.retain(|question| *question != Question::WhoamiJunk);
        let tries = before - wanted.len();
        let (asked, junk) =
            tokio::join!(join_all(wanted.iter().map(|question| self.ask(question))), self.every_process(tries));
        let mut answers = Replies::default();
        let mut certificates: Vec<(Server, Vec<Vec<u8>>)> = Vec::new();
        for (question, (seen, more)) in wanted.iter().zip(asked) {
            if !seen.certificates.is_empty() && certificates.iter().all(|(server, _)| *server != question.server()) {
                certificates.push((question.server(), seen.certificates));
            }
            answers.add(question.clone(), seen.outcome);
            if let Some((question, outcome)) = more {
                answers.add(question, outcome);
            }
        }
        for outcome in junk {
            answers.add(Question::WhoamiJunk, outcome);
        }
        findings.extend(judge(self.expected, &answers));
        for (server, chain) in certificates {
            findings.extend(self.certificates(server, &chain, now));
        }
        if self.expected.synapse_host.is_none() {
            findings.push(endpoints::no_host("spec.components.synapse.k8s.ingress.fqdn"));
        }
        findings.sort_by_key(|finding| finding.severity);
        findings
    }

    /// Leaves out what cannot be asked through the cluster; one finding for each way, and for each lack of one.
    async fn keep_what_has_a_way(&self, through: &Through, wanted: &mut Vec<Question>) -> Vec<Finding> {
        let mut ways: BTreeMap<String, Result<String, String>> = BTreeMap::new();
        let mut kept = Vec::new();
        for question in wanted.drain(..) {
            let host = question.host(self.expected).unwrap_or_default();
            // Nobody inside knows more of a name than others.
            if question == Question::MasAddress || self.ways.named(host, None).is_some() {
                kept.push(question);
                continue;
            }
            let home = format!("https://{host}/");
            let path = question.path(self.expected);
            let found = timeout_at(self.deadline - LIMIT, through.way(question.server(), host, &path)).await;
            match found.unwrap_or_else(|_| Err("the API server takes too long to tell the way".to_owned())) {
                Ok(found) => {
                    if let Some(found) = found {
                        let told = ways.entry(home).or_insert_with(|| Ok(String::new()));
                        if let Ok(told) = told
                            && !told.contains(&found.told)
                        {
                            let gap = if told.is_empty() { "" } else { "; for other paths " };
                            told.extend([gap, found.told.as_str()]);
                        }
                    }
                    kept.push(question);
                }
                Err(why) => {
                    let known = ways.values().any(|way| way.as_ref().is_err_and(|known| *known == why));
                    if !known {
                        ways.insert(format!("https://{host}{path}"), Err(why));
                    }
                }
            }
        }
        *wanted = kept;
        through::findings(&ways)
    }

    /// Asks one question; where MAS sends on to a provider, that as well.
    async fn ask(&self, question: &Question) -> (Seen, Option<(Question, Outcome)>) {
        if *question == Question::MasAddress {
            return (Seen::only(self.address_of_mas().await), None);
        }
        let token = self.ways.token.as_ref().filter(|_| *question == Question::WhoamiToken);
        let seen = self.at_spec(question, token).await;
        let Question::Authorize(index) = question else { return (seen, None) };
        let mut answers = Replies::default();
        answers.add(question.clone(), seen.outcome.clone());
        let outcome = match next_at_provider(&answers, *index) {
            Ok(uri) => match Url::parse(&uri.to_string()) {
                Ok(url) => self.at_provider(&url).await,
                Err(_) => Outcome::NotAsked(format!("{uri} is not an address")),
            },
            Err(Some(why)) => Outcome::NotAsked(why),
            Err(None) => return (seen, None),
        };
        (seen, Some((Question::AtProvider(*index), outcome)))
    }

    async fn at_spec(&self, question: &Question, bearer: Option<&SecretText>) -> Seen {
        let url = question.url(self.expected);
        let Ok(url) = Url::parse(&url) else {
            return Seen::only(Outcome::NotAsked(format!("{url} is not an address")));
        };
        // A token of a person is sent to nobody whose certificate is not trusted; a made-up one harms nobody.
        let real = *question == Question::WhoamiToken;
        let security = if real { Security::Trusted(self.trusted.roots.clone()) } else { Security::Witness };
        let host = url.host_str().unwrap_or_default();
        let through = self.ways.through.as_ref().filter(|_| self.ways.named(host, None).is_none());
        let found = match through {
            Some(through) => through.way(question.server(), host, &question.path(self.expected)).await,
            None => Ok(None),
        };
        let (way, security) = match found {
            Ok(Some(found)) if found.tls => (Ok(found.way), Security::Witness),
            // The connection to the API server is secured, and so is the way from there to the pod.
            Ok(Some(found)) => (Ok(found.way), Security::Plain),
            Ok(None) => (self.looked_up(&url).await, security),
            Err(why) => (Err(Outcome::NotAsked(why)), security),
        };
        match way {
            Ok(way) => self.get(Ask { url: &url, way: &way, named_by: NamedBy::Spec, security, bearer }).await,
            Err(outcome) => Seen::only(outcome),
        }
    }

    async fn looked_up(&self, url: &Url) -> Result<Way, Outcome> {
        match self.ways.way(url) {
            Ok(Way::Direct) => {}
            Ok(way) => return Ok(way),
            Err(why) => return Err(Outcome::NotAsked(why)),
        }
        let found = self.addresses(url.host_str().unwrap_or_default(), url.port().unwrap_or(443)).await;
        found.map(Way::To).map_err(Outcome::NotReached)
    }

    async fn addresses(&self, host: &str, port: u16) -> Addresses {
        let cell = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(names.entry(format!("{host}:{port}")).or_default())
        };
        let found = cell.get_or_init(|| async {
            let found = timeout(LIMIT, dial::addresses(host, port)).await;
            let late = || format!("the address of {host} was not found within {} seconds", LIMIT.as_secs());
            found.unwrap_or_else(|_| Err(late()))
        });
        found.await.clone()
    }

    /// Where MAS sends browsers: once, without anything that MAS or Synapse set, and no further.
    async fn at_provider(&self, url: &Url) -> Outcome {
        let way = match self.ways.way(url) {
            Ok(way) => way,
            Err(why) => return Outcome::NotAsked(why),
        };
        let security = Security::Trusted(self.trusted.roots.clone());
        self.get(Ask { url, way: &way, named_by: NamedBy::Server, security, bearer: None }).await.outcome
    }

    async fn get(&self, ask: Ask<'_>) -> Seen {
        let host = ask.url.host_str().unwrap_or_default();
        match timeout_at(self.deadline, http::get(ask)).await {
            Ok(seen) => seen,
            Err(_) => {
                Seen::only(Outcome::NotReached(format!("no answer from {host} within {} seconds", WHOLE.as_secs())))
            }
        }
    }

    /// Many made-up tokens, each over a connection of its own and a few at a time, so that no limit on requests answers in
    /// Synapse's place; those that are not answered well once more, as Synapse's processes restart one by one.
    async fn every_process(&self, tries: usize) -> Vec<Outcome> {
        let mut all = Vec::new();
        while all.len() < tries {
            let asked = (0..AT_ONCE.min(tries - all.len())).map(|_| async {
                let token = made_up_token();
                self.at_spec(&Question::WhoamiJunk, Some(&token)).await.outcome
            });
            let outcomes = join_all(asked).await;
            let unavailable = |outcome: &Outcome| matches!(outcome, Outcome::Answered(answer) if answer.status >= 500);
            let lost = |outcome: &Outcome| matches!(outcome, Outcome::NotReached(_) | Outcome::Silent(_));
            let time = Instant::now() + AGAIN + LIMIT < self.deadline;
            if time && outcomes.iter().any(unavailable) {
                sleep(AGAIN).await;
                continue;
            }
            // Where nothing comes back, more of the same tells nothing more.
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
            return Outcome::NotAsked("its address was given".to_owned());
        }
        match self.addresses(host, 443).await {
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
        // Synapse's certificate was there before; it only matters where it is not in order.
        found.retain(|finding| server == Server::Mas || finding.severity != Severity::Ok);
        found
    }
}

/// A token that nobody has and no cache knows.
fn made_up_token() -> SecretText {
    let mut bytes = [0_u8; 16];
    // Not random is as good here, only not new.
    let _ = rand::fill(&mut bytes);
    SecretText::new(format!("kubectl-ess-mas-made-up-{:032x}", u128::from_ne_bytes(bytes)))
}
