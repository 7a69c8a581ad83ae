//! The table of the linter's rules: code, severity, and what to do; docs/LINT.md explains each.
//!
//! A code is never renamed, because scripts rely on it; a severity may be raised or lowered, and CHANGELOG.md says so.

use super::{Rule, Severity};

macro_rules! rules {
    ($($name:ident = $code:literal, $severity:ident, $help:literal;)*) => {
        $(pub(super) const $name: Rule = Rule { code: $code, severity: Severity::$severity, help: $help };)*
        /// Every rule, in the order of docs/LINT.md.
        pub const RULES: &[Rule] = &[$($name),*];
    };
}

rules! {
    NOT_JSON = "not-json", Error, "mend the text there; a comma, a quote or a bracket is the usual reason";
    NOT_A_POLICY = "not-a-policy", Error, "give an object with `Version` and a list `Statement` of objects";
    WRONG_TYPE = "wrong-type", Error, "write it in the form that the IAM policy grammar gives";
    DUPLICATE_KEY = "duplicate-key", Error, "join the values under one key; only the last one would count";
    UNKNOWN_KEY = "unknown-key", Error, "correct its spelling or take it out; AWS refuses keys that it does not know";
    MISSING_VERSION = "missing-version", Warning, "add `\"Version\": \"2012-10-17\"`; without it the language of 2008 holds";
    OLD_VERSION = "old-version", Advice, "write `2012-10-17`, which knows everything that IAM can do";
    UNKNOWN_VERSION = "unknown-version", Error, "write `2012-10-17`; the version is not the date of your change";
    VARIABLE_IN_OLD_VERSION = "variable-in-old-version", Error, "write version `2012-10-17`; here `${` is literal text";
    EMPTY_LIST = "empty-list", Warning, "fill the list or take the statement out";
    DUPLICATE_SID = "duplicate-sid", Error, "give each statement a Sid of its own";
    BAD_SID = "bad-sid", Error, "use the letters A-Z and a-z and the digits 0-9 only";
    REPEATED_STATEMENT = "repeated-statement", Warning, "take one of them out; the second changes nothing";
    TOO_LARGE = "too-large", Error, "split it over several policies";
    TOO_LARGE_FOR_MANAGED = "too-large-for-managed", Warning, "split it, or keep it inline, where all policies share 10,240";
    TOO_LARGE_FOR_TRUST = "too-large-for-trust", Warning, "shorten it, or ask AWS for the quota of 4,096 characters";
    RESOURCE_POLICY = "resource-policy", Advice, "nothing to do if it is one; a policy of a user, group or role takes no `Principal`";
    MISSING_PRINCIPAL = "missing-principal", Warning, "name a principal in every statement of a trust or resource policy";
    BAD_EFFECT = "bad-effect", Error, "write `Allow` or `Deny`, in this case";
    MISSING_ACTION = "missing-action", Error, "say which actions the statement is about";
    MISSING_RESOURCE = "missing-resource", Error, "add `Resource`; an identity policy needs it in every statement";
    BOTH_ELEMENTS = "both-elements", Error, "keep one of the two";
    ACTION_WITHOUT_COLON = "action-without-colon", Error, "write `service:Action`, or `*` for all";
    WILDCARD_SERVICE_PREFIX = "wildcard-service-prefix", Warning, "write each service's prefix out";
    UNKNOWN_ACTION = "unknown-action", Warning, "check its spelling; a new action may be missing in this version's catalog";
    NOT_ACTION_ALLOW = "not-action-allow", Warning, "list what is allowed; this allows every action that is not named, new ones too";
    NOT_RESOURCE_ALLOW = "not-resource-allow", Warning, "list what is allowed; this allows every resource that is not named";
    NOT_PRINCIPAL_ALLOW = "not-principal-allow", Warning, "name whom you let in; this lets in everybody else, strangers too";
    MALFORMED_ARN = "malformed-arn", Error, "write `arn:partition:service:region:account:resource`";
    SHORT_ARN = "short-arn", Warning, "write all six segments; what the last star covers is easily misread";
    WILDCARD_SERVICE = "wildcard-service", Error, "name the service; its segment takes no wildcard";
    UNKNOWN_PARTITION = "unknown-partition", Advice, "use `aws`, `aws-cn` or `aws-us-gov`, unless you know better";
    BAD_ACCOUNT = "bad-account", Error, "write all twelve digits, leading zeros too";
    MALFORMED_PRINCIPAL = "malformed-principal", Error, "give an account, an ARN, a service's name, or `*`";
    WILDCARD_PRINCIPAL = "wildcard-principal", Error, "name the principal whole, or use `*` with a condition on `aws:PrincipalArn`";
    UNKNOWN_OPERATOR = "unknown-operator", Error, "use an operator of the IAM User Guide's list";
    NOT_A_NUMBER = "not-a-number", Error, "write a number";
    NOT_A_DATE = "not-a-date", Error, "write a date like `2026-05-01T00:00:00Z`, or seconds since 1970";
    NOT_A_NETWORK = "not-a-network", Error, "write an address or a range like `192.0.2.0/24`";
    NOT_A_BOOL = "not-a-bool", Error, "write `true` or `false`";
    WILDCARD_WITHOUT_LIKE = "wildcard-without-like", Warning, "use the `Like` form of the operator, if a wildcard is meant";
    FOR_ALL_VALUES_ALLOW = "for-all-values-allow", Warning, "demand the key, too: `Null` with the value `false`";
}
