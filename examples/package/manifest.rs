//! krew's manifest for a list of archives.

use std::fmt::Write as _;

/// Web addresses in the manifest.
pub struct Place {
    /// Address of the folder with the archives.
    pub base_url: String,
    /// The plugin's web page.
    pub homepage: String,
}

impl Default for Place {
    /// Placeholders, for tests.
    fn default() -> Self {
        Self {
            base_url: "https://example.com/kubectl-ess-mas".to_owned(),
            homepage: "https://docs.element.io/latest/element-server-suite-classic/administration/migration-to-matrix-authentication-service".to_owned(),
        }
    }
}

/// One archive.
pub struct Download {
    /// Rust target of the binary.
    pub target: String,
    /// File name.
    pub archive: String,
    /// SHA-256 digest.
    pub sha256: String,
}

/// Go's names for a Rust target.
pub fn platform(target: &str) -> Option<(&'static str, &'static str)> {
    let arch = match target.split('-').next()? {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => return None,
    };
    let os = ["linux", "darwin", "windows"].into_iter().find(|os| target.contains(os))?;
    Some((os, arch))
}

/// Fills the template. Refuses two archives for one platform, and targets that krew has no name for.
pub fn render(template: &str, version: &str, place: &Place, downloads: &[Download]) -> Result<String, String> {
    let mut platforms = String::new();
    let mut seen = Vec::new();
    for download in downloads {
        let target = &download.target;
        let (os, arch) = platform(target).ok_or_else(|| format!("krew has no name for {target}"))?;
        if seen.contains(&(os, arch)) {
            return Err(format!("more than one archive for {os}/{arch}"));
        }
        seen.push((os, arch));
        let program = if os == "windows" { "kubectl-ess_mas.exe" } else { "kubectl-ess_mas" };
        // Writing into a string cannot fail.
        let _ = write!(
            platforms,
            "    - selector:\n        matchLabels:\n          os: {os}\n          arch: {arch}\n      uri: {}/v{version}/{}\n      \
             sha256: {}\n      bin: {program}\n",
            place.base_url.trim_end_matches('/'),
            download.archive,
            download.sha256
        );
    }
    Ok(template
        .replace("{{version}}", version)
        .replace("{{homepage}}", &place.homepage)
        .replace("    {{platforms}}\n", &platforms))
}
