//! Helm 3, Helm 4, kubectl and `PyYAML` read every exported value unchanged.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ess_mas::deployment::Deployment;
use ess_mas::plan::export::{HelmSecrets, Subject, Values, helm_values, patch, secret};
use ess_mas::plan::{Database, MasSettings, SecretKeys, Tls};
use ess_mas::secrets::SecretBytes;
use ess_mas::x509::{RsaBits, RsaPrivateKey};
use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::clients::{chart, python_with_yaml};
use ess_mas_sandbox::prelude::Client;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

/// Texts that some parsers read as another type.
const TRAPS: [&str; 38] = [
    "yes",
    "no",
    "on",
    "off",
    "y",
    "n",
    "Y",
    "NO",
    "true",
    "null",
    "~",
    "1_000",
    "0777",
    "0o17",
    "0x1F",
    "1e3",
    "12e4",
    ".inf",
    ".NaN",
    "-1",
    "+1",
    "2026-11-23",
    "2026-11-23T10:41:07Z",
    "12:30:45",
    "190:20:30",
    "=",
    "<<",
    "a: b",
    "a #b",
    "- a",
    "{{ .Values.x }}",
    "{{{",
    "}}",
    "{{`",
    "{{/* x */}}",
    "{{\"{{\"}}",
    "${HOME}",
    "%YAML",
];

/// Texts with special characters of YAML, JSON, templates or shells.
fn text() -> impl Strategy<Value = String> {
    let odd =
        "[{}`\"'\\\\ \t:#&*!|>%@,\\[\\]?~=<\u{7f}\u{85}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffd}é日\u{1f511}-]{1,12}";
    prop_oneof![
        2 => prop::sample::select(&TRAPS[..]).prop_map(str::to_owned),
        3 => odd,
        2 => "\\PC{1,24}",
        2 => ("[a-z{]{0,3}", prop::sample::select(&TRAPS[..]), "[}`'\"\\\\]{0,3}").prop_map(|(a, b, c)| format!("{a}{b}{c}")),
        1 => "[ -~]{1,200}",
    ]
}

#[derive(Debug, Clone)]
struct Case {
    values: Vec<String>,
    settings: [String; 4],
    certfile: bool,
}

fn case() -> impl Strategy<Value = Case> {
    // Valid names for `prepare`: no white space, no control characters.
    let word = text().prop_map(|text| {
        let word: String = text.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
        if word.is_empty() { "0".to_owned() } else { word }
    });
    let settings = prop::array::uniform4(word);
    (prop::collection::vec(text(), 40..80), settings, any::<bool>()).prop_map(|(values, settings, certfile)| Case {
        values,
        settings,
        certfile,
    })
}

fn deployment() -> Deployment {
    let object = json!({"apiVersion": "matrix.element.io/v1alpha2", "kind": "ElementDeployment",
        "metadata": {"name": "ess", "namespace": "chat", "uid": "u", "resourceVersion": "1"},
        "spec": {"components": {}}});
    Deployment::from_value(object).unwrap()
}

fn keys() -> SecretKeys {
    SecretKeys {
        encryption_secret: "encryptionSecret".into(),
        rsa_private_key: "rsaPrivateKey".into(),
        postgres_password: "postgresPassword".into(),
        certificate: "certificate".into(),
        private_key: "privateKey".into(),
    }
}

impl Case {
    fn settings(&self) -> MasSettings {
        let [host, database_host, name, user] = self.settings.clone();
        let database = Database { host: database_host, port: 5432, name, user, ssl_mode: Some("require".into()) };
        let tls = if self.certfile { Tls::Certfile } else { Tls::Inherit };
        MasSettings { host, database, tls, secret_name: "ess-mas".into() }
    }

    /// The texts and a PEM key, under names from [`TRAPS`].
    fn values(&self) -> Values {
        static PEM: OnceLock<String> = OnceLock::new();
        let pem = PEM.get_or_init(|| RsaPrivateKey::generate(RsaBits::Bits2048).unwrap().pem.expose().to_owned());
        let names = ["y", "on", "0777", "1_000", "null", "a.b", "-", "postgresPassword"];
        let name = |place: usize| names.get(place).map_or_else(|| format!("key{place}"), |name| (*name).to_owned());
        let texts = self.values.iter().enumerate().map(|(place, text)| (name(place), text.as_str()));
        let all = texts.chain([("rsaPrivateKey".to_owned(), pem.as_str())]);
        all.map(|(key, text)| (key, SecretBytes::from(text.as_bytes()))).collect()
    }

