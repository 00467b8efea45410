//! The requests that `verify` sends, and their outcomes.

use super::expected::{EndpointPhase, Expected};
use crate::answers::http::{Outcome, Reached, Reply, encoded};
use crate::checks::finding::{Code, Finding, Severity};

/// A request. All but the last three are GET requests that start no session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Probe {
    /// The DNS lookup of MAS's host, without a connection.
    MasAddress,
    Discovery,
    Keys,
    /// MAS's login page, which reads its database.
    LoginPage,
    /// The start of a login at an identity provider, by index in [`Expected::providers`].
    Authorize(usize),
    /// The redirect's target at the identity provider.
    AtProvider(usize),
    Versions,
    AuthMetadata,
    /// The same for older releases.
    AuthMetadataUnstable,
    LoginV3,
    LoginR0,
    WhoamiJunk,
    /// The user of the token of `--token-file`.
    WhoamiToken,
    WellKnown,
    /// With `--login-file`: a new login, the user of its token, and the logout.
    LogIn,
    WhoamiNew,
    LogOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Mas,
    /// Synapse's host, where other components can serve some paths.
    Synapse,
    Provider,
    ServerName,
}

impl Probe {
    pub fn server(&self) -> Server {
        self.host_and_path().0
    }

    /// Whether the request contains a user's secret, which requires a trusted certificate.
    pub const fn is_secret(&self) -> bool {
        matches!(self, Self::WhoamiToken | Self::LogIn | Self::WhoamiNew | Self::LogOut)
    }

    const fn host_and_path(&self) -> (Server, &'static str) {
        match self {
            Self::MasAddress => (Server::Mas, "/"),
            Self::Discovery => (Server::Mas, "/.well-known/openid-configuration"),
            Self::Keys => (Server::Mas, "/oauth2/keys.json"),
            Self::LoginPage => (Server::Mas, "/login"),
            Self::Authorize(_) => (Server::Mas, "/upstream/authorize/"),
            Self::AtProvider(_) => (Server::Provider, "/"),
            Self::Versions => (Server::Synapse, "/_matrix/client/versions"),
            Self::AuthMetadata => (Server::Synapse, "/_matrix/client/v1/auth_metadata"),
            Self::AuthMetadataUnstable => {
                (Server::Synapse, "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata")
            }
            Self::LoginV3 | Self::LogIn => (Server::Synapse, "/_matrix/client/v3/login"),
            Self::LoginR0 => (Server::Synapse, "/_matrix/client/r0/login"),
            Self::LogOut => (Server::Synapse, "/_matrix/client/v3/logout"),
            Self::WhoamiJunk | Self::WhoamiToken | Self::WhoamiNew => {
                (Server::Synapse, "/_matrix/client/v3/account/whoami")
            }
            Self::WellKnown => (Server::ServerName, "/.well-known/matrix/client"),
        }
    }

    /// The path with its query; for a provider, see `next_at_provider`.
    pub fn path(&self, expected: &Expected) -> String {
        let (_, path) = self.host_and_path();
        let id = match self {
            Self::Authorize(index) => expected.providers.get(*index).map(|provider| encoded(&provider.idp_id)),
            _ => None,
        };
        format!("{path}{}", id.unwrap_or_default())
    }

    /// The host; `None` for a provider, whose host is in MAS's response.
    pub fn host<'a>(&self, expected: &'a Expected) -> Option<&'a str> {
        match self.server() {
            Server::Mas => expected.mas_host.as_deref(),
            Server::Synapse => expected.synapse_host.as_deref(),
            Server::ServerName => expected.server_name.as_deref(),
            Server::Provider => None,
        }
    }

    pub fn url(&self, expected: &Expected) -> String {
        format!("https://{}{}", self.host(expected).unwrap_or("?"), self.path(expected))
    }
}

