//! The declared resources in the words of those who create and run them.

use std::{collections::BTreeMap, time::Duration};

use bridge_aws::admin::{IndexSpec, KeySpec, QueueSpec, TableSpec};
use serde_json::Value;

use super::{Resource, Template, TemplateError};

/// A key, by the alias under which the next start finds it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) stack: String,
    pub(crate) id: String,
    pub(crate) alias: String,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) stack: String,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) keeps_versions: bool,
}

/// A queue that is told of new objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) bucket: String,
    /// The queue's ARN.
    pub(crate) queue: String,
    /// Of the objects' keys.
    pub(crate) prefix: String,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its logical id.
    pub(crate) id: String,
    /// The binary that it runs, for example `webhook-intake`.
    pub(crate) binary: String,
    /// How long an invocation may take.
    pub(crate) timeout: Duration,
    /// The queues that call it.
    pub(crate) sources: Vec<EventSource>,
    /// The events that it is called with once a minute.
    pub(crate) minutely: Vec<String>,
}

/// A queue whose records call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventSource {
    /// The queue.
    pub(crate) arn: String,
    /// Records per invocation, at most.
    pub(crate) batch_size: usize,
    /// Invocations at the same time, at most.
    pub(crate) concurrency: usize,
    /// Whether the function's answer names the records that failed. Without it a batch fails as a whole.
    pub(crate) partial: bool,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// Method and path, for example `POST /webhooks/{connection}`.
    pub(crate) key: String,
    /// Logical id of the function that answers.
    pub(crate) function: String,
    /// How long the API waits for it.
    pub(crate) timeout: Duration,
}

