use std::fs;

use k8s_openapi::ByteString;

use super::*;

/// A folder with kubeconfigs and an environment for them.
struct World {
    folder: tempfile::TempDir,
    vars: Vec<(String, String)>,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), vars: Vec::new() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("parent")).expect("folder");
        fs::write(path, text).expect("written");
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets `KUBECONFIG` to these files.
    fn list(self, names: &[&str]) -> Self {
        let value = names.iter().map(|name| self.path(name)).collect::<Vec<_>>().join(":");
        self.var("KUBECONFIG", &value)
    }

    fn resolve(&self, flags: &ConnectionFlags) -> Result<Resolved, ClusterError> {
        let var = |name: &str| {
            self.vars.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.clone())
        };
        resolve_in(flags, &var)
    }

    fn fine(&self, flags: &ConnectionFlags) -> Resolved {
        self.resolve(flags).expect("resolves")
    }

    fn error(&self, flags: &ConnectionFlags) -> String {
        let error = self.resolve(flags).expect_err("an error");
        std::iter::once(error.to_string()).chain(error.hints()).collect::<Vec<_>>().join(". ")
    }
}

fn flags() -> ConnectionFlags {
    ConnectionFlags::default()
}

#[expect(clippy::unnecessary_wraps, reason = "flags are options, and the tests are about flags")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

const PROD: &str = "
apiVersion: v1
kind: Config
current-context: prod
contexts:
- {name: prod, context: {cluster: prod, user: admin, namespace: element-onprem}}
- {name: bare, context: {cluster: prod, user: nobody}}
clusters:
- {name: prod, cluster: {server: 'https://prod.example:6443', tls-server-name: kubernetes}}
- {name: other, cluster: {server: 'https://other.example', insecure-skip-tls-verify: true}}
users:
- {name: admin, user: {token: prod-token}}
- {name: jane, user: {token: jane-token, as: bob}}
";

const SECOND: &str = "
current-context: second
contexts:
- {name: second, context: {cluster: second, user: admin}}
- {name: prod, context: {cluster: second, user: admin, namespace: wrong}}
clusters:
- {name: second, cluster: {server: 'http://second.example:8080'}}
- {name: prod, cluster: {server: 'https://wrong.example'}}
users:
- {name: admin, user: {token: wrong}}
";

const EMPTY_CONTEXT: &str =
    "{apiVersion: v1, kind: Config, current-context: '', contexts: null, clusters: [], users: null}";

/// A self-signed certificate.
fn certificate() -> String {
    rcgen::generate_simple_self_signed(vec!["prod.example".to_owned()]).expect("certificate").cert.pem()
}

#[test]
fn the_first_file_to_set_something_wins() {
    let world = World::new().file("a", PROD).file("b", SECOND).list(&["a", "b"]);
    let resolved = world.fine(&flags());
    assert_eq!(resolved.config.cluster_url, "https://prod.example:6443");
    assert_eq!((&*resolved.config.default_namespace, resolved.namespace_given), ("element-onprem", false));
    assert_eq!(resolved.context.as_deref(), Some("prod"));
    let second = world.fine(&ConnectionFlags { context: some("second"), ..flags() });
    assert_eq!(
        (&*second.config.cluster_url.to_string(), &*second.config.default_namespace),
        ("http://second.example:8080/", "default")
    );
}

#[test]
fn missing_and_empty_files_and_names_in_the_list_are_skipped() {
    let world = World::new().file("a", "").file("b", EMPTY_CONTEXT).file("c", PROD).list(&["missing", "a", "b", "c"]);
    assert_eq!(world.fine(&flags()).context.as_deref(), Some("prod"), "an empty current-context sets nothing");
}

#[test]
fn the_flag_replaces_the_list_and_must_exist() {
    let world = World::new().file("a", PROD).file("b", SECOND).list(&["a"]);
    assert_eq!(
        world.fine(&ConnectionFlags { kubeconfig: Some(world.path("b")), ..flags() }).context.as_deref(),
        Some("second")
    );
    let error = world.error(&ConnectionFlags { kubeconfig: Some(world.path("gone")), ..flags() });
    let told = format!("kubeconfig {} cannot be read: no such file. Check the path", world.path("gone"));
    assert!(error.starts_with(&told), "{error}");
}

#[test]
fn the_default_file_is_in_the_home_folder() {
    let world = World::new().file(".kube/config", PROD);
    let home = world.folder.path().display().to_string();
    assert_eq!(world.var("HOME", &home).var("KUBECONFIG", "").fine(&flags()).context.as_deref(), Some("prod"));
}

