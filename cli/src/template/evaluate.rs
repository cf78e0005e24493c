//! What an expression of the template comes to. Only the functions that the template uses are known; another one is
//! an error that names it.

use serde_json::{Map, Value};

use super::{ACCOUNT, Template, TemplateError};

impl Template {
    /// Evaluates an expression of a stack. Fields and items that come to `AWS::NoValue` are left out.
    ///
    /// # Errors
    /// When it refers to something unknown, or to a resource that has not been created.
    pub(crate) fn evaluate(&self, stack: &str, value: &Value) -> Result<Value, TemplateError> {
        Ok(self.expression(stack, value)?.unwrap_or(Value::Null))
    }

    /// `None` for `AWS::NoValue`.
    fn expression(&self, stack: &str, value: &Value) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Object(fields) => match function(fields) {
                Some((name, argument)) => self.call(stack, name, argument),
                None => {
                    let mut evaluated = Map::new();
                    for (name, field) in fields {
                        if let Some(field) = self.expression(stack, field)? {
                            evaluated.insert(name.clone(), field);
                        }
                    }
                    Ok(Some(Value::Object(evaluated)))
                }
            },
            Value::Array(items) => {
                let items = items.iter().map(|item| self.expression(stack, item));
                let items: Vec<Option<Value>> = items.collect::<Result<_, _>>()?;
                Ok(Some(Value::Array(items.into_iter().flatten().collect())))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    fn call(&self, stack: &str, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let wrong = |reason: &str| self.error(stack, name, reason);
        match (name, argument) {
            ("Ref", Value::String(target)) if target == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(target)) => self.reference(stack, target).map(Some),
            ("Fn::GetAtt", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(id), Value::String(attribute)] => {
                    self.attribute(stack, id, attribute).map(Some)
                }
                _ => Err(wrong("needs a resource and an attribute")),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(stack, text).map(Some),
            ("Fn::If", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(condition), then, otherwise] => {
                    let branch = if self.condition(stack, condition)? { then } else { otherwise };
                    self.expression(stack, branch)
                }
                _ => Err(wrong("needs a condition and two values")),
            },
            ("Fn::Equals", Value::Array(parts)) => match parts.as_slice() {
                [a, b] => Ok(Some(Value::Bool(self.evaluate(stack, a)? == self.evaluate(stack, b)?))),
                _ => Err(wrong("needs two values")),
            },
            ("Fn::Not", Value::Array(parts)) => match parts.as_slice() {
                [one] => Ok(Some(Value::Bool(self.evaluate(stack, one)? != Value::Bool(true)))),
                _ => Err(wrong("needs one condition")),
            },
            _ => Err(wrong("is not known to `bridge up`")),
        }
    }

    fn condition(&self, stack: &str, name: &str) -> Result<bool, TemplateError> {
        let condition = self.stacks.get(stack).map(|stack| &stack.template["Conditions"][name]);
        let condition = condition.filter(|condition| !condition.is_null());
        let condition = condition.ok_or_else(|| self.error(stack, name, "there is no such condition"))?;
        Ok(self.evaluate(stack, condition)? == Value::Bool(true))
    }

    fn reference(&self, stack: &str, target: &str) -> Result<Value, TemplateError> {
        match target {
            "AWS::Region" => return Ok(Value::from(self.region.as_str())),
            "AWS::AccountId" => return Ok(Value::from(ACCOUNT)),
            "AWS::Partition" => return Ok(Value::from("aws")),
            _ => {}
        }
        if let Some(value) = self.stacks.get(stack).and_then(|stack| stack.parameters.get(target)) {
            return Ok(value.clone());
        }
        // A parameter that hung on what was not there yet when the template was read.
        let given = self.stacks.get("").map(|outer| &outer.template["Resources"][stack]["Properties"]);
        let given = given.map(|nested| &nested["Parameters"][target]).filter(|given| !given.is_null());
        if let Some(given) = given {
            return self.evaluate("", given);
        }
        let facts = self.facts.get(&(stack.to_owned(), target.to_owned()));
        let facts = facts.ok_or_else(|| self.error(stack, target, "has not been created"))?;
        Ok(Value::from(facts.reference.as_str()))
    }

    fn attribute(&self, stack: &str, id: &str, attribute: &str) -> Result<Value, TemplateError> {
        if let (Some(output), Some(nested)) = (attribute.strip_prefix("Outputs."), self.stacks.get(id)) {
            let value = &nested.template["Outputs"][output]["Value"];
            return self.evaluate(id, value);
        }
        let facts = self.facts.get(&(stack.to_owned(), id.to_owned()));
        let value = facts.and_then(|facts| facts.attributes.get(attribute));
        let value =
            value.ok_or_else(|| self.error(stack, &format!("{id}.{attribute}"), "has not been created"))?;
        Ok(Value::from(value.as_str()))
    }

    /// `${Name}`, `${Name.Attribute}` and the pseudo parameters within a text; `${!x}` stands for `${x}`.
    fn substitute(&self, stack: &str, text: &str) -> Result<Value, TemplateError> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, after) =
                after.split_once('}').ok_or_else(|| self.error(stack, text, "`${` without `}`"))?;
            let value = match (name.strip_prefix('!'), name.split_once('.')) {
                (Some(literal), _) => Value::from(format!("${{{literal}}}")),
                (None, Some((id, attribute))) => self.attribute(stack, id, attribute)?,
                (None, None) => self.reference(stack, name)?,
            };
            result.push_str(&bridge_core::manifest::scalar(&value).unwrap_or_default());
            rest = after;
        }
        result.push_str(rest);
        Ok(Value::String(result))
    }
}

fn function(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}