impl Template {
    /// The keys that have an alias.
    pub(crate) fn keys(&self) -> Result<Vec<Key>, TemplateError> {
        let key = |alias: Resource<'_>| {
            let id = alias.properties["TargetKeyId"]["Ref"].as_str().unwrap_or_default().to_owned();
            Ok(Key { stack: alias.stack.to_owned(), id, alias: self.text(alias, "AliasName")? })
        };
        self.resources("AWS::KMS::Alias").map(key).collect()
    }

    /// The tables, with what to know them by.
    pub(crate) fn tables(&self) -> Result<Vec<(Resource<'_>, TableSpec)>, TemplateError> {
        self.resources("AWS::DynamoDB::Table").map(|table| Ok((table, self.table(table)?))).collect()
    }

    fn table(&self, table: Resource<'_>) -> Result<TableSpec, TemplateError> {
        let key = |schema: &Value| {
            let part = |kind: &str| {
                let parts = schema.as_array().into_iter().flatten();
                let found = parts.clone().find(|part| part["KeyType"] == *kind)?;
                found["AttributeName"].as_str().map(str::to_owned)
            };
            part("HASH").map(|hash| KeySpec { hash, range: part("RANGE") })
        };
        let missing = || self.error(table.stack, &format!("{}.KeySchema", table.id), "has no HASH key");
        let mut indexes = Vec::new();
        for index in self.property(table, "GlobalSecondaryIndexes")?.as_array().into_iter().flatten() {
            let projection = &index["Projection"];
            let attributes = projection["NonKeyAttributes"].as_array().into_iter().flatten();
            indexes.push(IndexSpec {
                name: index["IndexName"].as_str().unwrap_or_default().to_owned(),
                key: key(&index["KeySchema"]).ok_or_else(missing)?,
                include: (projection["ProjectionType"] != "ALL")
                    .then(|| attributes.filter_map(Value::as_str).map(str::to_owned).collect()),
            });
        }
        Ok(TableSpec {
            name: self.text(table, "TableName")?,
            key: key(&self.property(table, "KeySchema")?).ok_or_else(missing)?,
            indexes,
        })
    }

    /// The buckets.
    pub(crate) fn buckets(&self) -> Result<Vec<Bucket>, TemplateError> {
        let bucket = |bucket: Resource<'_>| {
            Ok(Bucket {
                stack: bucket.stack.to_owned(),
                id: bucket.id.to_owned(),
                name: self.text(bucket, "BucketName")?,
                keeps_versions: bucket.properties["VersioningConfiguration"]["Status"] == "Enabled",
            })
        };
        self.resources("AWS::S3::Bucket").map(bucket).collect()
    }

    /// Which queues are told of what is put into buckets. The queues must be known.
    pub(crate) fn notifications(&self) -> Result<Vec<Notification>, TemplateError> {
        let mut notifications = Vec::new();
        for bucket in self.resources("AWS::S3::Bucket") {
            let told = self.property(bucket, "NotificationConfiguration")?;
            for told in told["QueueConfigurations"].as_array().into_iter().flatten() {
                let rule = &told["Filter"]["S3Key"]["Rules"][0];
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                if rule["Name"] != "prefix" || told["Event"] != "s3:ObjectCreated:*" {
                    let reason = "`bridge up` knows notifications of s3:ObjectCreated:* below a prefix";
                    return Err(self.error(bucket.stack, bucket.id, reason));
                }
                notifications.push(Notification {
                    bucket: self.text(bucket, "BucketName")?,
                    queue: text(&told["Queue"]),
                    prefix: text(&rule["Value"]),
                });
            }
        }
        Ok(notifications)
    }

    /// The queues; those that others name as their dead letter queue come first.
    pub(crate) fn queues(&self) -> Vec<(String, String)> {
        let mut queues: Vec<Resource<'_>> = self.resources("AWS::SQS::Queue").collect();
        queues.sort_by_key(|queue| !queue.properties["RedrivePolicy"].is_null());
        queues.iter().map(|queue| (queue.stack.to_owned(), queue.id.to_owned())).collect()
    }

    /// What a queue is to be like. The queues before it must be known.
    pub(crate) fn queue(&self, stack: &str, id: &str) -> Result<QueueSpec, TemplateError> {
        let queue = self
            .resources("AWS::SQS::Queue")
            .find(|queue| queue.stack == stack && queue.id == id)
            .ok_or_else(|| self.error(stack, id, "there is no such queue"))?;
        let mut attributes = BTreeMap::new();
        // The key is left out: it would change nothing on an emulator, and cost a call per message.
        for name in [
            "FifoQueue",
            "DeduplicationScope",
            "FifoThroughputLimit",
            "MaximumMessageSize",
            "VisibilityTimeout",
            "MessageRetentionPeriod",
            "RedrivePolicy",
        ] {
            match self.property(queue, name)? {
                Value::Null => {}
                value @ Value::Object(_) => {
                    attributes.insert(name.to_owned(), value.to_string());
                }
                value => {
                    let text = bridge_core::manifest::scalar(&value).unwrap_or_default();
                    attributes.insert(name.to_owned(), text);
                }
            }
        }
        Ok(QueueSpec { name: self.text(queue, "QueueName")?, attributes })
    }

    /// Where a queue is that has been created.
    pub(crate) fn queue_url(&self, arn: &str) -> Result<String, TemplateError> {
        let known =
            self.facts.values().find(|facts| facts.attributes.get("Arn").is_some_and(|known| known == arn));
        known.map(|facts| facts.reference.clone()).ok_or_else(|| self.error("", arn, "has not been created"))
    }

    /// The functions. The queues must be known.
    pub(crate) fn functions(&self) -> Result<Vec<Function>, TemplateError> {
        self.resources("AWS::Serverless::Function").map(|function| self.function(function)).collect()
    }

    fn function(&self, function: Resource<'_>) -> Result<Function, TemplateError> {
        let (mut sources, mut minutely) = (Vec::new(), Vec::new());
        for (name, event) in function.properties["Events"].as_object().into_iter().flatten() {
            let known = event["Type"] == "SQS";
            if !known && (event["Type"] != "Schedule" || event["Properties"]["Schedule"] != "rate(1 minute)")
            {
                let path = format!("{}.Events.{name}", function.id);
                let reason = "`bridge up` knows events of type SQS, and Schedule with rate(1 minute)";
                return Err(self.error(function.stack, &path, reason));
            }
            if !known {
                minutely.push(event["Properties"]["Input"].as_str().unwrap_or_default().to_owned());
                continue;
            }
            let event = self.evaluate(function.stack, &event["Properties"])?;
            let responses = event["FunctionResponseTypes"].as_array().into_iter().flatten();
            let number = |value: &Value, default: u64| {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(default);
                usize::try_from(number).unwrap_or(1)
            };
            sources.push(EventSource {
                arn: event["Queue"].as_str().unwrap_or_default().to_owned(),
                batch_size: number(&event["BatchSize"], 10),
                concurrency: number(&event["ScalingConfig"]["MaximumConcurrency"], 2),
                partial: responses.into_iter().any(|response| response == "ReportBatchItemFailures"),
            });
        }
        let binary = self.binary(function);
        let timeout = self.text(function, "Timeout")?.parse().map(Duration::from_secs);
        let timeout = timeout.map_err(|_| self.error(function.stack, function.id, "needs a Timeout"))?;
        Ok(Function { id: function.id.to_owned(), binary, timeout, sources, minutely })
    }

    /// The variables that all functions get.
    pub(crate) fn environment(&self) -> Result<BTreeMap<String, String>, TemplateError> {
        let globals = &self.stacks.get("").map_or(&Value::Null, |stack| &stack.template["Globals"]);
        let variables = self.evaluate("", &globals["Function"]["Environment"]["Variables"])?;
        let text =
            |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
        Ok(variables.as_object().into_iter().flatten().map(text).collect())
    }

    /// The routes of the HTTP API.
    pub(crate) fn routes(&self) -> Result<Vec<Route>, TemplateError> {
        self.resources("AWS::ApiGatewayV2::Route").map(|route| self.route(route)).collect()
    }

    fn route(&self, route: Resource<'_>) -> Result<Route, TemplateError> {
        let wrong = |reason| self.error(route.stack, route.id, reason);
        let target = route.properties["Target"]["Fn::Sub"].as_str().unwrap_or_default();
        let integration = target.strip_prefix("integrations/${").and_then(|rest| rest.strip_suffix('}'));
        let integration = self
            .resources("AWS::ApiGatewayV2::Integration")
            .find(|found| Some(found.id) == integration)
            .ok_or_else(|| wrong("its target is no integration of the template"))?;
        let function = integration.properties["IntegrationUri"]["Fn::GetAtt"][0].as_str();
        let millis = integration.properties["TimeoutInMillis"].as_u64().unwrap_or(30_000);
        Ok(Route {
            key: self.text(route, "RouteKey")?,
            function: function.ok_or_else(|| wrong("its integration names no function"))?.to_owned(),
            timeout: Duration::from_millis(millis),
        })
    }

    fn binary(&self, function: Resource<'_>) -> String {
        let declared = self
            .stacks
            .get(function.stack)
            .map(|stack| &stack.template["Resources"][function.id]["Metadata"]["BuildProperties"]["Binary"]);
        declared.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}
