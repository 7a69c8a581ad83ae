//! Event selectors: which events a trail records, as `aws cloudtrail get-event-selectors` prints them.
//!
//! The questions are asked one kind of event at a time, and the answer is yes only where one selector certainly lets
//! every event of that kind pass. A field or a form that is not known here is a filter that nobody understood: no.
//! Source: AWS CloudTrail User Guide, "Logging management events" and "Logging data events".

use std::collections::BTreeSet;

use serde_json::Value;

/// Whether events change something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// `readOnly` is true.
    Read,
    /// `readOnly` is false.
    Write,
}

impl Kind {
    /// `read` or `write`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The selectors of one trail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selectors(Vec<Selector>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Selector {
    Basic(Basic),
    Advanced(Vec<Field>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Basic {
    kinds: BTreeSet<Kind>,
    management: bool,
    /// Event sources without suffix.
    excluded: BTreeSet<String>,
    /// Resource types with the ARN prefixes that are recorded.
    data: Vec<(String, Vec<String>)>,
}

/// One field of an advanced selector; a field with several operators is several filters.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Field {
    name: String,
    operator: String,
    values: Vec<String>,
}

impl Selectors {
    /// What a trail without selectors of its own records: all management events.
    #[must_use]
    pub fn default_of_trails() -> Self {
        let kinds = BTreeSet::from([Kind::Read, Kind::Write]);
        Self(vec![Selector::Basic(Basic { kinds, management: true, excluded: BTreeSet::new(), data: Vec::new() })])
    }

    /// Reads `EventSelectors` and `AdvancedEventSelectors`; `None` when the value holds neither, or none at all.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let list = |key: &str| value.get(key).and_then(Value::as_array).into_iter().flatten();
        let basic = list("EventSelectors").map(|selector| Selector::Basic(Basic::read(selector)));
        let advanced = list("AdvancedEventSelectors").map(|selector| Selector::Advanced(fields(selector)));
        let selectors: Vec<Selector> = basic.chain(advanced).collect();
        (!selectors.is_empty()).then_some(Self(selectors))
    }

    /// Whether every management event of that kind from one of `sources` (event sources without suffix; any source
    /// when there is none) is recorded.
    ///
    /// # Errors
    /// Why not, or why that is not known.
    pub fn records_management(&self, kind: Kind, sources: &[&str]) -> Result<(), String> {
        let none = format!("its event selectors record no {} management events", kind.word());
        self.any(none, |selector| match selector {
            Selector::Basic(basic) => basic.management(kind, sources),
            Selector::Advanced(fields) => management(fields, kind, sources),
        })
    }

    /// Whether every data event of that kind on every resource of a type (`AWS::S3::Object`) is recorded.
    ///
    /// # Errors
    /// Why not, or why that is not known.
    pub fn records_data(&self, kind: Kind, resource_type: &str) -> Result<(), String> {
        let none = format!("its event selectors record no {} data events of {resource_type}", kind.word());
        self.any(none, |selector| match selector {
            Selector::Basic(basic) => basic.data(kind, resource_type),
            Selector::Advanced(fields) => data(fields, kind, resource_type),
        })
    }

    /// One selector that lets everything pass is enough; otherwise the reason of the first that lets some pass.
    fn any(&self, none: String, ask: impl Fn(&Selector) -> Result<(), Option<String>>) -> Result<(), String> {
        let mut partly = None;
        for selector in &self.0 {
            match ask(selector) {
                Ok(()) => return Ok(()),
                Err(reason) => partly = partly.or(reason),
            }
        }
        Err(partly.unwrap_or(none))
    }
}

impl Basic {
    fn read(value: &Value) -> Self {
        let kinds = match value["ReadWriteType"].as_str() {
            Some("All") => BTreeSet::from([Kind::Read, Kind::Write]),
            Some("ReadOnly") => BTreeSet::from([Kind::Read]),
            Some("WriteOnly") => BTreeSet::from([Kind::Write]),
            _ => BTreeSet::new(),
        };
        let resources = value["DataResources"].as_array().into_iter().flatten();
        Self {
            kinds,
            management: value["IncludeManagementEvents"].as_bool().unwrap_or(false),
            excluded: texts(&value["ExcludeManagementEventSources"]).iter().map(|text| short(text)).collect(),
            data: resources.map(|item| (text(&item["Type"]), texts(&item["Values"]))).collect(),
        }
    }

    fn management(&self, kind: Kind, sources: &[&str]) -> Result<(), Option<String>> {
        if !self.management || !self.kinds.contains(&kind) {
            return Err(None);
        }
        let excluded: Vec<&str> = self.excluded.iter().map(String::as_str).collect();
        exclusion(&excluded, sources)
    }

