//! docs/report.schema.json is what the types of `report.json` say, and every report that this tree can make keeps to it.
//!
//! `THIRDTRAIL_WRITE=1 cargo test --test schema` makes the schema anew. It is read from the sources with their comments, so
//! that a field cannot be added without its line in it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop here")]

mod beside;
mod bundled;
mod python;
mod sample;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use beside::say;
use python::Python;
use serde_json::{Map, Value, json};
use syn::{Attribute, Expr, ExprLit, Field, Fields, GenericArgument, Item, ItemStruct, Lit, Meta, PathArguments, Type};
use tempfile::TempDir;
use thirdtrail::report::render;
use thirdtrail::run::analyze::analyze;
use thirdtrail::run::monitor::Silent;
use thirdtrail::store::local::LocalStore;

const SCHEMA: &str = "docs/report.schema.json";
/// Where the types are.
const SOURCES: [&str; 2] = ["src/finding/assessment", "src/policy/risk/radius.rs"];

/// What the types say that are no structs of the report.
fn leaf(name: &str) -> Option<Value> {
    Some(match name {
        "String" | "str" => json!({"type": "string"}),
        "bool" => json!({"type": "boolean"}),
        "f64" => json!({"type": "number"}),
        "i64" => json!({"type": "integer"}),
        "u32" | "u64" | "usize" => json!({"type": "integer", "minimum": 0}),
        "Value" => json!({}),
        "AccountId" => json!({"type": "string", "pattern": "^[0-9]{12}$"}),
        "Action" => json!({"type": "string", "pattern": "^[^:]+:[^:]+$"}),
        "Radius" => json!({"type": "number", "minimum": 0, "maximum": 100}),
        "AccessLevel" => json!({"enum": ["list", "read", "tagging", "write", "permissions_management"]}),
        _ => return None,
    })
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"})
}

fn structs() -> BTreeMap<String, ItemStruct> {
    let mut files = Vec::new();
    for source in SOURCES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        match fs::read_dir(&path) {
            Ok(entries) => files.extend(entries.map(|entry| entry.unwrap().path())),
            Err(_) => files.push(path),
        }
    }
    let mut found = BTreeMap::new();
    for file in files {
        for item in syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap().items {
            if let Item::Struct(item) = item {
                found.insert(item.ident.to_string(), item);
            }
        }
    }
    found
}

/// The comment above an item, in one line.
fn comment(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    // Links to types mean nothing here.
    text.replace("[`", "`").replace("`]", "`")
}

/// What `#[serde(..)]` says of a field: whether it is written, when not, and its name.
struct Serde {
    skipped: bool,
    optional: bool,
    name: Option<String>,
    as_time: bool,
}

fn serde_of(field: &Field) -> Serde {
    let mut serde = Serde { skipped: false, optional: false, name: None, as_time: false };
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("skip") {
                serde.skipped = true;
                return Ok(());
            }
            // Only writing is told here.
            if meta.path.is_ident("default") || meta.path.is_ident("skip_deserializing") {
                return Ok(());
            }
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            let text: syn::LitStr = meta.value()?.parse()?;
            match name.as_str() {
                "skip_serializing_if" => serde.optional = true,
                "rename" => serde.name = Some(text.value()),
                "with" => match text.value().rsplit("::").next() {
                    Some("time" | "optional_time") => serde.as_time = true,
                    _ => panic!("{} is not known here", text.value()),
                },
                // Fewer of the same.
                "serialize_with" if text.value() == "some_ids" => {}
                "deserialize_with" => {}
                other => panic!("`{other}` of serde is not known here"),
            }
            Ok(())
        });
        read.unwrap();
    }
    serde
}

/// The schema of a type, and the structs that it names.
fn schema_of(kind: &Type, as_time: bool, named: &mut BTreeSet<String>) -> Value {
    match kind {
        Type::Reference(reference) => schema_of(&reference.elem, as_time, named),
        Type::Path(path) => {
            let last = path.path.segments.last().unwrap();
            let name = last.ident.to_string();
            let inner: Vec<&Type> = match &last.arguments {
                PathArguments::AngleBracketed(all) => all
                    .args
                    .iter()
                    .filter_map(|argument| match argument {
                        GenericArgument::Type(kind) => Some(kind),
                        _ => None,
                    })
                    .collect(),
                _ => Vec::new(),
            };
            match (name.as_str(), inner.as_slice()) {
                ("Time", []) if as_time => time(),
                ("Option", [inner]) => json!({"anyOf": [schema_of(inner, as_time, named), {"type": "null"}]}),
                ("Box", [inner]) => schema_of(inner, as_time, named),
                ("Vec" | "BTreeSet", [inner]) => json!({"type": "array", "items": schema_of(inner, as_time, named)}),
                ("BTreeMap", [_, inner]) => {
                    json!({"type": "object", "additionalProperties": schema_of(inner, as_time, named)})
                }
                (name, []) => leaf(name).unwrap_or_else(|| {
                    named.insert(name.to_owned());
                    json!({"$ref": format!("#/$defs/{name}")})
                }),
                _ => panic!("the type `{name}` is not known here"),
            }
        }
        _ => panic!("a type of the report is not known here"),
    }
}

