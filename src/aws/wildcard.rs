//! Wildcards as people write them for names: `*` for any characters, `?` for one; whether a text matches.
//!
//! Without backtracking that could explode, because both the pattern and the text can come from strangers (S44).

/// Whether the whole text matches, without regard to case: names of IAM are told apart without it.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    glob(pattern.as_bytes(), text.as_bytes(), true, |want, have| want.eq_ignore_ascii_case(&have))
}

/// Whether the whole text matches to the letter.
#[must_use]
pub fn matches_exactly(pattern: &str, text: &str) -> bool {
    glob(pattern.as_bytes(), text.as_bytes(), true, |want, have| want == have)
}

/// Length in bytes of the UTF-8 character that begins with `first`.
fn character_bytes(first: u8) -> usize {
    match first {
        0x00..=0xBF => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}

/// Matches with restart at the last star: at most `pattern * text` steps.
///
/// `question_takes_star` is false when the text is itself a pattern, whose star one `?` cannot stand for.
#[must_use]
pub fn glob(pattern: &[u8], text: &[u8], question_takes_star: bool, same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut restart: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), text.get(position)) {
            (None, None) => return true,
            (Some(b'*'), _) => {
                at += 1;
                restart = Some((at, position));
                continue;
            }
            (Some(_), None) => return false,
            (Some(b'?'), Some(first)) if question_takes_star || *first != b'*' => {
                at += 1;
                position += character_bytes(*first);
                continue;
            }
            (Some(want), Some(have)) if *want != b'?' && same(*want, *have) => {
                at += 1;
                position += 1;
                continue;
            }
            _ => {}
        }
        // The last star takes one character more.
        let Some((after, taken)) = restart else { return false };
        let Some(first) = text.get(taken) else { return false };
        (at, position) = (after, taken + character_bytes(*first));
        restart = Some((at, position));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        };
        check("*", "", true);
        check("Datadog*", "datadogMain", true);
        check("Datadog*", "MyDatadog", false);
        check("a?c", "a\u{e9}c", true);
        check("a?c", "ac", false);
        check("*:role/v/*", "arn:aws:iam::111122223333:role/v/A", true);
        check("", "x", false);
        assert!(!matches_exactly("repo:acme/*", "repo:ACME/x") && matches_exactly("repo:acme/*", "repo:acme/x"));
    }

    /// S44: a pattern made to explode is answered at once.
    #[test]
    fn hostile_patterns_take_no_time() {
        assert!(!matches(&format!("{}b", "a*".repeat(200)), &"a".repeat(20_000)));
    }
}
