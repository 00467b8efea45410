//! SIGINT and SIGTERM are answered at once with what is going on; a program that was stopped for a while goes on.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ess_mas_sandbox::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;

use crate::stage::{Stage, Step, quick};

/// A person has not looked away yet.
const AT_ONCE: Duration = Duration::from_millis(200);

/// A running command whose words arrive with their time.
pub struct Live {
    child: Child,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    reader: JoinHandle<()>,
}

impl Live {
    fn start(stage: &Stage) -> Self {
        Self::with(stage, &[])
    }

    /// The stage's step with more words.
    pub fn with(stage: &Stage, more: &[&str]) -> Self {
        let mut child = stage.start(more);
        let said = Arc::new(Mutex::new(Vec::new()));
        let reader = tokio::spawn(listen(child.stderr.take().unwrap(), Arc::clone(&said)));
        Self { child, said, reader }
    }

    /// All of stderr so far.
    pub fn text(&self) -> String {
        self.said.lock().unwrap().iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect()
    }

    /// When a text was said for the first time.
    fn when(&self, text: &str) -> Option<Instant> {
        self.said.lock().unwrap().iter().find(|(_, line)| line.contains(text)).map(|(at, _)| *at)
    }

    /// Waits until stderr holds a text.
    pub async fn until(&self, text: &str) {
        let limit = Instant::now() + Duration::from_secs(20);
        while self.when(text).is_none() {
            assert!(Instant::now() < limit, "it never says {text:?}:\n{}", self.text());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends a signal and returns the moment right before it.
    pub fn signal(&self, name: &str) -> Instant {
        let now = Instant::now();
        let pid = self.child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
        now
    }

    /// The exit code, once everything was said.
    pub async fn end(&mut self) -> i32 {
        self.end_within(Duration::from_secs(30)).await
    }

    /// The same for one that takes long.
    pub async fn end_within(&mut self, limit: Duration) -> i32 {
        let status = tokio::time::timeout(limit, self.child.wait()).await.expect("it ends").unwrap();
        (&mut self.reader).await.unwrap();
        status.code().unwrap_or(-1)
    }
}

impl Live {
    /// SIGKILL.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Standard output to its end.
    pub async fn stdout(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut out) = self.child.stdout.take() {
            out.read_to_string(&mut text).await.unwrap();
        }
        text
    }
}

async fn listen(stream: impl AsyncRead + Unpin, said: Arc<Mutex<Vec<(Instant, String)>>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        said.lock().unwrap().push((Instant::now(), line));
    }
}

fn slow() -> Behaviour {
    quick().lasting(Duration::from_millis(1500))
}

#[tokio::test]
async fn an_interrupted_activation_says_what_the_cluster_is_doing_and_how_to_come_back() {
    let stage = Stage::new(Step::Activate).await;
    for signal in ["-INT", "-TERM"] {
        stage.scene.operator.set(quick());
        stage.reset().await;
        stage.scene.operator.set(slow());
        let before = stage.standing().await;
        let mut live = Live::start(&stage);
        live.until("operator started on it").await;
        let sent = live.signal(signal);
        live.until("interrupted; the operator goes on migrating, and users stay logged out").await;
        let (answer, code) = (live.when("interrupted").unwrap() - sent, live.end().await);
        assert!(answer < AT_ONCE, "answered after {answer:?}");
        assert!(sent.elapsed() < AT_ONCE * 5, "ended after {:?}", sent.elapsed());
        assert_eq!(code, 130, "{}", live.text());
        assert!(live.text().contains("kubectl ess-mas activate chat-of-ours -n"), "{}", live.text());
        let again = stage.run(&[]).await.expect(0);
        again.says("The change is there already by admin");
        let after = stage.standing().await;
        assert!(stage.judge_again(&before, &before, &after, &again).is_empty(), "{again}");
    }
}

