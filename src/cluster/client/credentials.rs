//! Who the requests are made as, and how that is made anew when the server no longer takes it.
//!
//! kube is given a user with a token, a password or a certificate in it and nothing to run or to look up. It would run a
//! credential plugin (`users[].user.exec`) three times before the first request, each time blocking the executor, and put
//! its output into errors; it does not remove the line end of a token in a file, ends the program over a token that cannot
//! be sent, and does nothing about a 401.
//!
//! A migration is followed for an hour or more, and what was good at its beginning may expire. After a 401:
//!
//! | the user | what is done |
//! | --- | --- |
//! | has other credentials in the kubeconfig by now (somebody logged in again) | they are taken over |
//! | has a plugin | it is run again, as kubectl would at its next call |
//! | has a token or a client certificate in a file | the file is read again |

use std::{
    fs,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use kube::config::{AuthInfo, AuthProviderConfig};
use secrecy::SecretString;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::connection::client;
use crate::cluster::config::flags::ConnectionFlags;
use crate::cluster::config::plugin::{self, Proof, can_be_sent};
use crate::cluster::config::resolve::{Resolved, resolve};
use crate::cluster::errors::{ClusterError, plain};

/// A credential counts as expired this long before it is, so that it does not expire on its way.
const MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// How long a plugin is not run again after it gave nothing new: it may open a browser each time.
const IN_VAIN: Duration = Duration::from_secs(30);

/// What a request is sent with.
#[derive(Clone)]
pub struct Access {
    pub client: kube::Client,
    issue: u32,
}

/// Supplies what requests are sent with.
pub struct Credentials {
    /// To read the kubeconfig again; `None` where there is none, as in tests.
    flags: Option<ConnectionFlags>,
    connect: Option<Duration>,
    state: Mutex<State>,
}

struct State {
    access: Access,
    resolved: Resolved,
    proof: Proof,
    in_vain: Option<Instant>,
}

impl Credentials {
    /// Runs the user's plugin, if there is one, and sets up the connections.
    pub async fn begin(
        resolved: Resolved,
        flags: Option<ConnectionFlags>,
        connect: Option<Duration>,
    ) -> Result<Self, ClusterError> {
        let proof = Box::pin(prove(&resolved)).await?;
        let access = Access { client: client(&resolved, &proof.user, connect)?, issue: 0 };
        Ok(Self { flags, connect, state: Mutex::new(State { access, resolved, proof, in_vain: None }) })
    }

    /// What to send the next request with; made anew when it has expired.
    pub async fn current(&self) -> Result<Access, ClusterError> {
        let mut state = self.state.lock().await;
        let expired = state.proof.expires.is_some_and(|expires| Timestamp::now() + MARGIN >= expires);
        if expired || state.resolved.user.token_file.is_some() {
            match Box::pin(prove(&state.resolved)).await {
                Ok(proof) => drop(state.adopt(proof, self.connect, false)?),
                Err(error) if expired => return Err(error),
                // While a file is being replaced, what was in it before goes.
                Err(_) => {}
            }
        }
        Ok(state.access.clone())
    }

    /// After a 401 to a request that was sent with `refused`: something else, if there is a chance that it helps.
    ///
    /// When another request has renewed it in the meantime, that is given and nothing is run again.
    pub async fn renewed(&self, refused: &Access) -> Result<Option<Access>, ClusterError> {
        let mut state = self.state.lock().await;
        if state.access.issue != refused.issue {
            return Ok(Some(state.access.clone()));
        }
        let again = self.logged_in_again(&state.resolved);
        if again.is_none()
            && state.resolved.user.exec.is_some()
            && state.in_vain.is_some_and(|at| at.elapsed() < IN_VAIN)
        {
            return Ok(None);
        }
        // A certificate in a file is read where the connections are set up.
        let anew = again.is_some() || state.resolved.user.client_certificate.is_some();
        if let Some(again) = again {
            state.resolved = *again;
        }
        let proof = match Box::pin(prove(&state.resolved)).await {
            Ok(proof) => proof,
            Err(_) if state.resolved.user.token_file.is_some() => return Ok(None),
            Err(error) => return Err(error),
        };
        let news = state.adopt(proof, self.connect, anew)?;
        state.in_vain = (!news).then(Instant::now);
        Ok(news.then(|| state.access.clone()))
    }

    /// The kubeconfig as it is now, if it has other credentials for the same user of the same server.
    fn logged_in_again(&self, before: &Resolved) -> Option<Box<Resolved>> {
        // While it is being rewritten it cannot be read; the next 401 comes soon.
        let now = resolve(self.flags.as_ref()?).ok()?;
        let identity = |one: &Resolved| (one.config.cluster_url.clone(), one.context.clone(), one.user_name.clone());
        (identity(&now) == identity(before) && !same(&now.user, &before.user)).then(|| Box::new(now))
    }
}

impl State {
    /// True if there is something new to send requests with.
    fn adopt(&mut self, proof: Proof, connect: Option<Duration>, anew: bool) -> Result<bool, ClusterError> {
        let news = anew || !same(&proof.user, &self.proof.user);
        if news {
            let client = client(&self.resolved, &proof.user, connect)?;
            self.access = Access { client, issue: self.access.issue + 1 };
        }
        self.proof = proof;
        Ok(news)
    }
}

fn same(one: &AuthInfo, other: &AuthInfo) -> bool {
    serde_json::to_value(one).ok() == serde_json::to_value(other).ok()
}

/// As in client-go (`rest/transport.go`, `transport/round_trippers.go`): a token in a file goes before one that is written
/// down, the file is read for every request, because a pod's is renewed every hour, and both go before a plugin.
async fn prove(resolved: &Resolved) -> Result<Proof, ClusterError> {
    let mut user = resolved.user.clone();
    let (provider, exec) = (user.auth_provider.take(), user.exec.take());
    if user.username.is_some() {
        if user.token.is_some() {
            return Err(ClusterError::config(
                "The kubeconfig's user has a token, and a name with a password as well.",
                Some("Leave out one of them; kubectl takes no such user either.".to_owned()),
            ));
        }
        user.token_file = None;
        user.password.get_or_insert_default();
    } else if let Some(file) = user.token_file.take() {
        match (fs::read_to_string(&file).map(Zeroizing::new), &user.token) {
            (Ok(read), _) if !read.trim().is_empty() => user.token = Some(read.trim().into()),
            (_, Some(_)) => {}
            (read, None) => {
                let how = read.err().map_or("is empty".to_owned(), |error| format!("cannot be read: {}", error.kind()));
                let sentence = format!("The file {file} with the token of the kubeconfig's user {how}.");
                return Err(ClusterError::config(sentence, None));
            }
        }
    } else if user.token.is_none() {
        if let Some(provider) = provider {
            user.token = Some(from_provider(&provider)?);
        } else if let Some(exec) = exec {
            return plugin::run(&exec, &resolved.cluster, user).await;
        }
    }
    if user.token.as_ref().is_some_and(|token| !can_be_sent(token)) {
        return Err(ClusterError::config(
            "The token of the kubeconfig's user holds what cannot be sent.",
            Some("Log in again as you do for kubectl.".to_owned()),
        ));
    }
    Ok(Proof { user, expires: None })
}

/// kubectl would renew it; what it renewed last is in the kubeconfig.
fn from_provider(provider: &AuthProviderConfig) -> Result<SecretString, ClusterError> {
    match provider.config.get("id-token").filter(|token| provider.name == "oidc" && !token.is_empty()) {
        Some(token) => Ok(token.as_str().into()),
        None if provider.name == "oidc" => Err(ClusterError::config(
            "The kubeconfig's user logs in with OpenID Connect and has no id-token.",
            Some("Log in again as you do for kubectl.".to_owned()),
        )),
        None => Err(ClusterError::config(
            format!(
                "The kubeconfig's user logs in with {}, which is no longer a part of kubectl either.",
                plain(&provider.name)
            ),
            Some("Let the cluster's provider write a kubeconfig with a credential plugin.".to_owned()),
        )),
    }
}

#[cfg(test)]
mod tests;
