//! ESS and chart versions, and the installed one from Helm's release Secret: type `helm.sh/release.v1`, `release` is base64 of
//! gzip of JSON (in addition to the base64 of a Secret's data).

use std::fmt;
use std::io::Read;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::secrets::wipe;

/// A chart and its version, compared as semantic version without pre-release and build.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChartRelease {
    /// `chart.metadata.name`, or the repository of the operator's image, which unlike a chart's name contains a slash.
    pub chart: String,
    /// `chart.metadata.version`, or the image's tag. For a dependency it may be a range.
    pub version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionSource {
    Helm,
    Image,
    /// The ElementDeployment's schema, which shows only a minimum.
    Crd,
}

/// The smallest major version that is a year, as in `25.10.1`; chart versions are far below.
const FIRST_YEAR: u64 = 20;

/// `None` for a range, such as `^2.28.1`, which a dependency may have.
fn three_numbers(text: &str) -> Option<[u64; 3]> {
    let core = text.trim().trim_start_matches('v').split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(|part| part.parse::<u64>().ok());
    let parts = [numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?];
    numbers.next().is_none().then_some(parts)
}

impl ChartRelease {
    /// First chart that can migrate (local passwords and OIDC): ESS 25.09.01. Source: the guide.
    pub const FIRST_WITH_MIGRATION: [u64; 3] = [2, 28, 1];
    /// The same as ESS release and chart, as the guide writes them.
    pub const FIRST_IN_WORDS: (&str, &str) = ("25.09.01", "2.28.1");
    /// First chart that also migrates LDAP: ESS 25.10.1. Source: the guide.
    pub const FIRST_WITH_LDAP: [u64; 3] = [2, 29, 0];

    /// Whether it is at least that chart version; `None` if unknown. An ESS release is compared with the release that the guide
    /// names for the chart.
    pub fn is_at_least(&self, least: [u64; 3]) -> Option<bool> {
        let parts = three_numbers(&self.version)?;
        let least = if parts[0] >= FIRST_YEAR { ess_of(least)? } else { least };
        Some(parts >= least)
    }

    pub fn is_ess(&self) -> bool {
        three_numbers(&self.version).is_some_and(|parts| parts[0] >= FIRST_YEAR)
    }

    /// The ESS release: the version itself, or the release that the guide names for the chart. The vendor writes the same release
    /// as `25.10.1` and `25.10.01`.
    pub fn ess(&self) -> Option<String> {
        let parts = three_numbers(&self.version)?;
        let [year, month, patch] = if parts[0] >= FIRST_YEAR { parts } else { ess_of(parts)? };
        Some(format!("{year}.{month:02}.{patch}"))
    }

    /// Reads the tag of an image such as `docker.io/vectorim/ess-core-updater:2.21.1`; `None` without a tag, and for a tag that
    /// is no version of the product, as in a private registry.
    pub fn of_image(reference: &str) -> Option<Self> {
        let named = reference.split('@').next()?;
        let (repository, tag) = named.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
        let parts = three_numbers(tag)?;
        let ours = parts[0] == 2 || (FIRST_YEAR..100).contains(&parts[0]);
        (ours && repository.contains('/')).then(|| Self { chart: repository.to_owned(), version: tag.to_owned() })
    }

    /// Reads a release Secret; `None` for other Secrets and charts.
    pub fn of_helm_secret(secret: &Value) -> Option<Self> {
        let (metadata, lock) = chart_of(secret)?;
        // The chart's lock contains the resolved versions; Helm does not store the dependencies themselves.
        let dependencies =
            [&lock, &metadata].into_iter().flat_map(|list| list["dependencies"].as_array().into_iter().flatten());
        std::iter::once(&metadata).chain(dependencies).find_map(|chart| {
            let name = chart["name"].as_str().filter(|name| CHARTS.contains(name))?;
            Some(Self { chart: name.to_owned(), version: chart["version"].as_str()?.to_owned() })
        })
    }

    pub fn source(&self) -> VersionSource {
        if self.chart.contains('/') { VersionSource::Image } else { VersionSource::Helm }
    }

