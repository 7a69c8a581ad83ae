//! Several questions at once, but not more than a number, with the answers in the order of the questions.

use std::collections::BTreeMap;
use std::future::Future;

use tokio::task::{JoinError, JoinSet};

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
            done.extend(finished(running.join_next().await));
        }
        let asked = work(item);
        running.spawn(async move { (at, asked.await) });
    }
    while !running.is_empty() {
        done.extend(finished(running.join_next().await));
    }
    done.into_values().collect()
}

/// The answer of a task that ended; a panic in it is a bug, and must not look like silence of AWS.
fn finished<T>(joined: Option<Result<T, JoinError>>) -> Option<T> {
    match joined? {
        Ok(answer) => Some(answer),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => None,
        },
    }
}
