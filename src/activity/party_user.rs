//! IAM users whose keys a third party holds (S16): by the user's own list, by a tag, or by a name that is a known vendor's.
//!
//! A name is a hint, not a proof, so reports say by what a user was taken for a party's. A user that nothing tells of is
//! ours: whose hands a key is in, no record shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::aws::{AccountId, Arn};
use crate::evidence::names_of_parties::{PartyNames, words};

use super::directory::{Directory, KnownKind};
use super::party::{Party, PartyKind};

/// By what a user was taken for a third party's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KnownBy {
    /// The vendor file names it.
    List,
    /// A tag of it names a third party.
    Tag,
    /// Its name holds that of a known vendor.
    Name,
}

impl KnownBy {
    /// The word of the reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Tag => "tag",
            Self::Name => "name",
        }
    }
}

/// A user that is a party.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartyUser {
    /// The party: the user itself, under the third party's name.
    pub party: Arc<Party>,
    /// By what it is known.
    pub known_by: KnownBy,
}

/// What is known of a user beside its ARN.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserFacts<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// `AIDA...`; empty when only records tell of it.
    pub id: &'a str,
    /// Its tags, if the inventory holds it.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// The vendor that the user's own list says it belongs to.
    pub listed: Option<&'a str>,
}

/// All users that are parties.
#[derive(Clone, Debug, Default)]
pub struct PartyUsers {
    by_arn: BTreeMap<String, PartyUser>,
    arn_of_id: BTreeMap<String, String>,
}

impl PartyUsers {
    /// Notes a user, if it is a party.
    pub fn note(&mut self, user: UserFacts<'_>, names: &PartyNames) {
        let Some((name, known_by)) = third_party(user, names) else { return };
        let party = Party { id: user.arn.to_owned(), kind: PartyKind::IamUser, name };
        self.by_arn.insert(user.arn.to_owned(), PartyUser { party: Arc::new(party), known_by });
        if !user.id.is_empty() {
            self.arn_of_id.insert(user.id.to_owned(), user.arn.to_owned());
        }
    }

    /// The user with that ARN, if it is a party.
    #[must_use]
    pub fn get(&self, arn: &str) -> Option<&PartyUser> {
        self.by_arn.get(arn)
    }

    /// The user with that id, if it is a party.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&PartyUser> {
        self.get(self.arn_of_id.get(id)?)
    }

    /// The user with that ARN, or where the record tells none, with that id.
    #[must_use]
    pub fn of(&self, arn: &str, id: &str) -> Option<&PartyUser> {
        self.get(arn).or_else(|| self.by_id(id))
    }

    /// All, by ARN.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PartyUser)> {
        self.by_arn.iter().map(|(arn, user)| (arn.as_str(), user))
    }
}

fn third_party(user: UserFacts<'_>, names: &PartyNames) -> Option<(String, KnownBy)> {
    if let Some(vendor) = user.listed {
        return Some((vendor.to_owned(), KnownBy::List));
    }
    let tagged = user.tags.into_iter().flatten().find(|(key, value)| is_party_tag(key) && is_name(value));
    if let Some((_, value)) = tagged {
        return Some((value.clone(), KnownBy::Tag));
    }
    let name = user_name(user.arn)?;
    Some((names.within(name)?.to_owned(), KnownBy::Name))
}

/// Whether people write a third party's name into a tag of that key.
fn is_party_tag(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
    ["vendor", "vendorname", "thirdparty", "partner", "supplier", "externalparty"]
        .iter()
        .any(|known| plain.eq_ignore_ascii_case(known))
}

/// `vendor = no` names nobody.
fn is_name(value: &str) -> bool {
    let nobody = ["", "no", "none", "false", "n/a", "na", "-", "internal", "own", "self"];
    !nobody.iter().any(|word| value.trim().eq_ignore_ascii_case(word))
}

/// The name in a user's ARN, without path; `None` for a root user.
#[must_use]
pub fn user_name(arn: &str) -> Option<&str> {
    Arn::parse(arn)?.resource.strip_prefix("user/")?.rsplit('/').next()
}

/// The account and the name of a user as credential reports write them.
#[must_use]
pub fn account_and_name(arn: &str) -> Option<(AccountId, &str)> {
    let parsed = Arn::parse(arn)?;
    let account = parsed.account_id()?;
    if parsed.resource == "root" { Some((account, ROOT)) } else { Some((account, user_name(arn)?)) }
}

/// The root user's name in credential reports.
pub const ROOT: &str = "<root_account>";

/// Vendors whose names are words of everyday use, or of programs that people run themselves: a user of that name need
/// not be theirs.
const EVERYDAY: [&str; 25] = [
    "billing",
    "canonical",
    "census",
    "commonroom",
    "doppler",
    "expel",
    "fugue",
    "funnel",
    "gitlab",
    "grafana",
    "mackerel",
    "name",
    "oracle",
    "postman",
    "presidio",
    "scale",
    "serverless",
    "snowplow",
    "starburst",
    "steampipecloud",
    "stitch",
    "terraform",
    "testable",
    "transcend",
    "turbot",
];
impl Directory {
    /// The names of vendors by which a user can be known.
    #[must_use]
    pub fn party_names(&self) -> PartyNames {
        let mut names = PartyNames::default();
        for (_, known) in self.iter().filter(|(_, known)| known.kind == KnownKind::Vendor) {
            if !EVERYDAY.contains(&words(&known.name).concat().as_str()) {
                names.add(&known.name);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, tags: &[(&str, &str)], expected: Option<(&str, KnownBy)>) {
        let arn = format!("arn:aws:iam::111122223333:user/ops/{name}");
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut users = PartyUsers::default();
        users.note(
            UserFacts { arn: &arn, id: "AIDAX", tags: Some(&tags), listed: None },
            &Directory::builtin().party_names(),
        );
        let found = users.by_id("AIDAX").map(|user| (user.party.name.as_str(), user.known_by));
        assert_eq!(found, expected, "{name}");
        assert!(users.iter().all(|(id, user)| id == arn && user.party.kind == PartyKind::IamUser));
    }

    /// S16: a vendor's user is told by its tag or by a name that is the vendor's; all others are ours.
    #[test]
    fn users_of_vendors_are_told_from_ours() {
        check("datadog", &[], Some(("Datadog", KnownBy::Name)));
        check("svc-new-relic-prod", &[], Some(("New Relic", KnownBy::Name)));
        check("NewRelicUser", &[], Some(("New Relic", KnownBy::Name)));
        check("backup", &[("third-party", "Acme Backup")], Some(("Acme Backup", KnownBy::Tag)));
        check("datadog", &[("Vendor", "Acme")], Some(("Acme", KnownBy::Tag)));
        for (name, tags) in [
            ("jane", &[][..]),
            ("datadogs", &[]),
            ("terraform-census", &[]),
            ("grafana", &[]),
            ("ibm", &[]),
            ("backup", &[("vendor", "none"), ("team", "Datadog")]),
        ] {
            check(name, tags, None);
        }
    }

    /// S16: the user's own list is the last word.
    #[test]
    fn the_list_wins() {
        let mut users = PartyUsers::default();
        let arn = "arn:aws:iam::111122223333:user/datadog";
        users
            .note(UserFacts { arn, listed: Some("Acme"), ..UserFacts::default() }, &Directory::builtin().party_names());
        let user = users.get(arn).unwrap();
        assert_eq!((user.party.name.as_str(), user.known_by), ("Acme", KnownBy::List));
    }
}
