//! How a run tells how far it is; the library never prints.

/// Hears about progress, from several threads.
pub trait Monitor: Sync {
    /// A phase begins, with the number of its steps and the bytes to be read.
    fn begin(&self, phase: &str, steps: u64, bytes: u64);
    /// One step is done.
    fn step(&self, bytes: u64);
    /// The phase is over.
    fn end(&self);
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn begin(&self, _phase: &str, _steps: u64, _bytes: u64) {}
    fn step(&self, _bytes: u64) {}
    fn end(&self) {}
}
