//! External ids: how hard one is to guess, and what hand-offs really carried (S41).

use std::collections::BTreeMap;

use crate::activity::party::Channel;
use crate::activity::sessions::{SentExternalId, Session};
use crate::aws::{AccountId, Fingerprint};

use super::assessment::{ExternalIdUse, SentId, TrustEntry};

/// Ids of fewer characters can be tried out.
pub const LONG: u32 = 16;
/// Bits below which the characters of an id repeat too much to be random.
const RANDOM_BITS: f64 = 40.0;
/// Words of which ids are made that somebody thought up.
const WORDS: [&str; 36] = [
    "access",
    "account",
    "acme",
    "admin",
    "audit",
    "aws",
    "changeme",
    "client",
    "cloud",
    "company",
    "customer",
    "default",
    "demo",
    "dev",
    "example",
    "ext",
    "external",
    "externalid",
    "id",
    "integration",
    "key",
    "monitoring",
    "partner",
    "password",
    "prod",
    "production",
    "role",
    "secret",
    "security",
    "staging",
    "test",
    "testing",
    "thirdparty",
    "trial",
    "uuid",
    "vendor",
];

/// How hard an id is to guess: `uuid`, `long`, or one of the [weak](is_weak) kinds `short`, `account_id` (an account's
/// number is in it), `word` (words and numbers only) and `repetitive` (few different characters).
///
/// Source: IAM User Guide, "Access to AWS accounts owned by third parties": unique for each customer, and not to be guessed.
#[must_use]
pub fn strength(id: &str, accounts: impl IntoIterator<Item = AccountId>, party: Option<&str>) -> &'static str {
    let is_long = u32::try_from(id.len()).is_ok_and(|length| length >= LONG);
    if accounts.into_iter().any(|account| id.contains(account.as_str())) {
        "account_id"
    } else if bits(id) < RANDOM_BITS && is_long {
        "repetitive"
    } else if is_uuid(id) {
        "uuid"
    } else if is_words(id, party.unwrap_or_default()) {
        "word"
    } else if is_long {
        "long"
    } else {
        "short"
    }
}

/// Whether an id of that strength can be guessed.
#[must_use]
pub fn is_weak(strength: &str) -> bool {
    matches!(strength, "short" | "account_id" | "word" | "repetitive")
}

