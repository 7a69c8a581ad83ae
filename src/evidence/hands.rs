//! Who does the independent pieces of a work: one after another, or several at once.
//!
//! Threads belong to the edge (invariant 1): the pure folders say what may be done at once, and `run` brings who does it.
//! Answers come back in the order of the pieces, so nothing but the time tells how many hands there were.

use std::sync::OnceLock;

/// Does pieces of work.
pub trait Hands: Sync {
    /// Calls `piece` once with each number below `count`, in any order, perhaps on several threads; returns when all are
    /// done.
    fn each(&self, count: usize, piece: &(dyn Fn(usize) + Sync));
}

/// Does one piece after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct OneByOne;

impl Hands for OneByOne {
    fn each(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(piece);
    }
}

/// What `work` answers for each item, in their order.
pub fn map<I: Sync, T: Send + Sync>(hands: &dyn Hands, items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let answers: Vec<OnceLock<T>> = items.iter().map(|_| OnceLock::new()).collect();
    hands.each(items.len(), &|at| {
        if let (Some(item), Some(answer)) = (items.get(at), answers.get(at)) {
            let _ = answer.set(work(item));
        }
    });
    answers.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// The answers of two different pieces.
pub fn both<A: Send + Sync, B: Send + Sync>(
    hands: &dyn Hands,
    one: impl Fn() -> A + Sync,
    other: impl Fn() -> B + Sync,
) -> (A, B) {
    let (first, second) = (OnceLock::new(), OnceLock::new());
    hands.each(2, &|at| {
        let _ = if at == 0 { first.set(one()).is_ok() } else { second.set(other()).is_ok() };
    });
    (first.into_inner().unwrap_or_else(one), second.into_inner().unwrap_or_else(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Works backwards, as an unlucky schedule might.
    struct Backwards;

    impl Hands for Backwards {
        fn each(&self, count: usize, piece: &(dyn Fn(usize) + Sync)) {
            (0..count).rev().for_each(piece);
        }
    }

    /// Invariant 3: who does the work, and in which order, does not show.
    #[test]
    fn answers_come_in_the_order_of_the_pieces() {
        for hands in [&OneByOne as &dyn Hands, &Backwards] {
            assert_eq!(map(hands, &[1, 2, 3, 4], |number| number * number), [1, 4, 9, 16]);
            assert_eq!(both(hands, || 'a', || "b"), ('a', "b"));
        }
    }
}
