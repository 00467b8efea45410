//! What ESS's updater and operator say by themselves: the assertions of their playbooks, as the public starter edition has
//! them (chart 2.21.1), and the words of ansible-operator.

use super::text::Message;
use super::{Course, Rule, Told, Weight};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "output-hidden",
        weight: Weight::Vague,
        phrases: &["unknown playbook failure", "output has been hidden due to the fact that 'no_log: true'"],
        tell: |_, _| {
            Some(Told::new(
                Course::Support,
                "The operator hides what happened: the step that failed works with secrets, so its output is left out (no_log), \
                 here and in the operator's log.",
                "To see it, set DEBUG_MANIFESTS=1 for the updater (Helm: updater.manager.extraEnvs, and operator.manager.extraEnvs \
                 for the operator; installer: spec.install.operatorUpdaterDebugLogs), and let it run again. From then on secrets \
                 stand in its logs in plain text: keep them to yourself, take the setting back afterwards, and let `report` make \
                 the copy that you send.",
            ))
        },
    },
    Rule {
        code: "global-secret-missing",
        weight: Weight::Decisive,
        phrases: &["The global secret"],
        tell: |message, at| {
            let name = message.until(at, "could not be found");
            is_name(name).then(|| {
                Told::new(
                    Course::Mend,
                    format!("The deployment's global Secret {name} (spec.global.secretName) is not there."),
                    "Put it back, in the deployment's namespace, or name the right one.",
                )
            })
        },
    },
    Rule {
        code: "shared-secret-missing",
        weight: Weight::Decisive,
        phrases: &["Missing generic shared secret from global secret"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "The global Secret (spec.global.secretName) has no generic shared secret.",
                "Put it back under the key that spec.global.config.genericSharedSecretSecretKey names (genericSharedSecret by default).",
            ))
        },
    },
    Rule {
        code: "component-secrets-missing",
        weight: Weight::Decisive,
        phrases: &[
            "Some component secret are missing",
            "Some component secrets are missing",
            "some of the component secrets are missing",
        ],
        tell: |message, _| Some(component_secrets(message)),
    },
    Rule {
        code: "secret-keys-missing",
        weight: Weight::Decisive,
        phrases: &["The following secret keys do not point to any secret value"],
        tell: |message, _| Some(secret_keys(message)),
    },
    Rule {
        code: "name-too-long",
        weight: Weight::Decisive,
        phrases: &["The name of this ElementDeployment is too long"],
        tell: |_, _| {
            Some(Told::new(
                Course::Support,
                "The operator takes names of 25 characters at most, and this deployment's is longer.",
                "A deployment cannot be renamed in place; ask Element Support.",
            ))
        },
    },
    Rule {
        code: "image-digests-missing",
        weight: Weight::Decisive,
        phrases: &["Missing images digests config map", "Missing `images_digests` entry from configmap"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "The ConfigMap with the digests of imported images (spec.global.config.imagesDigestsConfigMap) is not there or has \
                 no key images_digests.",
                "Import the images of this release again, as for an air-gapped installation, or take the setting out.",
            ))
        },
    },
    Rule {
        code: "child-secret-missing",
        weight: Weight::Decisive,
        phrases: &[
            "spec.config.externalSecret.name must be a secret that exists",
            "spec.config.externalSecret.name must exist",
        ],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "The Secret that a component is to read is not in its namespace.",
                "See that every secretName in the deployment's spec names a Secret that exists.",
            ))
        },
    },
    Rule {
        code: "child-secret-key-missing",
        weight: Weight::Decisive,
        phrases: &[
            "must contain macaroon",
            "must contain postgresPassword",
            "must contain registrationSharedSecret",
            "must contain signingKey",
        ],
        tell: |message, at| {
            let key = message.back_to(at, "must contain");
            let name = message.back_to(at, "The secret ").split("mustcontain").next().unwrap_or_default();
            let secret = if is_name(name) { format!("Secret {name}") } else { "A component's Secret".to_owned() };
            Some(Told::new(
                Course::Mend,
                format!("{secret} has no key {key}, or it is empty."),
                "Put the value back; the deployment's backup or another copy of the Secret has it.",
            ))
        },
    },
    Rule {
        code: "media-volume-missing",
        weight: Weight::Decisive,
        phrases: &["spec.config.media.volumeClaim must be a PersistentVolumeClaim that exists"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "Synapse's media volume (PersistentVolumeClaim) is not there.",
                "See what spec.components.synapse.config.media names, and where that claim went.",
            ))
        },
    },
    Rule {
        code: "workers-not-supported",
        weight: Weight::Decisive,
        phrases: &["must correctly set instances", "spec.config.workers must have at most 1 instance of type"],
        tell: |_, _| {
            Some(Told::new(
                Course::Change,
                "Synapse's workers (spec.components.synapse.config.workers) are set in a way that the operator does not take.",
                "The message names the type: list each type once, with the number of instances it supports.",
            ))
        },
    },
    Rule {
        code: "admission-refused",
        weight: Weight::Decisive,
        phrases: &["admission webhook"],
        tell: |message, at| {
            let webhook = message.until(at, "denied the request").trim_matches('\'');
            (!webhook.is_empty()).then(|| {
                Told::new(
                    Course::Mend,
                    format!("A rule of the cluster (admission webhook {webhook}) refused an object of the operator's."),
                    "Its words follow in the message. Whoever runs that rule has to let it through, or the object has to fit.",
                )
            })
        },
    },
    Rule {
        code: "quota-exceeded",
        weight: Weight::Decisive,
        phrases: &["exceeded quota:"],
        tell: |_, _| {
            Some(Told::new(
                Course::Mend,
                "The namespace's quota is used up, so the operator could not make an object.",
                "Raise the ResourceQuota: MAS and the job of the migration need room of their own.",
            ))
        },
    },
    Rule {
        code: "operator-trouble",
        weight: Weight::Vague,
        phrases: &["Failed to get ansible-runner stdout", "Unable to run reconciliation"],
        tell: |_, _| {
            Some(Told::new(
                Course::Retry,
                "The operator had trouble of its own before or while it ran, as when its pod is stopped; that says nothing about the deployment.",
                "See that its pod runs and has memory enough (a deployment whose name ends in updater-controller-manager).",
            ))
        },
    },
];