/// The requests of this phase, except those to the providers. A repeated request needs a new connection each time, because
/// another process can respond.
pub fn probes(expected: &Expected) -> Vec<Probe> {
    let mut all = Vec::new();
    if expected.mas_host.is_some() {
        if expected.phase == EndpointPhase::Before {
            all.push(Probe::MasAddress);
        } else {
            all.extend([Probe::Discovery, Probe::Keys, Probe::LoginPage]);
            let known = expected.providers.iter().enumerate().filter(|(_, provider)| !provider.idp_id.is_empty());
            all.extend(known.map(|(index, _)| Probe::Authorize(index)));
        }
    }
    if expected.synapse_host.is_some() {
        all.extend([Probe::Versions, Probe::AuthMetadata, Probe::LoginV3]);
        if expected.phase == EndpointPhase::Active {
            all.extend([Probe::AuthMetadataUnstable, Probe::LoginR0]);
            all.extend(vec![Probe::WhoamiJunk; expected.tries()]);
        }
        if expected.token.is_some() {
            all.push(Probe::WhoamiToken);
        }
    }
    if expected.server_name.is_some() && expected.well_known {
        all.push(Probe::WellKnown);
    }
    all
}

#[derive(Debug, Clone, Default)]
pub struct Replies(pub(super) Vec<(Probe, Outcome)>);

impl Replies {
    pub fn add(&mut self, probe: Probe, outcome: Outcome) {
        self.0.push((probe, outcome));
    }

    pub fn to<'a>(&'a self, probe: &Probe) -> impl Iterator<Item = &'a Outcome> {
        self.0.iter().filter(move |(asked, _)| asked == probe).map(|(_, outcome)| outcome)
    }

    /// The response to a request; else a finding, or `None` if a finding for the whole host reports it.
    pub(super) fn reply(&self, expected: &Expected, probe: &Probe, code: Code) -> Result<&Reply, Option<Finding>> {
        match self.to(probe).next() {
            None => Err(None),
            Some(Outcome::Answered(reply)) => Ok(reply),
            Some(Outcome::NotReached(_) | Outcome::Silent(_)) if self.reached(probe.server()) != Reached::Yes => {
                Err(None)
            }
            Some(Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::NotAsked(why)) => {
                Err(Some(Finding::new(code, Severity::Unknown, probe.url(expected), why)))
            }
            Some(Outcome::Unusable(what)) => {
                Err(Some(Finding::new(code, Severity::Blocker, probe.url(expected), what)))
            }
        }
    }

    pub(super) fn judge(
        &self,
        expected: &Expected,
        probe: &Probe,
        code: Code,
        judge: impl FnOnce(&Exchange<'_>) -> Finding,
    ) -> Option<Finding> {
        match self.reply(expected, probe, code) {
            Ok(reply) => Some(judge(&Exchange { expected, url: probe.url(expected), reply })),
            Err(finding) => finding,
        }
    }

    /// Whether the server sent any response; if not, the reason.
    pub(super) fn reached(&self, server: Server) -> Reached<'_> {
        let mut why = None;
        for (probe, outcome) in &self.0 {
            if probe.server() == server {
                match outcome {
                    Outcome::NotReached(reason) | Outcome::Silent(reason) => why = why.or(Some(reason.as_str())),
                    Outcome::NotAsked(_) => {}
                    Outcome::Answered(_) | Outcome::Unusable(_) => return Reached::Yes,
                }
            }
        }
        why.map_or(Reached::NotAsked, Reached::No)
    }
}

/// A response with the URL of its request, which is the subject of findings.
pub(super) struct Exchange<'a> {
    pub(super) expected: &'a Expected,
    pub(super) url: String,
    pub(super) reply: &'a Reply,
}

impl Exchange<'_> {
    /// The finding of this name in the table, with values for its placeholders.
    pub(super) fn finding(&self, name: &str, values: &[(&str, &str)]) -> Finding {
        let described = self.reply.described();
        let it = [("it", described.as_str())];
        self.expected.finding(name, self.url.as_str(), &[&it, values].concat())
    }
}
