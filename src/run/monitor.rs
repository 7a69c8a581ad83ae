//! How a run tells how far it is; the library never prints.

use crate::evidence::hands::Hands;

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

/// Hands that tell of each piece that is done, and of what many pieces together are.
pub struct Telling<'a> {
    /// Who does the work.
    pub hands: &'a dyn Hands,
    /// Who hears of it.
    pub monitor: &'a dyn Monitor,
    /// What the pieces are together.
    pub phase: &'a str,
}

impl Hands for Telling<'_> {
    fn each(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        // A pair is two halves of something else.
        if count <= 2 {
            return self.hands.each(count, piece);
        }
        self.monitor.begin(self.phase, count as u64, 0);
        self.hands.each(count, &|at| {
            piece(at);
            self.monitor.step(0);
        });
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Monitor for Silent {
    fn begin(&self, _phase: &str, _steps: u64, _bytes: u64) {}
    fn step(&self, _bytes: u64) {}
    fn end(&self) {}
}
