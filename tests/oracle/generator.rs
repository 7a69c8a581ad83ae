//! Cases biased to match: policies are made from the request that they are tried on, and then turned a little.
//!
//! A pattern is the request's own action or ARN with parts widened, cut or missed by one character; a condition asks for
//! the value that the request has, or for its neighbour. So most cases are one small step away from another decision.

use serde_json::{Map, Value, json};

use super::draw::Draw;
use super::vocabulary::{ACCOUNT, KEYS, Key, Kind, SERVICES};

/// One request, the policies of its principal, and perhaps a boundary.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) policies: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) action: String,
    pub(crate) resource: String,
    /// A key has one value, or a list of any length but one: ours does not tell a list of one from its value.
    pub(crate) context: Map<String, Value>,
}

impl Case {
    pub(crate) fn draw(draw: &mut Draw) -> Self {
        let service = draw.pick(&SERVICES);
        let action = draw.pick(service.actions);
        let action = if draw.percent(10) { draw.recased(action) } else { (*action).to_owned() };
        let foreign = draw.percent(5);
        let home = if foreign { draw.pick(&SERVICES) } else { service };
        let resource = *draw.pick(home.resources);
        let keys: Vec<&Key> = (0..2 + draw.below(3)).map(|_| draw.pick(&KEYS)).collect();
        let mut case = Self {
            policies: Vec::new(),
            boundary: None,
            action,
            resource: resource.to_owned(),
            context: context(draw, &keys),
        };
        for number in 0..1 + draw.weighted(&[45, 30, 15, 10]) {
            let policy = case.document(draw, &keys, number == 0);
            case.policies.push(policy);
        }
        if draw.percent(15) {
            case.boundary = Some(case.document(draw, &keys, true));
        }
        case
    }

    /// What the evaluator is asked.
    pub(crate) fn simulation(&self) -> Value {
        let named = |policy: &Value| json!({"name": "p", "policy": policy});
        let mut out = json!({
            "request": {
                "principal": format!("arn:aws:iam::{ACCOUNT}:role/vendor"),
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": ACCOUNT},
                "contextVariables": self.context,
            },
            "identityPolicies": self.policies.iter().map(named).collect::<Vec<_>>(),
            "serviceControlPolicies": [],
            "resourceControlPolicies": [],
        });
        if let Some(boundary) = &self.boundary {
            out["permissionBoundaryPolicies"] = json!([named(boundary)]);
        }
        out
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = &Value> {
        self.policies.iter().chain(&self.boundary)
    }

    fn document(&self, draw: &mut Draw, keys: &[&Key], leading: bool) -> Value {
        let mut statements: Vec<Value> = (0..1 + draw.weighted(&[50, 35, 15]))
            .map(|number| self.statement(draw, keys, leading && number == 0))
            .collect();
        let statements = match statements.len() {
            1 if draw.percent(30) => statements.remove(0),
            _ => Value::from(statements),
        };
        match draw.weighted(&[94, 3, 3]) {
            0 => json!({"Version": "2012-10-17", "Statement": statements}),
            1 => json!({"Version": "2008-10-17", "Statement": statements}),
            _ => json!({"Statement": statements}),
        }
    }

    /// A leading statement allows and mostly fits, so that something is allowed at all.
    fn statement(&self, draw: &mut Draw, keys: &[&Key], leading: bool) -> Value {
        let mut out = Map::new();
        if draw.percent(20) {
            out.insert("Sid".to_owned(), "Some".into());
        }
        let allows = if leading { draw.percent(97) } else { draw.percent(45) };
        out.insert("Effect".to_owned(), if allows { "Allow" } else { "Deny" }.into());
        let fits = if leading { 93 } else { 70 };
        let not_action = draw.percent(12);
        let fit = draw.percent(fits) != not_action;
        let actions = one_or_list(draw, |draw, first| action_pattern(draw, &self.action, first && fit));
        out.insert(if not_action { "NotAction" } else { "Action" }.to_owned(), actions);
        let not_resource = draw.percent(12);
        let fit = draw.percent(fits) != not_resource;
        let resources = one_or_list(draw, |draw, first| resource_pattern(draw, self, first && fit));
        out.insert(if not_resource { "NotResource" } else { "Resource" }.to_owned(), resources);
        if draw.percent(if leading { 40 } else { 60 }) {
            out.insert("Condition".to_owned(), self.condition(draw, keys));
        }
        Value::Object(out)
    }

    fn condition(&self, draw: &mut Draw, keys: &[&Key]) -> Value {
        let mut operators = Map::new();
        for _ in 0..1 + draw.weighted(&[65, 25, 10]) {
            let key = *draw.pick(keys);
            let given =
                self.context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key.name)).map(|(_, value)| value);
            let operator = operator(draw, key.kind);
            let values = if operator.starts_with("Null") {
                Value::from(if draw.percent(50) { "true" } else { "false" })
            } else {
                one_or_list(draw, |draw, _| wanted(draw, key, given))
            };
            let name = if draw.percent(12) { draw.recased(key.name) } else { key.name.to_owned() };
            if let Value::Object(keys) = operators.entry(operator).or_insert_with(|| json!({})) {
                keys.insert(name, values);
            }
        }
        Value::Object(operators)
    }
}

