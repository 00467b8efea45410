//! The network of the examples: the recorded MAS and Synapse and two identity providers, behind a proxy that leads every host
//! there, as a company's proxy does.

use std::path::{Path, PathBuf};

use ess_mas::x509::RsaPrivateKey;
use ess_mas_sandbox::fixtures::IDP_IDS;
use ess_mas_sandbox::prelude::*;
use ess_mas_sandbox::web::WebProxy;
use serde_json::json;

const MAS: &str = "auth.example.com";
const SYNAPSE: &str = "matrix.example.com";
const DOMAIN: &str = "example.com";
const PROVIDERS: [(&str, &str); 2] =
    [("id.corp.example.com", "synapse-corp"), ("login.partner.example.net", "synapse-partner")];

/// The recorded responses, by the time when they were made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before the migration.
    Before,
    /// Each path first gets the response from before the migration, then the one from after it: `activate` sends the
    /// requests twice.
    Around,
    /// After the migration.
    After,
}

/// The servers. They end when dropped.
pub struct Network {
    web: Web,
    proxy: WebProxy,
}

fn recorded(name: &str) -> Reply {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings/http");
    Reply::recorded(&folder, name)
}

impl Network {
    /// Starts the servers.
    pub async fn start() -> Self {
        let hosts = [MAS, SYNAPSE, DOMAIN].into_iter().chain(PROVIDERS.map(|(host, _)| host));
        let web = Web::start(&hosts.collect::<Vec<_>>()).await.unwrap();
        let proxy = web.proxy().await.unwrap();
        for ((host, client), id) in PROVIDERS.into_iter().zip(IDP_IDS) {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("response_type", "code"), ("client_id", client)])
                .extend_pairs([("redirect_uri", format!("https://{MAS}/upstream/callback/{id}"))])
                .finish();
            web.answer(
                MAS,
                &format!("/upstream/authorize/{id}"),
                Reply::redirect(307, &format!("https://{host}/auth?{query}")),
            );
            web.answer(host, "/auth", Reply::page(200, "<html><title>Sign in</title></html>"));
        }
        let well_known = json!({"m.homeserver": {"base_url": format!("https://{SYNAPSE}")}});
        web.answer(DOMAIN, "/.well-known/matrix/client", Reply::json(200, &well_known));
        Self { web, proxy }
    }

    /// Environment variables for a shell, in addition to the file with the CA's certificate.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [("HTTPS_PROXY", format!("http://127.0.0.1:{}", self.proxy.port())), ("NO_PROXY", "127.0.0.1".to_owned())]
    }

    /// The CA's certificate in PEM.
    pub fn authority(&self) -> &str {
        self.web.authority()
    }

    /// Uses these recordings from now on, with this key in MAS.
    pub fn answer(&self, when: When, rsa_private_key: Option<&[u8]>) {
        for (path, name) in [("/.well-known/openid-configuration", "mas-discovery"), ("/login", "mas-login")] {
            self.web.answer(MAS, path, recorded(&format!("dry-run-done/{name}")));
        }
        if let Some(key) = rsa_private_key {
            let modulus = RsaPrivateKey::parse(key).unwrap().modulus_base64url();
            let keys = json!({"keys": [{"kty": "RSA", "n": modulus, "e": "AQAB"}]});
            self.web.answer(MAS, "/oauth2/keys.json", Reply::json(200, &keys));
        }
        let offered = json!({"flows": [{"type": "m.login.password"}, {"type": "m.login.sso",
            "identity_providers": IDP_IDS.map(|id| json!({"id": format!("oidc-{id}"), "name": id}))}]});
        let after = |name: &str| recorded(&format!("active/{name}"));
        for (path, before, after) in [
            ("versions", recorded("dry-run-done/synapse-versions"), after("synapse-versions")),
            ("v1/auth_metadata", recorded("dry-run-done/synapse-auth_metadata"), after("synapse-auth_metadata")),
            ("v3/login", Reply::json(200, &offered), after("mas-compat-login-v3")),
            ("r0/login", after("mas-compat-login-v3"), after("mas-compat-login-v3")),
            (
                "unstable/org.matrix.msc2965/auth_metadata",
                after("synapse-auth_metadata-unstable"),
                after("synapse-auth_metadata-unstable"),
            ),
            ("v3/account/whoami", after("synapse-whoami-junk"), after("synapse-whoami-junk")),
        ] {
            let reply = match when {
                When::Before => before,
                When::Around => Reply::InTurn(vec![before, after]),
                When::After => after,
            };
            self.web.answer(SYNAPSE, &format!("/_matrix/client/{path}"), reply);
        }
    }
}
