//! The objects of a run, one after another, for workers that read them.
//!
//! From a near store each worker reads by itself. From a far one objects are on their way before a worker wants them:
//! so many at a time, and so many bytes, at most. What has come and is not yet taken counts too, so that slow readers
//! slow the fetching, and memory has a bound. Which worker gets which object, and when, matters to nobody.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::evidence::limits;
use crate::store::{Entry, Remote, Store, StoreError};

/// How much may be on its way at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ahead {
    /// Objects.
    pub objects: usize,
    /// Bytes, as delivered. An object that is larger waits until it is alone.
    pub bytes: u64,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { objects: 32, bytes: 32 << 20 }
    }
}

/// Objects to be read, shared by workers.
pub struct Objects<'a> {
    entries: &'a [Entry],
    way: Way<'a>,
}

enum Way<'a> {
    Near { store: &'a dyn Store, next: AtomicUsize },
    Far(Flow<'a>),
}

impl<'a> Objects<'a> {
    /// The objects of a store; those of a far one begin to come with the first question.
    pub fn of(store: &'a dyn Store, entries: &'a [Entry], ahead: Ahead) -> Self {
        let way = match store.remote() {
            Some(remote) => Way::Far(Flow::new(remote, entries, ahead)),
            None => Way::Near { store, next: AtomicUsize::new(0) },
        };
        Self { entries, way }
    }

    /// The next object: its bytes in place of what `buffer` held, or why it cannot be had. `None` when there are no more.
    pub fn next(&self, buffer: &mut Vec<u8>) -> Option<(&'a Entry, Result<(), StoreError>)> {
        match &self.way {
            Way::Near { store, next } => {
                let entry = self.entries.get(next.fetch_add(1, Ordering::Relaxed))?;
                Some((entry, store.get(&entry.key, buffer)))
            }
            Way::Far(flow) => flow.next(buffer),
        }
    }
}

/// Objects on their way from a far store.
struct Flow<'a> {
    remote: &'a dyn Remote,
    entries: &'a [Entry],
    ahead: Ahead,
    state: Mutex<State>,
    arrivals: Mutex<Receiver<Arrival>>,
    door: Sender<Arrival>,
}

#[derive(Default)]
struct State {
    started: usize,
    /// Promised to workers.
    claimed: usize,
    /// Started and not yet taken.
    objects: usize,
    bytes: u64,
    /// Buffers to be used again; one of an exceptionally large object must not hold its memory for the rest of the run.
    spare: Vec<Vec<u8>>,
}

/// An object that has come, or could not.
struct Arrival {
    at: usize,
    bytes: Result<Vec<u8>, StoreError>,
}

/// Tells of an arrival once, whatever happens: a worker waits for it.
struct Bearer {
    at: usize,
    bytes: Option<Result<Vec<u8>, StoreError>>,
    door: Sender<Arrival>,
}

impl Bearer {
    fn bring(mut self, bytes: Result<Vec<u8>, StoreError>) {
        self.bytes = Some(bytes);
    }
}

impl Drop for Bearer {
    fn drop(&mut self) {
        let broken = || Err(StoreError::Other("fetching it was broken off".to_owned()));
        let bytes = self.bytes.take().unwrap_or_else(broken);
        // Nobody waits when the run has ended.
        let _ = self.door.send(Arrival { at: self.at, bytes });
    }
}

impl<'a> Flow<'a> {
    fn new(remote: &'a dyn Remote, entries: &'a [Entry], ahead: Ahead) -> Self {
        let (door, arrivals) = channel();
        Self { remote, entries, ahead, state: Mutex::default(), arrivals: Mutex::new(arrivals), door }
    }

    fn next(&self, buffer: &mut Vec<u8>) -> Option<(&'a Entry, Result<(), StoreError>)> {
        {
            let mut state = locked(&self.state);
            if state.claimed == self.entries.len() {
                return None;
            }
            state.claimed += 1;
            self.start(&mut state);
        }
        let arrival = locked(&self.arrivals).recv().ok()?;
        let entry = self.entries.get(arrival.at)?;
        let mut state = locked(&self.state);
        state.objects -= 1;
        state.bytes -= entry.size_bytes;
        let got = arrival.bytes.map(|bytes| {
            let read = std::mem::replace(buffer, bytes);
            let is_small = read.capacity() as u64 <= self.ahead.bytes / self.ahead.objects as u64;
            if state.spare.len() < self.ahead.objects && is_small {
                state.spare.push(read);
            }
        });
        self.start(&mut state);
        Some((entry, got))
    }

    /// Starts as many as may be on their way; one at least, however large it is.
    fn start(&self, state: &mut State) {
        while let Some(entry) = self.entries.get(state.started) {
            let fits = state.objects < self.ahead.objects && state.bytes + entry.size_bytes <= self.ahead.bytes;
            if !fits && state.objects > 0 {
                return;
            }
            let bearer = Bearer { at: state.started, bytes: None, door: self.door.clone() };
            state.started += 1;
            state.objects += 1;
            state.bytes += entry.size_bytes;
            self.fetch(entry, state.spare.pop().unwrap_or_default(), bearer);
        }
    }

