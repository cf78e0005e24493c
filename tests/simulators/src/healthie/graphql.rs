//! Carrying out a GraphQL document against a schema: what is asked for is checked first, then worked off.
//!
//! Directives are not simulated. Everything else that a document of an integration may have is checked as the
//! specification says (October 2021): names, arguments, variables and their types, leaves and selections.

use std::collections::BTreeMap;

use graphql_parser::query::{
    Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet, Type,
    TypeCondition, Value as Literal, VariableDefinition, parse_query,
};
use serde_json::{Map, Value, json};

use super::schema::{Known, Schema, Shape, is_list, named};

/// The most that a request may ask for.
const MOST_COMPLEX: u64 = 2_000;
const DEEPEST: u64 = 25;
/// What a connection counts for where the request does not say how many.
const USUAL_PAGE: u64 = 100;

type Text = String;
type Fragments<'a> = BTreeMap<&'a str, &'a FragmentDefinition<'static, Text>>;

/// Why nothing was done: one entry of `errors`.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String, pub(super) &'static str);

/// A field of the root, ready to be worked off.
pub(super) struct Call<'a> {
    /// `appointments`, `createAppointment`.
    pub(super) field: &'a str,
    /// With the variables put in.
    pub(super) arguments: Map<String, Value>,
    /// What it answers with is a connection.
    pub(super) is_connection: bool,
}

