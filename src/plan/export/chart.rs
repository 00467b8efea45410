//! The names that the chart gives to Secrets of its own.

/// The chart of ESS Classic that holds an ElementDeployment and its Secrets.
pub const CHART: &str = "ess-stack";

/// Whether the chart makes, or would make, a Secret of this name: `RELEASE-stack-COMPONENT`, the component in lower case.
///
/// Helm refuses to adopt a Secret that somebody else made under such a name, and the chart overwrites one that it made with
/// an empty one as soon as the values say `existingSecret`. Where the release is not known, the name for MAS counts for any.
pub fn is_chart_secret(name: &str, release: Option<&str>) -> bool {
    let of_release = release.and_then(|release| name.strip_prefix(release)?.strip_prefix("-stack-"));
    of_release.is_some_and(|component| !component.is_empty()) || name.ends_with("-stack-matrixauthenticationservice")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_charts_own_names_are_recognised_and_ours_are_not() {
        for (name, release, chart) in [
            ("ess-stack-matrixauthenticationservice", Some("ess"), true),
            ("ess-stack-synapse", Some("ess"), true),
            ("ess-stack-synapse", Some("other"), false),
            ("ess-stack-synapse", None, false),
            ("chat-stack-matrixauthenticationservice", Some("ess"), true),
            ("chat-stack-matrixauthenticationservice", None, true),
            ("ess-stack-", Some("ess"), false),
            ("ess-mas", Some("ess"), false),
            ("my-stack-mas", None, false),
        ] {
            assert_eq!(is_chart_secret(name, release), chart, "{name} {release:?}");
        }
    }
}