    fn plain(&self) -> BTreeMap<String, String> {
        let text = |value: &SecretBytes| String::from_utf8(value.expose().to_vec()).unwrap();
        self.values().iter().map(|(key, value)| (key.clone(), text(value))).collect()
    }

    /// The expected component.
    fn component(&self) -> Value {
        let [host, database_host, name, user] = &self.settings;
        let mut component = json!({
            "config": {"active": false, "postgresql": {
                "host": database_host, "port": 5432, "database": name, "user": user, "sslMode": "require"}},
            "k8s": {"ingress": {"fqdn": host}}});
        if self.certfile {
            component["k8s"]["ingress"]["tls"] = json!({"mode": "certfile",
                "certificate": {"certFileSecretKey": "certificate", "privateKeySecretKey": "privateKey"}});
        }
        component
    }
}

/// Number of exports in a full sweep; each contains many values.
const EXPORTS: usize = 40;

fn check(test: impl Fn(&Case) -> Result<(), TestCaseError>) {
    let sweep = Sweep::from_environment();
    let cases = u32::try_from(sweep.share_of(EXPORTS)).unwrap();
    let rng_seed = RngSeed::Fixed(sweep.seed());
    let config = Config { cases, max_shrink_iters: 300, failure_persistence: None, rng_seed, ..Config::default() };
    TestRunner::new(config).run(&case(), |case| test(&case)).unwrap_or_else(|error| panic!("{error}"));
}

fn run(command: &mut Command) -> Result<String, TestCaseError> {
    let output = command.env_remove("KUBECONFIG").output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    prop_assert!(output.status.success(), "{command:?}\n{said}");
    Ok(String::from_utf8(output.stdout).unwrap())
}

