use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read_bytes(bytes: &[u8]) -> Result<Kubeconfig, String> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config");
    fs::write(&path, bytes).expect("written");
    read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
}

fn fine(text: &str) -> Kubeconfig {
    read_bytes(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn user_of(text: &str) -> AuthInfo {
    fine(&format!("users: [{{name: x, user: {text}}}]")).auth_infos.remove(0).auth_info.expect("a user")
}

#[test]
fn a_text_of_digits_is_a_text_and_so_is_what_looks_like_no() {
    let user = user_of("{username: 0123, password: no, token: 1e3, as: 7, as-groups: [1, true]}");
    let user = serde_json::to_value(user).expect("JSON");
    assert_eq!(
        user,
        json!({"username": "0123", "password": "no", "token": "1e3", "as": "7", "as-groups": ["1", "true"]})
    );
    let config = fine("contexts: [{name: 5, context: {cluster: 6, user: 7, namespace: 8}}]");
    let context = config.contexts[0].context.as_ref().expect("a context");
    assert_eq!((&*config.contexts[0].name, &*context.cluster), ("5", "6"));
}

#[test]
fn what_kubectl_lets_pass_is_let_pass() {
    let user = user_of(
        "{token: t, as-user-extra: {a: null}, exec: {interactiveMode: Perhaps, args: ~, env: [{name: A, value: ~}, {name: B}, \
         {name: C, value: 1, from: {x: 1}}]}}",
    );
    let plugin = user.exec.expect("a plugin");
    let values: Vec<_> =
        plugin.env.expect("some").into_iter().map(|one| (one["name"].clone(), one["value"].clone())).collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(values, [pair("A", ""), pair("B", ""), pair("C", "1")]);
    assert!(plugin.interactive_mode.is_none() && plugin.args.is_none());
    let config = fine("clusters: [{name: c, cluster: {insecure-skip-tls-verify: y}}]");
    assert_eq!(config.clusters[0].cluster.as_ref().expect("a cluster").insecure_skip_tls_verify, Some(true));
}

#[test]
fn an_empty_file_and_null_say_nothing() {
    for text in ["", "---\n", "# nothing\n", "null\n", "clusters: null\nusers: ~\ncontexts:\ncurrent-context:\n"] {
        let config = fine(text);
        assert!(config.clusters.is_empty() && config.auth_infos.is_empty() && config.current_context.is_none());
    }
    // An empty text is one, as for kubectl; who reads it knows what that means.
    assert_eq!(fine("current-context: \"\"").current_context.as_deref(), Some(""));
}

#[test]
fn what_does_not_fit_is_told_with_its_line_and_not_repeated() {
    for (text, line) in [
        ("clusters: canary\n", "1"),
        ("users:\n- name: x\n  user:\n    token: [canary]\n", "4"),
        ("users:\n- canary\n", "2"),
        ("clusters:\n- name: x\n  cluster:\n    insecure-skip-tls-verify: canary\n", "4"),
        ("- canary\n", "1"),
        ("canary", "1"),
        ("a: 1\nusers:\n- {name: x, user: {exec: {env: canary}}}\n", "3"),
        ("a: 1\nb: *canary\n", "2"),
    ] {
        let error = read_bytes(text.as_bytes()).expect_err("refused");
        assert_eq!(error, format!("The kubeconfig FILE is not a valid kubeconfig (see line {line})."), "{text}");
    }
}

#[test]
fn texts_in_the_encodings_of_windows_are_read() {
    let text = "current-context: größe\n";
    let wide = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
    for bytes in [
        [&[0xEF, 0xBB, 0xBF], text.as_bytes()].concat(),
        [&[0xFF, 0xFE], &*wide(u16::to_le_bytes)].concat(),
        [&[0xFE, 0xFF], &*wide(u16::to_be_bytes)].concat(),
    ] {
        assert_eq!(read_bytes(&bytes).expect("read").current_context.as_deref(), Some("größe"));
    }
    let error = read_bytes(b"current-context: \xFF\n").expect_err("refused");
    assert_eq!(error, "The kubeconfig FILE cannot be read: it is not text.");
}

#[test]
fn paths_are_those_of_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("config");
    let text = "clusters: [{name: c, cluster: {certificate-authority: ca.pem}}]\nusers:\n\
                - {name: a, user: {tokenFile: t, client-certificate: /c, client-key: '', exec: {command: ./login}}}\n\
                - {name: b, user: {exec: {command: login}}}\n";
    fs::write(&path, text).expect("written");
    let config = read(&path).unwrap_or_else(|error| panic!("{error}"));
    let absolute = |name: &str| Some(folder.path().join(name).display().to_string());
    let cluster = config.clusters[0].cluster.as_ref().expect("a cluster");
    assert_eq!(cluster.certificate_authority, absolute("ca.pem"));
    let user = |index: usize| config.auth_infos[index].auth_info.as_ref().expect("a user");
    assert_eq!((&user(0).token_file, user(0).client_certificate.as_deref()), (&absolute("t"), Some("/c")));
    assert_eq!(user(0).client_key.as_deref(), Some(""));
    assert_eq!(user(0).exec.as_ref().expect("a plugin").command, absolute("./login"));
    assert_eq!(user(1).exec.as_ref().expect("a plugin").command.as_deref(), Some("login"));
}

#[test]
fn what_is_named_twice_is_read_twice_and_only_the_first_document_counts() {
    let text = "x: &user {token: abc, as: jane}\nusers:\n- {name: a, user: *user}\n- name: b\n  user:\n    <<: *user\n    as: bob\n---\nusers: 5\n";
    let config = fine(text);
    let who = |index: usize| config.auth_infos[index].auth_info.as_ref().expect("a user");
    assert_eq!((who(0).impersonate.as_deref(), who(1).impersonate.as_deref()), (Some("jane"), Some("bob")));
    assert!(who(1).token.is_some());
}

#[test]
fn an_extension_keeps_its_types_and_cannot_grow_for_ever() {
    let of = |text: &str| {
        read_bytes(
            format!("clusters: [{{name: c, cluster: {{extensions: [{{name: e, extension: {text}}}]}}}}]").as_bytes(),
        )
    };
    let config = of("{a: 1, b: true, c: '1', d: [1.5, ~], e: 0x1F, f: yes}").expect("read");
    let extensions = config.clusters[0].cluster.as_ref().and_then(|cluster| cluster.extensions.clone()).expect("some");
    let wanted = json!({"a": 1, "b": true, "c": "1", "d": [1.5, null], "e": "0x1F", "f": "yes"});
    assert_eq!(extensions[0].extension, wanted);
    let level = |level: usize| {
        ["a", &level.to_string(), ": &a", &level.to_string(), " [", &format!("*a{},", level - 1).repeat(10), "]\n"]
            .concat()
    };
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    laughs.extend((1..40).map(level));
    laughs += "clusters: [{name: c, cluster: {extensions: [{name: e, extension: *a39}]}}]\n";
    let config = fine(&laughs);
    let extensions = config.clusters[0].cluster.as_ref().and_then(|cluster| cluster.extensions.clone()).expect("some");
    assert_eq!(extensions[0].extension, Value::Null, "it is left out");
}

/// Any text that can stand in a kubeconfig, with all that has a meaning in YAML.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9._/:-]{0,12}",
        "[ -~äß\n\t]{0,12}",
        prop::sample::select(vec!["yes", "null", "1_0", "~", "<<"]).prop_map(str::to_owned)
    ]
}

