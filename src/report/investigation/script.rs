//! `contain.sh` and `rollback.sh` of one account, for a person to read and to run.
//!
//! Every word that does not come from this program is quoted, or stands in a comment from which everything but plain
//! characters is taken out (S43). A step that fails does not keep the others from being taken: the script says so at its
//! end and exits with 1.

use crate::finding::investigate::contain::What;

use super::super::escape::{shell_comment as comment, shell_quoted as quoted};
use super::Planned;

/// The policy that ends sessions.
pub(super) const DENY_SESSIONS: &str = "deny-sessions.json";
/// The policy that closes a role or user.
pub(super) const DENY_EVERYTHING: &str = "deny-everything.json";
/// Names of the inline policies that are put.
const SESSIONS_POLICY: &str = "thirdtrail-deny-sessions";
const EVERYTHING_POLICY: &str = "thirdtrail-deny-everything";

/// What a script begins with.
pub(super) struct Head<'a> {
    pub(super) who: &'a str,
    pub(super) account: &'a str,
    pub(super) revoke_before: &'a str,
}

const BEGIN: &str = r#"set -eu
cd "$(dirname -- "$0")"

account=$(aws sts get-caller-identity --query Account --output text)
if [ "$account" != "$wanted" ]; then
  echo "these are credentials of account $account, not of $wanted: nothing was done" >&2
  exit 1
fi

failed=0
# One step: the next ones are taken also when it fails.
try() {
  "$@" || { echo "failed: $*" >&2; failed=1; }
}
"#;

const END: &str = r#"
[ "$failed" = 0 ] || echo "some steps failed, see above" >&2
exit "$failed"
"#;

/// Keeps the trust policy that it replaces, once: a second run does not overwrite it.
const REPLACE_TRUST: &str = r#"
# Role, file: keeps the role's trust policy in trust/FILE.before.json, then replaces it by trust/FILE.json.
replace_trust() {
  if [ ! -e "trust/$2.before.json" ]; then
    aws iam get-role --role-name "$1" --query Role.AssumeRolePolicyDocument --output json \
      > "trust/$2.before.json.part" || return 1
    mv -- "trust/$2.before.json.part" "trust/$2.before.json" || return 1
  fi
  aws iam update-assume-role-policy --role-name "$1" --policy-document "file://trust/$2.json"
}
"#;

const TURN_KEYS_OFF: &str = r#"
# User, ending: turns off the active keys of the user whose ids end so, all where no ending is given, and notes them in
# keys-turned-off.txt.
turn_keys_off() {
  ids=$(aws iam list-access-keys --user-name "$1" --output text \
    --query "AccessKeyMetadata[?Status=='Active' && ends_with(AccessKeyId, '$2')].AccessKeyId") || return 1
  if [ -z "$ids" ] || [ "$ids" = None ]; then
    echo "user $1 has no active key that ends in '$2'" >&2
    return 0
  fi
  for id in $ids; do
    aws iam update-access-key --user-name "$1" --access-key-id "$id" --status Inactive || return 1
    printf '%s %s\n' "$1" "$id" >> keys-turned-off.txt
  done
}
"#;

const TURN_KEYS_ON: &str = r#"
# Turns the keys on again that contain.sh turned off.
turn_keys_on() {
  [ -e keys-turned-off.txt ] || return 0
  ok=0
  while read -r user id; do
    aws iam update-access-key --user-name "$user" --access-key-id "$id" --status Active < /dev/null || ok=1
  done < keys-turned-off.txt
  return "$ok"
}
"#;

const PUT_BACK_TRUST: &str = r#"
# Role, file: puts the trust policy back that contain.sh kept.
put_back_trust() {
  if [ ! -e "trust/$2.before.json" ]; then
    echo "the trust policy of $1 was not kept: contain.sh did not replace it" >&2
    return 0
  fi
  aws iam update-assume-role-policy --role-name "$1" --policy-document "file://trust/$2.before.json"
}
"#;

