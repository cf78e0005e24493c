//! The project's own template, read.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bridge_aws::admin::KeySpec;
use serde_json::Value;

use super::{Facts, Template};

fn template() -> Template {
    let parameters = [("DeletionProtection", "false"), ("EndpointUrl", "http://127.0.0.1:1")];
    Template::embedded("bridge", "us-east-1", &parameters).unwrap()
}

fn known() -> Template {
    let mut template = template();
    for (stack, id) in template.queues() {
        let spec = template.queue(&stack, &id).unwrap();
        let reference = format!("http://127.0.0.1:1/000000000000/{}", spec.name);
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}", spec.name);
        template.know(&stack, &id, Facts { reference, attributes: BTreeMap::from([("Arn", arn)]) });
    }
    template
}

#[test]
fn what_is_kept_is_found_in_the_nested_stack() {
    let template = template();
    let key = template.keys().unwrap();
    assert_eq!(
        (key[0].stack.as_str(), key[0].id.as_str(), key[0].alias.as_str()),
        ("Storage", "Key", "alias/bridge")
    );
    let tables = template.tables().unwrap();
    let ledger = tables.iter().map(|(_, table)| table).find(|table| table.name == "bridge-ledger").unwrap();
    assert_eq!(ledger.key, KeySpec { hash: "pk".into(), range: Some("sk".into()) });
    let names: Vec<_> = ledger.indexes.iter().map(|index| (&*index.name, index.include.clone())).collect();
    assert_eq!(names, [("by-connection", Some(vec!["doc".to_owned()])), ("by-attention", None)]);
    let buckets: Vec<_> =
        template.buckets().unwrap().into_iter().map(|b| (b.name, b.keeps_versions)).collect();
    let names = ["files", "payloads"].map(|name| format!("bridge-{name}-000000000000-us-east-1"));
    assert_eq!(buckets, names.map(|name| (name, true)));
}

#[test]
fn queues_come_with_their_dead_letter_queues_first() {
    let template = known();
    let order: Vec<String> = template.queues().into_iter().map(|(_, id)| id).collect();
    assert_eq!(order.len(), 12);
    assert!(order[..6].iter().all(|id| id.ends_with("DeadLetters")), "{order:?}");
    let inbound = template.queue("", "Inbound").unwrap();
    assert_eq!(inbound.name, "bridge-inbound.fifo");
    assert_eq!(inbound.attributes["FifoQueue"], "true");
    let redrive: Value = serde_json::from_str(&inbound.attributes["RedrivePolicy"]).unwrap();
    let dead = "arn:aws:sqs:us-east-1:000000000000:bridge-inbound-dead-letters.fifo";
    assert_eq!(redrive["deadLetterTargetArn"], dead);
}

#[test]
fn a_queue_that_is_not_there_yet_cannot_be_referred_to() {
    let error = template().queue("", "Inbound").unwrap_err().to_string();
    assert_eq!(
        error,
        "infra/template.yaml: Inbound.RedrivePolicy: InboundDeadLetters.Arn: has not been created"
    );
}

#[test]
fn functions_and_routes_are_wired_as_declared() {
    let functions = known().functions().unwrap();
    let normalize = functions.iter().find(|function| function.binary == "normalize").unwrap();
    let [source] = normalize.sources.as_slice() else { panic!("one source") };
    assert!(source.arn.ends_with(":bridge-inbound.fifo") && source.partial);
    assert_eq!(source.concurrency, 20, "the parameter's default");
    let retry = functions.iter().find(|function| function.binary == "retry").unwrap();
    assert_eq!(retry.sources.len(), 7);
    let poll = functions.iter().find(|function| function.binary == "poll").unwrap();
    assert_eq!(
        (poll.sources.len(), poll.minutely.as_slice()),
        (1, &["{\"queue-due\": true}".to_owned()][..])
    );
    let export = functions.iter().find(|function| function.binary == "export").unwrap();
    assert_eq!(
        (export.sources.len(), export.minutely.as_slice()),
        (1, &["{\"export-due\": true}".to_owned()][..])
    );
    let files = functions.iter().find(|function| function.binary == "file-ingest").unwrap();
    assert_eq!((files.sources[0].batch_size, files.sources[0].concurrency), (1, 5));
    let [told] = known().notifications().unwrap().try_into().unwrap();
    assert_eq!((&*told.bucket, &*told.prefix), ("bridge-files-000000000000-us-east-1", "drops/"));
    assert_eq!(told.queue, files.sources[0].arn);
    let routes = known().routes().unwrap();
    let keys: Vec<_> = routes.iter().map(|route| (&*route.key, &*route.function)).collect();
    assert_eq!(
        keys,
        [
            ("POST /webhooks/{connection}", "WebhookIntake"),
            ("GET /webhooks/{connection}", "WebhookIntake"),
            ("POST /hl7/{connection}", "Hl7Intake"),
            ("ANY /fhir/{connection}/{proxy+}", "FhirApi"),
            ("GET /.well-known/jwks.json", "FhirApi"),
        ]
    );
}

#[test]
fn the_environment_names_what_was_created() {
    let mut template = known();
    let key = Facts { reference: "k".into(), attributes: BTreeMap::from([("Arn", "arn:k".to_owned())]) };
    template.know("Storage", "Key", key);
    for (stack, id, name) in [
        ("Storage", "Ledger", "bridge-ledger"),
        ("Storage", "ResourceStore", "bridge-resources"),
        ("Storage", "Config", "bridge-config"),
        ("Storage", "Payloads", "bridge-payloads"),
        ("Files", "Files", "bridge-files"),
    ] {
        template.know(stack, id, Facts { reference: name.into(), attributes: BTreeMap::new() });
    }
    let environment = template.environment().unwrap();
    assert_eq!(environment["LEDGER_TABLE"], "bridge-ledger");
    assert_eq!(environment["FILES_BUCKET"], "bridge-files");
    assert!(environment["DROPS_QUEUE_URL"].ends_with("/bridge-drops"));
    assert_eq!(environment["KEY_ID"], "arn:k");
    assert_eq!(environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:1");
    assert!(environment["INBOUND_QUEUE_URL"].ends_with("/bridge-inbound.fifo"));
}
