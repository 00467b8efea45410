//! Measures waiting: its cost without and with many events, and the delay of its end.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use ess_mas_sandbox::Result;
use ess_mas_sandbox::prelude::*;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::measure::{mebibytes, median};
use crate::place::{Programs, Scene, condition, is_running};
use crate::table::Row;

/// One poll of a shell loop.
const POLL: &str = r#"until [ "$("$KUBECTL" get elementdeployment "$NAME" -o 'jsonpath={.status.mas_active}')" = true ]; do sleep 1; done"#;

/// Kills a running program.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Memory during an activation with the events of a day, as fast as the API server accepts them.
pub fn memory(runtime: &Runtime, programs: &Programs, events: u32) -> Result<Row> {
    let scene = Scene::after_dry_run(runtime, programs)?;
    scene.operator.set(Behaviour::default().lasting(Duration::from_hours(24)).with_workloads());
    let name = scene.deployment.name();
    let mut ours = Ended(programs.ours.with(&scene.kubeconfig).command(scene.activation()).spawn()?);
    runtime.block_on(async {
        let mut follower = Follower::start(&scene.api()?, name).await?;
        follower.until(is_running).await.map(drop)
    })?;
    let wanted =
        ["wait", &format!("elementdeployment/{name}"), "--for=jsonpath={.status.mas_active}=true", "--timeout=1h"];
    let theirs = Ended(programs.kubectl.with(&scene.kubeconfig).command(wanted).spawn()?);
    thread::sleep(Duration::from_secs(3));
    let poke = async |count: u32| {
        let api = scene.api()?;
        for number in 0..count {
            let patch = json!({"metadata": {"annotations": {"example.com/poke": number.to_string()}}});
            api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        }
        Ok::<_, ess_mas_sandbox::Error>(())
    };
    // After the buffers have reached their size, memory must not grow.
    runtime.block_on(poke(events / 10))?;
    thread::sleep(Duration::from_secs(1));
    let early = (memory_of(&ours.0, "VmRSS:")?, memory_of(&theirs.0, "VmRSS:")?);
    runtime.block_on(poke(events))?;
    thread::sleep(Duration::from_secs(1));
    let late = (memory_of(&ours.0, "VmRSS:")?, memory_of(&theirs.0, "VmRSS:")?);
    let peak = (memory_of(&ours.0, "VmHWM:")?, memory_of(&theirs.0, "VmHWM:")?);
    if let Some(status) = ours.0.try_wait()? {
        return Err(format!("the activation ended although the operator was still at work: {status}").into());
    }
    let cell = |early: f64, late: f64, peak: f64| format!("{peak:.1} MiB at its peak; {early:.1} → {late:.1} MiB");
    Ok(Row {
        what: format!("memory while following, {events} events"),
        ours: cell(early.0, late.0, peak.0),
        against: "`kubectl wait`".to_owned(),
        theirs: cell(early.1, late.1, peak.1),
        ratio: format!("{:.2} of the memory; {:+.1} MiB over the events", peak.0 / peak.1, late.0 - early.0),
        goal: "≤ 0.3, no growth",
        reached: Some(peak.0 / peak.1 <= 0.3 && late.0 - early.0 < 0.5),
    })
}

fn memory_of(child: &Child, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("the program has ended")?;
    Ok(mebibytes(line.split_whitespace().next().unwrap_or_default().parse()?))
}