/// The script that shuts the party out.
pub(super) fn contain(head: &Head<'_>, steps: &[Planned<'_>]) -> String {
    let does = |what: What| steps.iter().any(|one| one.step.what == what);
    let mut out = String::from("#!/bin/sh\n");
    comment(&mut out, &format!("Shuts {} out of account {}.", head.who, head.account));
    comment(&mut out, "Nothing was applied. Read it, then run it as `sh contain.sh` with credentials of this account");
    comment(&mut out, "that may change IAM. `sh rollback.sh` takes it back; keep this folder until then.");
    comment(
        &mut out,
        "Roles serve others too: who uses them is in the report. Steps that break others can be taken out.",
    );
    out.push_str(&format!("wanted={}\n{BEGIN}", quoted(head.account)));
    if does(What::ReplaceTrust) {
        out.push_str(REPLACE_TRUST);
    }
    if does(What::DeactivateKeys) {
        out.push_str(TURN_KEYS_OFF);
    }
    for one in steps {
        out.push('\n');
        comment(&mut out, &format!("{}: {}.", one.step.subject, one.step.why));
        comment(&mut out, &what_it_does(one, head));
        out.push_str(&do_it(one));
        out.push('\n');
    }
    out.push_str(END);
    out
}

/// The script that takes it back.
pub(super) fn rollback(head: &Head<'_>, steps: &[Planned<'_>]) -> String {
    let does = |what: What| steps.iter().any(|one| one.step.what == what);
    let mut out = String::from("#!/bin/sh\n");
    comment(&mut out, &format!("Takes back what contain.sh did to shut {} out of account {}.", head.who, head.account));
    comment(&mut out, "Run it as `sh rollback.sh` in the folder in which contain.sh ran.");
    out.push_str(&format!("wanted={}\n{BEGIN}", quoted(head.account)));
    if does(What::ReplaceTrust) {
        out.push_str(PUT_BACK_TRUST);
    }
    if does(What::DeactivateKeys) {
        out.push_str(TURN_KEYS_ON);
        out.push_str("\ntry turn_keys_on\n");
    }
    for one in steps.iter().rev() {
        let Some(line) = take_back(one) else { continue };
        out.push('\n');
        comment(&mut out, &one.step.subject);
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str(END);
    out
}

fn what_it_does(one: &Planned<'_>, head: &Head<'_>) -> String {
    match (one.step.what, one.step.ending.as_deref()) {
        (What::ReplaceTrust, _) => {
            "Puts a trust policy in place that no longer lets it in; others come in as before.".into()
        }
        (What::CloseRole, _) => "Denies everything to this role, whoever uses it.".into(),
        (What::EndSessions, _) => {
            let before = head.revoke_before;
            format!("Denies everything to all sessions of this role opened before {before}, whoever opened them.")
        }
        (What::DeactivateKeys, Some(ending)) => format!("Turns off the key that ends in {ending}."),
        (What::DeactivateKeys, None) => "Turns off all active keys of this user.".into(),
        (What::CloseUser, _) => "Denies everything to this user, and to sessions that its keys opened.".into(),
    }
}

fn do_it(one: &Planned<'_>) -> String {
    let name = quoted(&one.step.name);
    let put = |of: &str, policy: &str, file: &str| {
        format!("try aws iam put-{of}-policy --{of}-name {name} --policy-name {policy} --policy-document file://{file}")
    };
    match one.step.what {
        What::ReplaceTrust => format!("try replace_trust {name} {}", quoted(&one.stem)),
        What::CloseRole => put("role", EVERYTHING_POLICY, DENY_EVERYTHING),
        What::EndSessions => put("role", SESSIONS_POLICY, DENY_SESSIONS),
        What::DeactivateKeys => {
            format!("try turn_keys_off {name} {}", quoted(one.step.ending.as_deref().unwrap_or_default()))
        }
        What::CloseUser => put("user", EVERYTHING_POLICY, DENY_EVERYTHING),
    }
}

fn take_back(one: &Planned<'_>) -> Option<String> {
    let name = quoted(&one.step.name);
    let delete = |of: &str, policy: &str| {
        Some(format!("try aws iam delete-{of}-policy --{of}-name {name} --policy-name {policy}"))
    };
    match one.step.what {
        What::ReplaceTrust => Some(format!("try put_back_trust {name} {}", quoted(&one.stem))),
        What::CloseRole => delete("role", EVERYTHING_POLICY),
        What::EndSessions => delete("role", SESSIONS_POLICY),
        What::DeactivateKeys => None,
        What::CloseUser => delete("user", EVERYTHING_POLICY),
    }
}
