//! IAM users with their keys, as the credential report and the last use of access keys tell of them.
//!
//! The credential report is the CSV that `aws iam get-credential-report` carries (base64 in the CLI's output, plain in
//! the file `collect` writes; both are read). It does not name keys; `get-access-key-last-used` does. What either tells of a user's last use is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::aws::window::{Time, parse_time};
use crate::aws::{AccountId, Arn};

/// Why a file tells nothing of users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsersError {
    /// Not CSV.
    #[error("not CSV: {0}")]
    Csv(String),
    /// A column is missing.
    #[error("it has no column `{0}`: not a credential report")]
    Column(&'static str),
    /// A row without an ARN.
    #[error("row {0} has no readable `arn`")]
    Row(usize),
    /// Not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// The AWS CLI's output without the report.
    #[error("it has no `Content` in base64: not the output of `aws iam get-credential-report`")]
    Content,
    /// JSON of another shape.
    #[error("it has no list `AccessKeys` and no `Account`")]
    Shape,
    /// A key without its user.
    #[error("entry {0} of `AccessKeys` has no readable `UserName` and `AccessKeyId`")]
    Key(usize),
}

/// One access key; its id is kept in its last four characters only, and not told by the credential report.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AccessKey {
    /// The last four characters of its id; empty where only the credential report tells of it.
    pub ending: String,
    /// Whether it can be used.
    pub is_active: bool,
    /// When it was made, or made active again with a new secret.
    pub created: Option<Time>,
    /// When it was last used.
    pub last_used: Option<Time>,
}

/// One user, or the root of an account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct User {
    /// The last use of the password or of a key.
    pub last_used: Option<Time>,
    /// Keys that can be used, by the credential report.
    pub active_keys: u32,
    /// Keys, where they were asked for one by one.
    pub keys: BTreeSet<AccessKey>,
    /// Keys by the credential report, which holds at most two of a user.
    pub reported_keys: Vec<AccessKey>,
    /// Whether a credential report or a list of keys tells of it, so that a key that neither holds does not exist.
    pub is_told: bool,
}

impl User {
    /// Its keys: one by one where they were asked for, else as the credential report has them.
    pub fn all_keys(&self) -> impl Iterator<Item = &AccessKey> {
        let reported = self.reported_keys.iter().filter(|_| self.keys.is_empty());
        self.keys.iter().chain(reported)
    }
}

/// All users, by account and name (names are unique there, whatever the path).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Users {
    /// See the type.
    pub users: BTreeMap<(AccountId, String), User>,
}

const REPORT: [&str; 7] = [
    "user",
    "arn",
    "password_last_used",
    "access_key_1_active",
    "access_key_1_last_used_date",
    "access_key_2_active",
    "access_key_2_last_used_date",
];

impl Users {
    /// Adds a credential report: the CSV, or the output of the AWS CLI that holds it.
    ///
    /// # Errors
    /// [`UsersError`] with the first thing that is wrong.
    pub fn add_report(&mut self, text: &str) -> Result<(), UsersError> {
        if text.trim_start().starts_with('{') {
            let value: Value = serde_json::from_str(text).map_err(|error| UsersError::Json(error.to_string()))?;
            let content = value
                .get("Content")
                .and_then(Value::as_str)
                .and_then(from_base64)
                .and_then(|bytes| String::from_utf8(bytes).ok());
            return self.add_csv(&content.ok_or(UsersError::Content)?);
        }
        self.add_csv(text)
    }

    fn add_csv(&mut self, text: &str) -> Result<(), UsersError> {
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let wrong = |error: csv::Error| UsersError::Csv(error.to_string());
        let header = rows.headers().map_err(wrong)?.clone();
        let mut places = [0; REPORT.len()];
        for (place, name) in places.iter_mut().zip(REPORT) {
            *place = header.iter().position(|column| column == name).ok_or(UsersError::Column(name))?;
        }
        let [user, arn, password, active_1, used_1, active_2, used_2] = places;
        let column = |name: &str| header.iter().position(|column| column == name);
        let made = [column("access_key_1_last_rotated"), column("access_key_2_last_rotated")];
        for (at, row) in rows.records().enumerate() {
            let row = row.map_err(wrong)?;
            let cell = |place: usize| row.get(place).unwrap_or_default();
            let account = Arn::parse(cell(arn)).and_then(|arn| arn.account_id()).ok_or(UsersError::Row(at + 1))?;
            let known = self.users.entry((account, cell(user).to_owned())).or_default();
            known.is_told = true;
            known.reported_keys.clear();
            for ((active, used), made) in [(active_1, used_1), (active_2, used_2)].into_iter().zip(made) {
                let key = AccessKey {
                    ending: String::new(),
                    is_active: cell(active) == "true",
                    created: made.and_then(|made| parse_time(cell(made))),
                    last_used: parse_time(cell(used)),
                };
                if key.is_active || key.created.is_some() {
                    known.reported_keys.push(key);
                }
            }
            let active = known.reported_keys.iter().filter(|key| key.is_active).count();
            known.active_keys = known.active_keys.max(u32::try_from(active).unwrap_or(0));
            // `N/A`, `no_information` and `not_supported` are no times.
            let used = [password, used_1, used_2].into_iter().filter_map(|place| parse_time(cell(place)));
            known.last_used = known.last_used.max(used.max());
        }
        Ok(())
    }

