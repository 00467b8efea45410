//! How to get to MAS, Synapse and the providers.

use std::net::SocketAddr;

use reqwest::Url;

use super::through::Through;
use crate::checks::endpoints::GivenToken;
use crate::cluster::proxy_from_environment;
use crate::net::dial::{Resolve, Way};
use crate::net::tls::Roots;
use crate::secrets::SecretText;

/// An account to log in with. The password is sent to Synapse's host only.
pub struct TestAccount {
    pub user: String,
    pub password: SecretText,
}

#[derive(Default)]
pub struct EndpointAccess {
    /// `--resolve`.
    pub resolve: Vec<Resolve>,
    /// `--ca-certificate`; without it, what this system trusts.
    pub roots: Option<Roots>,
    /// The token of `--token-file`.
    pub token: Option<SecretText>,
    pub given: Option<GivenToken>,
    /// The account of `--login-file`.
    pub login: Option<TestAccount>,
    /// `--through-cluster`.
    pub through: Option<Through>,
}

impl EndpointAccess {
    /// The address that was named for a host. Behind a forwarded port the address that is asked for stays the one without a
    /// port, so any will do for that.
    pub fn named(&self, host: &str, port: Option<u16>) -> Option<SocketAddr> {
        Resolve::named(&self.resolve, host, port.unwrap_or(443), port.is_none())
    }

    pub fn way(&self, url: &Url) -> Result<Way, String> {
        if let Some(address) = self.named(url.host_str().unwrap_or_default(), url.port()) {
            return Ok(Way::To(vec![address]));
        }
        let uri = url.as_str().parse().map_err(|_| format!("{url} is not an address"))?;
        let proxy = proxy_from_environment(&uri).map_err(|error| error.to_string())?;
        Ok(proxy.map_or(Way::Direct, Way::Proxy))
    }
}
