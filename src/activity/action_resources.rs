//! Which of a record's ARNs are the resources of one action (S35).
//!
//! A record mixes buckets with objects, keys with roles. An ARN belongs to an action when it fits the published
//! template of one of the action's resource types. Whatever is masked, cut off, missing or a pseudo-ARN makes the
//! answer unknown, and unknown is never narrowed.

use super::action_map::ActionMap;
use crate::aws::{Action, Arn, ResourceShape};
use crate::cloudtrail::parameters::Hints;

/// The resources that an action was used on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resources {
    /// Exactly these ARNs, sorted.
    Exact(Vec<String>),
    /// `*`: the action cannot be limited to a resource.
    Any,
    /// The record does not say.
    Unknown,
}

impl ActionMap<'_> {
    /// The resources of `action` among the ARNs of a record.
    ///
    /// `Exact` needs at least one ARN that fits, and one for each resource type that the action requires.
    #[must_use]
    pub fn resources(&self, action: &Action, arns: &[String], hints: Hints) -> Resources {
        let Some(shapes) = self.known.resource_shapes(action) else { return Resources::Unknown };
        if shapes.is_empty() {
            return Resources::Any;
        }
        // Of a copy the parameters name the target, and the source in a header only.
        let hidden = [Hints::MASKED, Hints::TRUNCATED, Hints::UNNAMED, Hints::COPY_SOURCE];
        if hidden.into_iter().any(|hint| hints.contains(hint)) {
            return Resources::Unknown;
        }
        if arns.iter().any(|arn| is_odd(action, arn, &shapes)) {
            return Resources::Unknown;
        }
        let mut exact: Vec<String> = Vec::new();
        for shape in &shapes {
            let before = exact.len();
            if let Some(template) = shape.template {
                exact.extend(arns.iter().filter(|arn| fits(template, arn)).cloned());
            }
            if shape.required && exact.len() == before {
                return Resources::Unknown;
            }
        }
        exact.sort_unstable();
        exact.dedup();
        if exact.is_empty() { Resources::Unknown } else { Resources::Exact(exact) }
    }
}

/// Whether an ARN of the action's own service is none of its resources, as far as is known: an alias, a version, a name
/// that reads as a pattern. Such a call must not hide among others whose resources are known.
///
/// Buckets and their objects come together in every record of S3.
fn is_odd(action: &Action, arn: &str, shapes: &[ResourceShape<'_>]) -> bool {
    let own = Arn::parse(arn).is_some_and(|parsed| parsed.service.eq_ignore_ascii_case(action.service()));
    let sound = action.service().eq_ignore_ascii_case("s3") && arn.contains(":s3:::") && !arn.contains(['*', '?']);
    own && !sound && !shapes.iter().any(|shape| shape.template.is_some_and(|template| fits(template, arn)))
}

/// Whether an ARN has the shape of a template like `arn:${Partition}:s3:::${BucketName}/${ObjectName}`.
///
/// A variable in the middle holds no `:` and no `/`; the last one may hold `/`, unless it is the whole resource (a
/// bucket's name). Region and account may be empty. ARNs with wildcards are pseudo-ARNs and fit nothing.
fn fits(template: &str, arn: &str) -> bool {
    let (Some(wanted), Some(given)) = (Arn::parse(template), Arn::parse(arn)) else { return false };
    if arn.contains(['*', '?']) || given.resource.is_empty() {
        return false;
    }
    let field = |wanted: &str, given: &str| wanted.starts_with("${") || wanted == "*" || wanted == given;
    field(wanted.partition, given.partition)
        && wanted.service == given.service
        && field(wanted.region, given.region)
        && field(wanted.account, given.account)
        && resource_fits(wanted.resource, given.resource)
}

fn resource_fits(template: &str, resource: &str) -> bool {
    let mut rest = resource;
    let mut wanted = template;
    let mut at_start = true;
    while let Some((literal, after)) = wanted.split_once("${") {
        let Some(left) = rest.strip_prefix(literal) else { return false };
        let (_, next) = after.split_once('}').unwrap_or(("", ""));
        let whole = at_start && literal.is_empty() && next.is_empty();
        let last = next.is_empty();
        // The value ends where the next literal begins.
        let end = if last { left.len() } else { left.find([':', '/']).unwrap_or(left.len()) };
        let literal_next = next.split("${").next().unwrap_or("");
        let end = match (last, literal_next) {
            (false, text) if !text.is_empty() => left.find(text).unwrap_or(end),
            _ => end,
        };
        let (value, tail) = left.split_at_checked(end).unwrap_or((left, ""));
        if !value_fits(value, last, whole, literal.ends_with('/')) {
            return false;
        }
        (rest, wanted, at_start) = (tail, next, false);
    }
    rest == wanted
}

fn value_fits(value: &str, last: bool, whole: bool, after_slash: bool) -> bool {
    let colon = value.contains(':') && !(last && after_slash);
    let slash = value.contains('/') && (!last || whole);
    !value.is_empty() && !colon && !slash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_fit_whole_resources_only() {
        let cases = [
            ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::a/b", false),
            ("arn:${Partition}:s3:::${BucketName}/${ObjectName}", "arn:aws:s3:::a", false),
            (
                "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}",
                "arn:aws:logs:r:1:log-group:/aws/x",
                true,
            ),
            (
                "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}",
                "arn:aws:logs:r:1:log-group:x:log-stream:y",
                false,
            ),
            (
                "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}",
                "arn:aws:lambda:r:1:function:f:1",
                false,
            ),
            ("arn:${Partition}:x:::a-${B}-c/${D}", "arn:aws:x:::a-b-c/d/e", true),
            ("arn:${Partition}:x:::a", "arn:aws:x:::a", true),
            ("arn:${Partition}:x:::a", "arn:aws:x:::ab", false),
        ];
        for (template, arn, expected) in cases {
            assert_eq!(fits(template, arn), expected, "{template} {arn}");
        }
    }
}