    fn fetch(&self, entry: &Entry, buffer: Vec<u8>, bearer: Bearer) {
        let size_bytes = entry.size_bytes;
        if size_bytes > limits::OBJECT_BYTES as u64 {
            let reason = format!("larger than {} bytes as delivered", limits::OBJECT_BYTES);
            return bearer.bring(Err(StoreError::Other(reason)));
        }
        let coming = self.remote.fetch(&entry.key, buffer);
        self.remote.runtime().spawn(async move {
            bearer.bring(coming.await.and_then(|bytes| match bytes.len() as u64 == size_bytes {
                true => Ok(bytes),
                false => Err(StoreError::Other("not as long as when it was listed".to_owned())),
            }));
        });
    }
}

/// Each change under these locks is whole before the next, so a panic elsewhere leaves nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::runtime::{Handle, Runtime};

    use super::*;
    use crate::store::Coming;

    /// A far store whose objects hold their number, come in any order, and sometimes not at all.
    struct Far {
        runtime: Runtime,
        /// Now, and at most: objects and their bytes.
        on_the_way: Arc<Mutex<[u64; 4]>>,
    }

    impl Far {
        fn new() -> Self {
            Self { runtime: Runtime::new().unwrap(), on_the_way: Arc::default() }
        }
    }

    impl Remote for Far {
        fn fetch(&self, key: &str, mut buffer: Vec<u8>) -> Coming {
            let (number, seen): (usize, _) = (key.parse().unwrap(), Arc::clone(&self.on_the_way));
            Box::pin(async move {
                let size_bytes = (number % 97) as u64;
                let now = {
                    let mut seen = locked(&seen);
                    let [objects, bytes, most_objects, most_bytes] = *seen;
                    let (objects, bytes) = (objects + 1, bytes + size_bytes);
                    *seen = [objects, bytes, most_objects.max(objects), most_bytes.max(bytes)];
                    objects
                };
                tokio::time::sleep(Duration::from_micros(now * 37 % 400)).await;
                locked(&seen)[0] -= 1;
                locked(&seen)[1] -= size_bytes;
                buffer.clear();
                buffer.resize(number % 97, u8::try_from(number % 251).unwrap());
                match number % 10 {
                    3 => Err(StoreError::Denied),
                    4 => panic!("a bug on the way"),
                    5 => Ok(vec![1; 98]),
                    _ => Ok(buffer),
                }
            })
        }
        fn runtime(&self) -> Handle {
            self.runtime.handle().clone()
        }
    }

    fn entries(count: usize) -> Vec<Entry> {
        let entry = |number: usize| Entry {
            key: number.to_string(),
            size_bytes: if number % 10 == 6 { 1 << 40 } else { (number % 97) as u64 },
            tag: String::new(),
        };
        (0..count).map(entry).collect()
    }

    /// S6: each object comes once, whole or with its reason, whoever takes it and whatever goes wrong on the way.
    #[test]
    fn every_object_arrives_once_or_says_why_not() {
        let (far, entries) = (Far::new(), entries(500));
        let ahead = Ahead { objects: 7, bytes: 300 };
        let flow = Flow::new(&far, &entries, ahead);
        let taken = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut buffer = Vec::new();
                    while let Some((entry, got)) = flow.next(&mut buffer) {
                        let got = got.map(|()| buffer.clone()).map_err(|error| error.to_string());
                        assert!(locked(&taken).insert(entry.key.clone(), got).is_none(), "{}", entry.key);
                    }
                });
            }
        });
        let taken = taken.into_inner().unwrap();
        assert_eq!(taken.len(), entries.len());
        for number in 0..entries.len() {
            let expected = match number % 10 {
                3 => Err("permission denied".to_owned()),
                4 => Err("fetching it was broken off".to_owned()),
                5 => Err("not as long as when it was listed".to_owned()),
                6 => Err("larger than 268435456 bytes as delivered".to_owned()),
                _ => Ok(vec![u8::try_from(number % 251).unwrap(); number % 97]),
            };
            assert_eq!(taken[&number.to_string()], expected, "{number}");
        }
        let [.., most_objects, most_bytes] = *locked(&far.on_the_way);
        assert!((2..=7).contains(&most_objects) && most_bytes <= 300, "{most_objects} objects, {most_bytes} bytes");
    }

    /// S44: what has come and nobody takes holds back the rest.
    #[test]
    fn slow_readers_slow_the_fetching() {
        let (far, entries) = (Far::new(), entries(500));
        let flow = Flow::new(&far, &entries, Ahead { objects: 5, bytes: u64::MAX });
        let mut buffer = Vec::new();
        for taken in 1..=3 {
            assert!(flow.next(&mut buffer).is_some());
            std::thread::sleep(Duration::from_millis(5));
            assert_eq!(locked(&flow.state).started, taken + 5);
        }
    }
}