    fn data(&self, kind: Kind, resource_type: &str) -> Result<(), Option<String>> {
        let values = || self.data.iter().filter(|(kind, _)| kind == resource_type).flat_map(|(_, values)| values);
        if !self.kinds.contains(&kind) || values().next().is_none() {
            return Err(None);
        }
        // `arn:aws:s3` and `arn:aws:s3:::` stand for every bucket, `arn:aws:lambda` for every function.
        let whole = |value: &String| value.split(':').skip(3).all(str::is_empty) && value.split(':').count() >= 3;
        if values().any(whole) { Ok(()) } else { Err(Some(some_resources(resource_type))) }
    }
}

fn some_resources(resource_type: &str) -> String {
    format!("its event selectors record {resource_type} for some resources only")
}

fn fields(selector: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    for field in selector["FieldSelectors"].as_array().into_iter().flatten() {
        let name = text(&field["Field"]);
        let operators =
            field.as_object().into_iter().flatten().filter(|(key, value)| *key != "Field" && !is_empty(value));
        let before = found.len();
        for (operator, values) in operators {
            found.push(Field { name: name.clone(), operator: operator.clone(), values: texts(values) });
        }
        if found.len() == before {
            // A field without an operator is a form that is not known here.
            found.push(Field { name, operator: "?".to_owned(), values: Vec::new() });
        }
    }
    found
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn has_category(fields: &[Field], category: &str) -> bool {
    fields.iter().any(|field| field.name == "eventCategory" && field.operator == "Equals" && field.values == [category])
}

/// `Ok(true)` when this field lets all events of that kind pass, `Ok(false)` when it says nothing of kinds.
fn passes_kind(field: &Field, kind: Kind) -> Result<bool, Option<String>> {
    if field.name != "readOnly" || field.operator != "Equals" {
        return Ok(false);
    }
    let wanted = if kind == Kind::Read { "true" } else { "false" };
    if field.values.iter().any(|value| value.eq_ignore_ascii_case(wanted)) { Ok(true) } else { Err(None) }
}

fn filtered(field: &Field) -> String {
    format!("its event selectors filter events by `{}`", field.name)
}

fn management(fields: &[Field], kind: Kind, sources: &[&str]) -> Result<(), Option<String>> {
    if !has_category(fields, "Management") {
        return Err(None);
    }
    for field in fields.iter().filter(|field| field.name != "eventCategory") {
        if passes_kind(field, kind)? {
            continue;
        }
        if field.name != "eventSource" || field.operator != "NotEquals" {
            return Err(Some(filtered(field)));
        }
        let excluded: Vec<String> = field.values.iter().map(|value| short(value)).collect();
        exclusion(&excluded.iter().map(String::as_str).collect::<Vec<_>>(), sources)?;
    }
    Ok(())
}

/// Trails can exclude KMS and the RDS Data API only; any other exclusion is not understood, and hides anything.
fn exclusion(excluded: &[&str], sources: &[&str]) -> Result<(), Option<String>> {
    let known = |source: &&str| matches!(*source, "kms" | "rdsdata" | "rdsdataapi");
    if let Some(strange) = excluded.iter().find(|source| !known(source)) {
        return Err(Some(format!("its event selectors exclude `{strange}`")));
    }
    match excluded.iter().find(|source| sources.contains(source)) {
        Some(source) => Err(Some(format!("its event selectors exclude {source}.amazonaws.com"))),
        None => Ok(()),
    }
}

fn data(fields: &[Field], kind: Kind, resource_type: &str) -> Result<(), Option<String>> {
    let typed = |field: &&Field| field.name == "resources.type" && field.operator == "Equals";
    let of_type =
        fields.iter().find(typed).is_some_and(|field| field.values.iter().any(|value| value == resource_type));
    if !has_category(fields, "Data") || !of_type {
        return Err(None);
    }
    for field in fields.iter().filter(|field| field.name != "eventCategory" && !typed(field)) {
        if !passes_kind(field, kind)? {
            let of_resources = field.name == "resources.ARN";
            return Err(Some(if of_resources { some_resources(resource_type) } else { filtered(field) }));
        }
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// An event source without its suffix.
fn short(source: &str) -> String {
    source.split('.').next().unwrap_or(source).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn management_of(value: &Value, kind: Kind, source: &str) -> bool {
        Selectors::read(value).is_some_and(|selectors| selectors.records_management(kind, &[source]).is_ok())
    }

    fn data_of(value: &Value, kind: Kind, resource_type: &str) -> bool {
        Selectors::read(value).is_some_and(|selectors| selectors.records_data(kind, resource_type).is_ok())
    }

    fn basic(kinds: &str, management: bool, excluded: &[&str], data: &[(&str, &[&str])]) -> Value {
        let data: Vec<Value> = data.iter().map(|(kind, values)| json!({"Type": kind, "Values": values})).collect();
        json!({"EventSelectors": [{"ReadWriteType": kinds, "IncludeManagementEvents": management,
            "ExcludeManagementEventSources": excluded, "DataResources": data}]})
    }

    fn advanced(fields: &[(&str, &str, &[&str])]) -> Value {
        let fields: Vec<Value> =
            fields.iter().map(|(field, operator, values)| json!({"Field": field, *operator: values})).collect();
        json!({"AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": fields}]})
    }

    /// S24: kinds of management events and excluded sources, in the basic form.
    #[test]
    fn basic_selectors_say_which_management_events_are_recorded() {
        let all = basic("All", true, &[], &[]);
        assert!(management_of(&all, Kind::Read, "ec2") && management_of(&all, Kind::Write, "kms"));
        let writes = basic("WriteOnly", true, &[], &[]);
        assert!(!management_of(&writes, Kind::Read, "ec2") && management_of(&writes, Kind::Write, "ec2"));
        let no_kms = basic("All", true, &["kms.amazonaws.com"], &[]);
        assert!(management_of(&no_kms, Kind::Read, "ec2") && !management_of(&no_kms, Kind::Read, "kms"));
        assert!(!management_of(&basic("All", false, &[], &[]), Kind::Read, "ec2"));
        // What is not said is not recorded.
        assert!(!management_of(&json!({"EventSelectors": [{}]}), Kind::Read, "ec2"));
        assert!(Selectors::read(&json!({"EventSelectors": []})).is_none());
        let strange = basic("All", true, &["ec2.amazonaws.com"], &[]);
        assert!(!management_of(&strange, Kind::Read, "iam"));
    }

    /// S24: two selectors, each for one kind, are both.
    #[test]
    fn one_of_several_selectors_is_enough() {
        let mut both = basic("ReadOnly", true, &[], &[]);
        let writes = basic("WriteOnly", true, &[], &[]);
        both["EventSelectors"].as_array_mut().unwrap().push(writes["EventSelectors"][0].clone());
        assert!(management_of(&both, Kind::Read, "ec2") && management_of(&both, Kind::Write, "ec2"));
    }

    /// S25: only `arn:aws:s3` and its like stand for every resource.
    #[test]
    fn basic_selectors_say_whether_every_resource_is_recorded() {
        let object = "AWS::S3::Object";
        for whole in ["arn:aws:s3", "arn:aws:s3:::", "arn:aws-cn:s3:::"] {
            assert!(data_of(&basic("All", false, &[], &[(object, &[whole])]), Kind::Read, object), "{whole}");
        }
        for part in ["arn:aws:s3:::bucket/", "arn:aws:s3:::b", "s3", ""] {
            assert!(!data_of(&basic("All", true, &[], &[(object, &[part])]), Kind::Read, object), "{part}");
        }
        let writes = basic("WriteOnly", false, &[], &[(object, &["arn:aws:s3"])]);
        assert!(!data_of(&writes, Kind::Read, object) && data_of(&writes, Kind::Write, object));
        assert!(!data_of(&writes, Kind::Write, "AWS::Lambda::Function"));
    }

    /// S24, S25: advanced selectors, field by field; a field that is not understood hides anything.
    #[test]
    fn advanced_selectors_pass_everything_or_not() {
        let management: (&str, &str, &[&str]) = ("eventCategory", "Equals", &["Management"]);
        assert!(management_of(&advanced(&[management]), Kind::Read, "ec2"));
        let writes = advanced(&[management, ("readOnly", "Equals", &["false"])]);
        assert!(!management_of(&writes, Kind::Read, "ec2") && management_of(&writes, Kind::Write, "ec2"));
        let no_kms = advanced(&[management, ("eventSource", "NotEquals", &["kms.amazonaws.com"])]);
        assert!(management_of(&no_kms, Kind::Read, "ec2") && !management_of(&no_kms, Kind::Write, "kms"));
        for strange in [
            ("eventName", "NotEquals", &["DescribeInstances"][..]),
            ("userIdentity.arn", "NotStartsWith", &["arn:aws:sts::1:assumed-role/x"]),
            ("eventSource", "Equals", &["ec2.amazonaws.com"]),
            ("readOnly", "NotEquals", &["true"]),
        ] {
            assert!(!management_of(&advanced(&[management, strange]), Kind::Write, "ec2"), "{strange:?}");
        }
        let object = "AWS::S3::Object";
        let typed: (&str, &str, &[&str]) = ("resources.type", "Equals", &[object]);
        let data: (&str, &str, &[&str]) = ("eventCategory", "Equals", &["Data"]);
        assert!(data_of(&advanced(&[data, typed]), Kind::Read, object));
        assert!(!management_of(&advanced(&[data, typed]), Kind::Read, "s3"));
        assert!(!data_of(&advanced(&[data, typed, ("readOnly", "Equals", &["false"])]), Kind::Read, object));
        assert!(!data_of(
            &advanced(&[data, typed, ("resources.ARN", "StartsWith", &["arn:aws:s3:::a/"])]),
            Kind::Read,
            object
        ));
        assert!(!data_of(&advanced(&[data, typed, ("eventName", "Equals", &["GetObject"])]), Kind::Read, object));
        assert!(!data_of(&advanced(&[data]), Kind::Read, object));
    }
}
