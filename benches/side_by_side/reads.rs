//! Measures the start and `status`.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ess_mas_sandbox::Result;
use ess_mas_sandbox::many::{self, Simulation};
use ess_mas_sandbox::prelude::*;
use k8s_openapi::api::rbac::v1::PolicyRule;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::links;
use crate::measure::{Program, Series, by_turns};
use crate::place::{Programs, Scene};
use crate::table::{Goal, Row};

const KIND: &str = "elementdeployment";

/// `version`, `--help` and the completion of a flag.
pub fn start(programs: &Programs, runs: usize) -> Result<Vec<Row>> {
    let goal = || Some(Goal { text: "≥ 15× faster, ≤ 0.25 of the memory", faster: 15.0, memory: 0.25 });
    let mut rows = Vec::new();
    for (what, words) in [
        ("`version`", ["version"].as_slice()),
        ("`--help`", &["--help"]),
        ("completion of a flag", &["__complete", "--", "status", "--out"]),
    ] {
        let both = by_turns(runs, (&programs.ours, words), (&programs.kubectl, &["version", "--client"]))?;
        rows.push(Row::compared(format!("start-up: {what}"), "`kubectl version --client`", &both, goal()));
    }
    Ok(rows)
}

/// `status NAME`, with and without latency, proxy and plugin.
pub fn status(runtime: &Runtime, programs: &Programs, runs: usize) -> Result<Vec<Row>> {
    let scene = Scene::after_dry_run(runtime, programs)?;
    let name = scene.deployment.name().to_owned();
    let (ours, theirs) = (["status", name.as_str(), "-o", "json"], ["get", KIND, name.as_str(), "-o", "json"]);
    let get = "`kubectl get elementdeployment NAME -o json`";
    let compare = |what: &str, kubeconfig: &std::path::Path, goal| {
        let (us, them) = (programs.ours.with(kubeconfig), programs.kubectl.with(kubeconfig));
        by_turns(runs, (&us, &ours), (&them, &theirs)).map(|both| Row::compared(what, get, &both, goal))
    };
    let goal = Goal { text: "≥ 4× faster, ≤ 0.4 of the memory", faster: 4.0, memory: 0.4 };
    let (us, them) = (programs.ours.with(&scene.kubeconfig), programs.kubectl.with(&scene.kubeconfig));
    let near = by_turns(runs, (&us, &ours), (&them, &theirs))?;
    let mut rows = vec![Row::compared("`status NAME` after a dry run, warm server", get, &near, Some(goal))];

    let proxy = runtime.block_on(Proxy::start(&scene.namespace))?;
    programs.ours.with(&proxy.kubeconfig()).run(&ours)?;
    let requests: Vec<String> = proxy.log().iter().map(Request::name).collect();
    rows.push(Row {
        what: "requests of `status NAME`".to_owned(),
        ours: requests.len().to_string(),
        against: String::new(),
        theirs: String::new(),
        ratio: String::new(),
        goal: "≤ 5 at once, no discovery",
        reached: Some(requests.len() <= 5),
    });

    let many = programs.home().join("500-contexts");
    fs::write(&many, with_contexts(&fs::read_to_string(&scene.kubeconfig)?, 500)?)?;
    rows.push(compare("`status NAME`, a kubeconfig with 500 contexts", &many, None)?);

    let server = Sandbox::shared().server().to_owned();
    let address: SocketAddr = server.trim_start_matches("https://").parse()?;
    let far = programs.home().join("far");
    let slow = links::slow(address, Duration::from_millis(50))?;
    fs::write(&far, fs::read_to_string(&scene.kubeconfig)?.replace(&server, &format!("https://{slow}")))?;
    let (us, them) = (programs.ours.with(&far), programs.kubectl.with(&far));
    let both = by_turns(runs.min(10), (&us, &ours), (&them, &theirs))?;
    // Subtract the time without latency.
    let rounds = |far: &Series, near: &Series| {
        format!("{:.0} round trips", ((far.medians().0 - near.medians().0) / 50.0).round())
    };
    let mut row = Row::compared("`status NAME`, 50 ms round trip", get, &both, None);
    row.ours = format!("{}, {}", rounds(&both.0, &near.0), row.ours);
    row.theirs = format!("{}, {}", rounds(&both.1, &near.1), row.theirs);
    rows.push(row);

    let proxied = programs.home().join("proxied");
    let mut config: Value = serde_yaml::from_str(&fs::read_to_string(&scene.kubeconfig)?)?;
    let way = format!("http://{}", links::proxy()?);
    // Programs do not use `HTTPS_PROXY` for this machine.
    config["clusters"][0]["cluster"]["server"] = format!("https://api.example.com:{}", address.port()).into();
    config["clusters"][0]["cluster"]["tls-server-name"] = "localhost".into();
    fs::write(&proxied, config.to_string())?;
    let proxy = Some(way.clone());
    let (mut us, mut them) = (programs.ours.with(&proxied), programs.kubectl.with(&proxied));
    (us.proxy, them.proxy) = (proxy.clone(), proxy);
    let both = by_turns(runs, (&us, &ours), (&them, &theirs))?;
    rows.push(Row::compared("`status NAME`, through an HTTP proxy (`HTTPS_PROXY`)", get, &both, None));
    config["clusters"][0]["cluster"]["proxy-url"] = way.into();
    fs::write(&proxied, config.to_string())?;
    rows.push(compare("`status NAME`, through an HTTP proxy (`proxy-url`)", &proxied, None)?);

    let (exec, count) = with_plugin(runtime, programs, &scene)?;
    let (us, them) = (programs.ours.with(&exec), programs.kubectl.with(&exec));
    let runs_of_plugin = |program: &Program, words: &[&str]| -> Result<usize> {
        let _ = fs::remove_file(&count);
        program.run(words)?;
        Ok(fs::read_to_string(&count)?.lines().count())
    };
    let calls = (runs_of_plugin(&us, &ours)?, runs_of_plugin(&them, &theirs)?);
    let both = by_turns(runs.min(10), (&us, &ours), (&them, &theirs))?;
    let mut row = Row::compared("`status NAME`, with a credential plugin of 300 ms", get, &both, None);
    row.ours = format!("{} call, {}", calls.0, row.ours);
    row.theirs = format!("{} call, {}", calls.1, row.theirs);
    (row.goal, row.reached) = ("one call", Some(calls.0 == 1));
    rows.push(row);
    Ok(rows)
}