fn given() -> impl Strategy<Value = Option<String>> {
    prop::option::of(word())
}

prop_compose! {
    fn users()(name in word(), token in given(), key in given(), extra in prop::collection::hash_map("[a-zA-Z0-9./:-]{0,8}", prop::collection::vec(word(), 0..3), 0..3),
        groups in prop::option::of(prop::collection::vec(word(), 0..3)), command in given(), env in prop::option::of((word(), word())),
        asks in prop::option::of(prop::sample::select(vec!["Never", "IfAvailable", "Always"])), informs in any::<bool>()) -> Value {
        let env = env.map_or(Value::Null, |(name, value)| json!([{"name": name, "value": value}]));
        json!({"name": name, "user": {"token": token, "client-key-data": key, "as-user-extra": extra, "as-groups": groups,
            "exec": {"command": command, "args": groups, "env": env, "interactiveMode": asks, "provideClusterInfo": informs}}})
    }
}

prop_compose! {
    fn clusters()(name in word(), server in given(), data in given(), insecure in any::<Option<bool>>(), extension in "[a-z]{3} [a-z]{3}") -> Value {
        json!({"name": name, "cluster": {"server": server, "certificate-authority-data": data, "insecure-skip-tls-verify": insecure,
            "extensions": [{"name": "e", "extension": {"a": extension, "b": [1, 1.5, true, null]}}]}})
    }
}

prop_compose! {
    fn configs()(users in prop::collection::vec(users(), 0..3), clusters in prop::collection::vec(clusters(), 0..3), context in word(),
        current in given()) -> Value {
        json!({"apiVersion": "v1", "kind": "Config", "current-context": current, "users": users, "clusters": clusters,
            "contexts": [{"name": context, "context": {"cluster": context, "user": current}}]})
    }
}

proptest! {
    /// kube's own reader is another program for the same format.
    #[test]
    fn what_is_written_is_read_as_kube_reads_it(config in configs()) {
        let empty = |mut value: Value| {
            // An empty list and none are one to everybody who reads a kubeconfig.
            for user in value["users"].as_array_mut().into_iter().flatten() {
                if user["user"]["as-user-extra"] == json!({}) {
                    user["user"]["as-user-extra"] = Value::Null;
                }
            }
            value
        };
        for text in [config.to_string(), serde_yaml::to_string(&config).expect("YAML")] {
            let theirs = Kubeconfig::from_yaml(&text).expect("kube reads it");
            // Paths are not under test, and a command may look like one.
            let root = yaml::read_first(&text, LARGEST).expect("YAML");
            let ours = kubeconfig(&root).unwrap_or_else(|Misfit(line)| panic!("line {line}: {text}"));
            let value = |config: &Kubeconfig| empty(serde_json::to_value(config).expect("JSON"));
            prop_assert_eq!(value(&ours), value(&theirs), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_fail_in_another_way(text in "[ -~\n\t\\[\\]{}&*<>!|:-]{0,200}") {
        if let Err(error) = read_bytes(text.as_bytes()) {
            prop_assert!(error.starts_with("The kubeconfig FILE "), "{}", error);
        }
    }
}