fn context(draw: &mut Draw, keys: &[&Key]) -> Map<String, Value> {
    let mut out = Map::new();
    for key in keys.iter().copied().chain(KEYS.iter().take(1)) {
        if draw.percent(20) {
            continue;
        }
        let name = if draw.percent(8) { draw.recased(key.name) } else { key.name.to_owned() };
        if out.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
            continue;
        }
        let value = if key.kind.is_many() && draw.percent(65) {
            let mut values: Vec<&str> = key.given.iter().copied().filter(|_| draw.percent(55)).collect();
            if values.len() == 1 {
                values.push("other");
            }
            Value::from(values)
        } else {
            Value::from(*draw.pick(key.given))
        };
        out.insert(name, value);
    }
    out
}

/// One pattern, or a list whose first is the one that should fit.
fn one_or_list(draw: &mut Draw, mut one: impl FnMut(&mut Draw, bool) -> Value) -> Value {
    let first = one(draw, true);
    if draw.percent(55) {
        return first;
    }
    let mut all = vec![first];
    for _ in 0..draw.below(3) {
        let at = draw.below(all.len() + 1);
        let more = one(draw, false);
        all.insert(at, more);
    }
    Value::from(all)
}

fn action_pattern(draw: &mut Draw, action: &str, fits: bool) -> Value {
    let (service, name) = action.split_once(':').unwrap_or((action, ""));
    if !fits {
        let elsewhere = draw.pick(&SERVICES);
        let other = *draw.pick(elsewhere.actions);
        return Value::from(match draw.below(6) {
            0 => draw.missed(action),
            1 => format!("{service}:{}*", draw.missed(name)),
            2 => other.to_owned(),
            3 => format!("{}:*", other.split(':').next().unwrap_or_default()),
            4 => format!("{service}:*{}?", &name[name.len() / 2..]),
            _ => format!("{service}:?{name}"),
        });
    }
    let cut = draw.below(name.len() + 1);
    let (head, tail) = name.split_at(cut);
    Value::from(match draw.weighted(&[20, 12, 18, 12, 10, 10, 4, 6, 1, 1]) {
        0 => action.to_owned(),
        1 => draw.recased(action),
        2 => format!("{service}:{head}*"),
        3 => format!("{service}:*{tail}"),
        4 => format!("{}:*", draw.recased(service)),
        5 if !tail.is_empty() => format!("{service}:{head}?{}", &tail[1..]),
        5 | 6 => "*".to_owned(),
        7 => format!("{service}:{head}**{tail}"),
        8 => "**".to_owned(),
        _ => format!("{}*:{head}*", &service[..1]),
    })
}

fn resource_pattern(draw: &mut Draw, case: &Case, fits: bool) -> Value {
    let resource = case.resource.as_str();
    if !fits {
        let elsewhere = draw.pick(&SERVICES);
        let other = *draw.pick(elsewhere.resources);
        return Value::from(match draw.below(5) {
            0 => format!("arn:{}", draw.missed(resource.trim_start_matches("arn:"))),
            1 => format!("{resource}?"),
            2 => other.to_owned(),
            3 => format!("{resource}/*"),
            _ => with_variable(draw, resource),
        });
    }
    Value::from(match draw.weighted(&[14, 14, 22, 14, 12, 10, 6, 2, 1, 1, 1, 1]) {
        0 => resource.to_owned(),
        1 => "*".to_owned(),
        2 => widened(draw, resource),
        3 => {
            let once = widened(draw, resource);
            widened(draw, &once)
        }
        4 => questioned(draw, resource),
        5 => with_variable(draw, resource),
        6 => escaped(resource),
        7 => "arn:*:*:*:*:*".to_owned(),
        8 => truncated(draw, resource),
        9 => recased_head(draw, resource),
        10 => "**".to_owned(),
        _ => resource.replacen("111122223333", "${aws:PrincipalAccount}", 1),
    })
}

