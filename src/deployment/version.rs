//! ESS and chart versions.

use std::fmt;

/// An ESS Classic release as `year.month.patch`. The vendor writes the same release as `25.10.1` and `25.10.01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EssVersion {
    parts: [u64; 3],
}

/// A release as something in the cluster names it, compared as semantic version without pre-release or build.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChartRelease {
    /// `chart.metadata.name`; the image's repository where the operator's image told, which a chart's name cannot be
    /// taken for because it holds a slash.
    pub chart: String,
    /// `chart.metadata.version`, or the image's tag, as text. For a dependency it may be a range.
    pub version: String,
}

/// Where a release is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VersionSource {
    Helm,
    /// The tag of the operator's image.
    Image,
    /// The ElementDeployment's schema; it tells no more than "at least".
    Crd,
}

/// From here on a version is a year, as in `25.10.1`. The charts are far from it.
const FIRST_YEAR: u64 = 20;

/// The lowest version that a text stands for, and whether it is the only one: a dependency may be given as a range, such
/// as `^2.28.1`, `~2.29`, `2.x` or `>=2.28.1 <3`.
fn lowest(text: &str) -> Option<([u64; 3], bool)> {
    if text.contains("||") {
        return None;
    }
    let first = text.trim().split([' ', ',']).next()?;
    let plain = first.trim_start_matches(['^', '~', '>', '=', 'v']);
    let ranged = plain.len() < first.trim_start_matches('v').len() || first.len() < text.trim().len();
    let open = ["x", "X", "*"];
    let ends = plain.split('.').position(|part| open.contains(&part));
    if first.starts_with('<') || ends == Some(0) {
        return None;
    }
    let closed = ends.map_or_else(|| plain.to_owned(), |at| plain.split('.').take(at).collect::<Vec<_>>().join("."));
    let padded = if ends.is_some() && !closed.contains('.') { format!("{closed}.0") } else { closed };
    three_numbers(&padded).map(|parts| (parts, !ranged && ends.is_none()))
}

fn three_numbers(text: &str) -> Option<[u64; 3]> {
    let core = text.trim().trim_start_matches('v').split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(|part| part.parse::<u64>().ok());
    let parts = [numbers.next()??, numbers.next()??, numbers.next().unwrap_or(Some(0))?];
    numbers.next().is_none().then_some(parts)
}

impl EssVersion {
    /// Parses `25.10.1`, `25.10.01` or `v25.10.1-lts`.
    pub fn parse(text: &str) -> Option<Self> {
        three_numbers(text).map(|parts| Self { parts })
    }
}

impl fmt::Display for EssVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month, patch] = self.parts;
        write!(f, "{year}.{month:02}.{patch}")
    }
}

impl ChartRelease {
    /// First chart that can migrate (local passwords and OIDC): ESS 25.09.01. Source: the guide.
    pub const FIRST_WITH_MIGRATION: [u64; 3] = [2, 28, 1];
    /// The same in the guide's words: ESS and chart.
    pub const FIRST_IN_WORDS: (&str, &str) = ("25.09.01", "2.28.1");
    /// First chart that also migrates LDAP: ESS 25.10.1. Source: the guide.
    pub const FIRST_WITH_LDAP: [u64; 3] = [2, 29, 0];

    /// Whether it is at least that chart version; `None` when that cannot be told from the version. One that is given
    /// as an ESS release is compared with the release that the guide names for the chart.
    pub fn is_at_least(&self, least: [u64; 3]) -> Option<bool> {
        let (parts, exact) = lowest(&self.version)?;
        let least = if parts[0] >= FIRST_YEAR { ess_of(least)? } else { least };
        let reached = parts >= least;
        (exact || reached).then_some(reached)
    }

    /// Whether the version is given as an ESS release, a year, and not as a chart's.
    pub fn is_ess(&self) -> bool {
        lowest(&self.version).is_some_and(|(parts, _)| parts[0] >= FIRST_YEAR)
    }

