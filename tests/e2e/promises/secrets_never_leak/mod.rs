//! Runs every command at every verbosity with distinctive secrets, including failures. No output may contain a secret.
//!
//! Searched: both streams, the process's command line and environment, events, every object in the namespace except the
//! data of Secrets, and all remaining files. Only requested files with mode 0600 may contain a secret. Planted leaks
//! prove that the search works.

mod watch;

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::prelude::*;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::common::command::{Shell, finish};
use crate::common::scene::Scene;

use watch::{ENCRYPTION, PASSWORD, Secrets, Watch};

/// `prepare` with all five values from files.
const FIVE: &str = "prepare --host auth.example.com --database-host pg.example.com --database-name mas --database-user mas \
     --database-password-file password --encryption-secret-file encryption --rsa-private-key-file rsa --tls certfile \
     --certificate chain --private-key key";

/// All commands of a migration at one verbosity, including failures.
async fn walk(watch: &Watch, verbosity: &str) {
    let scene = Scene::new(crate::common::stage::quick()).await;
    let shell = &scene.shell;
    watch.secrets.lay(shell.home());
    let run = async |line: &str, code: i32| {
        let line = format!("{line} {verbosity}");
        let _ = watch.plugin(shell, &line).await.expect(code);
    };
    // Damaged values are refused without being shown.
    for (flag, good) in [
        ("encryption-newline", "encryption"),
        ("encryption-0x", "encryption"),
        ("encryption-twice", "encryption"),
        ("encryption-odd", "encryption"),
    ] {
        run(&FIVE.replace(&format!("-file {good} "), &format!("-file {flag} ")), 2).await;
    }
    for flag in ["rsa-indented", "rsa-cut", "password"] {
        run(&FIVE.replace("-file rsa ", &format!("-file {flag} ")), 2).await;
    }
    run(&FIVE.replace("-file password ", "-file two-lines "), 2).await;
    run(&FIVE.replace("--private-key key", "--private-key rsa"), 10).await;
    run(&format!("{FIVE} --preview"), 0).await;
    run(&format!("{FIVE} --export manifests"), 2).await;
    run(&format!("{FIVE} --export helm-values --inline-secrets --export-file values.yaml"), 0).await;
    run(&format!("{FIVE} --export manifests --export-file mas.yaml"), 0).await;
    run(&format!("{FIVE} --export helm-values"), 10).await;
    run(&format!("{FIVE} --yes"), 0).await;
    run(&FIVE.replace("-file password", "-file - --yes"), 0).await;
    run(&format!("{FIVE} --yes --replace rsaPrivateKey,postgresPassword,certificate,privateKey"), 0).await;
    run(&format!("{FIVE} --yes --replace encryptionSecret"), 0).await;
    for export in [
        "helm-values",
        "manifests --without-secret",
        "helm-values --inline-secrets --export-file values.yaml --force",
        "manifests --export-file mas.yaml --force",
    ] {
        run(&format!("prepare --export {export}"), 0).await;
    }
    // The warnings don't matter here.
    for line in ["check", "check -o json", "check -o yaml", "check -o wide"] {
        let done = watch.plugin(shell, &format!("{line} {verbosity}")).await;
        assert!([0, 11].contains(&done.code), "{done}");
    }
    for line in ["status", "status -o json", "status -A", "version", "completion bash"] {
        run(line, 0).await;
    }
    run("tls check --host auth.example.com --certificate chain --private-key key", 11).await;
    run("tls check --host auth.example.com --certificate chain --private-key rsa", 10).await;
    run("tls check --host auth.example.com --certificate rsa --private-key chain", 10).await;
    run("tls check --host auth.example.com --secret chat-of-ours-mas -o json", 11).await;
    run("dry-run --preview", 0).await;
    scene.operator.set(crate::common::stage::quick().dry_run(Outcome::fail("no room")));
    run("dry-run --yes", 1).await;
    scene.operator.set(crate::common::stage::quick());
    run("dry-run --yes -o json", 0).await;
    scene.operator.set(crate::common::stage::quick().activation(Outcome::fail("a lock")));
    run("activate --confirm chat-of-ours --backup shelf -o yaml", 1).await;
    for (file, more) in [("one.tar.gz", ""), ("two.tar.gz", "-o json")] {
        run(&format!("report --file {file} {more}"), 0).await;
        let packed = std::fs::read(shell.home().join(file)).unwrap();
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut text).unwrap();
        watch.look("the report", &text);
    }
    run("abort --yes", 0).await;
    scene.operator.set(crate::common::stage::quick());
    run(&format!("{FIVE} --yes --replace encryptionSecret"), 2).await;
    run("dry-run --yes", 0).await;
    run("activate --confirm chat-of-ours --backup shelf", 0).await;
    run("status", 0).await;
    // Commands that this test does not know, without arguments.
    let walked =
        ["status", "check", "prepare", "dry-run", "activate", "abort", "tls", "report", "completion", "version"];
    for command in <ess_mas::cli::Cli as clap::CommandFactory>::command().get_subcommands() {
        if !walked.contains(&command.get_name()) {
            let _ = watch.plugin(shell, &format!("{} {verbosity}", command.get_name())).await;
        }
    }
    watch.look_around(&scene, &[shell]).await;
}