    /// The older of two installed releases, which limits the migration.
    #[must_use]
    pub fn older_of(self, other: Self) -> Self {
        match (three_numbers(&self.version), three_numbers(&other.version)) {
            (Some(a), Some(b)) if self.is_ess() == other.is_ess() && b < a => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }
}

impl fmt::Display for ChartRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source() {
            VersionSource::Image => write!(f, "image {}:{}", self.chart, self.version),
            _ => write!(f, "chart {} {}", self.chart, self.version),
        }
    }
}

fn ess_of(chart: [u64; 3]) -> Option<[u64; 3]> {
    match chart {
        [2, 28, 1] => Some([25, 9, 1]),
        [2, 29, 0] => Some([25, 10, 1]),
        _ => None,
    }
}

/// Charts with the product's version. A user's chart may have them as dependencies; the last one is the vendor's umbrella chart.
const CHARTS: [&str; 5] = ["ess-stack", "ess-system", "element-updater", "element-operator", "ess-meta"];
/// The largest decompressed release; Helm's limit is 1 MiB compressed.
const LARGEST: u64 = 64 << 20;

/// The key of the ESS chart's values in a user's chart: the dependency's alias, or its name. `None` if the ESS chart is installed
/// directly, or this is another release.
pub fn values_below(secret: &Value) -> Option<String> {
    let (metadata, _) = chart_of(secret)?;
    let dependencies = metadata["dependencies"].as_array()?;
    let chart = dependencies.iter().find(|chart| chart["name"] == CHARTS[0])?;
    let text = |key: &str| chart[key].as_str().filter(|text| !text.is_empty());
    text("alias").or_else(|| text("name")).map(str::to_owned)
}

