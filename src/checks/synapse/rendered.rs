//! What the operator has made of all settings: Synapse's configuration as it lies in the cluster.

use super::super::finding::Finding;
use super::super::snapshot::Known;
use super::scan::{Hit, Process, Scan, Setting, scan};
use super::words::{self, Origin};

/// One configuration that was found, with nothing kept of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedConfig {
    /// `Secret chat-synapse-main, key instance_template.yaml`.
    pub place: String,
    pub scan: Scan,
}

impl RenderedConfig {
    /// Looks through the text of a key of a ConfigMap or Secret; `None` if that is no configuration of Synapse's.
    pub fn read(place: String, text: &str) -> Option<Self> {
        // Cheap, and true of everything that counts; most of what lies beside it is something else.
        if !text.contains("server_name") {
            return None;
        }
        let scan = scan(text, Process::Main);
        scan.whole.then_some(Self { place, scan })
    }

    /// Whether an object and its key may hold one. Objects are named after the deployment and the component.
    pub fn may_be(deployment: &str, object: &str, key: &str) -> bool {
        let named = object.strip_prefix(deployment).is_some_and(|rest| rest.starts_with("-synapse"));
        named && matches!(key.rsplit_once('.'), Some((_, "yaml" | "yml")))
    }
}

/// What is known of the operator's configuration, for judging a typed field.
pub(super) enum Seen {
    /// There is one, and these settings are in it, each with the place.
    Configuration(Vec<(Setting, String)>),
    /// There is none under any name that is known.
    Nothing,
    /// It could not be looked for; the reason.
    Unreadable(String),
}

impl Seen {
    pub(super) fn of(rendered: &Known<Vec<RenderedConfig>>) -> Self {
        match rendered {
            Known::Unreadable(why) => Self::Unreadable(why.clone()),
            Known::Known(all) if all.is_empty() => Self::Nothing,
            Known::Known(all) => {
                let each = |one: &RenderedConfig| {
                    let place = one.place.clone();
                    one.scan.hits.iter().map(move |hit| (hit.setting.clone(), place.clone())).collect::<Vec<_>>()
                };
                Self::Configuration(all.iter().flat_map(each).collect())
            }
        }
    }
}

/// Tells what is only there: neither in the free-form settings nor said of a typed field already.
pub(super) fn check(all: &[RenderedConfig], free_form: &[Hit], told: &[Finding], findings: &mut Vec<Finding>) {
    let mut said: Vec<(&Setting, &str)> = Vec::new();
    for one in all {
        for hit in &one.scan.hits {
            let known = free_form.iter().any(|other| other.setting == hit.setting && other.path == hit.path);
            let again = said.contains(&(&hit.setting, hit.path.as_str()));
            if known || again {
                continue;
            }
            let Some(finding) = words::finding(hit, &one.place, Origin::Rendered) else { continue };
            if told.iter().any(|other| other.code == finding.code) {
                continue;
            }
            said.push((&hit.setting, &hit.path));
            findings.push(finding);
        }
    }
}
