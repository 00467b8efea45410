//! Which proxy lies between here and the API server.
//!
//! client-go's rules, not kube's: `proxy-url` of the kubeconfig always counts; otherwise Go's `ProxyFromEnvironment`
//! decides by the *API server's* address. (kube 5 compares `NO_PROXY` with the proxy's own address, and applies it to
//! `proxy-url` as well.)

use std::net::IpAddr;

use http::Uri;

use super::errors::ClusterError;

/// The proxy to use for `server`, if any. `var` looks up an environment variable.
pub(super) fn choose(
    server: &Uri,
    proxy_url: Option<&str>,
    var: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, ClusterError> {
    let any = |upper: &str, lower: &str| [upper, lower].into_iter().filter_map(var).find(|value| !value.is_empty());
    if let Some(url) = proxy_url.filter(|url| !url.is_empty()) {
        return parse(url, "proxy-url of the kubeconfig").map(Some);
    }
    let (name, url) = if server.scheme_str() == Some("https") {
        ("HTTPS_PROXY", any("HTTPS_PROXY", "https_proxy"))
    } else {
        ("HTTP_PROXY", any("HTTP_PROXY", "http_proxy"))
    };
    let Some(url) = url else { return Ok(None) };
    let exceptions = any("NO_PROXY", "no_proxy").unwrap_or_default();
    if bypassed(server, &exceptions) {
        return Ok(None);
    }
    parse(&url, name).map(Some)
}

/// The proxy that this process's environment has for an address; the same rules hold for hosts beside the API server.
pub fn proxy_from_environment(address: &Uri) -> Result<Option<Uri>, ClusterError> {
    choose(address, None, &|name| std::env::var(name).ok())
}

fn parse(text: &str, origin: &str) -> Result<Uri, ClusterError> {
    // Go takes `proxy.example:3128` as well; a scheme is all that is missing there.
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // Names are resolved by the proxy either way in this client, which is what the `h` asks for.
    let full = full.replacen("socks5h://", "socks5://", 1);
    full.parse::<Uri>()
        .ok()
        .filter(|uri| {
            uri.host().is_some() && ["http", "https", "socks5"].contains(&uri.scheme_str().unwrap_or_default())
        })
        .ok_or_else(|| {
            // The value is not repeated: it may hold a password.
            ClusterError::config(
                format!("The value of {origin} is not the address of a proxy that can be used."),
                Some("Write it as http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.".to_owned()),
            )
        })
}

/// Go's `NO_PROXY`: `*`, addresses, networks, `host`, `.suffix`, each with an optional port; localhost never goes through a proxy.
fn bypassed(server: &Uri, exceptions: &str) -> bool {
    let host = server.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    exceptions.split(',').map(|rule| rule.trim().to_ascii_lowercase()).filter(|rule| !rule.is_empty()).any(|rule| {
        if rule == "*" {
            return true;
        }
        if let (Some((network, length)), Some(address)) = (rule.split_once('/'), address) {
            return in_network(address, network, length);
        }
        let (name, rule_port) = split_port(&rule);
        if rule_port.is_some_and(|rule_port| rule_port != port) {
            return false;
        }
        if let Some(address) = address {
            return name.parse() == Ok(address);
        }
        let suffix = name.trim_start_matches('*');
        match suffix.strip_prefix('.') {
            Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
            None => host == suffix || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

fn split_port(rule: &str) -> (&str, Option<u16>) {
    // A bare IPv6 address has colons of its own; with a port it stands in brackets.
    if let Some(rest) = rule.strip_prefix('[') {
        return match rest.split_once(']') {
            Some((name, port)) => (name, port.strip_prefix(':').and_then(|port| port.parse().ok())),
            None => (rule, None),
        };
    }
    if rule.matches(':').count() > 1 {
        return (rule, None);
    }
    match rule.rsplit_once(':') {
        Some((name, port)) => port.parse().map_or((rule, None), |port| (name, Some(port))),
        None => (rule, None),
    }
}

fn in_network(address: IpAddr, network: &str, length: &str) -> bool {
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else { return false };
    let same = |a: u128, b: u128, width: u32| length <= width && (length == 0 || (a ^ b) >> (width - length) == 0);
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(server: &str, proxy_url: Option<&str>, vars: &[(&str, &str)]) -> Option<String> {
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        choose(&server.parse().expect("uri"), proxy_url, &var).expect("usable").map(|uri| uri.to_string())
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
        let vars = [("https_proxy", "proxy:3128"), ("no_proxy", "a.example, k8s.example.com:6443 ,")];
        assert_eq!(chosen("https://k8s.example.com:6443", None, &vars), None);
        assert_eq!(chosen("https://k8s.example.com:7443", None, &vars).as_deref(), Some("http://proxy:3128/"));
    }

    #[test]
    fn names_match_whole_labels() {
        let server = |uri: &str| uri.parse::<Uri>().expect("uri");
        assert!(bypassed(&server("https://a.example.com"), "example.com"));
        assert!(bypassed(&server("https://a.example.com"), "*.example.com"));
        assert!(!bypassed(&server("https://example.com"), ".example.com"));
        assert!(!bypassed(&server("https://notexample.com"), "example.com"));
        assert!(bypassed(&server("https://127.0.0.1:6443"), ""));
        assert!(bypassed(&server("https://[fd00::1]:6443"), "fd00::/8"));
        assert!(!bypassed(&server("https://[fd00::1]:6443"), "fd01::/16"));
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
        let error =
            choose(&"https://x".parse().expect("uri"), Some("ftp://user:secret@p"), &|_| None).expect_err("ftp");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
