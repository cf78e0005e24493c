//! Reads the vocabulary's types from their source, as rustfmt leaves it: one field, one variant, one attribute a line.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Map, Value, json};

/// A JSON Schema for each type of the vocabulary, by name.
pub(super) fn definitions() -> BTreeMap<String, Value> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src");
    let mut types = BTreeMap::new();
    for folder in ["manifest", "manifest/api", "config"] {
        let mut files: Vec<_> =
            fs::read_dir(core.join(folder)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs")) {
            for of in types_in(&fs::read_to_string(file).unwrap()) {
                types.insert(of.name.clone(), of);
            }
        }
    }
    types.values().map(|of| (of.name.clone(), of.schema(&types))).collect()
}

/// What stands in front of something: its documentation, and what serde is told.
#[derive(Default, Clone)]
struct Head {
    about: Vec<String>,
    serde: String,
}

impl Head {
    fn describe(&self, mut schema: Value) -> Value {
        // A whole sentence on each line would be many; the first paragraph says what it is.
        let about = self.about.split(String::is_empty).next().unwrap_or_default().join(" ");
        schema["description"] = Value::String(about);
        schema
    }

    fn is(&self, word: &str) -> bool {
        self.serde
            .split([',', '(', ')'])
            .any(|part| part.split('=').next().is_some_and(|name| name.trim() == word))
    }

    fn value(&self, word: &str) -> Option<&str> {
        let (_, rest) = self.serde.split_once(&format!("{word} = \""))?;
        rest.split('"').next()
    }
}

struct Field {
    head: Head,
    name: String,
    of: String,
}

enum Content {
    Nothing,
    One(String),
    Fields(Vec<Field>),
}

struct Variant {
    head: Head,
    name: String,
    content: Content,
}

enum Shape {
    Text,
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

struct Type {
    head: Head,
    name: String,
    shape: Shape,
}

fn types_in(text: &str) -> Vec<Type> {
    let mut types: Vec<Type> = Vec::new();
    let mut head = Head::default();
    let mut inside = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(about) = trimmed.strip_prefix("///") {
            head.about.push(about.trim().to_owned());
        } else if let Some(told) = trimmed.strip_prefix("#[serde(") {
            head.serde.push_str(told.trim_end_matches(")]"));
            head.serde.push(',');
        } else if trimmed.starts_with("#[derive(") && !trimmed.contains("Deserialize") {
            head.serde.push_str("not-read,");
        } else if trimmed.starts_with("#[") {
            // Another attribute.
        } else if let Some(begun) = begin(line, &mut head) {
            inside = !matches!(begun.shape, Shape::Text);
            types.push(begun);
        } else if line == "}" {
            (inside, head) = (false, Head::default());
        } else if inside && let Some(of) = types.last_mut() {
            member(&mut of.shape, line, trimmed, std::mem::take(&mut head));
        } else {
            head = Head::default();
        }
    }
    types
}

/// The beginning of a type that serde reads.
fn begin(line: &str, head: &mut Head) -> Option<Type> {
    let rest = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "))?;
    let head = std::mem::take(head);
    if head.is("not-read") {
        return None;
    }
    let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    let shape = if head.is("try_from") {
        Shape::Text
    } else if line.starts_with("pub enum") {
        Shape::Enum(Vec::new())
    } else {
        Shape::Struct(Vec::new())
    };
    Some(Type { head, name, shape })
}

fn member(shape: &mut Shape, line: &str, trimmed: &str, head: Head) {
    let deep = line.starts_with("        ");
    match shape {
        Shape::Struct(fields) => fields.extend(field(trimmed, head)),
        Shape::Enum(variants) if deep => {
            if let Some(Variant { content: Content::Fields(fields), .. }) = variants.last_mut() {
                fields.extend(field(trimmed, head));
            }
        }
        Shape::Enum(variants) => {
            let name: String = trimmed.chars().take_while(char::is_ascii_alphanumeric).collect();
            let content = match trimmed.get(name.len()..).unwrap_or_default() {
                "," => Content::Nothing,
                " {" => Content::Fields(Vec::new()),
                one => match one.strip_prefix('(').and_then(|one| one.strip_suffix("),")) {
                    Some(of) => Content::One(of.to_owned()),
                    None => return,
                },
            };
            variants.push(Variant { head, name, content });
        }
        Shape::Text => {}
    }
}

fn field(trimmed: &str, head: Head) -> Option<Field> {
    let (name, of) = trimmed.trim_start_matches("pub ").strip_suffix(',')?.split_once(": ")?;
    Some(Field { head, name: name.to_owned(), of: of.to_owned() })
}

impl Type {
    fn schema(&self, types: &BTreeMap<String, Self>) -> Value {
        let schema = match &self.shape {
            Shape::Text => json!({"type": "string"}),
            Shape::Struct(fields) => object(fields, self.head.is("default"), Map::new()),
            Shape::Enum(variants) => {
                let ways: Vec<Value> = variants.iter().map(|variant| self.way(variant, types)).collect();
                json!({"oneOf": ways})
            }
        };
        self.head.describe(schema)
    }

    fn way(&self, variant: &Variant, types: &BTreeMap<String, Self>) -> Value {
        let renamed = match self.head.value("rename_all") {
            Some("UPPERCASE") => variant.name.to_ascii_uppercase(),
            _ => kebab(&variant.name),
        };
        let name = variant.head.value("rename").map_or(renamed, str::to_owned);
        let tag = self.head.value("tag");
        let tagged = || Map::from_iter(tag.map(|tag| (tag.to_owned(), json!({"const": name}))));
        let schema = match &variant.content {
            Content::Nothing if tag.is_none() => json!({"const": name}),
            Content::Nothing => object(&[], false, tagged()),
            Content::Fields(fields) => object(fields, false, tagged()),
            Content::One(of) => match (tag, types.get(of).map(|of| &of.shape)) {
                (Some(_), Some(Shape::Struct(fields))) => object(fields, false, tagged()),
                _ => schema_of(of),
            },
        };
        variant.head.describe(schema)
    }
}

/// An object with these fields; what is in `fixed` it must have.
fn object(fields: &[Field], all_default: bool, fixed: Map<String, Value>) -> Value {
    let mut required: Vec<String> = fixed.keys().cloned().collect();
    let mut properties = fixed;
    for field in fields {
        let name = field.head.value("rename").map_or_else(|| field.name.replace('_', "-"), str::to_owned);
        if !(all_default || field.head.is("default") || field.of.starts_with("Option<")) {
            required.push(name.clone());
        }
        properties.insert(name, field.head.describe(schema_of(&field.of)));
    }
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn schema_of(of: &str) -> Value {
    let inner = |outer: &str| of.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(of) = inner("Option<").or_else(|| inner("Box<")) {
        return schema_of(of);
    }
    if let Some(of) = inner("Vec<") {
        return json!({"type": "array", "items": schema_of(of)});
    }
    if let Some(of) = inner("BTreeMap<String, ") {
        return json!({"type": "object", "additionalProperties": schema_of(of)});
    }
    match of {
        "String" => json!({"type": "string"}),
        "bool" => json!({"type": "boolean"}),
        "u16" | "u32" | "u64" | "usize" => json!({"type": "integer", "minimum": 0}),
        name => json!({"$ref": format!("#/$defs/{name}")}),
    }
}

/// As serde writes it: a hyphen before each capital but the first.
fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
