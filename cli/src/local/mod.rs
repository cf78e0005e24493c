//! A whole bridge in one process: what the template declares, created on an emulator and wired as declared.

pub(crate) mod drops;
pub(crate) mod emulator;
mod event;
mod functions;
mod gateway;
pub(crate) mod issuer;
pub(crate) mod mllp;
pub(crate) mod outbox;
mod poller;
mod provision;
mod schedule;
pub(crate) mod server;
pub(crate) mod signals;
pub(crate) mod state;
pub(crate) mod stop;

use std::{collections::BTreeMap, sync::Arc};

use bridge_adapters::{Catalog, Transports};
use bridge_aws::{
    Aws, AwsPorts, Meter, Valkey,
    admin::Admin,
    lambda::{self, Warm},
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    failure::Failure,
    output::Progress,
    system::{local_credentials, settings},
    template::Template,
    texts::count,
};
use functions::Functions;
use gateway::Gateway;
use issuer::LocalIssuer;
use poller::{Idle, Poller};
use stop::{Stop, Stopper};

/// What an emulator pretends to be.
pub(crate) const REGION: &str = "us-east-1";
/// The name of the stack; every name begins with it.
const STACK: &str = "bridge";

/// A stack that has been created.
#[derive(Debug)]
pub(crate) struct Created {
    template: Template,
    /// The variables that the functions get.
    pub(crate) environment: BTreeMap<String, String>,
}

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct Running {
    stopper: Stopper,
    tasks: JoinSet<()>,
    /// Counts what the functions and the pollers call.
    pub(crate) meter: Meter,
    /// Counts the pollers' receives that found nothing.
    pub(crate) idle: Idle,
    /// The functions.
    pub(crate) functions: Arc<Functions>,
}

/// Creates at `endpoint` what the template declares, or finds what is there from the last time.
///
/// # Errors
/// When the endpoint fails.
pub(crate) async fn create(endpoint: &str, progress: &Progress) -> Result<Created, Failure> {
    let step = progress.step("stack");
    let parameters = [("DeletionProtection", "false"), ("EndpointUrl", endpoint)];
    let mut template = Template::embedded(STACK, REGION, &parameters)?;
    let admin = Admin::new(endpoint, REGION, &local_credentials(), &Meter::default()).await;
    let created = provision::create(&mut template, &admin, REGION).await?;
    let environment = template.environment()?;
    step.done(&format!(
        "{}, {}, {}, {} of infra/template.yaml",
        count(created.tables, "table"),
        count(created.queues, "queue"),
        count(created.buckets, "bucket"),
        count(created.keys, "key"),
    ));
    Ok(Created { template, environment })
}

impl Created {
    /// Starts the functions, the API on `listener` and a poller for each event source.
    ///
    /// # Errors
    /// When the template declares something that this program can't run.
    pub(crate) async fn start(
        &self,
        listener: TcpListener,
        issuer: &LocalIssuer,
        progress: &Progress,
    ) -> Result<Running, Failure> {
        let step = progress.step("functions");
        let settings = settings(&self.environment, REGION);
        let endpoint = settings.endpoint.clone().unwrap_or_default();
        let aws = Aws::new(settings.clone()).await;
        let declared = self.template.functions()?;
        let handlers = handlers(&aws, issuer)?;
        let functions = Functions::new(&declared, |binary| handlers.get(binary).cloned());
        let functions = Arc::new(functions.map_err(Failure::World)?);
        aws.warm_up(&[Warm::Tables, Warm::Keys]).await;

        let (stopper, stop) = stop::pair();
        let mut tasks = JoinSet::new();
        let gateway = Gateway::new(self.template.routes()?, Arc::clone(&functions));
        tasks.spawn(gateway.serve(listener, stop.clone()));
        let admin = Admin::new(&endpoint, REGION, &local_credentials(), aws.meter()).await;
        let idle = Idle::default();
        let mut sources = 0;
        for function in &declared {
            for event in &function.minutely {
                tasks.spawn(schedule::minutely(
                    Arc::clone(&functions),
                    function.id.clone(),
                    event.clone(),
                    stop.clone(),
                ));
            }
            for source in &function.sources {
                let queue_url = self.template.queue_url(&source.arn)?;
                let poller = Poller {
                    admin: admin.clone(),
                    queue_url,
                    source: source.clone(),
                    function: function.id.clone(),
                    functions: Arc::clone(&functions),
                    idle: idle.clone(),
                };
                tasks.spawn(poller.run(stop.clone()));
                sources += 1;
            }
        }
        step.done(&format!(
            "{} behind the API and {}",
            count(declared.len(), "function"),
            count(sources, "event source")
        ));
        Ok(Running { stopper, tasks, meter: aws.meter().clone(), idle, functions })
    }
}

/// The functions' handlers, by the names of their binaries: what each `main.rs` builds on Lambda.
fn handlers(
    aws: &Aws,
    issuer: &LocalIssuer,
) -> Result<BTreeMap<&'static str, Arc<dyn lambda::Function>>, Failure> {
    let ports = || AwsPorts::new(aws.clone(), Catalog::builtin());
    let transports = || Transports::new().map_err(|error| Failure::World(error.to_string()));
    let mut handlers: BTreeMap<&'static str, Arc<dyn lambda::Function>> = BTreeMap::new();
    handlers.insert("webhook-intake", Arc::new(webhook_intake::WebhookIntake::new(ports())));
    handlers.insert("hl7-intake", Arc::new(hl7_intake::Hl7Intake::new(ports())));
    handlers.insert("file-ingest", Arc::new(file_ingest::FileIngest::new(ports())));
    handlers.insert("export", Arc::new(export::Export::new(ports())));
    handlers.insert("normalize", Arc::new(normalize::Normalize::new(ports())));
    handlers.insert("deliver", Arc::new(deliver::Deliver::new(ports().with_destination(transports()?))));
    let cache = Valkey::from_env().map_err(|error| Failure::Wrong(error.to_string()))?;
    let asks = ports().with_destination(transports()?).with_cache(cache);
    let asks = fhir_api::FhirApi::new(asks, issuer.access(), None);
    handlers.insert("fhir-api", Arc::new(asks));
    handlers.insert("poll", Arc::new(poll::Poll::new(ports().with_destination(transports()?))));
    handlers.insert("retry", Arc::new(retry::Retry::new(ports(), aws.sources())));
    Ok(handlers)
}

impl Running {
    /// Runs one more thing until the end.
    pub(crate) fn also<F: Future<Output = ()> + Send + 'static>(&mut self, start: impl FnOnce(Stop) -> F) {
        self.tasks.spawn(start(self.stopper.listen()));
    }

    /// Takes no more requests and no more records, and returns when everything that was begun is over.
    pub(crate) async fn stop(mut self) {
        self.stopper.stop();
        while self.tasks.join_next().await.is_some() {}
    }
}