/// The time from the deciding write to the end of the program, in the same activations.
pub fn promptness(runtime: &Runtime, programs: &Programs, runs: usize) -> Result<Vec<Row>> {
    let scene = Scene::after_dry_run(runtime, programs)?;
    scene.operator.set(Behaviour {
        run: Duration::from_millis(1500),
        settle: Duration::from_millis(300),
        ..Behaviour::default()
    });
    let name = scene.deployment.name().to_owned();
    let mut delays: [Vec<f64>; 3] = Default::default();
    for _ in 0..runs {
        runtime.block_on(scene.put_back())?;
        let mut follower = runtime.block_on(async { Follower::start(&scene.api()?, &name).await })?;
        let events = runtime.spawn(async move {
            follower.until(|object| object["status"]["mas_active"] == json!(true)).await?;
            let active = Instant::now();
            let done = |object: &serde_json::Value| {
                object["status"]["mas_active"] == json!(true) && condition(object, "Successful")
            };
            follower.until(done).await?;
            Ok::<_, ess_mas_sandbox::Error>((active, Instant::now()))
        });
        let kubectl = programs.kubectl.with(&scene.kubeconfig);
        let wanted =
            ["wait", &format!("elementdeployment/{name}"), "--for=jsonpath={.status.mas_active}=true", "--timeout=2m"];
        let mut poll: Command = crate::measure::Program { path: "sh".into(), ..kubectl.clone() }.command(["-c", POLL]);
        poll.env("KUBECTL", &kubectl.path).env("NAME", &name);
        let children = [
            programs.ours.with(&scene.kubeconfig).command(scene.activation()).stderr(Stdio::null()).spawn()?,
            kubectl.command(wanted).spawn()?,
            poll.spawn()?,
        ];
        let ends = children.map(|mut child| thread::spawn(move || (child.wait(), Instant::now())));
        let (active, done) = runtime.block_on(events)??;
        for ((index, end), since) in ends.into_iter().enumerate().zip([done, active, active]) {
            let (status, at) = end.join().map_err(|_| "a thread panicked")?;
            if !status?.success() {
                return Err("one of those that wait did not see the end".into());
            }
            delays[index].push(at.saturating_duration_since(since).as_secs_f64() * 1000.0);
        }
    }
    let [ours, wait, poll] = delays.map(|delays| (median(delays.clone()), last(delays)));
    let cell = |(middle, last): (f64, f64)| format!("p50 {middle:.0} ms, p99 {last:.0} ms");
    let row = |against: &str, (middle, worst): (f64, f64), reached| Row {
        what: format!("status write → exit, {runs} activations"),
        ours: cell(ours),
        against: against.to_owned(),
        theirs: cell((middle, worst)),
        ratio: format!("{:.1}× at p50", middle / ours.0),
        goal: "≤ 100 ms p99",
        reached,
    };
    Ok(vec![
        row("`kubectl wait`", wait, Some(ours.1 <= 100.0)),
        row("a poll every second", poll, Some(ours.1 <= 100.0)),
    ])
}

/// The 99th percentile; of fewer than a hundred, the last.
fn last(mut delays: Vec<f64>) -> f64 {
    delays.sort_by(f64::total_cmp);
    delays.get((delays.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// The number of requests of an activation of half an hour, including the watches, which are renewed every 290 seconds; those of
/// workloads last an hour.
pub fn requests(runtime: &Runtime, programs: &Programs) -> Result<Row> {
    let scene = Scene::after_dry_run(runtime, programs)?;
    scene.operator.set(Behaviour::default().lasting(Duration::from_secs(10)).with_workloads());
    let proxy = runtime.block_on(Proxy::start(&scene.namespace))?;
    let words = scene.activation();
    programs.ours.with(&proxy.kubeconfig()).run(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let once = proxy.log().iter().filter(|request| !request.is_watch()).count();
    let looks = proxy.looks().len();
    let all = once + looks + 30 * 60 / 290 + 1;
    let poll = 30 * 60;
    Ok(Row {
        what: "API requests of an activation of 30 minutes".to_owned(),
        ours: format!("{all}: {once} around it, {looks} looks at workloads, a watch every 290 s"),
        against: "a poll every second".to_owned(),
        theirs: poll.to_string(),
        ratio: format!("1/{}", poll / all.max(1)),
        goal: "≤ 30",
        reached: Some(all <= 30),
    })
}
