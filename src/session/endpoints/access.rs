//! Addresses, CA certificates and credentials for MAS, Synapse and the providers.

use std::net::SocketAddr;

use reqwest::Url;

use super::through::Through;
use crate::checks::endpoints::GivenToken;
use crate::cluster::proxy_from_environment;
use crate::net::dial::{Resolve, Way};
use crate::net::tls::Roots;
use crate::secrets::SecretText;

/// The account of `--login-file`. The password is sent only to Synapse's host.
pub struct TestAccount {
    pub user: String,
    pub password: SecretText,
}

#[derive(Default)]
pub struct EndpointAccess {
    pub resolve: Vec<Resolve>,
    /// `--ca-certificate`; by default, the CAs that this system trusts.
    pub roots: Option<Roots>,
    pub token: Option<SecretText>,
    pub given: Option<GivenToken>,
    pub login: Option<TestAccount>,
    pub through: Option<Through>,
}

impl EndpointAccess {
    /// The address of `--resolve` for a host. A URL without a port accepts any port, because it can be a forwarded one.
    pub fn named(&self, host: &str, port: Option<u16>) -> Option<SocketAddr> {
        Resolve::named(&self.resolve, host, port.unwrap_or(443), port.is_none())
    }

    pub fn way(&self, url: &Url) -> Result<Way, String> {
        if let Some(address) = self.named(url.host_str().unwrap_or_default(), url.port()) {
            return Ok(Way::To(vec![address]));
        }
        let uri = url.as_str().parse().map_err(|_| format!("{url} is not a valid URL"))?;
        let proxy = proxy_from_environment(&uri).map_err(|error| error.to_string())?;
        Ok(proxy.map_or(Way::Direct, Way::Proxy))
    }
}
