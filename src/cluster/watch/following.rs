//! A task that follows something, and what it tells.

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What a task tells while it follows something. Dropping it ends the task.
///
/// The connection is held by the task, so that [`Following::next`] can be dropped at any time (in a `select!` with a clock that
/// ticks every second, say) without losing an event or a connection attempt.
#[derive(Debug)]
pub struct Following<T> {
    items: mpsc::Receiver<T>,
    task: AbortHandle,
}

impl<T: Send + 'static> Following<T> {
    /// Begins; when the caller is busy the connection waits with it, after this many items.
    pub fn begin<F: Future<Output = ()> + Send + 'static>(
        slack: usize,
        task: impl FnOnce(mpsc::Sender<T>) -> F,
    ) -> Self {
        let (sender, items) = mpsc::channel(slack);
        Self { items, task: tokio::spawn(task(sender)).abort_handle() }
    }

    /// The next item; waits as long as nothing happens. Cancel-safe.
    pub async fn next(&mut self) -> Option<T> {
        self.items.recv().await
    }
}

impl<T> Drop for Following<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