fn assert_clean(watch: &Watch, least: usize) {
    let leaks = watch.leaks();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    let commands = *watch.commands.lock().unwrap();
    assert!(commands >= least, "only {commands} commands were looked at");
    let seen = watch.seen.load(Ordering::Relaxed);
    assert!(4 * seen >= commands, "only {seen} of {commands} processes were seen while they ran");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_printed_in_a_complete_migration_at_any_verbosity() {
    let watch = Watch::new(&Arc::new(Secrets::new()));
    futures::future::join_all(["-q", "", "-v", "-vvv"].map(|verbosity| walk(&watch, verbosity))).await;
    assert_clean(&watch, 4 * 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_printed_after_connection_and_server_errors() {
    let watch = Watch::new(&Arc::new(Secrets::new()));
    let scene = Scene::new(crate::common::stage::quick()).await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    watch.secrets.lay(shell.home());
    let line = format!("{FIVE} --yes -vvv");
    proxy.pass();
    let _ = watch.plugin(&shell, &format!("{FIVE} --preview -vvv")).await.expect(0);
    // The requests of the preview and of the two writes.
    let requests = proxy.log().len() + 3;
    let faults = [
        Fault::answer(422),
        Fault::answer(403),
        Fault::answer(500),
        Fault::AnswerAfter(504),
        Fault::ResetAfter,
        Fault::Half,
    ];
    let cases = (0..requests).flat_map(|index| faults.iter().map(move |fault| (index, fault.clone())));
    let cases = Sweep::from_environment().sample(cases);
    let all = cases.len();
    for (index, fault) in cases {
        proxy.plan(move |request| if request.index == index { fault.clone() } else { Fault::None });
        let _ = watch.plugin(&shell, &line).await;
        let secrets = scene.secrets();
        let _ = secrets.delete(&scene.deployment.mas_secret_name(), &kube::api::DeleteParams::default()).await;
    }
    watch.look_around(&scene, &[&shell]).await;
    assert_clean(&watch, all);
}

/// An admission policy that quotes the object in its refusal or warning, as a webhook may.
async fn policy(scene: &Scene, action: &str) {
    let (client, name) =
        (scene.namespace.client().unwrap(), format!("{}-{}", scene.namespace.name(), action.to_lowercase()));
    let api = |kind: &str, plural: &str| {
        let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
        Api::<DynamicObject>::all_with(client.clone(), &ApiResource::from_gvk_with_plural(&kind, plural))
    };
    let say = "'not with ' + ['postgresPassword', 'encryptionSecret', 'rsaPrivateKey'].filter(k, k in object.data).map(k, k + '=' + string(object.data[k])).join(' ')";
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {"failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}]},
            "validations": [{"expression": "!has(object.data) || !('encryptionSecret' in object.data)", "messageExpression": say}]}});
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": [action],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": scene.namespace.name()}}}}});
    let policies = api("ValidatingAdmissionPolicy", "validatingadmissionpolicies");
    policies.create(&PostParams::default(), &serde_json::from_value(policy).unwrap()).await.unwrap();
    let bindings = api("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings");
    bindings.create(&PostParams::default(), &serde_json::from_value(binding).unwrap()).await.unwrap();
    // The API server applies the policy with a delay.
    let probe = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "probe"}, "stringData": {"encryptionSecret": "x"}});
    for _ in 0..400 {
        let params = PatchParams { dry_run: true, ..PatchParams::apply("probe") };
        let (refused, warned) = match scene.secrets().patch("probe", &params, &Patch::Apply(&probe)).await {
            Ok(_) => (false, action == "Warn"),
            Err(_) => (true, false),
        };
        if refused
            || (warned && {
                tokio::time::sleep(Duration::from_secs(2)).await;
                true
            })
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the policy does not act");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_in_server_errors_are_redacted() {
    let watch = Watch::new(&Arc::new(Secrets::new()));
    for (action, code) in [("Deny", 1), ("Warn", 0)] {
        let scene = Scene::new(crate::common::stage::quick()).await;
        policy(&scene, action).await;
        watch.secrets.lay(scene.shell.home());
        for verbosity in ["-q", "", "-vvv"] {
            let done = watch.plugin(&scene.shell, &format!("{FIVE} --preview {verbosity}")).await.expect(code);
            done.says("not with");
            let done = watch.plugin(&scene.shell, &format!("{FIVE} --yes {verbosity}")).await.expect(code);
            assert!(action == "Warn" || done.stderr.contains("not with"), "{done}");
            let _ =
                scene.secrets().delete(&scene.deployment.mas_secret_name(), &kube::api::DeleteParams::default()).await;
        }
        watch.look_around(&scene, &[&scene.shell]).await;
    }
    assert_clean(&watch, 6);
}

