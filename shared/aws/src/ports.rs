//! The ports of one process, put together.

use bridge_core::{destination::Destination, manifest::Adapters, remote::Remote};
use bridge_pipeline::ports::{DeliverPorts, FilePorts, Ports, RemotePorts};

use crate::{Aws, DynamoStore, KmsKeys, KmsSigning, S3Blobs, S3Files, SqsQueue, SystemClock, Valkey};

/// AWS, adapters of kind `A`, and destinations reached by `D`. Functions that never call out leave `D` away: they
/// then have no way to.
#[derive(Debug)]
pub struct AwsPorts<A, D = ()> {
    aws: Aws,
    adapters: A,
    destination: D,
    cache: Option<Valkey>,
}

impl<A> AwsPorts<A> {
    /// Ports of a function that does not call out.
    pub const fn new(aws: Aws, adapters: A) -> Self {
        Self { aws, adapters, destination: (), cache: None }
    }

    /// The same, and a way out.
    pub fn with_destination<D>(self, destination: D) -> AwsPorts<A, D> {
        AwsPorts { aws: self.aws, adapters: self.adapters, destination, cache: self.cache }
    }
}

impl<A, D> AwsPorts<A, D> {
    /// The same, with a cache beside the tables.
    #[must_use]
    pub fn with_cache(self, cache: Option<Valkey>) -> Self {
        Self { cache, ..self }
    }
}

impl<A, D> Ports for AwsPorts<A, D>
where
    A: Adapters + 'static,
    D: Send + Sync + 'static,
{
    type Store = DynamoStore;
    type Queue = SqsQueue;
    type Blobs = S3Blobs;
    type Keys = KmsKeys;
    type Clock = SystemClock;
    type Adapters = A;

    fn store(&self) -> &DynamoStore {
        &self.aws.store
    }
    fn queue(&self) -> &SqsQueue {
        &self.aws.queue
    }
    fn blobs(&self) -> &S3Blobs {
        &self.aws.blobs
    }
    fn keys(&self) -> &KmsKeys {
        &self.aws.keys
    }
    fn clock(&self) -> &SystemClock {
        &SystemClock
    }
    fn adapters(&self) -> &A {
        &self.adapters
    }
}

impl<A, D> FilePorts for AwsPorts<A, D>
where
    A: Adapters + 'static,
    D: Send + Sync + 'static,
{
    type Files = S3Files;
    fn files(&self) -> &S3Files {
        &self.aws.files
    }
}

impl<A, D> DeliverPorts for AwsPorts<A, D>
where
    A: Adapters + 'static,
    D: Destination + Remote + 'static,
{
    type Destination = D;
    fn destination(&self) -> &D {
        &self.destination
    }
}

impl<A, D> RemotePorts for AwsPorts<A, D>
where
    A: Adapters + 'static,
    D: Remote + 'static,
{
    type Remote = D;
    type Signing = KmsSigning;
    type Cache = Valkey;
    fn remote(&self) -> &D {
        &self.destination
    }
    fn signing(&self) -> &KmsSigning {
        &self.aws.signing
    }
    fn cache(&self) -> Option<&Valkey> {
        self.cache.as_ref()
    }
}
