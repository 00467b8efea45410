//! Every fault in every request of every command, of which each execution tries a sample (see [`Sweep`]): never a false
//! verdict, a second write or a hang.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ess_mas_sandbox::Sweep;
use ess_mas_sandbox::prelude::*;
use serde_json::Value;

use crate::common::command::Done;
use crate::common::stage::{Stage, Standing, Step};

/// No command takes longer under any fault unless it hangs. Below the limit of any command of a test.
const LONGEST: Duration = Duration::from_secs(170);

/// The requests that fail.
#[derive(Clone, Copy, Debug)]
enum At {
    /// The request with this number.
    Only(usize),
    /// That request and all later ones, as if a permission was withdrawn halfway.
    From(usize),
    /// Every watch up to this number.
    Watches(usize),
}

#[derive(Clone, Debug)]
struct Case {
    at: At,
    fault: Fault,
    flags: &'static [&'static str],
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {}", self.at, self.fault, self.flags.join(" "))
    }
}

impl Case {
    fn new(at: At, fault: Fault) -> Self {
        Self { at, fault, flags: &[] }
    }

    fn plan(&self) -> impl FnMut(&Request) -> Fault + Send + 'static {
        let Self { at, fault, .. } = self.clone();
        let mut watches = 0;
        move |request| {
            watches += usize::from(request.is_watch());
            let hit = match at {
                At::Only(index) => request.index == index,
                At::From(index) => request.index >= index,
                At::Watches(count) => request.is_watch() && watches <= count,
            };
            if hit { fault.clone() } else { Fault::None }
        }
    }

    /// Whether the fault ends by itself, so that a retry helps.
    fn lasts(&self) -> bool {
        matches!(self.at, At::From(_))
    }
}

/// The results of one command's sweep.
#[derive(Default)]
struct Numbers {
    cases: usize,
    writes_spoiled: usize,
    slowest: (Duration, String),
    hangs: usize,
    wrong: Vec<String>,
}

/// The cases for the requests of an undisturbed execution.
fn cases(log: &[Request]) -> VecDeque<Case> {
    let mut cases = VecDeque::new();
    // One more than an undisturbed execution makes: retries have numbers too.
    for index in 0..=log.len() {
        cases.extend(single(index).into_iter().chain(lasting(index)));
        if log.get(index).is_some_and(Request::is_write) {
            cases.extend(of_writes(index));
        }
    }
    // The longest first, so that none runs alone at the end.
    if let Some(index) = log.iter().position(Request::is_deployment_write) {
        cases.push_front(Case { at: At::From(index), fault: Fault::answer(500), flags: &["--timeout", "3s"] });
    }
    cases.extend((1..=2).flat_map(of_watches));
    cases
}

fn single(index: usize) -> Vec<Case> {
    let kinds = [
        Fault::Answer { code: 429, retry_after: None },
        Fault::answer(500),
        Fault::AnswerAfter(504),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Half,
        Fault::answer(401),
        Fault::answer(403),
    ];
    kinds.into_iter().map(|fault| Case::new(At::Only(index), fault)).collect()
}

fn lasting(index: usize) -> Vec<Case> {
    let case = |code| Case { at: At::From(index), fault: Fault::answer(code), flags: &["--timeout", "2s"] };
    vec![case(401), case(403)]
}

fn of_writes(index: usize) -> Vec<Case> {
    let only = At::Only(index);
    let impatient = |fault| Case { at: only, fault, flags: &["--request-timeout", "600ms"] };
    vec![
        Case::new(only, Fault::Answer { code: 429, retry_after: Some(1) }),
        Case::new(only, Fault::answer(503)),
        Case::new(only, Fault::answer(504)),
        Case::new(only, Fault::Slow(Duration::from_millis(400))),
        impatient(Fault::Slow(Duration::from_secs(2))),
        impatient(Fault::Late(Duration::from_millis(1500))),
        // Longer than the program reads back.
        impatient(Fault::Late(Duration::from_secs(6))),
    ]
}