/// A crash while the program holds all secrets leaves no core file with a secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_leaves_no_secret_on_disk() {
    let watch = Watch::new(&Arc::new(Secrets::new()));
    let scene = Scene::new(crate::common::stage::quick()).await;
    let proxy = Proxy::start(&scene.namespace).await.unwrap();
    let shell = Shell::with_kubeconfig(&proxy.kubeconfig());
    watch.secrets.lay(shell.home());
    let gate = Gate::default();
    proxy.plan({
        let gate = gate.clone();
        move |request| if request.method == "POST" { Fault::HoldBefore(gate.clone()) } else { Fault::None }
    });
    for signal in ["-ABRT", "-QUIT", "-KILL"] {
        let line = format!("{FIVE} --yes");
        let child = shell.command(line.split_whitespace()).spawn().unwrap();
        tokio::time::timeout(Duration::from_secs(20), gate.reached()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let pid = child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let done = finish(child, line).await;
        watch.look("stderr of a crash", done.stderr.as_bytes());
        *watch.commands.lock().unwrap() += 1;
        watch.seen.fetch_add(1, Ordering::Relaxed);
    }
    gate.shut();
    watch.look_around(&scene, &[&shell]).await;
    let cores = std::fs::read_dir(shell.home()).unwrap().flatten();
    assert_eq!(cores.filter(|entry| entry.file_name().to_string_lossy().starts_with("core")).count(), 0);
    assert_clean(&watch, 3);
}

/// Every kind of planted leak is found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_leaks_are_detected() {
    let watch = Watch::new(&Arc::new(Secrets::new()));
    let scene = Scene::new(crate::common::stage::quick()).await;
    let home = scene.shell.home();
    watch.secrets.lay(home);
    watch.look_around(&scene, &[&scene.shell]).await;
    assert_eq!(watch.leaks(), [""; 0], "nothing is planted yet");

    let sh = |script: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .current_dir(home)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .stdin(Stdio::null());
        command
    };
    for (what, script) in [
        ("stdout", "sleep 0.2; cat password"),
        ("stderr", "sleep 0.2; base64 -w0 encryption >&2"),
        ("stdout", "sleep 0.2; sed -n 20,22p rsa"),
        ("stdout", "sleep 0.2; od -An -v -tx1 password | tr -d ' \\n'"),
        ("stderr", "sleep 0.2; base64 -w0 key | tr +/ -_ >&2"),
    ] {
        let _ = watch.run(sh(script), script, None).await.expect(0);
        let leaks = watch.leaks();
        assert!(leaks.len() == 1 && leaks[0].starts_with(what), "{script}: {leaks:?}");
    }
    let mut argument = sh("sleep 1");
    argument.arg(PASSWORD);
    let _ = watch.run(argument, "argument", None).await.expect(0);
    let leaks = watch.leaks();
    assert!(leaks.len() == 1 && leaks[0].starts_with("/proc/PID/cmdline"), "{leaks:?}");
    let mut variable = sh("sleep 1");
    variable.env("PGPASSWORD", PASSWORD);
    let _ = watch.run(variable, "environment", None).await.expect(0);
    let leaks = watch.leaks();
    assert!(leaks.len() == 1 && leaks[0].starts_with("/proc/PID/environ"), "{leaks:?}");

    for (name, mode) in [("values.yaml", 0o644), ("state/kubectl-ess-mas/failure.json", 0o600), ("core.77", 0o600)] {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("x: {}", watch.secrets.key)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        watch.look_around(&scene, &[&scene.shell]).await;
        let leaks = watch.leaks();
        assert!(leaks.len() == 1 && leaks[0].contains(name), "{leaks:?}");
        std::fs::remove_file(path).unwrap();
    }
    let annotation = json!({"metadata": {"annotations": {"example.com/x": PASSWORD}}});
    scene.patch(annotation).await;
    let record: Value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"record.json": ENCRYPTION}});
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> =
        Api::namespaced(scene.namespace.client().unwrap(), scene.namespace.name());
    maps.patch("x", &PatchParams::apply("x"), &Patch::Apply(record)).await.unwrap();
    watch.look_around(&scene, &[&scene.shell]).await;
    let leaks = watch.leaks();
    assert_eq!(leaks.len(), 2, "{leaks:?}");
}
