//! Values for the chart `ess-stack`, in the guide's shape.
//!
//! The chart passes all values through Helm's `tpl`, so a `{{` in a value is written in a way that comes out as itself.

use super::chart::CHART;
use super::subject::{NotText, Subject, Values};
use super::yaml::{Node, document};
use crate::secrets::SecretText;

/// Where the chart takes MAS's secret values from.
#[derive(Debug, Clone, Copy)]
pub enum HelmSecrets<'a> {
    /// A Secret that is there; no secret is in the file.
    Existing(&'a str),
    /// The values themselves: the chart makes a Secret of its own.
    Inline(&'a Values),
}

/// A values file to pass after one's own, with a second `-f`. `under` is the key below which an umbrella chart has this
/// chart's values.
pub fn helm_values(
    subject: &Subject<'_>,
    secrets: HelmSecrets<'_>,
    under: Option<&str>,
) -> Result<SecretText, NotText> {
    let mut component = subject.component();
    // The chart sets it: to `existingSecret`, or to the Secret that it makes.
    component.as_object_mut().map(|fields| fields.remove("secretName"));
    let content = match secrets {
        HelmSecrets::Existing(name) => Node::under("existingSecret", Node::Text(name)),
        HelmSecrets::Inline(values) => {
            let mut entries = Vec::new();
            for (key, value) in values {
                let text = std::str::from_utf8(value.expose()).map_err(|_| NotText(key.clone()))?;
                entries.push((key.as_str(), Node::Text(text)));
            }
            Node::under("content", Node::Map(entries))
        }
    };
    let values = Node::Map(vec![
        ("secrets", Node::under("matrixAuthenticationService", content)),
        ("components", Node::under("matrixAuthenticationService", Node::Tree(&component))),
    ]);
    let values = match under {
        Some(key) => Node::under(key, values),
        None => values,
    };
    let text = document(&comments(secrets, under), &values, true);
    Ok(SecretText::from(text.as_str()))
}

fn comments(secrets: HelmSecrets<'_>, under: Option<&str>) -> Vec<String> {
    let mut lines = vec![
        "Pass this file after your own values, with a second -f: helm upgrade … -f VALUES -f THIS-FILE".to_owned(),
    ];
    lines.push(match under {
        Some(key) => format!("These are the values of a chart that has {CHART} below the key {key}."),
        None => {
            format!("Where {CHART} is a dependency of a chart of your own, all of it belongs below the key {CHART}.")
        }
    });
    lines.push(match secrets {
        HelmSecrets::Existing(name) => {
            format!("It holds no secret; they stay in Secret {name}, which must be there before the upgrade.")
        }
        HelmSecrets::Inline(_) => {
            "It holds secrets. The encryption secret must never change once MAS has run with it, so keep this file."
                .to_owned()
        }
    });
    lines
}
