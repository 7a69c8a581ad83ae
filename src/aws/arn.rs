//! An ARN in its six parts, borrowed views only: the text itself stays what it was.

use super::AccountId;

/// The text of a well-formed ARN, `arn:partition:service:region:account:resource`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Arn<'a> {
    /// The whole text.
    pub text: &'a str,
    /// `aws`, `aws-cn`, `aws-us-gov`, ...
    pub partition: &'a str,
    /// `iam`, `s3`, ...
    pub service: &'a str,
    /// Empty for global services.
    pub region: &'a str,
    /// Twelve digits, `aws`, or empty.
    pub account: &'a str,
    /// Everything after the fifth colon; may hold colons itself.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits the six parts; `None` when there are fewer or it does not begin with `arn:`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        Some(Self {
            text,
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// The account part, when it is an account id.
    #[must_use]
    pub fn account_id(&self) -> Option<AccountId> {
        AccountId::parse(self.account)
    }

    /// The name of an IAM role, without its path: `arn:aws:iam::1:role/path/Name` gives `Name`.
    #[must_use]
    pub fn role_name(&self) -> Option<&'a str> {
        if self.service != "iam" {
            return None;
        }
        self.resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next())
    }

    /// Role name and session name of `arn:aws:sts::1:assumed-role/Name/session`.
    ///
    /// These ARNs drop the role's path (S19), so only the name can be compared.
    #[must_use]
    pub fn assumed_role(&self) -> Option<(&'a str, &'a str)> {
        if self.service != "sts" {
            return None;
        }
        self.resource.strip_prefix("assumed-role/")?.split_once('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S19: assumed-role ARNs drop the role's path.
    #[test]
    fn role_names_come_without_path() {
        let arn = Arn::parse("arn:aws-us-gov:iam::012345678901:role/vendors/eu/Audit").unwrap();
        assert_eq!(arn.role_name(), Some("Audit"));
        assert_eq!(arn.account_id().unwrap().as_str(), "012345678901");
        let session = Arn::parse("arn:aws:sts::012345678901:assumed-role/Audit/nightly").unwrap();
        assert_eq!(session.assumed_role(), Some(("Audit", "nightly")));
    }

    #[test]
    fn colons_in_the_resource_stay() {
        let arn = Arn::parse("arn:aws:logs:eu-west-1:111122223333:log-group:a:*").unwrap();
        assert_eq!(arn.resource, "log-group:a:*");
        assert_eq!(Arn::parse("arn:aws:s3"), None);
        assert_eq!(Arn::parse("AROAEXAMPLE"), None);
    }
}