fn object_of(item: &ItemStruct, named: &mut BTreeSet<String>) -> Value {
    let Fields::Named(fields) = &item.fields else { panic!("{} has no named fields", item.ident) };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in &fields.named {
        let serde = serde_of(field);
        if serde.skipped {
            continue;
        }
        let name = serde.name.unwrap_or_else(|| field.ident.as_ref().unwrap().to_string());
        let mut schema = schema_of(&field.ty, serde.as_time, named);
        if item.ident == "Assessment" && name == "schema" {
            schema = json!({"const": thirdtrail::finding::assessment::SCHEMA});
        }
        let mut described = json!({"description": comment(&field.attrs)});
        described.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
        properties.insert(name.clone(), described);
        if !serde.optional {
            required.push(name);
        }
    }
    json!({"description": comment(&item.attrs), "type": "object", "properties": properties, "required": required})
}

/// The schema of the report: the root, and every struct that it reaches.
fn schema() -> Value {
    let structs = structs();
    let mut wanted = BTreeSet::new();
    let root = object_of(&structs["Assessment"], &mut wanted);
    let mut definitions: BTreeMap<String, Value> = BTreeMap::new();
    while let Some(name) = wanted.pop_first() {
        if let Entry::Vacant(free) = definitions.entry(name) {
            let item = structs.get(free.key()).unwrap_or_else(|| panic!("`{}` is not among the sources", free.key()));
            free.insert(object_of(item, &mut wanted));
        }
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "report.json of thirdtrail",
    });
    schema.as_object_mut().unwrap().extend(root.as_object().unwrap().clone());
    schema["$defs"] = json!(definitions);
    schema
}

/// The same, in which no object has a field that is not named: the published one lets fields be added.
fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    schema["additionalProperties"] = json!(false);
    for definition in schema["$defs"].as_object_mut().unwrap().values_mut() {
        definition["additionalProperties"] = json!(false);
    }
    schema
}

#[test]
fn the_published_schema_is_what_the_types_say() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("THIRDTRAIL_WRITE").is_some() {
        fs::write(SCHEMA, &text).unwrap();
    }
    let written = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(written == text, "{SCHEMA} is out of step: THIRDTRAIL_WRITE=1 cargo test --test schema");
    let reached = schema();
    for definition in [&reached].into_iter().chain(reached["$defs"].as_object().unwrap().values()) {
        for (name, property) in definition["properties"].as_object().unwrap() {
            assert!(!property["description"].as_str().unwrap().is_empty(), "{name} has no comment");
        }
    }
}

/// The reports of all bundled trails and of the sample, with everything in it, know no field that the schema does not, and
/// lack none that it demands; a report with a field too many or too few is seen.
#[test]
fn every_report_keeps_to_the_schema() {
    let python = match Python::new().and_then(|python| python.with(&["jsonschema==4.26.0"], "jsonschema")) {
        Ok(python) => python,
        Err(reason) => {
            return say(&format!("NOT RUN: jsonschema absent: {}", reason.lines().last().unwrap_or_default()));
        }
    };
    let folder = TempDir::new().unwrap();
    let write = |name: &str, value: &Value| fs::write(folder.path().join(name), value.to_string()).unwrap();
    write("schema.json", &closed(&schema()));
    let report = |files: Vec<thirdtrail::report::OutputFile>| -> Value {
        let file = files.into_iter().find(|file| file.path == "report.json").unwrap();
        serde_json::from_slice(&file.bytes).unwrap()
    };
    for trail in ["vendors", "damaged", "holes"] {
        let store = LocalStore::open(&bundled::folder(trail)).unwrap();
        let outcome = analyze(&store, &bundled::options(trail, 2), &Silent).unwrap();
        write(&format!("{trail}.report.json"), &bundled::report(&outcome));
    }
    let sample = report(render(&mut sample::assessment()).unwrap());
    write("sample.report.json", &sample);
    let mut more = sample.clone();
    more["roles"][0]["surprise"] = json!(1);
    write("more.wrong.json", &more);
    let mut less = sample.clone();
    less["coverage"]["objects"].as_object_mut().unwrap().remove("failed");
    write("less.wrong.json", &less);
    let mut other = sample;
    other["as_of"] = json!("yesterday");
    write("other.wrong.json", &other);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/check.py");
    let said = python::run(python.command().arg(script).arg("schema").arg(folder.path()));
    say(&format!("report.schema.json: {}", said.unwrap_or_else(|error| panic!("{error}"))));
}