#[test]
fn flags_override_single_values() {
    let world = World::new().file("a", PROD).list(&["a"]);
    let resolved =
        world.fine(&ConnectionFlags { cluster: some("other"), user: some("jane"), namespace: some("n"), ..flags() });
    assert_eq!(resolved.config.cluster_url, "https://other.example/");
    assert!(resolved.config.accept_invalid_certs);
    assert_eq!((&*resolved.config.default_namespace, resolved.namespace_given), ("n", true));
    assert_eq!(resolved.user.impersonate.as_deref(), Some("bob"));
    let resolved = world.fine(&ConnectionFlags {
        as_user: some("eve"),
        as_uid: some("1"),
        as_groups: vec!["g".to_owned()],
        namespace: some(""),
        ..flags()
    });
    assert_eq!(resolved.user.impersonate.as_deref(), Some("eve"));
    assert_eq!(resolved.user.impersonate_groups, Some(vec!["g".to_owned()]));
    assert_eq!(
        (&*resolved.config.default_namespace, resolved.namespace_given),
        ("element-onprem", false),
        "an empty flag is none"
    );
}

#[test]
fn a_server_given_by_flag_drops_the_kubeconfigs_tls_name() {
    let world = World::new().file("a", PROD).list(&["a"]);
    assert_eq!(world.fine(&flags()).config.tls_server_name.as_deref(), Some("kubernetes"));
    let resolved = world.fine(&ConnectionFlags { server: some("https://10.0.0.1"), ..flags() });
    assert_eq!(
        (&*resolved.config.cluster_url.to_string(), resolved.config.tls_server_name.as_deref()),
        ("https://10.0.0.1/", None)
    );
    let resolved = world.fine(&ConnectionFlags { tls_server_name: some("x"), ..flags() });
    assert_eq!(resolved.config.tls_server_name.as_deref(), Some("x"));
}

#[test]
fn a_missing_entry_is_reported_with_the_available_ones() {
    let world = World::new().file("a", PROD).list(&["a"]);
    assert_eq!(
        world.error(&ConnectionFlags { context: some("x"), ..flags() }),
        "context x not found in the kubeconfig. Available contexts: prod, bare."
    );
    assert_eq!(
        world.error(&ConnectionFlags { cluster: some("x"), ..flags() }),
        "cluster x not found in the kubeconfig. Available clusters: prod, other."
    );
    assert_eq!(
        world.error(&ConnectionFlags { user: some("x"), ..flags() }),
        "user x not found in the kubeconfig. Available users: admin, jane."
    );
    // As in kubectl, a context may name a missing user, which has no credentials.
    assert!(world.fine(&ConnectionFlags { context: some("bare"), ..flags() }).user.token.is_none());
}

#[test]
fn without_a_cluster_the_missing_file_or_context_is_named() {
    let world = World::new().list(&["missing"]);
    let error = world.error(&flags());
    let missing = format!("KUBECONFIG contains missing files: {}", world.path("missing"));
    assert!(error.starts_with(&format!("no cluster selected: {missing}. Pass --kubeconfig")), "{error}");
    let chosen = world.error(&ConnectionFlags { context: some("prod"), ..flags() });
    assert!(chosen.contains(&missing), "the file is what is missing, not the context: {chosen}");
    let beside = World::new().file("a", "users: []\n").list(&["a", "missing"]);
    let error = beside.error(&flags());
    let (a, missing) = (beside.path("a"), beside.path("missing"));
    let looked = format!("no current context in {a}; KUBECONFIG contains missing files: {missing}");
    assert!(error.contains(&looked), "{error}");
    let home = World::new().var("HOME", "/nowhere").error(&flags());
    assert!(home.starts_with("no cluster selected: kubeconfig /nowhere/.kube/config not found"), "{home}");
    let alone = world.fine(&ConnectionFlags { server: some("localhost:8080"), ..flags() });
    assert_eq!((&*alone.config.cluster_url.to_string(), alone.context), ("http://localhost:8080/", None));
}

#[test]
fn paths_are_relative_to_their_kubeconfig() {
    let config = PROD.replace("tls-server-name: kubernetes", "certificate-authority: pki/ca.pem");
    let world = World::new().file("deep/a", &config).file("deep/pki/ca.pem", &certificate()).list(&["deep/a"]);
    assert_eq!(world.fine(&flags()).config.root_cert.map(|list| list.len()), Some(1));
}