fn is_uuid(id: &str) -> bool {
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && id.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Shannon's entropy of the characters, over the whole length.
fn bits(id: &str) -> f64 {
    let mut counts: BTreeMap<char, u32> = BTreeMap::new();
    for character in id.chars() {
        *counts.entry(character).or_default() += 1;
    }
    let length = f64::from(counts.values().sum::<u32>());
    counts.values().map(|count| -f64::from(*count) * (f64::from(*count) / length).log2()).sum()
}

/// Whether every run of letters is a common word or one of the party's name.
fn is_words(id: &str, party: &str) -> bool {
    let (id, party) = (id.to_lowercase(), party.to_lowercase());
    let is_word = |word: &str| WORDS.contains(&word) || party.split(|c: char| !c.is_alphabetic()).any(|w| w == word);
    let mut words = id.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(is_word)
}

/// What the hand-offs of one role carried, party by party, and whether an id could be demanded without breaking anybody.
/// `doubt` says why hand-offs may be missing from the records.
#[must_use]
pub fn uses(sessions: &[&Session<'_>], trust: &[TrustEntry], doubt: Option<&str>) -> Vec<ExternalIdUse> {
    let mut parties: BTreeMap<&str, ExternalIdUse> = BTreeMap::new();
    let mut ids: BTreeMap<(&str, &Fingerprint), u64> = BTreeMap::new();
    let mut unresolved = 0;
    for session in sessions {
        let party = &session.attributed.party;
        unresolved += u64::from(!party.kind.is_outside() && session.attributed.channel == Channel::Unknown);
        if !party.kind.is_outside() || session.attributed.channel != Channel::AssumeRole {
            continue;
        }
        let used = parties.entry(&party.id).or_insert_with(|| ExternalIdUse::of(&party.id, &party.name));
        match &session.external_id {
            SentExternalId::Unseen => used.unseen += 1,
            SentExternalId::None => (used.hand_offs, used.without) = (used.hand_offs + 1, used.without + 1),
            SentExternalId::Some(id) => {
                used.hand_offs += 1;
                *ids.entry((&party.id, id)).or_default() += 1;
            }
        }
    }
    for ((party, id), hand_offs) in ids {
        if let Some(used) = parties.get_mut(party) {
            used.ids.push(SentId { fingerprint: id.digest.clone(), length: id.length, hand_offs });
        }
    }
    for entry in trust.iter().filter(|entry| entry.outside && entry.external_id.is_some()) {
        if let Some(id) = entry.account_id.as_ref().map(AccountId::as_str) {
            let name = entry.party.as_deref().unwrap_or_default();
            parties.entry(id).or_insert_with(|| ExternalIdUse::of(id, name));
        }
    }
    let judged = parties.into_values().map(|mut used| {
        used.unseen += unresolved;
        used.different = used.ids.len() as u64;
        let (word, reason) = verdict(&used, trust, doubt);
        (used.verdict, used.reason) = (word.to_owned(), reason);
        used
    });
    judged.collect()
}

/// Whether one id could be demanded, in a word and a sentence.
fn verdict(used: &ExternalIdUse, trust: &[TrustEntry], doubt: Option<&str>) -> (&'static str, String) {
    let own = |entry: &&TrustEntry| entry.account_id.is_some_and(|account| account.as_str() == used.party_id);
    let mut demands = trust.iter().filter(own).map(|entry| entry.external_id.as_ref()).peekable();
    let is_exact = demands.peek().is_some()
        && demands.all(|demand| demand.is_some_and(|id| id.required && !id.any_accepted && id.matching != "pattern"));
    let is_alone = trust.iter().filter(own).all(|entry| entry.alone);
    let ExternalIdUse { party_name, hand_offs, without, unseen, different, .. } = used;
    if is_exact {
        ("enforced", "a call without the agreed id is refused already".to_owned())
    } else if *without > 0 {
        ("will_break", format!("{party_name} sent no external id in {without} of {hand_offs} hand-offs"))
    } else if *hand_offs == 0 {
        ("not_seen", format!("no hand-off by {party_name} was seen in the window: ask before demanding an id"))
    } else if *different > 1 {
        ("several", format!("{party_name} sent {different} different ids: all of them would have to be allowed"))
    } else if *unseen > 0 {
        ("unclear", format!("the hand-offs of {unseen} sessions were not seen; they may have carried no id"))
    } else if let Some(doubt) = doubt {
        ("unclear", format!("all {hand_offs} hand-offs seen carried the same id, but {doubt}"))
    } else if !is_alone {
        let others = "the statement lets others in, too: give the party one of its own first";
        ("unclear", format!("all {hand_offs} hand-offs by {party_name} carried the same id, but {others}"))
    } else {
        ("safe", format!("all {hand_offs} hand-offs by {party_name} carried the same id"))
    }
}

impl ExternalIdUse {
    fn of(party_id: &str, party_name: &str) -> Self {
        Self { party_id: party_id.to_owned(), party_name: party_name.to_owned(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S41: short ids, words, account numbers and repetition are weak; whatever is random and long is not.
    #[test]
    fn strength_is_told_by_form() {
        let account = AccountId::parse("111122223333").unwrap();
        for (id, expected) in [
            ("23bc5533-157c-41bf-a01a-4ecb491471f6", "uuid"),
            ("00000000-0000-0000-0000-000000000000", "repetitive"),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", "repetitive"),
            ("kD83hfKs92hfKSjw83", "long"),
            ("datadog-external-id-2024", "word"),
            ("Acme_Prod", "word"),
            ("x7Kq2", "short"),
            ("1234567890", "short"),
            ("customer-111122223333-kD83hfKs92", "account_id"),
        ] {
            let found = strength(id, [account], Some("Datadog"));
            assert_eq!(found, expected, "{id}");
            assert_eq!(is_weak(found), !matches!(expected, "uuid" | "long"), "{id}");
        }
    }
}
