//! Following a paged answer to its end: no page is lost, and no server can keep us going for ever.

use std::collections::BTreeSet;

use super::refusal::Refusal;

/// Pages of one answer at most; IAM sends 100 roles a page where it is slow, and no account has a million.
const PAGES: usize = 10_000;

/// The tokens of one paged answer.
#[derive(Debug)]
pub(super) struct Pages {
    call: &'static str,
    seen: BTreeSet<String>,
}

impl Pages {
    /// Before the first page.
    pub(super) fn of(call: &'static str) -> Self {
        Self { call, seen: BTreeSet::new() }
    }

    /// The token of the next page after one that named `token`; `None` after the last.
    ///
    /// # Errors
    /// A token that came before, or more pages than the limit.
    pub(super) fn next(&mut self, token: Option<&str>) -> Result<Option<String>, Refusal> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        if self.seen.len() >= PAGES {
            return Err(self.broken(&format!("more than {PAGES} pages")));
        }
        if !self.seen.insert(token.to_owned()) {
            return Err(self.broken("the answer names a page that was read before"));
        }
        Ok(Some(token.to_owned()))
    }

    /// As [`Self::next`], for answers that say apart whether there is more: more without a token is an error.
    ///
    /// # Errors
    /// See there.
    pub(super) fn next_of(&mut self, truncated: bool, token: Option<&str>) -> Result<Option<String>, Refusal> {
        if !truncated {
            return Ok(None);
        }
        match self.next(token)? {
            None => Err(self.broken("the answer is cut off, and does not say how to go on")),
            next => Ok(next),
        }
    }

    fn broken(&self, what: &str) -> Refusal {
        Refusal::new(self.call, what, "try again; if it stays so, the endpoint is not one of AWS")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S44: whatever the server answers, the pages come to an end.
    #[test]
    fn pages_end() {
        let mut pages = Pages::of("x:List");
        assert_eq!(pages.next(Some("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(pages.next(Some("b")).unwrap().as_deref(), Some("b"));
        assert!(pages.next(Some("a")).unwrap_err().what.contains("read before"));
        assert_eq!(pages.next(None).unwrap(), None);
        assert_eq!(pages.next(Some("")).unwrap(), None);
        assert_eq!(pages.next_of(false, Some("c")).unwrap(), None);
        assert!(pages.next_of(true, None).unwrap_err().what.contains("cut off"));
        let mut endless = Pages::of("x:List");
        assert!((0..=PAGES).any(|at| endless.next(Some(&at.to_string())).is_err()));
    }
}
