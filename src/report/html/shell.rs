//! What every page has around its content: our own style and script, and the policy that lets a browser take nothing else.
//!
//! The policy names both by their digests, so a page needs no network, no other file, and nobody's text can run (S43).

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The style of all pages.
const STYLE: &str = include_str!("templates/style.css");
/// The script of all pages; each page can be read without it.
const SCRIPT: &str = include_str!("templates/script.js");

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
});

/// The frame of one page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shell {
    /// The content security policy.
    pub(super) policy: &'static str,
    /// The style, between its tags exactly as it is hashed.
    pub(super) style: &'static str,
    /// The script, likewise.
    pub(super) script: &'static str,
    /// From the page to the folder of the report: `` or `../`.
    pub(super) up: &'static str,
}

impl Shell {
    /// The frame of a page in the report's folder, or with `../` of one below it.
    pub(super) fn new(up: &'static str) -> Self {
        Self { policy: &POLICY, style: STYLE, script: SCRIPT, up }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S43: what stands between our tags can end neither of them, and nothing may come from anywhere else.
    #[test]
    fn the_policy_lets_nothing_in() {
        let policy = Shell::new("").policy;
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        let allowed = policy.split([' ', ';']).filter(|word| word.contains(['\'', ':', '*']));
        for word in allowed {
            assert!(word == "'none'" || word.starts_with("'sha256-") || word == "data:", "{word}");
        }
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"), "a tag in the style or script");
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("@import"));
        }
    }
}
