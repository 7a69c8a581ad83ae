//! The form in which records tell their caller: the text from a record's first byte to its time, with the values out.
//!
//! Sessions are many and short, so who calls is new in one record of six; the form in which it is told never is. A form
//! is learned from a record that the parser accepted: its keys, brackets and types stay as text, its other strings
//! become gaps. A text that differs from such a record only in plain strings is the same JSON with other strings.

use crate::aws::AccountId;

use super::identity::{IdentityKind, is_user, kind_of, long_term};
use super::skip::Cursor;

/// Most gaps in one form.
const MAX_GAPS: usize = 32;

/// Who called, as far as it decides whether anything else of the record matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SkimmedCaller<'t> {
    /// A role's session.
    Role {
        /// The account that owns the role.
        account: AccountId,
        /// The role's name, in ASCII.
        name: &'t [u8],
        /// The role's id, in ASCII.
        id: &'t [u8],
        /// The caller's account.
        caller: Option<AccountId>,
    },
    /// An IAM user or an account's root.
    User {
        /// Its account.
        account: Option<AccountId>,
        /// Its ARN.
        arn: &'t str,
        /// The long-term key's id, or nothing.
        key: &'t str,
    },
    /// A service, or another identity without a role, in this account.
    NoRole(Option<AccountId>),
    /// Another account, or somebody who acts in the caller's name: to be read in full.
    Telling,
}

/// A value that is read out of a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Account,
    Arn,
    Key,
    RoleAccount,
    RoleName,
    RoleId,
}

const FIELDS: [(&str, Field); 6] = [
    ("userIdentity.accountId", Field::Account),
    ("userIdentity.arn", Field::Arn),
    ("userIdentity.accessKeyId", Field::Key),
    ("userIdentity.sessionContext.sessionIssuer.accountId", Field::RoleAccount),
    ("userIdentity.sessionContext.sessionIssuer.userName", Field::RoleName),
    ("userIdentity.sessionContext.sessionIssuer.principalId", Field::RoleId),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Role,
    User,
    NoRole,
    Telling,
}

/// See the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CallerForm {
    kind: Kind,
    /// The text before each gap, and what is to be read out of it.
    gaps: Vec<(Box<[u8]>, Option<Field>)>,
    end: Box<[u8]>,
}