#[test]
fn an_authority_and_no_verification_exclude_each_other() {
    let config = PROD.replace("tls-server-name: kubernetes", "certificate-authority: ca.pem");
    let world = World::new().file("a", &config).file("ca.pem", &certificate()).list(&["a"]);
    let both = ConnectionFlags {
        insecure_skip_tls_verify: true,
        certificate_authority: Some(world.path("ca.pem")),
        ..flags()
    };
    assert!(world.error(&both).starts_with("certificate-authority cannot be combined with insecure-skip-tls-verify"));
    // Each flag alone overrides the kubeconfig's setting.
    let insecure = world.fine(&ConnectionFlags { insecure_skip_tls_verify: true, ..flags() });
    assert!(insecure.config.accept_invalid_certs && insecure.config.root_cert.is_none());
    let verified = world.fine(&ConnectionFlags {
        cluster: some("other"),
        certificate_authority: Some(world.path("ca.pem")),
        ..flags()
    });
    assert!(!verified.config.accept_invalid_certs && verified.config.root_cert.is_some());
}

#[test]
fn a_flag_replaces_an_authority_that_is_part_of_the_kubeconfig() {
    let data = serde_json::to_value(ByteString(certificate().into_bytes())).expect("base64");
    let config = PROD.replace("tls-server-name: kubernetes", &format!("certificate-authority-data: {data}"));
    let world = World::new().file("a", &config).file("ca.pem", &certificate()).list(&["a"]);
    let own = world.fine(&flags()).config.root_cert.expect("its own");
    let insecure = world.fine(&ConnectionFlags { insecure_skip_tls_verify: true, ..flags() });
    assert!(insecure.config.accept_invalid_certs && insecure.config.root_cert.is_none());
    let other = ConnectionFlags { certificate_authority: Some(world.path("ca.pem")), ..flags() };
    assert_ne!(world.fine(&other).config.root_cert.expect("the flag's"), own);
}

#[test]
fn unusable_files_are_named() {
    let world = World::new().file("a", PROD).file("ca.pem", "nothing").list(&["a"]);
    let error = world.error(&ConnectionFlags { certificate_authority: Some(world.path("ca.pem")), ..flags() });
    let told = format!("no PEM certificate in {}. Pass a file with", world.path("ca.pem"));
    assert!(error.starts_with(&told), "{error}");
    let error = world.error(&ConnectionFlags { as_groups: vec!["g".to_owned()], ..flags() });
    assert!(error.starts_with("--as-uid and --as-group require a user"));
    let error = world.error(&ConnectionFlags { server: some("ftp://x"), ..flags() });
    assert!(error.starts_with("`ftp://x` is not the URL of an API server"));
}

#[tokio::test]
async fn unusable_client_certificates_are_named() {
    let world = World::new().file("a", PROD).file("crt.pem", "nothing").list(&["a"]);
    let refused = |flags: ConnectionFlags| {
        let resolved = world.fine(&flags);
        crate::cluster::client::connection::client(&resolved, &resolved.user, None).err().expect("refused").to_string()
    };
    let path = |name: &str| Some(world.path(name));
    let absent = ConnectionFlags { client_certificate: path("no.pem"), client_key: path("no.key"), ..flags() };
    assert_eq!(refused(absent), format!("client certificate {} cannot be read: no such file", world.path("no.pem")));
    let alone = refused(ConnectionFlags { client_certificate: path("crt.pem"), ..flags() });
    assert_eq!(alone, "the client certificate has no key");
    let damaged = ConnectionFlags { client_certificate: path("crt.pem"), client_key: path("crt.pem"), ..flags() };
    assert!(refused(damaged).starts_with("the credentials and certificates of kubeconfig user"));
}

#[test]
fn entries_with_the_same_name_in_one_file_are_refused() {
    for kind in ["clusters", "contexts", "users"] {
        let twice = format!("{kind}: [{{name: prod}}, {{name: other}}, {{name: prod}}]");
        let world = World::new().file("a", &twice).list(&["a"]);
        let error = world.error(&flags());
        let wanted = format!("kubeconfig {} has more than one entry named prod in {kind}", world.path("a"));
        assert!(error.starts_with(&wanted), "{error}");
    }
}

