//! ESS and chart versions.

use std::fmt;

/// An ESS Classic release as `year.month.patch`. The vendor writes the same release as `25.10.1` and `25.10.01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EssVersion {
    /// Two-digit year, month and patch.
    parts: [u64; 3],
}

/// A chart version, compared as semantic version without pre-release or build.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChartRelease {
    /// `chart.metadata.name`.
    pub chart: String,
    /// `chart.metadata.version` as text.
    pub version: String,
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
    /// First chart that also migrates LDAP: ESS 25.10.1. Source: the guide.
    pub const FIRST_WITH_LDAP: [u64; 3] = [2, 29, 0];

    /// Whether the chart is at least that version; `None` when the version is not one.
    pub fn is_at_least(&self, least: [u64; 3]) -> Option<bool> {
        three_numbers(&self.version).map(|parts| parts >= least)
    }

    /// The ESS release that the guide names for a chart version.
    pub fn ess(&self) -> Option<EssVersion> {
        let parts = match three_numbers(&self.version)? {
            [2, 28, 1] => [25, 9, 1],
            [2, 29, 0] => [25, 10, 1],
            _ => return None,
        };
        Some(EssVersion { parts })
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
}