impl CallerForm {
    /// The form of a text that begins a sound record and ends within its top-level object; `None` when it is too odd.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut path: Vec<&str> = Vec::new();
        let (mut gaps, mut paths, mut kind) = (Vec::new(), Vec::new(), Kind::NoRole);
        let (mut begin, mut at, mut key) = (0, 0, None);
        while let Some(byte) = text.get(at) {
            match byte {
                b'{' => path.push(key.take().unwrap_or_default()),
                b'}' => drop(path.pop()),
                // A number or a literal was the value of the key before it.
                b',' => key = None,
                // Lists do not occur where a caller is told.
                b'[' => return None,
                b'"' => {
                    let Some(string) = plain_string(text, at) else {
                        // The time's opening quote is the last byte.
                        if at + 1 == text.len() { break } else { return None }
                    };
                    at += string.len() + 1;
                    if text.get(at + 1) == Some(&b':') {
                        key = Some(string);
                        let whole = dotted(&path, string);
                        kind = if string == "invokedByDelegate" { Kind::Telling } else { kind };
                        // A key twice could contradict itself.
                        if paths.contains(&whole) {
                            return None;
                        }
                        paths.push(whole);
                    } else {
                        let key = key.take()?;
                        if key != "type" {
                            let field = FIELDS.iter().find(|(name, _)| *name == dotted(&path, key));
                            let before = text.get(begin..at - string.len())?;
                            gaps.push((Box::from(before), field.map(|(_, field)| *field)));
                            begin = at;
                        } else if dotted(&path, key) == "userIdentity.type" && kind != Kind::Telling {
                            kind = match kind_of(string) {
                                IdentityKind::AssumedRole => Kind::Role,
                                IdentityKind::IamUser | IdentityKind::Root => Kind::User,
                                // A federated user acts for an IAM user, whom only the whole record names.
                                IdentityKind::AwsAccount | IdentityKind::FederatedUser => Kind::Telling,
                                _ => Kind::NoRole,
                            };
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        let has = |field| gaps.iter().any(|(_, known)| *known == Some(field));
        let told = kind != Kind::Role || [Field::RoleAccount, Field::RoleName, Field::RoleId].into_iter().all(has);
        let form = Self { kind, end: Box::from(text.get(begin..)?), gaps };
        (told && form.gaps.len() <= MAX_GAPS && form.read(text)?.1 == text.len()).then_some(form)
    }

    /// The caller and the length of the form's text, if `text` begins in this form.
    pub(super) fn read<'t>(&self, text: &'t [u8]) -> Option<(SkimmedCaller<'t>, usize)> {
        let mut cursor = Cursor::new(text, 0);
        let (mut account, mut role_account) = (None, None);
        let (mut role_name, mut role_id, mut arn, mut key) = (&[][..], &[][..], &[][..], &[][..]);
        for (before, field) in &self.gaps {
            cursor.literal(before)?;
            let value = cursor.plain_text()?;
            match field {
                None => {}
                Some(Field::Account) => account = AccountId::parse_bytes(value),
                Some(Field::Arn) => arn = value,
                Some(Field::Key) => key = value,
                Some(Field::RoleAccount) => role_account = AccountId::parse_bytes(value),
                Some(Field::RoleName) => role_name = value,
                Some(Field::RoleId) => role_id = value,
            }
        }
        cursor.literal(&self.end)?;
        let caller = match self.kind {
            Kind::Telling => SkimmedCaller::Telling,
            Kind::NoRole => SkimmedCaller::NoRole(account),
            Kind::User => match (std::str::from_utf8(arn), std::str::from_utf8(key)) {
                (Ok(arn), Ok(key)) if is_user(arn) => SkimmedCaller::User { account, arn, key: long_term(key) },
                _ => SkimmedCaller::NoRole(account),
            },
            // What is missing is looked for elsewhere in the record by whoever parses it.
            Kind::Role if role_name.is_empty() || role_id.is_empty() => return None,
            Kind::Role => SkimmedCaller::Role { account: role_account?, name: role_name, id: role_id, caller: account },
        };
        Some((caller, cursor.at()))
    }
}

fn dotted(path: &[&str], key: &str) -> String {
    // The record itself has no name.
    let outer = path.iter().skip(1).copied();
    outer.chain([key]).collect::<Vec<_>>().join(".")
}

/// The inside of the string that opens at `at`; `None` when it has escapes, or does not end.
fn plain_string(text: &[u8], at: usize) -> Option<&str> {
    std::str::from_utf8(Cursor::new(text, at + 1).plain_text()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAX:s","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAX","accountId":"111122223333","userName":"Audit"},"attributes":{"mfaAuthenticated":"false"}}},"eventTime":""#;

    /// S19: the role behind another session is read in the form of the first.
    #[test]
    fn another_session_is_told_in_the_same_form() {
        let form = CallerForm::of(ROLE.as_bytes()).unwrap();
        let other = ROLE.replace("AROAX:s", "AROAY:t").replace("\"AROAX\"", "\"AROAY\"").replace("Audit", "Backup");
        let account = AccountId::parse("111122223333").unwrap();
        let expected = SkimmedCaller::Role { account, name: b"Backup", id: b"AROAY", caller: Some(account) };
        assert_eq!(form.read(other.as_bytes()), Some((expected, other.len())));
        assert_eq!(CallerForm::of(other.as_bytes()), Some(form));
    }

    /// What the form does not hold is not read by it.
    #[test]
    fn other_forms_are_refused() {
        let form = CallerForm::of(ROLE.as_bytes()).unwrap();
        for (from, to) in [
            ("AssumedRole", "IAMUser"),
            ("\"userName\"", "\"username\""),
            ("\"Audit\"", "\"\""),
            ("\"Audit\"", "\"Aud\\u0069t\""),
            ("\"Audit\"", "\"Audit\u{e9}\""),
            ("\"Audit\"", "7"),
            ("\"111122223333\",\"userName\"", "\"11112222333\",\"userName\""),
        ] {
            let other = ROLE.replace(from, to);
            assert_ne!(other, ROLE);
            assert_eq!(form.read(other.as_bytes()), None, "{other}");
        }
    }

    /// S9, S14: another account, and a delegate, are always read in full; a key twice makes no form.
    #[test]
    fn outsiders_are_telling() {
        let telling = |text: &str| {
            let form = CallerForm::of(text.as_bytes())?;
            Some(form.read(text.as_bytes())?.0 == SkimmedCaller::Telling)
        };
        let outside = r#"{"userIdentity":{"type":"AWSAccount","accountId":"111122223333"},"eventTime":""#;
        assert_eq!(telling(outside), Some(true));
        let delegate = ROLE.replace("\"type\":\"Ass", "\"invokedByDelegate\":{\"accountId\":\"1\"},\"type\":\"Ass");
        assert_eq!((telling(&delegate), telling(ROLE)), (Some(true), Some(false)));
        // A key that waits for its string is forgotten at a number, so that white space cannot shift what is what.
        let shifted =
            ROLE.replacen("{\"eventVersion\":\"1.11\",\"userIdentity\":", "{\"eventVersion\":1,\"userIdentity\" :", 1);
        assert_eq!(telling(&shifted), None);
        let twice = ROLE.replace("\"userName\":\"Audit\"", "\"userName\":\"Audit\",\"userName\":\"Other\"");
        assert_eq!(telling(&twice), None);
    }
}