fn of_watches(count: usize) -> Vec<Case> {
    let mut kinds = vec![
        Fault::answer(410),
        Fault::answer(401),
        Fault::answer(403),
        Fault::Answer { code: 429, retry_after: Some(1) },
        Fault::Bookmarks(Duration::from_millis(300)),
        Fault::Half,
    ];
    for after in 0..=1 {
        kinds.push(Fault::ErrorEvent { after, code: 410 });
        kinds.push(Fault::ErrorEvent { after, code: 500 });
        kinds.push(Fault::CutLine { after });
    }
    kinds.into_iter().map(|fault| Case::new(At::Watches(count), fault)).collect()
}

/// The false claims, as sentences.
fn judge(stage: &Stage, case: &Case, before: &Standing, after: &Standing, done: &Done) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut claim = |truth: bool, what: &str| {
        if !truth {
            wrong.push(what.to_owned());
        }
    };
    let changed = if stage.step == Step::Prepare {
        before.secret != after.secret
    } else {
        before.object["metadata"]["generation"] != after.object["metadata"]["generation"]
    };
    claim([0, 1, 10, 11, 124].contains(&done.code), "the exit code does not belong to this fault");
    claim(done.code != 0 || stage.is_reached(after), "exit code 0, but the goal is not reached");
    claim(![10, 11].contains(&done.code) || !changed, "exit code 10 or 11, but something was changed");
    let goes_on = done.stderr.contains("again")
        || done.stderr.contains("pass --")
        || done.stderr.contains("kubectl")
        || done.stderr.contains("Ask an");
    claim(done.code == 0 || goes_on, "the next step is missing");
    if stage.step == Step::Prepare {
        claim(
            done.code == 0 || !changed || done.stderr.contains("created") || done.stderr.contains("Couldn't determine"),
            "the write of the Secret is not reported",
        );
        claim(
            done.code == 0 || changed || !done.stderr.contains("Secret chat-of-ours-mas created"),
            "the Secret does not exist",
        );
    } else if let Ok(outcome) = serde_json::from_str::<Value>(&done.stdout) {
        let (write, verdict) = (outcome["write"].as_str().unwrap(), outcome["verdict"].as_str().unwrap());
        match write {
            "applied" => claim(changed, "applied is reported, but nothing was changed"),
            "unknown" => claim(
                done.stderr.contains("Couldn't determine whether the change was applied"),
                "unknown is not explained",
            ),
            _ => claim(!changed, "no write is reported, but something was changed"),
        }
        claim(verdict != "failed", "a failure of the operator is reported");
        claim(verdict != "succeeded" || is_done(stage, after), "a success of the operator is reported");
        claim(verdict != "timed-out" || case.lasts(), "it timed out too early");
        claim(!matches!((verdict, done.code), ("succeeded", 10 | 124)), "verdict and exit code differ");
        if done.code != 0 && write == "none" {
            claim(
                done.stderr.contains("nothing was") || done.stderr.contains("was not changed"),
                "it is not reported that nothing was written",
            );
        }
    } else {
        claim(!changed && done.code != 0, "no outcome was printed");
        claim(done.stdout.is_empty(), "an incomplete outcome was printed");
    }
    claim(!done.stderr.contains("panicked") && !done.stderr.contains("Err("), "an internal error is shown");
    wrong
}

/// Like `reached`, except for the record, whose write may have failed.
fn is_done(stage: &Stage, after: &Standing) -> bool {
    match stage.step {
        Step::DryRun => crate::common::scene::condition(&after.object, "Successful") == "True",
        _ => stage.is_reached(after),
    }
}

