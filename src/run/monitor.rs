//! How a run tells how far it is; the library never prints.

/// Hears about progress, from several threads.
pub trait Monitor: Sync {
    /// A phase begins, with the number of its steps, and with the bytes to be read where steps are objects; 0 where that
    /// is not known. A phase that went before is over.
    fn begin(&self, phase: &str, steps: u64, bytes: u64);
    /// One step is done.
    fn step(&self, bytes: u64);
    /// A step of a phase that knows no number of them begins: what it does.
    fn at(&self, _what: &str) {}
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