fn chart_of(secret: &Value) -> Option<(Value, Value)> {
    let once = STANDARD.decode(secret["data"]["release"].as_str()?).ok()?;
    let packed = STANDARD.decode(once).ok()?;
    // The release contains the values, which may contain secrets.
    let mut text = Zeroizing::new(Vec::new());
    flate2::read::GzDecoder::new(packed.as_slice()).take(LARGEST).read_to_end(&mut text).ok()?;
    let mut release: Value = serde_json::from_slice(&text).ok()?;
    let parts = (release["chart"]["metadata"].take(), release["chart"]["lock"].take());
    wipe(&mut release);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_of_a_release_are_the_same() {
        let ess = |version: &str| ChartRelease { chart: "ess-stack".into(), version: version.into() }.ess();
        assert_eq!(ess("25.10.1"), ess("25.10.01"));
        assert_eq!(ess("25.9"), ess("25.09.0"));
        assert_eq!(ess("v25.9.1-lts").as_deref(), Some("25.09.1"));
        assert_eq!((ess("latest"), ess("1.2.3.4")), (None, None));
    }

    #[test]
    fn charts_are_compared_by_number() {
        let chart = |version: &str| ChartRelease { chart: "ess-stack".into(), version: version.into() };
        assert_eq!(chart("2.28.0").is_at_least(ChartRelease::FIRST_WITH_MIGRATION), Some(false));
        assert_eq!(chart("2.100.0").is_at_least(ChartRelease::FIRST_WITH_LDAP), Some(true));
        assert_eq!(chart("main").is_at_least(ChartRelease::FIRST_WITH_LDAP), None);
        assert_eq!(chart("2.29.0").ess().as_deref(), Some("25.10.1"));
    }

    #[test]
    fn a_version_that_is_an_ess_release_is_compared_as_one_in_either_spelling() {
        let release = |version: &str| ChartRelease { chart: "ess-stack".into(), version: version.into() };
        for (version, migrates, ldap) in
            [("25.10.1", true, true), ("25.10.01", true, true), ("25.09.01", true, false), ("25.8.2", false, false)]
        {
            assert_eq!(release(version).is_at_least(ChartRelease::FIRST_WITH_MIGRATION), Some(migrates), "{version}");
            assert_eq!(release(version).is_at_least(ChartRelease::FIRST_WITH_LDAP), Some(ldap), "{version}");
        }
        assert_eq!(release("25.10.01").ess(), release("25.10.1").ess());
    }

    #[test]
    fn version_range_alone_yields_no_release() {
        for range in ["^2.28.1", "~2.29.0", ">=2.29.0 <3", "2.30.x", "*", "<3", "2.28.1 || 2.20.0"] {
            let release = ChartRelease { chart: "ess-stack".into(), version: range.into() };
            assert_eq!(release.is_at_least([2, 28, 1]), None, "{range}");
        }
    }

    #[test]
    fn image_tag_yields_the_release_only_if_it_is_a_product_version() {
        let of = |image: &str| ChartRelease::of_image(image).map(|release| (release.chart, release.version));
        let known = Some(("docker.io/vectorim/ess-core-updater".into(), "2.29.0".into()));
        assert_eq!(of("docker.io/vectorim/ess-core-updater:2.29.0"), known);
        assert_eq!(of("docker.io/vectorim/ess-core-updater:2.29.0@sha256:0011"), known);
        assert_eq!(of("mirror:5000/ess/updater:25.10.01"), Some(("mirror:5000/ess/updater".into(), "25.10.01".into())));
        for untold in [
            "registry.element.io/updater@sha256:0011",
            "mirror:5000/ess/updater",
            "mirror/updater:latest",
            "mirror/updater:1.0.0",
            "",
        ] {
            assert_eq!(of(untold), None, "{untold}");
        }
        let image = ChartRelease::of_image("a/b:2.29.0").unwrap();
        assert_eq!((image.source(), image.to_string().as_str()), (VersionSource::Image, "image a/b:2.29.0"));
    }

    #[test]
    fn of_two_releases_the_older_one_counts() {
        let release = |chart: &str, version: &str| ChartRelease { chart: chart.into(), version: version.into() };
        let older = |a: &str, b: &str| release("ess-stack", a).older_of(release("x/updater", b)).version;
        assert_eq!(older("2.29.0", "2.28.1"), "2.28.1");
        assert_eq!(older("2.28.1", "2.29.0"), "2.28.1");
        assert_eq!(older("2.29.0", "25.08.1"), "2.29.0", "not to be compared");
        assert_eq!(older("main", "2.29.0"), "2.29.0");
    }

    fn secret(release: &Value) -> Value {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(release.to_string().as_bytes()).unwrap();
        let text = STANDARD.encode(STANDARD.encode(packer.finish().unwrap()));
        json!({"type": "helm.sh/release.v1", "data": {"release": text}})
    }

    fn version(metadata: &Value) -> Option<String> {
        ChartRelease::of_helm_secret(&secret(&json!({"chart": {"metadata": metadata}}))).map(|chart| chart.version)
    }

    #[test]
    fn the_chart_is_found_also_below_one_of_ones_own() {
        assert_eq!(version(&json!({"name": "ess-stack", "version": "2.29.0"})).as_deref(), Some("2.29.0"));
        let umbrella = json!({"name": "our-chat", "version": "0.1.0", "dependencies": [{"name": "ess-stack", "version": "2.28.1"}]});
        assert_eq!(version(&umbrella).as_deref(), Some("2.28.1"));
        assert_eq!(version(&json!({"name": "wordpress", "version": "1"})), None);
        let below = |metadata: &Value| values_below(&secret(&json!({"chart": {"metadata": metadata}})));
        assert_eq!(below(&umbrella).as_deref(), Some("ess-stack"));
        let alias =
            json!({"name": "our-chat", "dependencies": [{"name": "ess-stack", "version": "1", "alias": "chat"}]});
        assert_eq!(below(&alias).as_deref(), Some("chat"));
        assert_eq!(below(&json!({"name": "ess-stack", "version": "2.29.0"})), None);
    }

    #[test]
    fn version_range_is_resolved_by_the_lock_of_the_parent_chart() {
        let dependency =
            |version: &str| json!([{"name": "redis", "version": "1"}, {"name": "ess-stack", "version": version}]);
        let mut release = json!({"chart": {"metadata": {"name": "our-chat", "version": "0.1.0", "dependencies": dependency("^2.28.0")}}});
        let read = |release: &Value| ChartRelease::of_helm_secret(&secret(release)).unwrap().version;
        assert_eq!(read(&release), "^2.28.0");
        release["chart"]["lock"] = json!({ "dependencies": dependency("2.29.0") });
        assert_eq!(read(&release), "2.29.0");
    }

    #[test]
    fn what_is_no_release_is_passed_over() {
        for data in [json!({}), json!({"release": "%%"}), json!({"release": STANDARD.encode("plain")})] {
            assert_eq!(ChartRelease::of_helm_secret(&json!({ "data": data })), None);
        }
    }
}