    /// Adds the keys of one account with their last use.
    ///
    /// # Errors
    /// [`UsersError`] with the first thing that is wrong.
    pub fn add_keys(&mut self, json: &str) -> Result<(), UsersError> {
        let value: Value = serde_json::from_str(json).map_err(|error| UsersError::Json(error.to_string()))?;
        let account =
            value.get("Account").and_then(Value::as_str).and_then(AccountId::parse).ok_or(UsersError::Shape)?;
        let keys = value.get("AccessKeys").and_then(Value::as_array).ok_or(UsersError::Shape)?;
        for (at, key) in keys.iter().enumerate() {
            let (Some(user), Some(id)) = (key["UserName"].as_str(), key["AccessKeyId"].as_str()) else {
                return Err(UsersError::Key(at + 1));
            };
            let time = |value: &Value| value.as_str().and_then(parse_time);
            let last_used = key.pointer("/AccessKeyLastUsed/LastUsedDate").and_then(time);
            let known = self.users.entry((account, user.to_owned())).or_default();
            known.last_used = known.last_used.max(last_used);
            let ending: String = id.chars().skip(id.chars().count().saturating_sub(4)).collect();
            let is_active = key["Status"] == "Active";
            known.is_told = true;
            known.keys.insert(AccessKey { ending, is_active, created: time(&key["CreateDate"]), last_used });
        }
        Ok(())
    }
}

/// The bytes that a base64 text stands for; `None` when it is none.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for digit in text.trim().trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        held = (held << 6 | u32::try_from(value).ok()?) & 0xfff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,access_key_1_active,\
        access_key_1_last_used_date,access_key_2_active,access_key_2_last_used_date,cert_1_active";

    fn user<'a>(users: &'a Users, name: &str) -> &'a User {
        &users.users[&(AccountId::parse("012345678901").unwrap(), name.to_owned())]
    }

    /// S7: the words that stand for no time, a quoted name, the root user, and the later of all uses.
    #[test]
    fn a_credential_report_tells_the_last_use() {
        let mut users = Users::default();
        let report = format!(
            "{HEADER}\n<root_account>,arn:aws:iam::012345678901:root,2020-01-01T00:00:00+00:00,not_supported,\
             no_information,false,N/A,false,N/A,false\n\"a,b\",\"arn:aws:iam::012345678901:user/a,b\",\
             2020-01-01T00:00:00+00:00,true,2026-01-01T00:00:00+00:00,true,2026-02-01T00:00:00+00:00,true,N/A,false\n"
        );
        users.add_report(&report).unwrap();
        assert_eq!(*user(&users, "<root_account>"), User { is_told: true, ..User::default() });
        assert_eq!((user(&users, "a,b").last_used, user(&users, "a,b").active_keys), (parse_time("2026-02-01"), 2));
        let keys = r#"{"Account":"012345678901","AccessKeys":[{"UserName":"a,b","AccessKeyId":"AKIAIOSFODNN7EXAMPLE",
            "Status":"Active","CreateDate":"2020-01-01T00:00:00Z",
            "AccessKeyLastUsed":{"LastUsedDate":"2026-03-01T00:00:00Z","ServiceName":"s3","Region":"us-east-1"}}]}"#;
        users.add_keys(keys).unwrap();
        assert_eq!(user(&users, "a,b").last_used, parse_time("2026-03-01"));
        assert_eq!(user(&users, "a,b").keys.first().map(|key| key.ending.as_str()), Some("MPLE"));
    }

    #[test]
    fn the_output_of_the_cli_is_read_as_the_report_in_it() {
        let decoded = |text: &str| from_base64(text).map(|bytes| String::from_utf8(bytes).unwrap());
        for (text, plain) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar"), ("Pz8/", "???")]
        {
            assert_eq!(decoded(text).as_deref(), Some(plain));
        }
        assert_eq!(decoded("Z!=="), None);
        let error = |text: &str| Users::default().add_report(text).unwrap_err();
        assert_eq!(error(r#"{"Content":"YSxiCg=="}"#), UsersError::Column("user"));
        assert_eq!(error("{}"), UsersError::Content);
        assert!(matches!(error("{"), UsersError::Json(_)));
    }

    #[test]
    fn what_tells_nothing_of_users_is_refused() {
        let report = |text: &str| Users::default().add_report(text).unwrap_err();
        assert_eq!(report("a,b\n"), UsersError::Column("user"));
        assert_eq!(report(&format!("{HEADER}\nx,y,,,,,,,,\n")), UsersError::Row(1));
        assert!(matches!(report(&format!("{HEADER}\nx\n")), UsersError::Csv(_)));
        let keys = |text: &str| Users::default().add_keys(text).unwrap_err();
        assert_eq!(keys("{}"), UsersError::Shape);
        assert_eq!(keys(r#"{"Account":"012345678901","AccessKeys":[{}]}"#), UsersError::Key(1));
    }
}
