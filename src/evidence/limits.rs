//! Every limit on what is kept of a trail, in one place; hitting one is recorded, and none depends on order (S44).

/// Most bytes that one object may inflate to.
pub const OBJECT_BYTES: usize = 256 << 20;
/// Most bytes kept of one text a stranger wrote (session name, user agent, error code).
pub const TEXT_BYTES: usize = 512;
/// Resource ARNs kept of one sighting: the smallest in order.
pub const RESOURCES: usize = 40;
/// Event ids kept as samples of one sighting.
pub const SAMPLES: usize = 3;
/// Source networks kept of one session.
pub const NETWORKS: usize = 16;
/// User agents kept of one session.
pub const AGENTS: usize = 4;
/// Error codes kept of one sighting.
pub const ERRORS: usize = 8;
/// Source networks kept of one access key of a user: the smallest in order.
pub const KEY_NETWORKS: usize = 256;
/// Principals kept of one changed policy: the smallest in order.
pub const ADMITTED: usize = 40;
/// Bad records listed one by one; all of them are counted.
pub const BAD_RECORDS: usize = 1_000;
/// How long before the window a hand-off still matters: the longest a session can last (S3).
pub const SESSION_HOURS: i64 = 12;

/// `text` cut to [`TEXT_BYTES`] at a character's border.
#[must_use]
pub fn cut(text: &str) -> &str {
    if text.len() <= TEXT_BYTES {
        return text;
    }
    let end = (0..=TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S44: no stranger's text is kept without bound.
    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(cut("short"), "short");
        let long = "é".repeat(TEXT_BYTES);
        assert_eq!(cut(&long).len(), TEXT_BYTES);
        assert!(cut(&format!("x{long}")).len() < TEXT_BYTES);
    }
}
