//! Resolves a host and a path to a pod, by the rules of Ingress and Service (Kubernetes, `networking.k8s.io/v1`).

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Port {
    Number(u16),
    Name(String),
}

impl Port {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => u16::try_from(number.as_u64()?).ok().map(Self::Number),
            Value::String(name) => Some(name.parse().map_or_else(|_| Self::Name(name.clone()), Self::Number)),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    pub service: String,
    pub port: Port,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    To(Backend),
    NoHost,
    /// A rule has the host, but no path matches.
    NoPath,
    /// The host has paths in the controller's own pattern syntax, which is not evaluated here.
    Pattern,
}

/// Applies the rules of a namespace's Ingresses. Precedence: exact host, wildcard host; exact path, longest prefix.
pub fn route(ingresses: &[Value], host: &str, path: &str) -> Route {
    let rules = ingresses.iter().flat_map(|ingress| ingress["spec"]["rules"].as_array().into_iter().flatten());
    let rules: Vec<&Value> = rules.collect();
    let wildcard = host.split_once('.').map(|(_, domain)| format!("*.{domain}"));
    for wanted in [Some(host), wildcard.as_deref()].into_iter().flatten() {
        let paths: Vec<&Value> = rules
            .iter()
            .filter(|rule| rule["host"].as_str().is_some_and(|host| host.eq_ignore_ascii_case(wanted)))
            .flat_map(|rule| rule["http"]["paths"].as_array().into_iter().flatten())
            .collect();
        if !paths.is_empty() {
            return by_path(&paths, path);
        }
    }
    Route::NoHost
}

fn by_path(paths: &[&Value], path: &str) -> Route {
    let path = path.split('?').next().unwrap_or_default();
    let text = |entry: &Value| entry["path"].as_str().unwrap_or("/").to_owned();
    let to = |entry: &Value| backend(&entry["backend"]).map_or(Route::NoPath, Route::To);
    if let Some(exact) = paths.iter().find(|entry| entry["pathType"] == "Exact" && text(entry) == path) {
        return to(exact);
    }
    // The controller defines such a path; without special characters it is a prefix for all controllers.
    let is_pattern = |entry: &&&Value| {
        entry["pathType"] == "ImplementationSpecific"
            && text(entry).contains(['(', '[', '|', '*', '+', '^', '$', '\\', '?'])
    };
    if paths.iter().any(|entry| is_pattern(&entry)) {
        return Route::Pattern;
    }
    let prefixes = paths.iter().filter(|entry| entry["pathType"] != "Exact" && is_prefix(&text(entry), path));
    prefixes.max_by_key(|entry| text(entry).trim_end_matches('/').len()).map_or(Route::NoPath, |entry| to(entry))
}

/// Matches whole path elements: `/a` matches `/a` and `/a/b`, not `/ab`.
fn is_prefix(prefix: &str, path: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn backend(backend: &Value) -> Option<Backend> {
    let service = &backend["service"];
    let port = [&service["port"]["number"], &service["port"]["name"]].into_iter().find_map(Port::read)?;
    Some(Backend { service: service["name"].as_str()?.to_owned(), port })
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
pub fn selector(service: &Value) -> Option<String> {
    let labels = service["spec"]["selector"].as_object().filter(|labels| !labels.is_empty())?;
    let pairs: Option<Vec<String>> =
        labels.iter().map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    pairs.map(|pairs| pairs.join(","))
}

/// Name and port number of a ready pod behind a Service's port. The error says why there is none.
pub fn pod(service: &Value, port: &Port, pods: &[Value]) -> Result<(String, u16), String> {
    let name = service["metadata"]["name"].as_str().unwrap_or_default();
    let ports = service["spec"]["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_it = |entry: &&Value| match port {
        Port::Number(number) => entry["port"] == *number,
        Port::Name(name) => entry["name"] == name.as_str(),
    };
    let entry = ports.iter().find(is_it).ok_or_else(|| format!("Service {name} has no port {}", shown(port)))?;
    let target = Port::read(&entry["targetPort"]).or_else(|| Port::read(&entry["port"]));
    let target = target.ok_or_else(|| format!("Service {name} names no target port"))?;
    let is_ready = |pod: &&Value| {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        pod["metadata"]["deletionTimestamp"].is_null()
            && conditions.into_iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
    };
    let pod = pods.iter().find(is_ready).ok_or_else(|| match pods.len() {
        0 => format!("Service {name} selects no pods"),
        1 => format!("the pod behind Service {name} is not ready"),
        many => format!("none of the {many} pods behind Service {name} is ready"),
    })?;
    let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    match target {
        Port::Number(number) => Ok((pod_name, number)),
        Port::Name(target) => {
            let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
            let mut ports = containers.flat_map(|one| one["ports"].as_array().into_iter().flatten());
            let number =
                ports.find(|port| port["name"] == target.as_str()).and_then(|port| port["containerPort"].as_u64());
            let number = number.and_then(|number| u16::try_from(number).ok());
            number
                .map(|number| (pod_name.clone(), number))
                .ok_or_else(|| format!("pod {pod_name} has no port named {target}"))
        }
    }
}

fn shown(port: &Port) -> String {
    match port {
        Port::Number(number) => number.to_string(),
        Port::Name(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ingress(host: &str, paths: &[(&str, &str, &str)]) -> Value {
        let paths: Vec<Value> = paths
            .iter()
            .map(|(kind, path, service)| {
                json!({"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"name": "http"}}}})
            })
            .collect();
        json!({"spec": {"rules": [{"host": host, "http": {"paths": paths}}]}})
    }

    fn to(ingresses: &[Value], host: &str, path: &str) -> String {
        match route(ingresses, host, path) {
            Route::To(backend) => backend.service,
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
        let service = json!({"metadata": {"name": "mas"}, "spec": {"selector": {"a": "b", "c": "d"},
            "ports": [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "metrics", "port": 81}]}});
        let one = |name: &str, ready: &str| {
            json!({"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]},
                   "spec": {"containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]}})
        };
        assert_eq!(selector(&service).as_deref(), Some("a=b,c=d"));
        let pods = [one("mas-0", "False"), one("mas-1", "True")];
        for port in [Port::Name("http".into()), Port::Number(80)] {
            assert_eq!(pod(&service, &port, &pods), Ok(("mas-1".into(), 8080)));
        }
        assert_eq!(pod(&service, &Port::Name("metrics".into()), &pods), Ok(("mas-1".into(), 81)));
        assert!(pod(&service, &Port::Number(443), &pods).unwrap_err().contains("no port 443"));
        assert!(pod(&service, &Port::Number(80), &pods[..1]).unwrap_err().contains("not ready"));
        assert!(pod(&service, &Port::Number(80), &[]).unwrap_err().contains("selects no pods"));
        assert_eq!(selector(&json!({"spec": {"type": "ExternalName"}})), None);
    }
}