/// The resource with a star for one segment, for its end, or for a piece of its last segment.
fn widened(draw: &mut Draw, resource: &str) -> String {
    let mut segments: Vec<String> = resource.splitn(6, ':').map(str::to_owned).collect();
    let last = segments.len() - 1;
    let at = if last > 0 && draw.percent(45) { 1 + draw.below(last) } else { last };
    let segment: Vec<char> = segments[at].chars().collect();
    if segment.contains(&'$') {
        return resource.to_owned();
    }
    let (mut from, mut to) = (draw.below(segment.len() + 1), draw.below(segment.len() + 1));
    if from > to {
        std::mem::swap(&mut from, &mut to);
    }
    // What stands before the first slash or colon of the last segment names the type; it is seldom touched.
    let kind = segment.iter().position(|character| "/:".contains(*character)).map_or(0, |at| at + 1);
    if at == last && from < kind && kind < segment.len() && !draw.percent(4) {
        (from, to) = (kind, to.max(kind));
    }
    if at < last && !draw.percent(40) {
        // A star inside the segment; one at its end may go on beyond the colon.
        to = to.min(segment.len().saturating_sub(1));
        from = from.min(to);
    }
    let piece = |range: &[char]| range.iter().collect::<String>();
    segments[at] = format!("{}*{}", piece(&segment[..from]), piece(&segment[to..]));
    segments.join(":")
}

fn questioned(draw: &mut Draw, resource: &str) -> String {
    let characters: Vec<char> = resource.chars().collect();
    let at = characters.len() - 1 - draw.below(characters.len() / 3);
    let kept = |character: char| "/:$".contains(character);
    characters.iter().enumerate().map(|(i, one)| if i == at && !kept(*one) { '?' } else { *one }).collect()
}

fn with_variable(draw: &mut Draw, resource: &str) -> String {
    let Some((head, tail)) = resource.split_once("/") else { return resource.to_owned() };
    let rest = tail.split_once('/').map_or("", |(_, rest)| rest);
    let variable = *draw.pick(&["${aws:username}", "${aws:PrincipalTag/team, 'alice'}", "${AWS:UserName}"]);
    match rest {
        "" => format!("{head}/{variable}"),
        rest => format!("{head}/{variable}/{}", if draw.percent(50) { "*" } else { rest }),
    }
}

/// Special characters of the ARN as the variables that stand for them.
fn escaped(resource: &str) -> String {
    resource.replace('$', "${$}").replace('?', "${?}")
}

fn truncated(draw: &mut Draw, resource: &str) -> String {
    let segments: Vec<&str> = resource.split(':').collect();
    let kept = segments[..3 + draw.below(2)].join(":");
    match draw.below(3) {
        0 => kept,
        1 => format!("{kept}:*"),
        _ => format!("{kept}*"),
    }
}

fn recased_head(draw: &mut Draw, resource: &str) -> String {
    let segments: Vec<&str> = resource.splitn(4, ':').collect();
    let service = draw.recased(segments[2]);
    ["arn", segments[1], &service, segments[3]].join(":")
}

fn operator(draw: &mut Draw, kind: Kind) -> String {
    if draw.percent(8) {
        return "Null".to_owned();
    }
    let name = *draw.pick(kind.operators());
    let quantified = if kind.is_many() { 92 } else { 6 };
    let quantifier = match draw.percent(quantified) {
        true if draw.percent(50) => "ForAllValues:",
        true => "ForAnyValue:",
        false => "",
    };
    format!("{quantifier}{name}{}", if draw.percent(25) { "IfExists" } else { "" })
}

/// What a policy asks of a key whose value in the request is `given`.
fn wanted(draw: &mut Draw, key: &Key, given: Option<&Value>) -> Value {
    let own = match given {
        Some(Value::Array(values)) if !values.is_empty() => draw.pick(values).as_str(),
        Some(Value::String(value)) => Some(value.as_str()),
        _ => None,
    };
    let own = own.unwrap_or_else(|| *draw.pick(key.given));
    let text = match draw.weighted(&[45, 25, 15, 15]) {
        0 => own.to_owned(),
        1 => (*draw.pick(key.wanted)).to_owned(),
        2 => (*draw.pick(key.given)).to_owned(),
        _ => neighbour(draw, key.kind, own),
    };
    match (key.kind, serde_json::from_str::<Value>(&text)) {
        // Policies may write numbers and booleans without quotes.
        (Kind::Number, Ok(number @ Value::Number(_))) if draw.percent(30) && !text.contains('.') => number,
        (Kind::Flag, Ok(flag @ Value::Bool(_))) if draw.percent(30) => flag,
        _ => Value::from(text),
    }
}

fn neighbour(draw: &mut Draw, kind: Kind, own: &str) -> String {
    match kind {
        Kind::Text | Kind::Texts => match draw.below(4) {
            0 => draw.recased(own),
            1 => format!("{own}*"),
            2 => own.chars().map(|character| if character == 'e' { '?' } else { character }).collect(),
            _ => draw.missed(own),
        },
        Kind::Number => own.parse::<f64>().map_or_else(|_| own.to_owned(), |number| format!("{}", number + 1.0)),
        Kind::Arn | Kind::Arns => widened(draw, own),
        Kind::Date | Kind::Flag | Kind::Address | Kind::Bytes => own.to_owned(),
    }
}
