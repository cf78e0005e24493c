//! `infra/template.yaml`, as far as a machine without AWS needs it: what is declared, and what its names evaluate to.
//!
//! The template that is deployed is the one that is run: nothing about a queue, a table, a route or a function is
//! written down a second time. What has no meaning here (roles, alarms, log groups) is never evaluated.

mod declared;
mod evaluate;
mod short_forms;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(crate) use declared::{EventSource, Function, Route};

/// The files of the stack, by the name that `TemplateURL` gives them.
const FILES: &[(&str, &str)] = &[
    ("template.yaml", include_str!("../../../infra/template.yaml")),
    ("storage.yaml", include_str!("../../../infra/storage.yaml")),
    ("files.yaml", include_str!("../../../infra/files.yaml")),
    ("observability.yaml", include_str!("../../../infra/observability.yaml")),
];

/// The account of every emulator.
pub(crate) const ACCOUNT: &str = "000000000000";

/// Why the template can't be used: a defect of this program, since the template is part of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("infra/{file}: {path}: {reason}")]
pub(crate) struct TemplateError {
    file: String,
    path: String,
    reason: String,
}

/// What stands in place of a created resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What `!Ref` gives.
    pub(crate) reference: String,
    /// What `!GetAtt` gives, by attribute.
    pub(crate) attributes: BTreeMap<&'static str, String>,
}

/// The stack: the template and its nested ones.
#[derive(Debug)]
pub(crate) struct Template {
    region: String,
    /// By the logical id of the nested stack; the outer one is `""`.
    stacks: BTreeMap<String, Stack>,
    /// By stack and logical id.
    facts: BTreeMap<(String, String), Facts>,
}

#[derive(Debug)]
struct Stack {
    file: &'static str,
    template: Value,
    parameters: Map<String, Value>,
}

/// A declared resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource<'a> {
    /// Of which nested stack; `""` for the outer one.
    pub(crate) stack: &'a str,
    /// Its logical id.
    pub(crate) id: &'a str,
    properties: &'a Value,
}

impl Template {
    /// The project's template for a stack of this name, with its parameters.
    ///
    /// # Errors
    /// When the template uses something that this reader does not know.
    pub(crate) fn embedded(
        name: &str,
        region: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Self, TemplateError> {
        Self::read(FILES, name, region, parameters)
    }

    fn read(
        files: &'static [(&'static str, &'static str)],
        name: &str,
        region: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Self, TemplateError> {
        let mut template =
            Self { region: region.to_owned(), stacks: BTreeMap::new(), facts: BTreeMap::new() };
        let given = parameters.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let given = given.chain([("AWS::StackName".to_owned(), Value::from(name))]);
        let outer = Stack::read(files, "template.yaml", given.collect())?;
        let nested: Vec<(String, Value)> = outer
            .resources("AWS::CloudFormation::Stack")
            .map(|(id, properties)| (id.to_owned(), properties.clone()))
            .collect();
        template.stacks.insert(String::new(), outer);
        for (id, properties) in nested {
            let file = properties["TemplateURL"].as_str().unwrap_or_default();
            let mut given =
                Map::from_iter([("AWS::StackName".to_owned(), Value::from(format!("{name}-{id}")))]);
            // Parameters that hang on what is not there yet are those of a stack that has no meaning here.
            for (name, value) in properties["Parameters"].as_object().into_iter().flatten() {
                if let Ok(value) = template.evaluate("", value) {
                    given.insert(name.clone(), value);
                }
            }
            template.stacks.insert(id, Stack::read(files, file, given)?);
        }
        Ok(template)
    }

    /// All resources of a type, in order of their stacks and names.
    pub(crate) fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = Resource<'a>> {
        self.stacks.iter().flat_map(move |(stack, content)| {
            content.resources(kind).map(move |(id, properties)| Resource { stack, id, properties })
        })
    }

    /// What a resource has become; from now on others can refer to it.
    pub(crate) fn know(&mut self, stack: &str, id: &str, facts: Facts) {
        self.facts.insert((stack.to_owned(), id.to_owned()), facts);
    }

    /// A property of a resource, evaluated; null when it is not there.
    pub(crate) fn property(&self, resource: Resource<'_>, name: &str) -> Result<Value, TemplateError> {
        self.evaluate(resource.stack, &resource.properties[name]).map_err(|error| TemplateError {
            path: format!("{}.{name}: {}", resource.id, error.path),
            ..error
        })
    }

    /// A property that must be text, or a number or boolean that stands for it.
    pub(crate) fn text(&self, resource: Resource<'_>, name: &str) -> Result<String, TemplateError> {
        let value = self.property(resource, name)?;
        bridge_core::manifest::scalar(&value)
            .ok_or_else(|| self.error(resource.stack, &format!("{}.{name}", resource.id), "must be a text"))
    }

    fn error(&self, stack: &str, path: &str, reason: impl Into<String>) -> TemplateError {
        let file = self.stacks.get(stack).map_or("template.yaml", |stack| stack.file);
        TemplateError { file: file.to_owned(), path: path.to_owned(), reason: reason.into() }
    }
}

impl Stack {
    fn read(
        files: &'static [(&'static str, &'static str)],
        file: &str,
        mut parameters: Map<String, Value>,
    ) -> Result<Self, TemplateError> {
        let error = |reason: &str| TemplateError {
            file: file.to_owned(),
            path: "/".to_owned(),
            reason: reason.to_owned(),
        };
        let (file, text) =
            files.iter().find(|(name, _)| *name == file).ok_or_else(|| error("there is no such file"))?;
        let yaml = serde_norway::from_str(text).map_err(|e| error(&e.to_string()))?;
        let template = short_forms::long(yaml).map_err(|reason| error(&reason))?;
        for (name, declared) in template["Parameters"].as_object().into_iter().flatten() {
            if !declared["Default"].is_null() {
                parameters.entry(name.clone()).or_insert_with(|| declared["Default"].clone());
            }
        }
        Ok(Self { file, template, parameters })
    }

    fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let all = self.template["Resources"].as_object().into_iter().flatten();
        all.filter(move |(_, resource)| resource["Type"] == *kind)
            .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
    }
}