#[test]
fn of_entries_with_the_same_name_in_several_files_the_first_wins() {
    let world = World::new().file("a", PROD).file("b", PROD.replace("prod-token", "wrong").as_str());
    for (names, token) in [(["a", "b"], "prod-token"), (["b", "a"], "wrong")] {
        let list = World { vars: Vec::new(), folder: tempfile::tempdir().expect("folder") };
        let value = names.map(|name| world.path(name)).join(":");
        let resolved = list.var("KUBECONFIG", &value).fine(&flags());
        assert_eq!(resolved.user.token.expect("a token").expose_secret(), token);
    }
    // The same applies to each file of a list, and to all documents of a file together.
    let twice = "users: [{name: jane, user: {token: canary}}, {name: jane}]";
    for names in [["a", "c"], ["c", "a"]] {
        let world = World::new().file("a", PROD).file("c", twice).list(&names);
        let error = world.error(&flags());
        let told = format!("kubeconfig {} has more than one entry named jane in users", world.path("c"));
        assert!(error.starts_with(&told) && !error.contains("canary"), "{error}");
    }
    let world = World::new().file("a", &format!("---\n{PROD}---\n{SECOND}")).list(&["a"]);
    assert_eq!(world.fine(&flags()).config.cluster_url, "https://prod.example:6443");
}

#[test]
fn a_repeated_key_is_refused() {
    let world = World::new().file("a", "users: []\nclusters: []\nusers: [{name: x}]\n").list(&["a"]);
    assert!(world.error(&flags()).contains("is not a valid kubeconfig"));
}

#[test]
fn empty_texts_and_line_breaks_in_base64_are_ignored() {
    let base64 = serde_json::to_value(ByteString(certificate().into_bytes())).expect("base64");
    let (start, end) = base64.as_str().expect("text").split_at(70);
    let config = PROD
        .replace(
            "tls-server-name: kubernetes",
            &format!("certificate-authority-data: \"{start}\\n{end}\", certificate-authority: '', tls-server-name: ''"),
        )
        .replace(
            "token: prod-token",
            "token: '', tokenFile: '', username: '', client-certificate: '', client-key: ca.pem, as: ''",
        );
    let resolved = World::new().file("deep/a", &config).list(&["deep/a"]).fine(&flags());
    let user = serde_json::to_value(&resolved.user).expect("JSON");
    assert_eq!(user, serde_json::json!({}));
    assert_eq!(resolved.config.root_cert.map(|list| list.len()), Some(1));
    assert!(resolved.config.root_cert_file.is_none() && resolved.config.tls_server_name.is_none());
}

#[test]
fn a_syntax_error_is_reported_with_its_line_and_without_its_text() {
    for (text, line) in [
        ("clusters: canary\n", 1),
        ("users:\n- name: x\n  user:\n    token: [canary]\n", 4),
        ("users:\n- canary\n", 2),
        ("clusters:\n- name: x\n  cluster:\n    insecure-skip-tls-verify: canary\n", 4),
        ("- canary\n", 1),
        ("canary", 1),
        ("a: 1\nusers:\n- {name: x, user: {exec: {env: canary}}}\n", 3),
        ("a: 1\nb: *canary\n", 2),
    ] {
        let world = World::new().file("a", text).list(&["a"]);
        let wanted = format!("kubeconfig {} is not a valid kubeconfig (see line {line}). Correct", world.path("a"));
        let error = world.error(&flags());
        assert!(error.starts_with(&wanted) && !error.contains("canary"), "{text}: {error}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped_and_bytes_that_are_no_text_are_refused() {
    let world = World::new().list(&["a"]);
    let error = |bytes: &[u8]| {
        fs::write(world.path("a"), bytes).expect("written");
        world.error(&flags())
    };
    let marked = [&[0xEF, 0xBB, 0xBF], "current-context: größe\n".as_bytes()].concat();
    assert!(error(&marked).starts_with("context größe not found in the kubeconfig"));
    for bytes in [&b"current-context: \xFF\n"[..], b"\xFF\xFEa"] {
        let told = format!("kubeconfig {} cannot be read: it is not text. Check", world.path("a"));
        assert!(error(bytes).starts_with(&told));
    }
}

#[test]
fn a_broken_kubeconfig_does_not_show_its_secrets() {
    let world =
        World::new().file("a", "users:\n- name: a\n  user:\n    token: very-secret\n   wrong: [indent\n").list(&["a"]);
    let resolved = world.resolve(&flags()).expect_err("broken");
    assert!(resolved.to_string().contains("is not a valid kubeconfig"), "{resolved}");
    let mut all = format!("{resolved} {resolved:?}");
    let mut source = std::error::Error::source(&resolved);
    while let Some(error) = source {
        all.push_str(&error.to_string());
        source = error.source();
    }
    assert!(!all.contains("very-secret"), "{all}");
}
