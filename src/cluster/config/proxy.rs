//! Selects the proxy for a server.
//!
//! As in client-go, `proxy-url` of the kubeconfig takes precedence, and otherwise Go's `ProxyFromEnvironment` decides by the
//! server's address. kube compares `NO_PROXY` with the proxy's own address, applies it to `proxy-url` as well and refuses
//! a trailing comma; hyper-util's matcher, which reqwest uses too, does not.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::kubeconfig::{Variables, given, of_process};
use crate::cluster::errors::ClusterError;

/// Go connects to these hosts without a proxy, whatever `NO_PROXY` contains.
const LOCAL: &str = "localhost,127.0.0.0/8,::1";

pub fn choose(server: &Uri, proxy_url: Option<&String>, variable: Variables<'_>) -> Result<Option<Uri>, ClusterError> {
    if let Some(url) = given(proxy_url) {
        return parse(url, "proxy-url of the kubeconfig").map(Some);
    }
    let var = |upper: &str| variable(upper).or_else(|| variable(&upper.to_ascii_lowercase()));
    let name = if server.scheme_str() == Some("https") { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let Some(url) = var(name) else { return Ok(None) };
    // The matcher applies `*` to names only, and doesn't support `*.example.com`.
    let exceptions = var("NO_PROXY").unwrap_or_default();
    let everything = exceptions.split(',').any(|rule| rule.trim() == "*");
    let exceptions = format!("{LOCAL},{}", exceptions.replace("*.", "."));
    if everything || Matcher::builder().all("http://any").no(exceptions).build().intercept(server).is_none() {
        return Ok(None);
    }
    parse(&url, name).map(Some)
}

/// The proxy for an address, from this process's environment.
pub fn proxy_from_environment(address: &Uri) -> Result<Option<Uri>, ClusterError> {
    choose(address, None, &of_process)
}

fn parse(text: &str, origin: &str) -> Result<Uri, ClusterError> {
    // Go accepts `proxy.example:3128` as well.
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // `h`: the proxy resolves names, which it does here in both cases.
    let full = full.replacen("socks5h://", "socks5://", 1);
    let usable = |uri: &Uri| uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https" | "socks5"));
    full.parse().ok().filter(usable).ok_or_else(|| {
        // The value is not repeated: it may hold a password.
        ClusterError::config(
            format!("{origin} is not a valid proxy URL"),
            "Write it as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(server: &str, proxy_url: Option<&str>, vars: &[(&str, &str)]) -> Option<String> {
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(&server.parse().expect("uri"), proxy_url.map(str::to_owned).as_ref(), &var)
            .expect("usable")
            .map(|uri| uri.to_string())
    }

    #[test]
    fn no_proxy_is_about_the_api_server_not_about_the_proxy() {
        let vars = [("HTTPS_PROXY", "http://proxy.corp:3128"), ("NO_PROXY", "10.0.0.0/8,.svc,proxy.corp")];
        assert_eq!(chosen("https://10.1.2.3:6443", None, &vars), None);
        assert_eq!(chosen("https://k8s.example.com:6443", None, &vars).as_deref(), Some("http://proxy.corp:3128/"));
    }

    #[test]
    fn the_kubeconfigs_proxy_ignores_the_environment() {
        let vars = [("HTTPS_PROXY", "http://other:1"), ("NO_PROXY", "*")];
        assert_eq!(chosen("https://10.1.2.3", Some("socks5h://p:1080"), &vars).as_deref(), Some("socks5://p:1080/"));
    }

    #[test]
    fn a_trailing_comma_and_spaces_in_no_proxy_are_harmless() {
        let vars = [("https_proxy", "proxy:3128"), ("no_proxy", "a.example, k8s.example.com ,")];
        assert_eq!(chosen("https://k8s.example.com:6443", None, &vars), None);
        assert_eq!(chosen("https://other.example.com:6443", None, &vars).as_deref(), Some("http://proxy:3128/"));
    }

    #[test]
    fn names_match_whole_labels() {
        let bypassed = |server: &str, exceptions: &str| {
            chosen(server, None, &[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", exceptions)]).is_none()
        };
        assert!(bypassed("https://a.example.com", "example.com"));
        assert!(bypassed("https://a.example.com", "*.example.com"));
        assert!(bypassed("https://a.example.com", ".EXAMPLE.com"));
        assert!(!bypassed("https://notexample.com", "example.com"));
        assert!(bypassed("https://127.0.0.1:6443", ""));
        assert!(bypassed("https://[::1]:6443", "") && bypassed("https://localhost", ""));
        assert!(bypassed("https://[fd00::1]:6443", "fd00::/8"));
        assert!(!bypassed("https://[fd00::1]:6443", "fd01::/16"));
        assert!(bypassed("https://10.1.2.3:6443", " * ,a.example") && bypassed("https://a.example", "*"));
    }

    #[test]
    fn http_servers_use_http_proxy_only() {
        assert_eq!(chosen("http://k8s.example.com", None, &[("HTTPS_PROXY", "http://p:1")]), None);
        assert_eq!(
            chosen("http://k8s.example.com", None, &[("HTTP_PROXY", "http://p:1")]).as_deref(),
            Some("http://p:1/")
        );
    }

    #[test]
    fn a_bad_proxy_is_refused_without_repeating_it() {
        let bad = "ftp://user:secret@p".to_owned();
        let error = choose(&"https://x".parse().expect("uri"), Some(&bad), &of_process).expect_err("ftp");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
