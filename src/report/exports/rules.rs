//! What docs/FINDINGS.md says of each code: the page itself is the text of the rules, so that the two cannot differ.

/// The page.
const PAGE: &str = include_str!("../../../docs/FINDINGS.md");

/// One code, as the page explains it.
pub(super) struct Rule {
    /// The code.
    pub(super) code: &'static str,
    /// What it means: the first paragraph, in one line.
    pub(super) meaning: String,
    /// What to do, in one line.
    pub(super) to_do: String,
    /// The whole section, Markdown.
    pub(super) section: &'static str,
}

/// Every code of the page, sorted.
pub(super) fn rules() -> Vec<Rule> {
    let sections = PAGE.split("\n## `").skip(1).filter_map(|part| part.split_once("`\n"));
    let mut rules: Vec<Rule> = sections.map(|(code, section)| rule(code, section.trim())).collect();
    rules.sort_by_key(|rule| rule.code);
    rules
}

fn rule(code: &'static str, section: &'static str) -> Rule {
    let mut paragraphs = section.split("\n\n");
    let meaning = one_line(paragraphs.next().unwrap_or_default());
    let to_do = paragraphs.find_map(|one| one.trim().strip_prefix("**What to do:**")).map(one_line).unwrap_or_default();
    Rule { code, meaning, to_do, section }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_of_the_page_is_a_rule_with_its_words() {
        let rules = rules();
        assert!(rules.len() > 40 && rules.is_sorted_by(|a, b| a.code < b.code), "{}", rules.len());
        for rule in &rules {
            assert!(!rule.meaning.is_empty() && !rule.meaning.contains("**"), "{}: {}", rule.code, rule.meaning);
            assert!(!rule.to_do.is_empty(), "{}", rule.code);
            assert!(rule.section.contains("**When it is a false alarm:**"), "{}", rule.code);
        }
        let idle = rules.iter().find(|rule| rule.code == "role-idle").unwrap();
        assert!(idle.to_do.starts_with("Ask the party whether the integration still runs;"), "{}", idle.to_do);
    }
}
