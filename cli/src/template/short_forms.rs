//! CloudFormation's short forms (`!Ref x`) in their long ones (`{"Ref": "x"}`), so that all else sees plain JSON.

use serde_json::{Map, Value};
use serde_norway::Value as Yaml;

/// The document with all functions in their long forms.
///
/// # Errors
/// When a key is not text or a number can't be told.
pub(super) fn long(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => {
            serde_json::from_str(&number.to_string()).map_err(|_| format!("`{number}` is no JSON number"))?
        }
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long).collect::<Result<_, _>>()?),
        Yaml::Mapping(fields) => {
            let field = |(name, value): (Yaml, Yaml)| match name {
                Yaml::String(name) => Ok((name, long(value)?)),
                _ => Err("a key must be text".to_owned()),
            };
            Value::Object(fields.into_iter().map(field).collect::<Result<_, _>>()?)
        }
        Yaml::Tagged(tagged) => function(&tagged.tag.to_string(), long(tagged.value)?),
    })
}

fn function(tag: &str, argument: Value) -> Value {
    let name = tag.trim_start_matches('!');
    let (name, argument) = match (name, argument) {
        ("Ref" | "Condition", argument) => (name.to_owned(), argument),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        (name, argument) => (format!("Fn::{name}"), argument),
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn short_forms_become_long_ones() {
        let yaml = "
            a: !Ref X
            b: !GetAtt Storage.Outputs.KeyArn
            c: !If [OnEmulator, !Ref Url, !Ref AWS::NoValue]
            d: !Sub '${X}/*'
            e: {n: 10, t: true, z: null}";
        assert_eq!(
            long(serde_norway::from_str(yaml).unwrap()).unwrap(),
            json!({
                "a": {"Ref": "X"},
                "b": {"Fn::GetAtt": ["Storage", "Outputs.KeyArn"]},
                "c": {"Fn::If": ["OnEmulator", {"Ref": "Url"}, {"Ref": "AWS::NoValue"}]},
                "d": {"Fn::Sub": "${X}/*"},
                "e": {"n": 10, "t": true, "z": null},
            })
        );
    }
}