/// `Expected : a, b` and `Found : a`: what the difference is.
fn component_secrets(message: &Message) -> Told {
    let lower = message.plain.to_ascii_lowercase();
    let list = |mark: &str| -> Vec<String> {
        let from = lower.find("component secret").unwrap_or(0);
        let at = lower[from..].find(mark).map(|at| from + at + mark.len());
        let after = at.and_then(|at| message.plain.get(at..)).unwrap_or_default();
        let after = after.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
        let names = after.split(',').map(|name| name.split_whitespace().next().unwrap_or_default());
        names.take_while(|name| is_name(name)).map(str::to_owned).collect()
    };
    let (expected, found) = (list("expected"), list("found"));
    let missing: Vec<String> = expected.iter().filter(|name| !found.contains(name)).cloned().collect();
    let meaning = match missing.as_slice() {
        [] => "Not every Secret that the components name (secretName) is there.".to_owned(),
        [one] => format!("Secret {one}, which a component names, is not there."),
        several => format!("Secrets that components name are not there: {}.", several.join(", ")),
    };
    Told::new(
        Course::Mend,
        meaning,
        "If it is MAS's, run `prepare`, which makes it. The others have to be put back in the deployment's namespace.",
    )
}

/// The YAML list of what is named in the spec and not there.
fn secret_keys(message: &Message) -> Told {
    let mut entries = Vec::new();
    let mut rest = message.plain.as_str();
    while let Some((_, after)) = rest.split_once("component:") {
        let (entry, next) =
            after.split_once("component:").map_or((after, ""), |(entry, _)| (entry, &after[entry.len()..]));
        let field = |name: &str| entry.split_once(name).and_then(|(_, after)| after.split_whitespace().next());
        let component = entry.split_whitespace().next();
        if let (Some(component), Some(absent)) = (component, field("absentFrom:")) {
            let (secret, key) = absent.split_once('/').unwrap_or((absent, "?"));
            let set = field("secretKeyConfigurationProperty:").map_or_else(String::new, |path| format!(" ({path})"));
            entries.push((component.to_owned(), format!("{key} in Secret {secret} for {component}{set}")));
        }
        rest = next;
    }
    let is_mas = |component: &str| component.eq_ignore_ascii_case("matrixAuthenticationService");
    let remedy = match entries.iter().filter(|(component, _)| is_mas(component)).count() {
        0 => "Put these keys into those Secrets, or take the settings that name them out of the spec.",
        all if all == entries.len() => {
            "Run `prepare`, which adds the keys that MAS's Secret lacks; a certificate has to be given."
        }
        _ => "Run `prepare` for those of MAS; the other keys have to be put into their Secrets by hand.",
    };
    let meaning = if entries.is_empty() {
        "The spec names keys that are not in the components' Secrets.".to_owned()
    } else {
        let list: Vec<&str> = entries.iter().map(|(_, text)| text.as_str()).collect();
        format!("The spec names keys that are not in the Secrets: {}.", list.join("; "))
    };
    Told::new(Course::Mend, meaning, remedy)
}

/// Whether it can be the name of an object.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    !text.is_empty() && text.len() <= 253 && text.chars().all(fits)
}
