//! What is asked, and what came of it.

use super::expected::{EndpointPhase, Expected};
use crate::answers::http::{Outcome, Reached, Reply, encoded};
use crate::checks::finding::{Code, Finding};

/// One thing to ask. All but the last three are plain GET requests that log nobody in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// Whether MAS's host has an address; no connection is made.
    MasAddress,
    Discovery,
    Keys,
    /// MAS's login page, which reads its database.
    LoginPage,
    /// The start of a login at an identity provider, by its place in [`Expected::providers`].
    Authorize(usize),
    /// What the identity provider itself says to that start.
    AtProvider(usize),
    Versions,
    AuthMetadata,
    /// The same under the name that older releases have for it.
    AuthMetadataUnstable,
    LoginV3,
    LoginR0,
    WhoamiJunk,
    /// Whose the access token is that was given.
    WhoamiToken,
    /// Where clients are sent that are given the server name only.
    WellKnown,
    /// A new login with the account of `--login-file`, whose token it is, and its end.
    LogIn,
    WhoamiNew,
    LogOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Mas,
    /// Synapse's host, where other components may answer for some paths.
    Synapse,
    Provider,
    /// What answers for the server name.
    ServerName,
}

impl Question {
    pub fn server(&self) -> Server {
        self.host_and_path().0
    }

    /// Whether a secret of a person is sent, and so only to somebody whose certificate is trusted.
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

    /// The path to ask for, with its query. That at a provider is known only by MAS's answer: `next_at_provider`.
    pub fn path(&self, expected: &Expected) -> String {
        let (_, path) = self.host_and_path();
        let id = match self {
            Self::Authorize(index) => expected.providers.get(*index).map(|provider| encoded(&provider.idp_id)),
            _ => None,
        };
        format!("{path}{}", id.unwrap_or_default())
    }

    /// The host to ask; that of a provider is known only by MAS's answer.
    pub fn host<'a>(&self, expected: &'a Expected) -> Option<&'a str> {
        match self.server() {
            Server::Mas => expected.mas_host.as_deref(),
            Server::Synapse => expected.synapse_host.as_deref(),
            Server::ServerName => expected.server_name.as_deref(),
            Server::Provider => None,
        }
    }

    /// The whole address, which is the subject of findings.
    pub fn url(&self, expected: &Expected) -> String {
        format!("https://{}{}", self.host(expected).unwrap_or("?"), self.path(expected))
    }
}

/// What to ask in this phase, apart from the providers themselves, whose addresses MAS tells. Where a question stands more
/// than once, it is to be asked that often, each time over a new connection: other processes may answer.
pub fn questions(expected: &Expected) -> Vec<Question> {
    let mut all = Vec::new();
    if expected.mas_host.is_some() {
        if expected.phase == EndpointPhase::Before {
            all.push(Question::MasAddress);
        } else {
            all.extend([Question::Discovery, Question::Keys, Question::LoginPage]);
            let known = expected.providers.iter().enumerate().filter(|(_, provider)| !provider.idp_id.is_empty());
            all.extend(known.map(|(index, _)| Question::Authorize(index)));
        }
    }
    if expected.synapse_host.is_some() {
        all.extend([Question::Versions, Question::AuthMetadata, Question::LoginV3]);
        if expected.phase == EndpointPhase::Active {
            all.extend([Question::AuthMetadataUnstable, Question::LoginR0]);
            all.extend(vec![Question::WhoamiJunk; expected.tries()]);
        }
        if expected.token.is_some() {
            all.push(Question::WhoamiToken);
        }
    }
    if expected.server_name.is_some() && expected.well_known {
        all.push(Question::WellKnown);
    }
    all
}

#[derive(Debug, Clone, Default)]
pub struct Replies(pub(super) Vec<(Question, Outcome)>);

impl Replies {
    pub fn add(&mut self, question: Question, outcome: Outcome) {
        self.0.push((question, outcome));
    }

    pub fn to<'a>(&'a self, question: &'a Question) -> impl Iterator<Item = &'a Outcome> {
        self.0.iter().filter(move |(asked, _)| asked == question).map(|(_, outcome)| outcome)
    }

    /// The one answer to a question; else a finding that there is none, or nothing where one finding for the whole host
    /// says it already.
    pub(super) fn answer(
        &self,
        expected: &Expected,
        question: &Question,
        code: Code,
    ) -> Result<&Reply, Option<Finding>> {
        let finding = |make: fn(Code, String, String) -> Finding, text: &str| {
            Err(Some(make(code, question.url(expected), text.to_owned())))
        };
        match self.0.iter().find(|(asked, _)| asked == question).map(|(_, outcome)| outcome) {
            None => Err(None),
            Some(Outcome::Answered(answer)) => Ok(answer),
            Some(Outcome::NotReached(_) | Outcome::Silent(_)) if self.reached(question.server()) != Reached::Yes => {
                Err(None)
            }
            Some(Outcome::NotReached(why) | Outcome::Silent(why) | Outcome::NotAsked(why)) => {
                finding(Finding::unknown, why)
            }
            Some(Outcome::Unusable(what)) => finding(Finding::blocker, what),
        }
    }

    pub(super) fn judge(
        &self,
        expected: &Expected,
        question: &Question,
        code: Code,
        judge: impl FnOnce(&Expected, String, &Reply) -> Finding,
    ) -> Option<Finding> {
        match self.answer(expected, question, code) {
            Ok(answer) => Some(judge(expected, question.url(expected), answer)),
            Err(finding) => finding,
        }
    }

    /// Whether anything at all came back from there; if not, why.
    pub(super) fn reached(&self, server: Server) -> Reached<'_> {
        let mut why = None;
        for (question, outcome) in &self.0 {
            if question.server() == server {
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
