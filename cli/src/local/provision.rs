//! Creating what the template declares, and learning what it has become.

use std::collections::BTreeMap;

use bridge_aws::admin::Admin;

use crate::{
    failure::Failure,
    template::{ACCOUNT, Facts, Template, TemplateError},
};

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        Self::World(error.to_string())
    }
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Created {
    pub(crate) keys: usize,
    pub(crate) tables: usize,
    pub(crate) buckets: usize,
    pub(crate) queues: usize,
}

/// Creates keys, tables, buckets and queues, or finds those of the last time. The template knows them from then on.
///
/// # Errors
/// When the endpoint fails, or the template uses something that this program does not know.
pub(crate) async fn create(template: &mut Template, admin: &Admin, region: &str) -> Result<Created, Failure> {
    let mut created = Created::default();
    for key in template.keys()? {
        let arn = admin.key(&key.alias).await?;
        template.know(&key.stack, &key.id, Facts { reference: arn.clone(), attributes: arns(arn) });
        created.keys += 1;
    }
    let tables: Vec<_> = template.tables()?.into_iter().map(|(table, spec)| (owned(table), spec)).collect();
    for ((stack, id), spec) in tables {
        admin.table(&spec).await?;
        let arn = format!("arn:aws:dynamodb:{region}:{ACCOUNT}:table/{}", spec.name);
        template.know(&stack, &id, Facts { reference: spec.name, attributes: arns(arn) });
        created.tables += 1;
    }
    for bucket in template.buckets()? {
        admin.bucket(&bucket.name, bucket.keeps_versions).await?;
        let arn = format!("arn:aws:s3:::{}", bucket.name);
        template.know(&bucket.stack, &bucket.id, Facts { reference: bucket.name, attributes: arns(arn) });
        created.buckets += 1;
    }
    for (stack, id) in template.queues() {
        let spec = template.queue(&stack, &id)?;
        let url = admin.queue(&spec).await?;
        let arn = format!("arn:aws:sqs:{region}:{ACCOUNT}:{}", spec.name);
        template.know(&stack, &id, Facts { reference: url, attributes: arns(arn) });
        created.queues += 1;
    }
    for told in template.notifications()? {
        admin.notify(&told.bucket, &told.queue, &told.prefix).await?;
    }
    Ok(created)
}

fn owned(resource: crate::template::Resource<'_>) -> (String, String) {
    (resource.stack.to_owned(), resource.id.to_owned())
}

fn arns(arn: String) -> BTreeMap<&'static str, String> {
    BTreeMap::from([("Arn", arn)])
}
