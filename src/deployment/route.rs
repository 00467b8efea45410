//! Resolves a host and a path to a pod, by the rules of Ingress and Service (Kubernetes, `networking.k8s.io/v1`).

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressServiceBackend, ServiceBackendPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

#[derive(Debug, Clone, PartialEq)]
pub enum Route {
    To(IngressServiceBackend),
    NoHost,
    /// A rule has the host, but no path matches.
    NoPath,
    /// The host has paths in the controller's own pattern syntax, which is not evaluated here.
    Pattern,
}

/// Applies the rules of a namespace's Ingresses. Precedence: exact host, wildcard host; exact path, longest prefix.
pub fn route(ingresses: &[Ingress], host: &str, path: &str) -> Route {
    let wildcard = host.split_once('.').map(|(_, domain)| format!("*.{domain}"));
    for wanted in [Some(host), wildcard.as_deref()].into_iter().flatten() {
        let rules = ingresses.iter().filter_map(|ingress| ingress.spec.as_ref()?.rules.as_ref()).flatten();
        let rules = rules.filter(|rule| rule.host.as_deref().is_some_and(|host| host.eq_ignore_ascii_case(wanted)));
        let paths: Vec<&HTTPIngressPath> =
            rules.filter_map(|rule| Some(&rule.http.as_ref()?.paths)).flatten().collect();
        if !paths.is_empty() {
            return by_path(&paths, path.split('?').next().unwrap_or_default());
        }
    }
    Route::NoHost
}

fn by_path(paths: &[&HTTPIngressPath], path: &str) -> Route {
    let to = |entry: &HTTPIngressPath| entry.backend.service.clone().map_or(Route::NoPath, Route::To);
    if let Some(exact) = paths.iter().find(|entry| entry.path_type == "Exact" && text(entry) == path) {
        return to(exact);
    }
    // The controller defines such a path; without special characters it is a prefix for all controllers.
    let special = ['(', '[', '|', '*', '+', '^', '$', '\\', '?'];
    if paths.iter().any(|entry| entry.path_type == "ImplementationSpecific" && text(entry).contains(special)) {
        return Route::Pattern;
    }
    let prefixes = paths.iter().filter(|entry| entry.path_type != "Exact" && is_prefix(text(entry), path));
    prefixes.max_by_key(|entry| text(entry).trim_end_matches('/').len()).map_or(Route::NoPath, |entry| to(entry))
}

fn text(entry: &HTTPIngressPath) -> &str {
    entry.path.as_deref().unwrap_or("/")
}

/// Matches whole path elements: `/a` matches `/a` and `/a/b`, not `/ab`.
fn is_prefix(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Name and namespace of the Service that a host name may stand for in the cluster's DNS: `db`, `db.ns`, `db.ns.svc` or the full
/// name, with or without a trailing dot.
pub fn service_of<'a>(host: &'a str, namespace: &'a str) -> Option<(&'a str, &'a str)> {
    let host = host.trim_end_matches('.');
    if host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let mut labels = host.split('.');
    let name = labels.next().filter(|name| !name.is_empty())?;
    match (labels.next(), labels.next()) {
        (None, _) => Some((name, namespace)),
        (Some(namespace), None | Some("svc")) => Some((name, namespace)),
        _ => None,
    }
}

/// The Service's selector as `a=b,c=d`; `None` if it has none.
pub fn selector(service: &Service) -> Option<String> {
    let labels = service.spec.as_ref()?.selector.as_ref().filter(|labels| !labels.is_empty())?;
    Some(labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(","))
}