async fn work(stage: &Stage, queue: &Mutex<VecDeque<Case>>, numbers: &Mutex<Numbers>) {
    loop {
        let Some(case) = queue.lock().unwrap().pop_front() else { return };
        stage.reset().await;
        let before = stage.standing().await;
        stage.proxy.plan(case.plan());
        let begun = Instant::now();
        // `prepare` waits for nothing.
        let flags = if stage.step == Step::Prepare && case.lasts() { &[] } else { case.flags };
        let Ok(done) = tokio::time::timeout(LONGEST, stage.run(flags)).await else {
            let requests: Vec<String> = stage.proxy.log().iter().map(Request::name).collect();
            let mut numbers = numbers.lock().unwrap();
            numbers.cases += 1;
            numbers.hangs += 1;
            numbers.wrong.push(format!("{:?}, {case}: it hangs\n{}\n", stage.step, requests.join("\n")));
            continue;
        };
        let took = begun.elapsed();
        let between = stage.standing().await;
        let log = stage.proxy.log();
        let mut wrong = judge(stage, &case, &before, &between, &done);
        if let Fault::Late(pause) = case.fault {
            // The abandoned write arrives now.
            tokio::time::sleep(pause.saturating_sub(begun.elapsed())).await;
        }
        stage.proxy.pass();
        // Shown only if a test fails: the previous cases of one that hangs.
        println!("again after {case}, which ended with {}", done.code);
        let again = stage.run(&[]).await;
        let after = stage.standing().await;
        wrong.extend(stage.judge_again(&before, &between, &after, &again));
        let mut numbers = numbers.lock().unwrap();
        numbers.cases += 1;
        if took > numbers.slowest.0 {
            numbers.slowest = (took, case.to_string());
        }
        if let At::Only(index) = case.at {
            numbers.writes_spoiled += usize::from(log.get(index).is_some_and(Request::is_write));
        }
        if !wrong.is_empty() {
            let requests: Vec<String> = log.iter().map(|one| format!("{} {}", one.index, one.name())).collect();
            let then =
                if wrong.iter().any(|one| one.starts_with("run again")) { again.to_string() } else { String::new() };
            numbers.wrong.push(format!(
                "{:?}, {case}: {}\n{done}{then}{}\n",
                stage.step,
                wrong.join("; "),
                requests.join("\n")
            ));
        }
    }
}

async fn sweep(step: Step) {
    let stage = Stage::new(step).await;
    stage.proxy.pass();
    let clean = stage.run(&[]).await.expect(0);
    assert!(stage.is_reached(&stage.standing().await), "{clean}");
    let log = stage.proxy.log();
    let cases = Sweep::from_environment().sample(cases(&log));
    let stages = stage.and_more_for(cases.len()).await;
    let queue = Mutex::new(cases.into());
    let numbers = Mutex::new(Numbers::default());
    futures::future::join_all(stages.iter().map(|stage| work(stage, &queue, &numbers))).await;
    let numbers = numbers.into_inner().unwrap();
    println!(
        "{step:?}: {} requests, {} cases, {} of them on a write, slowest {:?} ({}), {} wrong, {} hangs",
        log.len(),
        numbers.cases,
        numbers.writes_spoiled,
        numbers.slowest.0,
        numbers.slowest.1,
        numbers.wrong.len(),
        numbers.hangs
    );
    assert!(numbers.wrong.is_empty(), "{} cases went wrong:\n{}", numbers.wrong.len(), numbers.wrong.join("\n"));
}

#[tokio::test]
async fn no_fault_makes_prepare_report_something_untrue() {
    sweep(Step::Prepare).await;
}

#[tokio::test]
async fn no_fault_makes_dry_run_report_a_false_result() {
    sweep(Step::DryRun).await;
}

#[tokio::test]
async fn no_fault_makes_activate_report_something_untrue_or_write_twice() {
    sweep(Step::Activate).await;
}

#[tokio::test]
async fn no_fault_makes_abort_report_something_untrue() {
    sweep(Step::Abort).await;
}

#[tokio::test]
async fn no_fault_makes_abort_remove_report_something_untrue() {
    sweep(Step::Remove).await;
}