fn with<T>(case: &Case, export: impl FnOnce(&Subject<'_>) -> T) -> T {
    let (deployment, settings, keys) = (deployment(), case.settings(), keys());
    export(&Subject { deployment: &deployment, settings: &settings, keys: &keys })
}

fn inline(case: &Case) -> String {
    with(case, |subject| helm_values(subject, HelmSecrets::Inline(&case.values()), None).unwrap().expose().to_owned())
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The documents that Helm renders, by kind and name.
fn rendered(helm: Client, arguments: &[&str]) -> Result<BTreeMap<(String, String), Value>, TestCaseError> {
    let mut command = Command::new(helm.program().unwrap());
    command.args(["template", "ess"]).arg(chart()).args(arguments);
    let text = run(&mut command)?;
    let documents = serde_yaml::Deserializer::from_str(&text).map(|one| serde::Deserialize::deserialize(one).unwrap());
    let named = documents.filter(|one: &Value| !one.is_null()).map(|one| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        ((text(&one["kind"]), text(&one["metadata"]["name"])), one)
    });
    Ok(named.collect())
}

/// A Secret's data, decoded.
fn data(secret: &Value) -> BTreeMap<String, String> {
    let data = secret["data"].as_object().into_iter().flatten();
    let decoded = |value: &Value| String::from_utf8(STANDARD.decode(value.as_str().unwrap()).unwrap()).unwrap();
    data.map(|(key, value)| (key.clone(), decoded(value))).collect()
}

fn key(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

/// Charts may pass values through `tpl` one by one or as one text.
#[test]
fn both_helms_read_any_value_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    for helm in Client::HELMS {
        check(|case| {
            for whole in [false, true] {
                let mut case = case.clone();
                if whole {
                    // Such a chart loses control characters and unusual line endings itself: Go's `toYaml` writes them unescaped,
                    // and its `fromYaml` refuses or folds them.
                    let lost = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
                    case.values.iter_mut().for_each(|text| text.retain(|c| !lost(c)));
                }
                let case = &case;
                let values = file(folder.path(), "values.yaml", &inline(case));
                let set = format!("global.wholeTree={whole}");
                let all = rendered(helm, &["-f", &values, "--set", &set])?;
                let secret = &all[&key("Secret", "ess-stack-matrixauthenticationservice")];
                prop_assert_eq!(data(secret), case.plain());
                let object = &all[&key("ElementDeployment", "ess")];
                let mut component = case.component();
                component["secretName"] = json!("ess-stack-matrixauthenticationservice");
                prop_assert_eq!(&object["spec"]["components"]["matrixAuthenticationService"], &component);
            }
            Ok(())
        });
    }
}

#[test]
fn values_that_reference_a_secret_work_with_the_chart_and_contain_no_values() {
    let folder = tempfile::tempdir().unwrap();
    for helm in Client::HELMS {
        check(|case| {
            let text = with(case, |subject| {
                helm_values(subject, HelmSecrets::Existing("ess-mas"), None).unwrap().expose().to_owned()
            });
            let all = rendered(helm, &["-f", &file(folder.path(), "values.yaml", &text)])?;
            prop_assert_eq!(data(&all[&key("Secret", "ess-stack-matrixauthenticationservice")]), BTreeMap::new());
            let component = &all[&key("ElementDeployment", "ess")]["spec"]["components"]["matrixAuthenticationService"];
            prop_assert_eq!(&component["secretName"], &json!("ess-mas"));
            prop_assert_eq!(&component["config"], &case.component()["config"]);
            Ok(())
        });
    }
}

#[test]
fn kubectl_reads_any_value_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let kubectl = Client::Kubectl.program().unwrap();
    // Parses a file like every kubectl command, without a server.
    let read = |path: &str| {
        let label = ["label", "--local", "--dry-run=client", "-o", "json", "seen=true", "-f", path];
        let text = run(Command::new(&kubectl).args(label))?;
        Ok::<Value, TestCaseError>(serde_json::from_str(&text).unwrap())
    };
    check(|case| {
        let text = with(case, |subject| secret(subject, &case.values()).expose().to_owned());
        let read_secret = read(&file(folder.path(), "secret.yaml", &text))?;
        prop_assert_eq!(data(&read_secret), case.plain());
        prop_assert_eq!(&read_secret["metadata"]["name"], &json!("ess-mas"));
        let change = with(case, |subject| patch(subject, "mas.yaml"));
        let object = read(&file(folder.path(), "mas.yaml", &change))?;
        let mut component = case.component();
        component["secretName"] = json!("ess-mas");
        prop_assert_eq!(&object["spec"]["components"]["matrixAuthenticationService"], &component);

        // The same file as a patch of a GitOps manifest, with and without a namespace.
        for namespace in ["", "  namespace: chat\n"] {
            let manifest = format!(
                "apiVersion: matrix.element.io/v1alpha2\nkind: ElementDeployment\nmetadata:\n  name: ess\n{namespace}\
                 spec:\n  global: {{config: {{domainName: example.com}}}}\n  components: {{elementWeb: {{}}}}\n"
            );
            file(folder.path(), "deployment.yaml", &manifest);
            let target = "patches: [{path: mas.yaml, target: {kind: ElementDeployment, name: ess}}]";
            assert!(change.contains(target), "the file says how: {change}");
            file(folder.path(), "kustomization.yaml", &format!("resources: [deployment.yaml]\n{target}\n"));
            let built = run(Command::new(&kubectl).arg("kustomize").arg(folder.path()))?;
            let built: Value = serde_yaml::from_str(&built).unwrap();
            prop_assert_eq!(&built["spec"]["components"]["matrixAuthenticationService"], &component);
            prop_assert_eq!(&built["spec"]["components"]["elementWeb"], &json!({}));
        }
        let patched = ["patch", "--local", "--type", "merge", "-o", "json", "--patch-file"];
        let files = [folder.path().join("mas.yaml"), folder.path().join("deployment.yaml")];
        let text = run(Command::new(&kubectl).args(patched).arg(&files[0]).arg("-f").arg(&files[1]))?;
        let object: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&object["spec"]["components"]["matrixAuthenticationService"], &component);
        prop_assert_eq!(&object["metadata"]["namespace"], &json!("chat"));
        Ok(())
    });
}

#[test]
fn pyyaml_reads_any_value_unchanged() {
    let Some(python) = python_with_yaml().unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let load = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))";
    let read = |path: &str| {
        let text = run(Command::new(&python).args(["-c", load, path]))?;
        Ok::<Value, TestCaseError>(serde_json::from_str(&text).unwrap())
    };
    check(|case| {
        let tree = read(&file(folder.path(), "values.yaml", &inline(case)))?;
        let content = tree["secrets"]["matrixAuthenticationService"]["content"].as_object().unwrap();
        let plain: BTreeMap<String, String> = content
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or("not a string").replace("{{`{{`}}", "{{")))
            .collect();
        prop_assert_eq!(plain, case.plain());
        let text = with(case, |subject| secret(subject, &case.values()).expose().to_owned());
        prop_assert_eq!(data(&read(&file(folder.path(), "secret.yaml", &text))?), case.plain());
        let change = read(&file(folder.path(), "mas.yaml", &with(case, |subject| patch(subject, "mas.yaml"))))?;
        let mut component = case.component();
        component["secretName"] = json!("ess-mas");
        prop_assert_eq!(&change["spec"]["components"]["matrixAuthenticationService"], &component);
        Ok(())
    });
}
