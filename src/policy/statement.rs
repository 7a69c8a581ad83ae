//! One statement of a policy document: its effect, and what it matches.
//!
//! Every shape that IAM accepts is read (one string or a list, everywhere), and the statement's JSON is kept as it was, so
//! that what is not edited is written back unchanged. Grammar: IAM User Guide, "Grammar of the IAM JSON policy language".

use serde_json::{Map, Value};

use super::document::DocumentError;

/// Whether a statement gives or takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// Gives.
    Allow,
    /// Takes, whatever any other statement gives.
    Deny,
}

/// The actions that a statement is about; patterns as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ActionMatch {
    /// Actions that match one of the patterns.
    Action(Vec<String>),
    /// Actions that match none of the patterns.
    NotAction(Vec<String>),
}

/// The resources that a statement is about; patterns as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResourceMatch {
    /// Resources that match one of the patterns.
    Resource(Vec<String>),
    /// Resources that match none of the patterns.
    NotResource(Vec<String>),
    /// No element: a trust policy, whose resource is the role that it belongs to.
    None,
}

/// The names in a `Principal` element, by kind.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Principals {
    /// The element was the string `"*"`.
    pub anyone: bool,
    /// `AWS`: account ids, ARNs, `*`, or the unique ids of deleted principals.
    pub aws: Vec<String>,
    /// `Federated`: provider ARNs or names.
    pub federated: Vec<String>,
    /// `Service`: service principals.
    pub service: Vec<String>,
    /// `CanonicalUser`: S3's account ids.
    pub canonical_user: Vec<String>,
}

/// The principals that a statement is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrincipalMatch {
    /// Those named.
    Principal(Principals),
    /// All but those named.
    NotPrincipal(Principals),
    /// No element: an identity policy, whose principal is its holder.
    None,
}

/// One operator applied to one key; a statement holds only where all of its blocks hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConditionBlock {
    /// As written, for example `ForAnyValue:StringLikeIfExists`.
    pub operator: String,
    /// As written, for example `aws:SourceIp`.
    pub key: String,
    /// Any of these satisfies a positive operator; numbers and booleans as their JSON text.
    pub values: Vec<String>,
}

/// One parsed statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// Position in the document, from 0.
    pub index: usize,
    /// The statement's id, if it has one that is not empty.
    pub sid: Option<String>,
    /// Gives or takes.
    pub effect: Effect,
    /// About which actions.
    pub actions: ActionMatch,
    /// About which resources.
    pub resources: ResourceMatch,
    /// About which principals.
    pub principals: PrincipalMatch,
    /// Under which conditions; all must hold.
    pub conditions: Vec<ConditionBlock>,
    /// The JSON as read.
    pub raw: Value,
}

impl Statement {
    /// Reads one statement.
    ///
    /// # Errors
    /// What is missing, given twice or of a wrong type, with the statement's number (from 1).
    pub fn parse(index: usize, raw: &Value) -> Result<Self, DocumentError> {
        let wrong = |what: &str| DocumentError::Statement { number: index + 1, what: what.to_owned() };
        let object = raw.as_object().ok_or_else(|| wrong("is not an object"))?;
        let effect = match object.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(wrong("has no `Effect` of `Allow` or `Deny`")),
        };
        let actions = match either(object, "Action", "NotAction").map_err(|what| wrong(&what))? {
            Either::First(patterns) => ActionMatch::Action(patterns),
            Either::Second(patterns) => ActionMatch::NotAction(patterns),
            Either::Neither => return Err(wrong("has neither `Action` nor `NotAction`")),
        };
        let resources = match either(object, "Resource", "NotResource").map_err(|what| wrong(&what))? {
            Either::First(patterns) => ResourceMatch::Resource(patterns),
            Either::Second(patterns) => ResourceMatch::NotResource(patterns),
            Either::Neither => ResourceMatch::None,
        };
        Ok(Self {
            index,
            sid: object.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty()).map(str::to_owned),
            effect,
            actions,
            resources,
            principals: principals(object).map_err(|what| wrong(&what))?,
            conditions: conditions(object).map_err(|what| wrong(&what))?,
            raw: raw.clone(),
        })
    }

    /// The name used in reports: the `Sid`, or `#1` for the first statement. A `Sid` that tells the external id which the
    /// statement demands is none (S42).
    #[must_use]
    pub fn label(&self) -> String {
        let asked = self.conditions.iter().filter(|block| block.key.eq_ignore_ascii_case("sts:ExternalId"));
        let ids: Vec<&String> = asked.flat_map(|block| &block.values).filter(|id| !id.is_empty()).collect();
        let harmless = self.sid.as_ref().filter(|sid| ids.iter().all(|id| !sid.contains(id.as_str())));
        harmless.cloned().unwrap_or_else(|| format!("#{}", self.index + 1))
    }
}

enum Either {
    First(Vec<String>),
    Second(Vec<String>),
    Neither,
}

fn either(object: &Map<String, Value>, first: &str, second: &str) -> Result<Either, String> {
    match (object.get(first), object.get(second)) {
        (Some(_), Some(_)) => Err(format!("has both `{first}` and `{second}`")),
        (Some(value), None) => strings(value, first).map(Either::First),
        (None, Some(value)) => strings(value, second).map(Either::Second),
        (None, None) => Ok(Either::Neither),
    }
}

/// One string or a list of strings.
fn strings(value: &Value, name: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("has a `{name}` that is neither a string nor a list of strings");
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect::<Result<_, _>>()
        }
        _ => Err(wrong()),
    }
}

fn principals(object: &Map<String, Value>) -> Result<PrincipalMatch, String> {
    match (object.get("Principal"), object.get("NotPrincipal")) {
        (Some(_), Some(_)) => Err("has both `Principal` and `NotPrincipal`".to_owned()),
        (Some(value), None) => named_principals(value, "Principal").map(PrincipalMatch::Principal),
        (None, Some(value)) => named_principals(value, "NotPrincipal").map(PrincipalMatch::NotPrincipal),
        (None, None) => Ok(PrincipalMatch::None),
    }
}

fn named_principals(value: &Value, element: &str) -> Result<Principals, String> {
    let mut found = Principals::default();
    match value {
        Value::String(text) if text == "*" => found.anyone = true,
        Value::Object(kinds) => {
            for (kind, names) in kinds {
                let names = strings(names, element)?;
                match kind.as_str() {
                    "AWS" => found.aws = names,
                    "Federated" => found.federated = names,
                    "Service" => found.service = names,
                    "CanonicalUser" => found.canonical_user = names,
                    _ => return Err(format!("has a `{element}` of unknown kind `{kind}`")),
                }
            }
        }
        _ => return Err(format!("has a `{element}` that is neither `\"*\"` nor an object")),
    }
    Ok(found)
}

fn conditions(object: &Map<String, Value>) -> Result<Vec<ConditionBlock>, String> {
    let Some(value) = object.get("Condition") else { return Ok(Vec::new()) };
    let operators = value.as_object().ok_or("has a `Condition` that is not an object")?;
    let mut blocks = Vec::new();
    for (operator, keys) in operators {
        let keys = keys.as_object().ok_or_else(|| format!("has a condition `{operator}` that is not an object"))?;
        for (key, values) in keys {
            let values = condition_values(values)
                .ok_or_else(|| format!("has a condition on `{key}` whose values are not plain"))?;
            blocks.push(ConditionBlock { operator: operator.clone(), key: key.clone(), values });
        }
    }
    Ok(blocks)
}

fn condition_values(value: &Value) -> Option<Vec<String>> {
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        single => plain(single).map(|text| vec![text]),
    }
}
