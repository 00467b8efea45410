//! A background task and its events.

use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The events of a background task. Dropping it ends the task.
///
/// The task owns the connection, so [`Following::next`] can be cancelled (in a `select!` with a timer) without losing an event
/// or a connection attempt.
#[derive(Debug)]
pub struct Following<T> {
    items: mpsc::Receiver<T>,
    _task: JoinSet<()>,
}

impl<T: Send + 'static> Following<T> {
    /// Starts the task, which waits while `slack` items are unread.
    pub fn begin<F: Future<Output = ()> + Send + 'static>(
        slack: usize,
        task: impl FnOnce(mpsc::Sender<T>) -> F,
    ) -> Self {
        let (sender, items) = mpsc::channel(slack);
        Self { items, _task: JoinSet::from_iter([task(sender)]) }
    }

    /// The next item. Cancel-safe.
    pub async fn next(&mut self) -> Option<T> {
        self.items.recv().await
    }
}