/// Name and port number of a ready pod behind a Service's port. The error says why there is none.
pub fn pod(service: &Service, port: &ServiceBackendPort, pods: &[Pod]) -> Result<(String, u16), String> {
    let name = service.metadata.name.as_deref().unwrap_or_default();
    let is_it = |entry: &&ServicePort| match port.number {
        Some(number) => entry.port == number,
        None => entry.name == port.name,
    };
    let mut ports = service.spec.iter().filter_map(|spec| spec.ports.as_ref()).flatten();
    let entry = ports.find(is_it).ok_or_else(|| {
        let wanted = port.name.clone().or(port.number.map(|number| number.to_string()));
        format!("Service {name} has no port {}", wanted.unwrap_or_default())
    })?;
    let is_ready = |pod: &&Pod| {
        let conditions = pod.status.iter().filter_map(|status| status.conditions.as_ref()).flatten();
        pod.metadata.deletion_timestamp.is_none()
            && conditions.into_iter().any(|one| one.type_ == "Ready" && one.status == "True")
    };
    let pod = pods.iter().find(is_ready).ok_or_else(|| match pods.len() {
        0 => format!("Service {name} selects no pods"),
        1 => format!("the pod behind Service {name} is not ready"),
        many => format!("none of the {many} pods behind Service {name} is ready"),
    })?;
    let pod_name = pod.metadata.name.clone().unwrap_or_default();
    let number = match &entry.target_port {
        None => entry.port,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(target)) => {
            let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
            let mut ports = containers.filter_map(|one| one.ports.as_ref()).flatten();
            let named = ports.find(|port| port.name.as_ref() == Some(target));
            named.ok_or_else(|| format!("pod {pod_name} has no port named {target}"))?.container_port
        }
    };
    let number = u16::try_from(number).map_err(|_| format!("Service {name} has an invalid target port"))?;
    Ok((pod_name, number))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn ingress(host: &str, paths: &[(&str, &str, &str)]) -> Ingress {
        let paths: Vec<Value> = paths
            .iter()
            .map(|(kind, path, service)| {
                json!({"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"name": "http"}}}})
            })
            .collect();
        object(json!({"spec": {"rules": [{"host": host, "http": {"paths": paths}}]}}))
    }

    fn to(ingresses: &[Ingress], host: &str, path: &str) -> String {
        match route(ingresses, host, path) {
            Route::To(backend) => backend.name,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn an_exact_path_precedes_the_longest_prefix() {
        let all = [
            ingress("matrix.example.com", &[("Prefix", "/", "synapse"), ("Prefix", "/_matrix/client/v3/login", "mas")]),
            ingress(
                "matrix.example.com",
                &[("Exact", "/_matrix/client/v3/login/x", "other"), ("Prefix", "/_matrix/client", "client")],
            ),
            ingress("*.example.com", &[("Prefix", "/", "wild")]),
        ];
        let host = "matrix.example.com";
        assert_eq!(to(&all, host, "/_matrix/client/v3/login?x=/"), "mas");
        assert_eq!(to(&all, host, "/_matrix/client/v3/login/y"), "mas");
        assert_eq!(to(&all, host, "/_matrix/client/v3/loginx"), "client");
        assert_eq!(to(&all, host, "/_matrix/client/v3/login/x"), "other");
        assert_eq!(to(&all, "MATRIX.example.com", "/"), "synapse");
        assert_eq!(to(&all, "auth.example.com", "/login"), "wild");
        assert_eq!(to(&all, "a.b.example.com", "/"), "NoHost");
        assert_eq!(to(&[ingress("a.b", &[("Prefix", "/x", "s")])], "a.b", "/y"), "NoPath");
    }

    #[test]
    fn a_host_name_is_a_service_by_the_rules_of_the_clusters_dns() {
        for host in ["db", "db.", "db.n", "db.n.svc", "db.n.svc.cluster.local", "db.n.svc.cluster.local."] {
            assert_eq!(service_of(host, "n"), Some(("db", "n")), "{host}");
        }
        assert_eq!(service_of("db.other", "n"), Some(("db", "other")));
        for host in ["pg.example.com", "10.1.2.3", "fd00::1", "", "."] {
            assert_eq!(service_of(host, "n"), None, "{host}");
        }
    }

    #[test]
    fn patterns_of_a_controller_are_not_evaluated() {
        let all = [ingress(
            "m.e",
            &[
                ("ImplementationSpecific", "/_matrix/client/(r0|v3)/login", "mas"),
                ("ImplementationSpecific", "/", "synapse"),
            ],
        )];
        assert_eq!(to(&all, "m.e", "/_matrix/client/v3/login"), "Pattern");
        let plain = [ingress("m.e", &[("ImplementationSpecific", "/", "synapse")])];
        assert_eq!(to(&plain, "m.e", "/x"), "synapse");
    }

    #[test]
    fn a_named_port_is_resolved_in_a_ready_pod() {
        let service: Service = object(json!({"metadata": {"name": "mas"}, "spec": {"selector": {"a": "b", "c": "d"},
            "ports": [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "metrics", "port": 81}]}}));
        let one = |name: &str, ready: &str| {
            object::<Pod>(
                json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]},
                   "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]}}),
            )
        };
        assert_eq!(selector(&service).as_deref(), Some("a=b,c=d"));
        let named = |name: &str| ServiceBackendPort { name: Some(name.to_owned()), number: None };
        let number = |number| ServiceBackendPort { name: None, number: Some(number) };
        let pods = [one("mas-0", "False"), one("mas-1", "True")];
        for port in [named("http"), number(80)] {
            assert_eq!(pod(&service, &port, &pods), Ok(("mas-1".into(), 8080)));
        }
        assert_eq!(pod(&service, &named("metrics"), &pods), Ok(("mas-1".into(), 81)));
        assert!(pod(&service, &number(443), &pods).unwrap_err().contains("no port 443"));
        assert!(pod(&service, &number(80), &pods[..1]).unwrap_err().contains("not ready"));
        assert!(pod(&service, &number(80), &[]).unwrap_err().contains("selects no pods"));
        assert_eq!(selector(&object(json!({"spec": {"type": "ExternalName"}}))), None);
    }
}