    /// The ESS release: the version itself where it is one, else what the guide names for a chart version.
    pub fn ess(&self) -> Option<EssVersion> {
        let parts = three_numbers(&self.version)?;
        Some(EssVersion { parts: if parts[0] >= FIRST_YEAR { parts } else { ess_of(parts)? } })
    }

    /// Reads the tag of an image such as `docker.io/vectorim/ess-core-updater:2.21.1`; `None` for one without a tag,
    /// and for a tag that is none of the product's versions: whoever keeps copies of images may tag them as they like.
    pub fn of_image(reference: &str) -> Option<Self> {
        let named = reference.split('@').next()?;
        let (repository, tag) = named.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
        let parts = three_numbers(tag)?;
        let ours = parts[0] == 2 || (FIRST_YEAR..100).contains(&parts[0]);
        (ours && repository.contains('/')).then(|| Self { chart: repository.to_owned(), version: tag.to_owned() })
    }

    pub fn source(&self) -> VersionSource {
        if self.chart.contains('/') { VersionSource::Image } else { VersionSource::Helm }
    }

    /// Of two that are there at the same time, the one that holds the other back: both take part in the migration.
    #[must_use]
    pub fn older_of(self, other: Self) -> Self {
        let comparable = |release: &Self| {
            let (parts, _) = lowest(&release.version)?;
            Some((parts[0] >= FIRST_YEAR, parts))
        };
        match (comparable(&self), comparable(&other)) {
            (Some((a_year, a)), Some((b_year, b))) if a_year == b_year && b < a => other,
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

/// The ESS release that the guide names for a chart version.
fn ess_of(chart: [u64; 3]) -> Option<[u64; 3]> {
    match chart {
        [2, 28, 1] => Some([25, 9, 1]),
        [2, 29, 0] => Some([25, 10, 1]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_release_are_the_same() {
        assert_eq!(EssVersion::parse("25.10.1"), EssVersion::parse("25.10.01"));
        assert!(EssVersion::parse("25.09.01") < EssVersion::parse("25.10.1"));
        assert_eq!(EssVersion::parse("25.9"), EssVersion::parse("25.09.0"));
        assert_eq!(EssVersion::parse("latest"), None);
        assert_eq!(EssVersion::parse("1.2.3.4"), None);
    }

    #[test]
    fn charts_are_compared_by_number() {
        let chart = |version: &str| ChartRelease { chart: "ess-stack".into(), version: version.into() };
        assert_eq!(chart("2.28.0").is_at_least(ChartRelease::FIRST_WITH_MIGRATION), Some(false));
        assert_eq!(chart("2.100.0").is_at_least(ChartRelease::FIRST_WITH_LDAP), Some(true));
        assert_eq!(chart("main").is_at_least(ChartRelease::FIRST_WITH_LDAP), None);
        assert_eq!(chart("2.29.0").ess().map(|v| v.to_string()).as_deref(), Some("25.10.1"));
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
        assert_eq!(release("25.10.01").ess(), EssVersion::parse("25.10.1"));
    }

    #[test]
    fn a_range_tells_only_what_it_cannot_fall_below() {
        let told =
            |version: &str| ChartRelease { chart: "ess-stack".into(), version: version.into() }.is_at_least([2, 28, 1]);
        for enough in ["^2.28.1", "~2.29.0", ">=2.29.0 <3", "2.30.x", "2.29.*", "v2.28.1"] {
            assert_eq!(told(enough), Some(true), "{enough}");
        }
        for open in ["^2.0.0", "2.x", "~2.28", ">=2.28.0", "*", "<3", ">1 || 2", "2.28.1 || 2.20.0"] {
            assert_eq!(told(open), None, "{open}");
        }
        assert_eq!(told("2.28.0"), Some(false));
    }

    #[test]
    fn an_images_tag_tells_where_it_is_a_version_of_the_product() {
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
}
