//! A running command whose output is read as it arrives.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::stage::Stage;

/// A running command, and its output with timestamps.
pub struct Live {
    pub child: Child,
    said: Arc<Mutex<Vec<(Instant, String)>>>,
    reader: JoinHandle<()>,
}

impl Live {
    pub fn start(stage: &Stage) -> Self {
        Self::with(stage, &[])
    }

    /// Starts the stage's step with additional arguments.
    pub fn with(stage: &Stage, more: &[&str]) -> Self {
        let mut child = stage.start(more);
        let said = Arc::new(Mutex::new(Vec::new()));
        let reader = tokio::spawn(listen(child.stderr.take().unwrap(), Arc::clone(&said)));
        Self { child, said, reader }
    }

    /// The complete stderr so far.
    pub fn text(&self) -> String {
        self.said.lock().unwrap().iter().flat_map(|(_, line)| [line.as_str(), "\n"]).collect()
    }

    /// When a text appeared for the first time.
    pub fn when(&self, text: &str) -> Option<Instant> {
        self.said.lock().unwrap().iter().find(|(_, line)| line.contains(text)).map(|(at, _)| *at)
    }

    /// Waits until stderr contains a text.
    pub async fn until(&self, text: &str) {
        let limit = Instant::now() + Duration::from_secs(20);
        while self.when(text).is_none() {
            assert!(Instant::now() < limit, "it never says {text:?}:\n{}", self.text());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Sends a signal and returns the time right before it.
    pub fn signal(&self, name: &str) -> Instant {
        let now = Instant::now();
        let pid = self.child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
        now
    }

    /// Waits for the end and returns the exit code.
    pub async fn end(&mut self) -> i32 {
        self.end_within(Duration::from_secs(30)).await
    }

    /// The same with a longer limit.
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

    /// The complete standard output, after the end.
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
