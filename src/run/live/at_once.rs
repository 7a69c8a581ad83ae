//! Several questions at once, but not more than a number, with the answers in the order of the questions.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::task::JoinSet;

/// Asks about every item, about `limit` of them at the same time.
pub(super) async fn at_once<I, O, W, F>(items: Vec<I>, limit: usize, work: W) -> Vec<O>
where
    W: Fn(I) -> F,
    F: Future<Output = O> + Send + 'static,
    O: Send + 'static,
{
    let mut running = JoinSet::new();
    let mut done = BTreeMap::new();
    for (at, item) in items.into_iter().enumerate() {
        while running.len() >= limit.max(1) {
            done.extend(running.join_next().await.and_then(Result::ok));
        }
        let asked = work(item);
        running.spawn(async move { (at, asked.await) });
    }
    while let Some(joined) = running.join_next().await {
        match joined {
            Ok(answer) => done.extend([answer]),
            // A panic below is a bug, and must not look like silence of AWS.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }
    done.into_values().collect()
}
