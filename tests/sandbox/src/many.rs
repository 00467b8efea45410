//! Large numbers of deployments: realistic objects of 15 KB, and a server that generates any number of them.
//!
//! A real API server with etcd can store about ten thousand such objects; tests use only that. For more, the benchmark uses a
//! [`Simulation`]: plain HTTP with lists, `limit` and `continue`.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::Range;
use std::thread;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::Result;
use crate::fixtures::Deployment;
use crate::sandbox::Namespace;

/// The name of the deployment with this number; names sort like numbers.
pub fn name(number: usize) -> String {
    format!("chat-{number:06}")
}

/// A deployment created by `kubectl apply`: with a long configuration and the annotation with the manifest. With the fields that the
/// server adds it is 15 KB.
pub fn deployment(number: usize, namespace: &str) -> Deployment {
    let mut additional = String::from("max_upload_size: 100M\nrc_message:\n  per_second: 0.5\n  burst_count: 30\n");
    for room in 0..25 {
        // Writing to a string cannot fail.
        let _ = write!(
            additional,
            "# Requested by the works council of site {room}; see ticket OPS-{number}-{room}.\nauto_join_rooms_{room}:\n  - \
             \"#announcements-{room}:example.com\"\n  - \"#help-{room}:example.com\"\n"
        );
    }
    let mut hosts = serde_json::Map::new();
    for host in 0..12 {
        hosts.insert(format!("10.20.30.{host}"), json!([format!("ldap-{host}.corp.example.com")]));
    }
    let mut one = Deployment::for_domain(&name(number), namespace, &format!("site-{number}.example.com"))
        .set("/spec/components/synapse/config/additional", additional)
        .set("/metadata/labels", json!({"app.kubernetes.io/part-of": "ess", "site": format!("site-{number}")}));
    if number.is_multiple_of(3) {
        one = one.with_mas(false);
    }
    let manifest = one.object().to_string();
    one.set("/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", manifest)
}

/// The same as returned by an API server: reconciled, with `managedFields`.
pub fn served(number: usize, namespace: &str) -> Value {
    let mut object = deployment(number, namespace).object().clone();
    let fields = fields_of(&object["spec"]);
    object["metadata"]["uid"] = format!("00000000-0000-4000-8000-{number:012}").into();
    object["metadata"]["resourceVersion"] = (1000 + number).to_string().into();
    object["metadata"]["generation"] = 1.into();
    object["metadata"]["creationTimestamp"] = "2026-11-01T00:00:00Z".into();
    object["metadata"]["managedFields"] = json!([{
        "apiVersion": "matrix.element.io/v1alpha2", "fieldsType": "FieldsV1", "manager": "kubectl-client-side-apply",
        "operation": "Update", "time": "2026-11-01T00:00:00Z", "fieldsV1": {"f:spec": fields},
    }]);
    object["status"] = status();
    object
}

/// The status after a successful reconcile.
pub fn status() -> Value {
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "2026-11-01T00:01:00Z"})
    };
    json!({"conditions": [
        condition("Available", "True", "Available", "Every component is ready"),
        condition("Running", "False", "Successful", "Awaiting next reconciliation"),
        condition("Successful", "True", "Successful", "Last reconciliation succeeded"),
        condition("Failure", "False", "", ""),
    ]})
}

/// Creates the reconciled deployments with these numbers.
pub async fn create(namespace: &Namespace<'_>, numbers: Range<usize>) -> Result<()> {
    let client = namespace.client()?;
    stream::iter(numbers.map(|number| {
        let one = deployment(number, namespace.name());
        let api = one.api(&client);
        async move {
            let object: DynamicObject = serde_json::from_value(one.object().clone())?;
            api.create(&PostParams::default(), &object).await?;
            let status = json!({"status": status()});
            api.patch_status(one.name(), &PatchParams::default(), &Patch::Merge(status)).await?;
            Ok::<_, crate::Error>(())
        }
    }))
    .buffer_unordered(8)
    .try_collect()
    .await
}

fn fields_of(value: &Value) -> Value {
    match value.as_object() {
        Some(map) => map.iter().map(|(key, value)| (format!("f:{key}"), fields_of(value))).collect(),
        None => json!({}),
    }
}

/// A server with any number of deployments.
pub struct Simulation {
    /// `http://127.0.0.1:PORT`.
    pub address: String,
}

impl Simulation {
    /// Starts one on this machine, until the end of the process.
    pub fn start(total: usize) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = format!("http://{}", listener.local_addr()?);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                thread::spawn(move || serve(total, socket));
            }
        });
        Ok(Self { address })
    }
}

/// Responds until the client closes the connection.
fn serve(total: usize, socket: TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut reader = BufReader::new(socket);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let address = first.split(' ').nth(1).unwrap_or_default();
        let body = answer(total, address);
        let socket = reader.get_mut();
        write!(socket, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len())?;
        socket.write_all(body.as_bytes())?;
        socket.flush()?;
    }
}

fn answer(total: usize, address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let number = |key: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        value.and_then(|value| value.rsplit('-').next()?.parse::<usize>().ok())
    };
    if !path.ends_with("/elementdeployments") {
        return json!({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}).to_string();
    }
    let from = number("continue").unwrap_or(0);
    let to = number("limit").map_or(total, |limit| (from + limit).min(total));
    let go_on = if to < total { format!("from-{to}") } else { String::new() };
    // In the API server's order: the continue token comes last.
    let mut body = String::from(r#"{"apiVersion":"matrix.element.io/v1alpha2","items":["#);
    for place in from..to {
        body += if place == from { "" } else { "," };
        body += &served(place, "ess").to_string();
    }
    let _ = write!(
        body,
        r#"],"kind":"ElementDeploymentList","metadata":{{"continue":"{go_on}","resourceVersion":"5","remainingItemCount":{}}}}}"#,
        total - to
    );
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_fifteen_kilobytes_as_it_is_served() {
        let bytes = served(12345, "ess").to_string().len();
        assert!((14_000..16_500).contains(&bytes), "{bytes} bytes");
    }
}
