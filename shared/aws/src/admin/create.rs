//! Creating, or finding, what the template declares.

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus,
};
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_s3::{
    operation::create_bucket::CreateBucketError,
    types::{
        BucketVersioningStatus, Event, FilterRule, FilterRuleName, NotificationConfiguration,
        NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter, VersioningConfiguration,
    },
};
use aws_sdk_sqs::types::QueueAttributeName;
use bridge_pipeline::ports::PortError;

use super::{Admin, IndexSpec, KeySpec, QueueSpec, TableSpec};
use crate::error::{broken, failed};

/// A table is ready within seconds.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

impl Admin {
    /// The ARN of the key behind an alias such as `alias/bridge`. Where the alias leads nowhere, the key is created.
    ///
    /// # Errors
    /// When KMS fails.
    pub async fn key(&self, alias: &str) -> Result<String, PortError> {
        match self.kms.describe_key().key_id(alias).send().await {
            Ok(known) => Ok(known.key_metadata.and_then(|key| key.arn).unwrap_or_default()),
            Err(error) if error.as_service_error().is_some_and(DescribeKeyError::is_not_found_exception) => {
                self.new_key(alias).await
            }
            Err(error) => Err(failed("kms.DescribeKey", &error)),
        }
    }

    async fn new_key(&self, alias: &str) -> Result<String, PortError> {
        let created = self.kms.create_key().send().await.map_err(|error| failed("kms.CreateKey", &error))?;
        let (id, arn) = created.key_metadata.map(|key| (key.key_id, key.arn)).unwrap_or_default();
        let named = self.kms.create_alias().alias_name(alias).target_key_id(id).send().await;
        named.map_err(|error| failed("kms.CreateAlias", &error))?;
        Ok(arn.unwrap_or_default())
    }

    /// Creates a bucket.
    ///
    /// # Errors
    /// When S3 fails, or the name belongs to somebody else.
    pub async fn bucket(&self, name: &str, keeps_versions: bool) -> Result<(), PortError> {
        match self.s3.create_bucket().bucket(name).send().await {
            Ok(_) => {}
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateBucketError::is_bucket_already_owned_by_you) => {}
            Err(error) => return Err(failed("s3.CreateBucket", &error)),
        }
        if keeps_versions {
            let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
            let put = self.s3.put_bucket_versioning().bucket(name).versioning_configuration(enabled);
            put.send().await.map_err(|error| failed("s3.PutBucketVersioning", &error))?;
        }
        Ok(())
    }

    /// Has a queue told of every object that is put into a bucket under a prefix.
    ///
    /// # Errors
    /// When S3 fails, or can't reach the queue.
    pub async fn notify(&self, bucket: &str, queue_arn: &str, prefix: &str) -> Result<(), PortError> {
        const OPERATION: &str = "s3.PutBucketNotificationConfiguration";
        let rule = FilterRule::builder().name(FilterRuleName::Prefix).value(prefix).build();
        let below = S3KeyFilter::builder().filter_rules(rule).build();
        let told = QueueConfiguration::builder()
            .queue_arn(queue_arn)
            .events(Event::S3ObjectCreated)
            .filter(NotificationConfigurationFilter::builder().key(below).build())
            .build()
            .map_err(|error| broken(OPERATION, &error))?;
        let told = NotificationConfiguration::builder().queue_configurations(told).build();
        let put = self.s3.put_bucket_notification_configuration().bucket(bucket);
        put.notification_configuration(told).send().await.map_err(|error| failed(OPERATION, &error))?;
        Ok(())
    }

    /// Creates a queue; returns its URL. One that is there already gets the attributes anew.
    ///
    /// # Errors
    /// When SQS fails.
    pub async fn queue(&self, spec: &QueueSpec) -> Result<String, PortError> {
        let named =
            |(name, value): (&String, &String)| (QueueAttributeName::from(name.as_str()), value.clone());
        let known = self.sqs.get_queue_url().queue_name(&spec.name).send().await;
        if let Some(url) = known.ok().and_then(|known| known.queue_url) {
            // What makes it FIFO can't be set again.
            let changeable = spec.attributes.iter().filter(|(name, _)| *name != "FifoQueue").map(named);
            let set =
                self.sqs.set_queue_attributes().queue_url(&url).set_attributes(Some(changeable.collect()));
            set.send().await.map_err(|error| failed("sqs.SetQueueAttributes", &error))?;
            return Ok(url);
        }
        let attributes = spec.attributes.iter().map(named).collect();
        let create = self.sqs.create_queue().queue_name(&spec.name).set_attributes(Some(attributes));
        let created = create.send().await.map_err(|error| failed("sqs.CreateQueue", &error))?;
        Ok(created.queue_url.unwrap_or_default())
    }

    /// Creates a table, and waits until it can be used.
    ///
    /// # Errors
    /// When DynamoDB fails.
    pub async fn table(&self, spec: &TableSpec) -> Result<(), PortError> {
        for _ in 0..LOOKS {
            match self.table_is_active(&spec.name).await? {
                Some(true) => return Ok(()),
                Some(false) => tokio::time::sleep(BETWEEN_LOOKS).await,
                None => self.new_table(spec).await?,
            }
        }
        let reason = format!("the table {} does not become active", spec.name);
        Err(PortError { operation: "dynamodb.CreateTable", reason })
    }

    /// `None` when there is no such table.
    async fn table_is_active(&self, name: &str) -> Result<Option<bool>, PortError> {
        match self.dynamodb.describe_table().table_name(name).send().await {
            Ok(known) => {
                let status = known.table.and_then(|table| table.table_status);
                Ok(Some(status == Some(TableStatus::Active)))
            }
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(failed("dynamodb.DescribeTable", &error)),
        }
    }

    async fn new_table(&self, spec: &TableSpec) -> Result<(), PortError> {
        const OPERATION: &str = "dynamodb.CreateTable";
        let keys = std::iter::once(&spec.key).chain(spec.indexes.iter().map(|index| &index.key));
        let names: BTreeSet<&String> =
            keys.flat_map(|key| [Some(&key.hash), key.range.as_ref()]).flatten().collect();
        let mut attributes = Vec::with_capacity(names.len());
        for name in names {
            let attribute = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(|error| broken(OPERATION, &error))?;
            attributes.push(attribute);
        }
        let indexes: Vec<GlobalSecondaryIndex> = spec.indexes.iter().map(index).collect::<Result<_, _>>()?;
        self.dynamodb
            .create_table()
            .table_name(&spec.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes))
            .set_key_schema(Some(key_schema(&spec.key)?))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .send()
            .await
            .map_err(|error| failed(OPERATION, &error))?;
        Ok(())
    }
}

fn index(spec: &IndexSpec) -> Result<GlobalSecondaryIndex, PortError> {
    let projection = match &spec.include {
        None => Projection::builder().projection_type(ProjectionType::All),
        Some(attributes) => Projection::builder()
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(attributes.clone())),
    };
    GlobalSecondaryIndex::builder()
        .index_name(&spec.name)
        .set_key_schema(Some(key_schema(&spec.key)?))
        .projection(projection.build())
        .build()
        .map_err(|error| broken("dynamodb.CreateTable", &error))
}

fn key_schema(key: &KeySpec) -> Result<Vec<KeySchemaElement>, PortError> {
    let element = |name: &String, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .map_err(|error| broken("dynamodb.CreateTable", &error))
    };
    let mut schema = vec![element(&key.hash, KeyType::Hash)?];
    if let Some(range) = &key.range {
        schema.push(element(range, KeyType::Range)?);
    }
    Ok(schema)
}
