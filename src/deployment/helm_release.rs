//! Which chart is installed, read from Helm's own record: a Secret of type `helm.sh/release.v1` whose `release` is
//! base64 of gzip of JSON (and base64 once more, as every Secret's data).

use std::io::Read;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::Zeroizing;

use super::version::ChartRelease;
use crate::secrets::wipe;

/// Charts that carry the product's version. A chart of one's own around them names them as dependencies; the last one is
/// the vendor's own such chart.
const CHARTS: [&str; 5] = ["ess-stack", "ess-system", "element-updater", "element-operator", "ess-meta"];
/// Helm keeps a release below 1 MiB compressed; nothing sensible unpacks to more than this.
const LARGEST: u64 = 64 << 20;

impl ChartRelease {
    /// Reads one release Secret; `None` if it is not one, or of another chart.
    pub fn of_helm_secret(secret: &Value) -> Option<Self> {
        let (metadata, lock) = chart_of(secret)?;
        // What a range was resolved to stands in the chart's lock; Helm does not keep the dependencies themselves.
        let dependencies =
            [&lock, &metadata].into_iter().flat_map(|list| list["dependencies"].as_array().into_iter().flatten());
        std::iter::once(&metadata).chain(dependencies).find_map(|chart| {
            let name = chart["name"].as_str().filter(|name| CHARTS.contains(name))?;
            Some(Self { chart: name.to_owned(), version: chart["version"].as_str()?.to_owned() })
        })
    }
}

/// Below which key a chart of one's own has the values of the chart with the ElementDeployment: the dependency's alias, else its
/// name. `None` where that chart is installed by itself, or this is no release of it.
pub fn values_below(secret: &Value) -> Option<String> {
    let (metadata, _) = chart_of(secret)?;
    let dependencies = metadata["dependencies"].as_array()?;
    let chart = dependencies.iter().find(|chart| chart["name"] == CHARTS[0])?;
    let text = |key: &str| chart[key].as_str().filter(|text| !text.is_empty());
    text("alias").or_else(|| text("name")).map(str::to_owned)
}

/// `chart.metadata` and `chart.lock` of a release.
fn chart_of(secret: &Value) -> Option<(Value, Value)> {
    let once = STANDARD.decode(secret["data"]["release"].as_str()?).ok()?;
    let packed = STANDARD.decode(once).ok()?;
    // The release holds the values too, and with them the secrets of whoever puts them there.
    let mut text = Zeroizing::new(Vec::new());
    flate2::read::GzDecoder::new(packed.as_slice()).take(LARGEST).read_to_end(&mut text).ok()?;
    let mut release: Value = serde_json::from_slice(&text).ok()?;
    let parts = (release["chart"]["metadata"].take(), release["chart"]["lock"].take());
    wipe(&mut release);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::io::Write;

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
    fn a_range_is_told_by_the_lock_of_the_chart_around_it() {
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