/// The same kubeconfig among others of the same size.
fn with_contexts(text: &str, count: usize) -> Result<String> {
    let mut config: Value = serde_yaml::from_str(text)?;
    for list in ["clusters", "users", "contexts"] {
        let first = config[list][0].clone();
        let others = (1..count).map(|number| {
            let mut one = first.clone();
            one["name"] = format!("other-{number}").into();
            one
        });
        let all: Vec<Value> = others.chain([first.clone()]).collect();
        config[list] = all.into();
    }
    Ok(serde_yaml::to_string(&config)?)
}

/// A kubeconfig with a credential plugin of 300 ms, and the file that counts its calls.
fn with_plugin(runtime: &Runtime, programs: &Programs, scene: &Scene) -> Result<(PathBuf, PathBuf)> {
    let all = Some(vec!["*".to_owned()]);
    let rule =
        PolicyRule { api_groups: all.clone(), resources: all, verbs: vec!["*".to_owned()], ..PolicyRule::default() };
    let user = runtime.block_on(scene.namespace.token_user("plugin", vec![rule]))?;
    let mut config: Value = serde_yaml::from_str(&fs::read_to_string(&user.kubeconfig)?)?;
    let token = config["users"][0]["user"]["token"].as_str().unwrap_or_default().to_owned();
    let count = programs.home().join("plugin-calls");
    let credential =
        json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": token}});
    let script = format!("echo x >> '{}'; sleep 0.3; echo '{credential}'", count.display());
    config["users"][0]["user"] = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
        "args": ["-c", script], "interactiveMode": "Never"}});
    let path = programs.home().join("with-plugin");
    fs::write(&path, config.to_string())?;
    Ok((path, count))
}

/// `status -A` with growing numbers of deployments. Earlier measurements remain if the server fails at a larger size.
pub fn many(
    rows: &mut Vec<Row>,
    runtime: &Runtime,
    programs: &Programs,
    sizes: &[usize],
    simulated: &[usize],
) -> Result<()> {
    let namespace = runtime.block_on(Sandbox::shared().namespace())?;
    let kubeconfig = namespace.kubeconfig()?;
    let (us, them) = (programs.ours.with(&kubeconfig), programs.kubectl.with(&kubeconfig));
    let (ours, theirs) = (["status", "-A", "-o", "json"], ["get", KIND, "-A", "-o", "json"]);
    for &size in simulated {
        let server = Simulation::start(size)?;
        let words = ["status", "-A", "-o", "json", "--server", server.address.as_str()];
        let mut series = Series::default();
        for _ in 0..3 {
            series.add(us.measure(&words)?);
        }
        let (wall, cpu, peak) = series.medians();
        rows.push(Row {
            what: format!("`status -A -o json`, {size} deployments of a simulated server"),
            ours: format!("{wall:.1} ms ({cpu:.1} ms CPU), {peak:.1} MiB{}", each(&series, size)),
            against: String::new(),
            theirs: String::new(),
            ratio: String::new(),
            goal: "flat",
            reached: None,
        });
    }
    let mut there = 0;
    for &size in sizes {
        eprintln!("making {size} deployments");
        runtime.block_on(many::create(&namespace, there..size))?;
        there = size;
        let runs = if size < 5000 { 7 } else { 3 };
        let both = by_turns(runs, (&us, &ours), (&them, &theirs))?;
        // At most 0.4 of the time.
        let goal = (size >= 10_000).then_some(Goal {
            text: "≤ 0.4 of the time, ≤ 0.1 of the memory",
            faster: 2.5,
            memory: 0.1,
        });
        let mut row = Row::compared(
            format!("`status -A -o json`, {size} deployments"),
            "`kubectl get elementdeployments -A -o json`",
            &both,
            goal,
        );
        row.ours += &each(&both.0, size);
        row.theirs += &each(&both.1, size);
        rows.push(row);
    }
    Ok(())
}

/// Processor time for each deployment.
fn each(series: &Series, count: usize) -> String {
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    format!("; {:.0} µs CPU each", series.medians().1 * 1000.0 / count)
}
