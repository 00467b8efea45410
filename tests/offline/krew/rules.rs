//! What krew and its `validate-krew-manifest` (0.5.0) ask of a manifest, rule by rule.

use serde_yaml::Value;

/// Everything that krew runs on.
const PLATFORMS: [(&str, &str); 11] = [
    ("windows", "386"),
    ("windows", "amd64"),
    ("windows", "arm64"),
    ("linux", "386"),
    ("linux", "amd64"),
    ("linux", "arm"),
    ("linux", "arm64"),
    ("linux", "ppc64le"),
    ("darwin", "386"),
    ("darwin", "amd64"),
    ("darwin", "arm64"),
];

/// The rules that a manifest under this file name breaks, in words.
pub fn broken(file: &str, text: &str) -> Vec<String> {
    let manifest: Value = match serde_yaml::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("it is no YAML: {error}")],
    };
    let mut broken = Vec::new();
    let mut rule = |kept: bool, words: &str| {
        if !kept {
            broken.push(words.to_owned());
        }
    };
    let at = |path: &[&str]| path.iter().fold(&manifest, |value, key| &value[*key]);
    let string = |path: &[&str]| at(path).as_str().unwrap_or_default();
    rule(string(&["apiVersion"]) == "krew.googlecontainertools.github.com/v1alpha2", "another apiVersion");
    rule(string(&["kind"]) == "Plugin", "another kind");
    let name = string(&["metadata", "name"]);
    let safe = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    rule(safe && !["con", "prn", "aux", "nul"].contains(&name.to_lowercase().as_str()), "an unsafe name");
    rule(file == format!("{name}.yaml"), "a file name that is not the plugin's");
    let short = string(&["spec", "shortDescription"]);
    rule(!short.is_empty() && !short.contains(['\n', '\r']), "no short description of one line");
    rule(short.chars().count() <= 80, "a short description that no table has room for");
    rule(!string(&["spec", "description"]).is_empty(), "no description");
    rule(string(&["spec", "homepage"]).starts_with("https://"), "no homepage");
    rule(is_version(string(&["spec", "version"])), "no semantic version after a v");
    let platforms = at(&["spec", "platforms"]).as_sequence().cloned().unwrap_or_default();
    rule(!platforms.is_empty(), "no platform");
    for (place, one) in platforms.iter().enumerate() {
        broken.extend(platform(one).into_iter().map(|words| format!("platform {place}: {words}")));
    }
    for (os, arch) in PLATFORMS {
        if platforms.iter().filter(|one| selects(one, os, arch)).count() > 1 {
            broken.push(format!("more than one platform for {os}/{arch}"));
        }
    }
    broken
}

fn platform(one: &Value) -> Vec<&'static str> {
    let mut broken = Vec::new();
    let mut rule = |kept: bool, words: &'static str| {
        if !kept {
            broken.push(words);
        }
    };
    let uri = one["uri"].as_str().unwrap_or_default();
    rule([".tar.gz", ".zip"].iter().any(|ending| uri.ends_with(ending)), "no archive");
    let sum = one["sha256"].as_str().unwrap_or_default();
    rule(sum.len() == 64 && sum.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "no digest");
    rule(one["bin"].as_str().is_some_and(|bin| !bin.is_empty()), "no bin");
    let files = &one["files"];
    let complete =
        |file: &Value| ["from", "to"].iter().all(|key| file[*key].as_str().is_some_and(|text| !text.is_empty()));
    rule(
        files.is_null() || files.as_sequence().is_some_and(|all| !all.is_empty() && all.iter().all(complete)),
        "bad files",
    );
    let labels = one["selector"]["matchLabels"].as_mapping();
    rule(
        labels.is_some_and(|labels| !labels.is_empty() && labels.keys().all(|key| key == "os" || key == "arch")),
        "a selector of something else than os and arch",
    );
    rule(PLATFORMS.iter().any(|(os, arch)| selects(one, os, arch)), "a platform that krew does not run on");
    broken
}

fn selects(platform: &Value, os: &str, arch: &str) -> bool {
    let labels = &platform["selector"]["matchLabels"];
    let fits = |key: &str, value: &str| labels[key].is_null() || labels[key] == value;
    fits("os", os) && fits("arch", arch)
}

/// `v1.2.3`, `v1.2.3-rc.1`.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let core = rest.split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    core.split('.').count() == 3 && core.split('.').all(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "apiVersion: krew.googlecontainertools.github.com/v1alpha2\nkind: Plugin\nmetadata: {name: ess-mas}\nspec:\n  \
        version: v1.2.3\n  homepage: https://a.example\n  shortDescription: one line\n  description: what it does\n  platforms:\n    \
        - selector: {matchLabels: {os: linux, arch: amd64}}\n      uri: https://a.example/x.tar.gz\n      \
        sha256: 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\n      bin: kubectl-ess_mas\n";

    #[test]
    fn each_rule_is_noticed_when_it_is_broken() {
        assert_eq!(broken("ess-mas.yaml", GOOD), Vec::<String>::new());
        assert!(!broken("other.yaml", GOOD).is_empty());
        for (good, bad, rule) in [
            ("v1alpha2", "v1alpha1", "another apiVersion"),
            ("kind: Plugin", "kind: Plugins", "another kind"),
            ("name: ess-mas", "name: ess mas", "an unsafe name"),
            ("v1.2.3", "1.2.3", "no semantic version"),
            ("v1.2.3", "v1.2", "no semantic version"),
            ("v1.2.3", "v01.2.3", "no semantic version"),
            ("one line", "\"two\\nlines\"", "no short description"),
            ("  description: what it does\n", "", "no description"),
            ("homepage: https://a.example", "homepage: ''", "no homepage"),
            ("x.tar.gz", "x", "no archive"),
            ("0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f", "0F0f", "no digest"),
            ("      bin: kubectl-ess_mas\n", "", "no bin"),
            ("bin: kubectl-ess_mas", "bin: kubectl-ess_mas\n      files: []", "bad files"),
            ("bin: kubectl-ess_mas", "bin: kubectl-ess_mas\n      files: [{from: x}]", "bad files"),
            ("{os: linux, arch: amd64}", "{os: linux, libc: musl}", "something else than os and arch"),
            ("{os: linux, arch: amd64}", "{os: plan9, arch: amd64}", "does not run on"),
            ("{os: linux, arch: amd64}", "{}", "something else than os and arch"),
        ] {
            let text = GOOD.replace(good, bad);
            assert_ne!(text, GOOD);
            let broken = broken("ess-mas.yaml", &text);
            assert!(broken.iter().any(|words| words.contains(rule)), "{good} -> {bad}: {broken:?}");
        }
        let platform = &GOOD[GOOD.find("    - selector").unwrap()..];
        assert!(
            broken("ess-mas.yaml", &format!("{GOOD}{platform}")).iter().any(|words| words.contains("more than one"))
        );
    }
}