#[tokio::test]
async fn an_interruption_at_any_request_is_answered_at_once_and_truly() {
    for step in [Step::Prepare, Step::DryRun, Step::Activate] {
        let stage = Stage::new(step).await;
        stage.proxy.pass();
        let _ = stage.run(&[]).await.expect(0);
        let log = stage.proxy.log();
        for index in 0..log.len() {
            for after in [false, true] {
                stage.reset().await;
                let before = stage.standing().await;
                let gate = Gate::default();
                let held = gate.clone();
                stage.proxy.plan(move |request| match (request.index == index, after) {
                    (true, false) => Fault::HoldBefore(held.clone()),
                    (true, true) => Fault::HoldAfter(held.clone()),
                    _ => Fault::None,
                });
                let mut live = Live::start(&stage);
                tokio::select! {
                    () = gate.reached() => {}
                    // This run made fewer requests; the order of some is a matter of chance.
                    _ = live.child.wait() => continue,
                }
                let what = format!("{step:?} at {index} ({}), after: {after}", stage.proxy.log()[index].name());
                let sent = live.signal("-INT");
                live.until("interrupted").await;
                let answer = live.when("interrupted").unwrap() - sent;
                gate.open();
                let code = live.end().await;
                let between = stage.standing().await;
                let text = live.text();
                assert!(answer < AT_ONCE, "{what}: answered after {answer:?}");
                // Who is done, is done.
                let done = code == 0 && stage.is_reached(&between);
                assert!(code == 130 || done, "{what}: exit code {code}\n{text}");
                let changed = Stage::changes(&before, &between) != 0 || before.secret != between.secret;
                let denied = text.contains("nothing was changed") || text.contains("was not changed");
                assert!(!changed || !denied, "{what}: something was changed\n{text}");
                let goes_on = denied || done || text.contains("kubectl ess-mas");
                assert!(goes_on, "{what}: it does not say how to come back\n{text}");
                stage.proxy.pass();
                let again = stage.run(&[]).await;
                let end = stage.standing().await;
                let wrong = stage.judge_again(&before, &between, &end, &again);
                assert!(wrong.is_empty(), "{what}: {wrong:?}\n{text}{again}");
            }
        }
    }
}

#[tokio::test]
async fn a_second_interruption_ends_at_once_even_while_a_write_is_on_its_way() {
    let stage = Stage::new(Step::Activate).await;
    let before = stage.standing().await;
    let gate = Gate::default();
    let held = gate.clone();
    stage.proxy.plan(
        move |request| {
            if request.is_deployment_write() { Fault::HoldAfter(held.clone()) } else { Fault::None }
        },
    );
    let mut live = Live::start(&stage);
    gate.reached().await;
    live.signal("-INT");
    live.until("Ctrl-C again ends at once").await;
    let second = live.signal("-INT");
    assert_eq!(live.end().await, 130);
    assert!(second.elapsed() < AT_ONCE, "gone after {:?}", second.elapsed());
    gate.shut();
    let between = stage.standing().await;
    let again = stage.run(&[]).await.expect(0);
    let after = stage.standing().await;
    assert!(stage.judge_again(&before, &between, &after, &again).is_empty(), "{again}");
}

#[tokio::test]
async fn a_program_that_was_stopped_while_the_operator_worked_sees_the_end() {
    let stage = Stage::new(Step::Activate).await;
    for cut in [false, true] {
        stage.scene.operator.set(quick());
        stage.reset().await;
        stage.scene.operator.set(slow());
        let before = stage.standing().await;
        // The connection may be gone when the program wakes up.
        stage.proxy.plan(
            move |request| {
                if cut && request.is_watch() { Fault::CutLine { after: 1 } } else { Fault::None }
            },
        );
        let mut live = Live::start(&stage);
        live.until("operator started on it").await;
        live.signal("-STOP");
        stage
            .scene
            .until(|object| {
                object["status"]["mas_active"] == true && crate::scene::condition(object, "Successful") == "True"
            })
            .await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.proxy.pass();
        live.signal("-CONT");
        assert_eq!(live.end().await, 0, "{}", live.text());
        let after = stage.standing().await;
        assert!(stage.is_reached(&after));
        assert_eq!(Stage::changes(&before, &after), 1);
    }
}
