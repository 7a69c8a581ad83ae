//! A small pseudo-random generator (xoshiro256**, seeded by splitmix64): the same seed gives the same trail for ever.
//!
//! Own code, because a library's generator may change its sequence with a version and the bundled trails are
//! compared byte for byte. It must not be used for anything secret.

/// The state of the generator.
#[derive(Clone, Debug)]
pub(crate) struct Rng([u64; 4]);

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &[u8; 16] = b"0123456789abcdef";

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Rng {
    /// A generator of its own for `purpose`, so that drawing more for one purpose leaves the others as they were.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mut state = seed;
        for byte in purpose.bytes() {
            state = splitmix(&mut state) ^ u64::from(byte);
        }
        Self([splitmix(&mut state), splitmix(&mut state), splitmix(&mut state), splitmix(&mut state)])
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `bound` (0 when `bound` is 0).
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number of `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True with probability `share`.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        (self.next() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0) < share
    }

    /// One item, each as likely.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = self.below(items.len() as u64);
        items.get(usize::try_from(at).ok()?)
    }

    /// Appends `count` characters of A-Z2-7.
    pub(crate) fn base32(&mut self, out: &mut Vec<u8>, count: usize) {
        self.letters(out, count, 5, BASE32);
    }

    /// Appends `count` hex digits.
    pub(crate) fn hex(&mut self, out: &mut Vec<u8>, count: usize) {
        self.letters(out, count, 4, HEX);
    }

    fn letters(&mut self, out: &mut Vec<u8>, count: usize, bits: u32, alphabet: &[u8]) {
        let (mut pool, mut left) = (0, 0);
        for _ in 0..count {
            if left < bits {
                (pool, left) = (self.next(), 64);
            }
            let at = usize::try_from(pool & ((1 << bits) - 1)).unwrap_or(0);
            out.push(alphabet.get(at).copied().unwrap_or(b'A'));
            pool >>= bits;
            left -= bits;
        }
    }

    /// Appends a version 4 UUID.
    pub(crate) fn uuid(&mut self, out: &mut Vec<u8>) {
        self.hex(out, 8);
        out.push(b'-');
        self.hex(out, 4);
        out.extend_from_slice(b"-4");
        self.hex(out, 3);
        out.extend_from_slice(b"-a");
        self.hex(out, 3);
        out.push(b'-');
        self.hex(out, 12);
    }

    /// `prefix` and `count` characters of A-Z2-7, as in `AROA...` and `ASIA...`.
    pub(crate) fn id(&mut self, prefix: &str, count: usize) -> String {
        let mut out = prefix.as_bytes().to_vec();
        self.base32(&mut out, count);
        String::from_utf8(out).unwrap_or_default()
    }

    /// A version 4 UUID as text.
    pub(crate) fn uuid_text(&mut self) -> String {
        let mut out = Vec::with_capacity(36);
        self.uuid(&mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_depends_on_seed_and_purpose_only() {
        let draw = |seed, purpose| Rng::new(seed, purpose).next();
        assert_eq!(draw(7, "cast"), draw(7, "cast"));
        assert_ne!(draw(7, "cast"), draw(7, "noise"));
        assert_ne!(draw(7, "cast"), draw(8, "cast"));
    }

    #[test]
    fn bounds_are_kept() {
        let mut rng = Rng::new(1, "bounds");
        assert!((0..1000).all(|_| rng.below(7) < 7 && (3..=5).contains(&rng.between(3, 5))));
        assert_eq!(rng.below(0), 0);
        assert!(rng.pick::<u8>(&[]).is_none());
        assert_eq!(rng.uuid_text().len(), 36);
        assert_eq!(rng.id("AROA", 17).len(), 21);
    }
}