/// Carries a document out; `work` knows the root's fields and gives whole records, of which the selection is cut.
pub(super) fn execute(
    schema: &Schema,
    document: &str,
    variables: &Value,
    mut work: impl FnMut(Call<'_>) -> Result<Value, Problem>,
) -> Result<Value, Problem> {
    let document: Document<'static, Text> = parse_query::<Text>(document)
        .map_err(|error| Problem(format!("Parse error: {error}"), "PARSE_ERROR"))?
        .into_static();
    let mut fragments = Fragments::new();
    let mut operation = None;
    for definition in &document.definitions {
        match definition {
            Definition::Fragment(fragment) => {
                fragments.insert(&fragment.name, fragment);
            }
            Definition::Operation(found) if operation.is_none() => operation = Some(found),
            Definition::Operation(_) => return Err(wrong("Only one operation in a document is simulated")),
        }
    }
    let none: &[VariableDefinition<'static, Text>] = &[];
    let (root, declared, selection) = match operation {
        Some(OperationDefinition::SelectionSet(selection)) => ("Query", none, selection),
        Some(OperationDefinition::Query(query)) => {
            ("Query", query.variable_definitions.as_slice(), &query.selection_set)
        }
        Some(OperationDefinition::Mutation(mutation)) => {
            ("Mutation", mutation.variable_definitions.as_slice(), &mutation.selection_set)
        }
        _ => return Err(wrong("There is no query or mutation in the document")),
    };
    let asked = Asked { schema, fragments, declared, variables: values(schema, declared, variables)? };
    let mut cost = Cost::default();
    asked.check(root, selection, 1, 1, &mut cost)?;
    if cost.complexity > MOST_COMPLEX {
        let text = format!(
            "Query has complexity of {}, which exceeds max complexity of {MOST_COMPLEX}",
            cost.complexity
        );
        return Err(Problem(text, ""));
    }
    if cost.depth > DEEPEST {
        return Err(Problem(
            format!("Query has depth of {}, which exceeds max depth of {DEEPEST}", cost.depth),
            "",
        ));
    }
    let mut data = Map::new();
    for field in asked.fields(selection) {
        let Some(member) = schema.member(root, &field.name) else { continue };
        let arguments = asked.arguments(field);
        let is_connection = named(&member.shape).ends_with("Connection");
        let result = work(Call { field: &field.name, arguments, is_connection })?;
        data.insert(key(field), asked.cut(&member.shape, field, result));
    }
    Ok(Value::Object(data))
}

/// The variables' values, checked against what the document declares.
fn values(
    schema: &Schema,
    declared: &[VariableDefinition<'static, Text>],
    given: &Value,
) -> Result<Map<String, Value>, Problem> {
    let mut values = Map::new();
    for variable in declared {
        let name = &variable.name;
        if schema.get(named(&variable.var_type)).is_none() {
            return Err(wrong(&format!(
                "{} isn't a defined input type (on ${name})",
                named(&variable.var_type)
            )));
        }
        let value = match given.get(name) {
            Some(value) => value.clone(),
            None => match &variable.default_value {
                Some(literal) => plain(literal, &Map::new()),
                // Not given is not null: an argument with it is left out.
                None if !matches!(variable.var_type, Type::NonNullType(_)) => continue,
                None => Value::Null,
            },
        };
        fits(schema, &variable.var_type, &value).map_err(|why| {
            wrong(&format!(
                "Variable ${name} of type {} was provided invalid value: {why}",
                variable.var_type
            ))
        })?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// Whether a value is of a type; else why not.
fn fits(schema: &Schema, shape: &Shape, value: &Value) -> Result<(), String> {
    match (shape, value) {
        (Type::NonNullType(_), Value::Null) => Err("Expected value to not be null".to_owned()),
        (Type::NonNullType(inner), value) => fits(schema, inner, value),
        (_, Value::Null) => Ok(()),
        (Type::ListType(inner), Value::Array(items)) => {
            items.iter().try_for_each(|item| fits(schema, inner, item))
        }
        (Type::ListType(inner), value) => fits(schema, inner, value),
        (Type::NamedType(name), value) => match (schema.get(name), value) {
            (Some(Known::Input(fields)), Value::Object(given)) => {
                if let Some(unknown) = given.keys().find(|field| !fields.contains_key(*field)) {
                    return Err(format!("{unknown} (Field is not defined on {name})"));
                }
                let null = Value::Null;
                fields
                    .iter()
                    .try_for_each(|(field, shape)| fits(schema, shape, given.get(field).unwrap_or(&null)))
            }
            (Some(Known::Enum(words)), Value::String(word)) if words.contains(word) => Ok(()),
            (Some(Known::Scalar), value) if is_scalar(name, value) => Ok(()),
            _ => Err(format!("Could not coerce value to {name}")),
        },
    }
}

fn is_scalar(name: &str, value: &Value) -> bool {
    match name {
        "ID" => value.is_string() || value.is_i64() || value.is_u64(),
        "Int" => value.is_i64(),
        "Float" => value.is_number(),
        "Boolean" => value.is_boolean(),
        "JSON" => true,
        "ISO8601Date" | "ISO8601DateTime" => {
            let text = value.as_str().unwrap_or_default();
            text.parse::<jiff::civil::Date>().is_ok() || text.parse::<jiff::Timestamp>().is_ok()
        }
        _ => value.is_string(),
    }
}

/// A literal with the variables put in.
fn plain(literal: &Literal<'static, Text>, variables: &Map<String, Value>) -> Value {
    match literal {
        Literal::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
        Literal::Int(number) => json!(number.as_i64()),
        Literal::Float(number) => json!(number),
        Literal::String(text) | Literal::Enum(text) => json!(text),
        Literal::Boolean(boolean) => json!(boolean),
        Literal::Null => Value::Null,
        Literal::List(items) => items.iter().map(|item| plain(item, variables)).collect(),
        Literal::Object(fields) => {
            let given = fields.iter().filter(|(_, literal)| is_given(literal, variables));
            Value::Object(given.map(|(name, literal)| (name.clone(), plain(literal, variables))).collect())
        }
    }
}

/// A variable without a value is as if it were not there.
fn is_given(literal: &Literal<'static, Text>, variables: &Map<String, Value>) -> bool {
    !matches!(literal, Literal::Variable(name) if !variables.contains_key(name))
}

#[derive(Default)]
struct Cost {
    complexity: u64,
    depth: u64,
}

struct Asked<'a> {
    schema: &'a Schema,
    fragments: Fragments<'a>,
    declared: &'a [VariableDefinition<'static, Text>],
    variables: Map<String, Value>,
}

impl<'a> Asked<'a> {
    /// The fields of a selection, fragments opened.
    fn fields<'s>(&'s self, selection: &'s SelectionSet<'static, Text>) -> Vec<&'s Field<'static, Text>> {
        let mut fields = Vec::new();
        self.collect(selection, &mut fields, 0);
        fields
    }

    fn collect<'s>(
        &'s self,
        selection: &'s SelectionSet<'static, Text>,
        into: &mut Vec<&'s Field<'static, Text>>,
        nested: u64,
    ) {
        // A fragment that holds itself.
        if nested > DEEPEST {
            return;
        }
        for item in &selection.items {
            match item {
                Selection::Field(field) => into.push(field),
                Selection::InlineFragment(inline) => self.collect(&inline.selection_set, into, nested + 1),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(spread.fragment_name.as_str()) {
                        self.collect(&fragment.selection_set, into, nested + 1);
                    }
                }
            }
        }
    }

    fn arguments(&self, field: &Field<'static, Text>) -> Map<String, Value> {
        let given = field.arguments.iter().filter(|(_, literal)| is_given(literal, &self.variables));
        given.map(|(name, literal)| (name.clone(), plain(literal, &self.variables))).collect()
    }

    fn check(
        &self,
        of: &str,
        selection: &SelectionSet<'static, Text>,
        times: u64,
        depth: u64,
        cost: &mut Cost,
    ) -> Result<(), Problem> {
        for item in &selection.items {
            let condition = match item {
                Selection::Field(_) => None,
                Selection::InlineFragment(inline) => inline.type_condition.as_ref(),
                Selection::FragmentSpread(spread) => {
                    match self.fragments.get(spread.fragment_name.as_str()) {
                        Some(fragment) => Some(&fragment.type_condition),
                        None => {
                            return Err(wrong(&format!(
                                "Fragment {} was used, but not defined",
                                spread.fragment_name
                            )));
                        }
                    }
                }
            };
            if let Some(TypeCondition::On(name)) = condition.filter(|TypeCondition::On(name)| name != of) {
                return Err(wrong(&format!("Fragment on {name} can't be spread inside {of}")));
            }
        }
        for field in self.fields(selection) {
            self.check_field(of, field, times, depth, cost)?;
        }
        Ok(())
    }

    fn check_field(
        &self,
        of: &str,
        field: &Field<'static, Text>,
        times: u64,
        depth: u64,
        cost: &mut Cost,
    ) -> Result<(), Problem> {
        if field.name == "__typename" {
            return Ok(());
        }
        let name = &field.name;
        let member = self.schema.member(of, name);
        let member = member.ok_or_else(|| {
            Problem(format!("Field '{name}' doesn't exist on type '{of}'"), "undefinedField")
        })?;
        for (argument, literal) in &field.arguments {
            let shape = member.arguments.get(argument).ok_or_else(|| {
                Problem(format!("Field '{name}' doesn't accept argument '{argument}'"), "argumentNotAccepted")
            })?;
            self.check_argument(argument, shape, literal)?;
        }
        let absent = member.arguments.iter().find(|(argument, shape)| {
            matches!(shape, Type::NonNullType(_))
                && !field.arguments.iter().any(|(given, _)| given == *argument)
        });
        if let Some((argument, _)) = absent {
            return Err(wrong(&format!("Field '{name}' is missing required arguments: {argument}")));
        }
        cost.complexity = cost.complexity.saturating_add(times);
        cost.depth = cost.depth.max(depth);
        let inner = named(&member.shape);
        let is_object = matches!(self.schema.get(inner), Some(Known::Object(_)));
        match (is_object, field.selection_set.items.is_empty()) {
            (true, true) => {
                return Err(wrong(&format!("Field must have selections (field '{name}' returns {inner})")));
            }
            (false, false) => {
                return Err(wrong(&format!("Selections can't be made on scalars (field '{name}')")));
            }
            _ => {}
        }
        if !inner.ends_with("Connection") {
            return self.check(inner, &field.selection_set, times, depth + 1, cost);
        }
        let arguments = self.arguments(field);
        let page =
            ["first", "last"].iter().find_map(|name| arguments.get(*name)?.as_u64()).unwrap_or(USUAL_PAGE);
        // The connection's own fields count once, those of its items once each.
        for part in self.fields(&field.selection_set) {
            match self.schema.member(inner, &part.name).map(|member| named(&member.shape)) {
                Some(item) if matches!(part.name.as_str(), "nodes" | "edges") => {
                    if part.selection_set.items.is_empty() {
                        return Err(wrong(&format!("Field must have selections (field '{}')", part.name)));
                    }
                    cost.complexity = cost.complexity.saturating_add(times);
                    self.check(item, &part.selection_set, times.saturating_mul(page), depth + 2, cost)?;
                }
                _ => self.check_field(inner, part, times, depth + 1, cost)?,
            }
        }
        Ok(())
    }

    /// A variable's type must be the argument's.
    fn check_argument(
        &self,
        argument: &str,
        shape: &Shape,
        literal: &Literal<'static, Text>,
    ) -> Result<(), Problem> {
        match literal {
            Literal::Variable(name) => {
                let declared = self.declared.iter().find(|declared| declared.name == *name);
                let declared =
                    declared.ok_or_else(|| wrong(&format!("Variable ${name} is used but not declared")))?;
                let is_same = named(&declared.var_type) == named(shape)
                    && is_list(&declared.var_type) == is_list(shape);
                let may_be_null =
                    !matches!(declared.var_type, Type::NonNullType(_)) && declared.default_value.is_none();
                if !is_same || (may_be_null && matches!(shape, Type::NonNullType(_))) {
                    let text = format!(
                        "Type mismatch on variable ${name} and argument {argument} ({} / {shape})",
                        declared.var_type
                    );
                    return Err(Problem(text, "variableMismatch"));
                }
                Ok(())
            }
            Literal::Object(given) => {
                let Some(Known::Input(fields)) = self.schema.get(named(shape)) else {
                    return Err(wrong(&format!("Argument '{argument}' has an invalid value")));
                };
                for (name, literal) in given {
                    let shape = fields.get(name).ok_or_else(|| {
                        wrong(&format!("InputObject '{}' doesn't accept argument '{name}'", named(shape)))
                    })?;
                    self.check_argument(name, shape, literal)?;
                }
                Ok(())
            }
            Literal::List(items) => {
                let inner = match shape {
                    Type::ListType(inner) => inner,
                    other => other,
                };
                items.iter().try_for_each(|item| self.check_argument(argument, inner, item))
            }
            literal => fits(self.schema, shape, &plain(literal, &self.variables))
                .map_err(|why| wrong(&format!("Argument '{argument}' has an invalid value: {why}"))),
        }
    }

    /// What was selected of a whole record.
    fn cut(&self, shape: &Shape, field: &Field<'static, Text>, whole: Value) -> Value {
        match whole {
            Value::Array(items) => items.into_iter().map(|item| self.cut(shape, field, item)).collect(),
            Value::Object(mut record) if !field.selection_set.items.is_empty() => {
                let of = named(shape);
                let mut out = Map::new();
                for part in self.fields(&field.selection_set) {
                    if part.name == "__typename" {
                        out.insert(key(part), json!(of));
                        continue;
                    }
                    let Some(member) = self.schema.member(of, &part.name) else { continue };
                    // An alias may ask for a field twice.
                    let value = record.get_mut(&part.name).map(|value| value.clone()).unwrap_or_default();
                    out.insert(key(part), self.cut(&member.shape, part, value));
                }
                Value::Object(out)
            }
            scalar => scalar,
        }
    }
}

fn key(field: &Field<'static, Text>) -> String {
    field.alias.clone().unwrap_or_else(|| field.name.clone())
}

fn wrong(text: &str) -> Problem {
    Problem(text.to_owned(), "")
}
