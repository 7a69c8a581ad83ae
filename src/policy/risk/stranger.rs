//! A resource that no policy names, and what is certain about a request for it.
//!
//! A pattern that matches such a resource matches without having been meant for it: by a wildcard that stands for the
//! whole type. The request is one that the role's session makes itself, at a moment of its choosing; what nothing tells of it
//! stays unknown.

use std::collections::BTreeSet;

use super::reach::Standing;
use crate::policy::context::Context;
use crate::policy::evaluate::NamedPolicy;
use crate::policy::pattern::Pattern;
use crate::policy::statement::ResourceMatch;

/// A name that nothing has.
pub(super) const NOBODY: &str = "thirdtrail-probe-7f3a9c";
/// A Region that is none: what is allowed there is allowed in every Region.
const NOWHERE: &str = "xx-nowhere-1";
/// Regions asked about; further ones that policies name are not.
pub const REGIONS_ASKED: usize = 20;

/// One Region that is asked about.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its name; `None` stands for all.
    pub(super) region: Option<String>,
    /// What is known of requests there.
    pub(super) context: Context,
}

/// All Regions at once, then those that the policies name.
pub(super) fn places<'a>(standing: &Standing<'_>, policies: impl Iterator<Item = &'a NamedPolicy<'a>>) -> Vec<Place> {
    let (mut regions, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for statement in policies.flat_map(|policy| &policy.document.statements) {
        if let ResourceMatch::Resource(patterns) | ResourceMatch::NotResource(patterns) = &statement.resources {
            regions.extend(patterns.iter().filter_map(|pattern| pattern.split(':').nth(3)).map(made_plain));
            keys.extend(patterns.iter().flat_map(|pattern| variables(pattern)));
        }
        for block in &statement.conditions {
            let key = block.key.to_ascii_lowercase();
            if key == "aws:requestedregion" {
                regions.extend(block.values.iter().map(|value| made_plain(value)));
            }
            keys.insert(key);
        }
    }
    regions.retain(|region| !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let named = regions.into_iter().take(REGIONS_ASKED).map(Some);
    let place = |region: Option<String>| {
        let context = context(standing, &keys, region.as_deref().unwrap_or(NOWHERE));
        Place { region, context }
    };
    std::iter::once(None).chain(named).map(place).collect()
}

/// A text that a pattern matches.
fn made_plain(pattern: &str) -> String {
    pattern.replace(['*', '?'], "x")
}

fn variables(pattern: &str) -> impl Iterator<Item = String> {
    let bodies = pattern.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
    bodies.map(|(body, _)| body.split(',').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// What is certain of a request by the role's session for a resource without tags, made by itself and not through a
/// service. Keys that are not mentioned anywhere need no value.
fn context(standing: &Standing<'_>, keys: &BTreeSet<String>, region: &str) -> Context {
    let mut context = Context::partial();
    for key in keys {
        context = match known(standing, key, region) {
            Known::Absent => context.without(key),
            Known::Value(value) => context.with(key, [value]),
            Known::Nothing => context,
        };
    }
    context
}

enum Known {
    Absent,
    Value(String),
    Nothing,
}

/// `key` is in lower case.
fn known(standing: &Standing<'_>, key: &str, region: &str) -> Known {
    let value = |text: &str| Known::Value(text.to_owned());
    // Tags of the resource: a stranger has none.
    if ["resourcetag/", "existingobjecttag/", "-tag/"].iter().any(|part| key.contains(part)) {
        return Known::Absent;
    }
    if let Some(tag) = key.strip_prefix("aws:principaltag/") {
        let Some(tags) = standing.tags else { return Known::Nothing };
        let own = tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag));
        return own.map_or(Known::Absent, |(_, text)| value(text));
    }
    match key {
        "aws:requestedregion" => value(region),
        "aws:resourceaccount" | "aws:principalaccount" | "kms:calleraccount" | "s3:resourceaccount" => {
            value(standing.account)
        }
        "aws:principalarn" => value(standing.arn),
        "aws:principaltype" => value("AssumedRole"),
        "aws:securetransport" => value("true"),
        "aws:viaawsservice" | "aws:principalisawsservice" | "kms:grantisforawsresource" => value("false"),
        "iam:policyarn" => Known::Value(format!("arn:{}:iam::aws:policy/AdministratorAccess", standing.partition)),
        "secretsmanager:secretid" => value(NOBODY),
        // Made through another service, by a service, for a service-linked role, or about one known thing.
        "kms:viaservice"
        | "aws:calledvia"
        | "aws:calledviafirst"
        | "aws:calledvialast"
        | "aws:sourcearn"
        | "aws:sourceaccount"
        | "aws:username"
        | "iam:awsservicename"
        | "iam:permissionsboundary"
        | "kms:resourcealiases"
        | "kms:requestalias"
        | "s3:dataaccesspointarn"
        | "s3:dataaccesspointaccount" => Known::Absent,
        _ if key.starts_with("kms:encryptioncontext") => Known::Absent,
        _ => Known::Nothing,
    }
}

/// The ARN of a stranger of the type that a template such as `arn:${Partition}:s3:::${BucketName}` stands for.
pub(super) fn resource(template: &str, standing: &Standing<'_>, region: Option<&str>) -> String {
    filled(template, |variable| match variable {
        "Partition" => standing.partition,
        "Account" => standing.account,
        "Region" => region.unwrap_or(NOWHERE),
        _ => NOBODY,
    })
}

fn filled<'a>(template: &str, value: impl Fn(&str) -> &'a str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, opened)) = rest.split_once("${") {
        let Some((variable, after)) = opened.split_once('}') else { break };
        out.push_str(before);
        out.push_str(value(variable));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A resource that a pattern of a policy means, if it is of the template's type: its wildcards replaced by what a
/// stranger has there.
pub(super) fn meant_by(pattern: &str, template: &str, standing: &Standing<'_>, region: Option<&str>) -> Option<String> {
    let stranger = resource(template, standing, region);
    let mut parts: Vec<String> = Vec::new();
    let segments = pattern.splitn(6, ':').zip(stranger.splitn(6, ':'));
    for (number, (written, strange)) in segments.enumerate() {
        let wild = written.contains(['*', '?']);
        let strange = (wild && Pattern::new(written).matches(strange)).then(|| strange.to_owned());
        parts.push(match strange {
            Some(strange) => strange,
            None if number == 5 => written.replace('*', NOBODY).replace('?', "x"),
            None => made_plain(written),
        });
    }
    let meant = parts.join(":");
    let kind = filled(template, |_| "*");
    let is_protected = meant.contains(":role/aws-service-role/");
    (parts.len() == 6 && !is_protected && Pattern::new(&kind).matches_resource(&meant)).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDING: Standing<'_> = Standing {
        arn: "arn:aws:iam::111122223333:role/R",
        account: "111122223333",
        partition: "aws",
        boundary: None,
        tags: None,
        held: &[],
        doubt: false,
    };

    /// S31: what a pattern with wildcards means is a resource of the action's type, or nothing.
    #[test]
    fn patterns_mean_resources_of_a_type() {
        let role = "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}";
        let meant = |pattern: &str| meant_by(pattern, role, &STANDING, None);
        let probe = format!("arn:aws:iam::111122223333:role/x-{NOBODY}");
        assert_eq!(meant("arn:*:iam::*:role/x-*"), Some(probe));
        assert_eq!(meant("arn:aws:iam::444455556666:role/x").as_deref(), Some("arn:aws:iam::444455556666:role/x"));
        assert_eq!(meant("arn:aws:iam::*:user/x"), None);
        assert_eq!(meant("arn:aws:iam::*:role/aws-service-role/x*"), None, "only AWS changes such a role");
        assert_eq!(resource(role, &STANDING, None), format!("arn:aws:iam::111122223333:role/{NOBODY}"));
    }
}
