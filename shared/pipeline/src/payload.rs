//! Payloads in tasks: sealed, in base 64, and in the bucket when they are large.

use bridge_core::{Phi, id::ConnectionId, task::Payload};
use bridge_seal::Binding;
use data_encoding::BASE64;

use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ports::{Blobs, Ports},
};

/// What a payload is for; part of what binds it to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// As it was received.
    Message,
    /// As it is delivered.
    Delivery,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Delivery => "delivery",
        }
    }
}

impl<P: Ports> Bridge<P> {
    /// Seals a payload and puts it where it can travel from.
    ///
    /// # Errors
    /// When a port fails.
    pub(crate) async fn pack(
        &self,
        purpose: Purpose,
        connection: &ConnectionId,
        id: &str,
        keep: Keep,
        plain: &[u8],
    ) -> Result<Payload, KeyError> {
        let binding = Binding { connection, purpose: purpose.as_str(), id };
        let sealed = self.seal(binding, keep, plain).await?;
        if sealed.len() <= Payload::INLINE_LIMIT {
            return Ok(Payload::Inline(BASE64.encode(&sealed)));
        }
        let shelf = if keep == Keep::Lasting { "parked" } else { "payloads" };
        let key = format!("{shelf}/{}/{}/{id}", connection.tenant(), purpose.as_str());
        self.ports.blobs().put(&key, sealed).await?;
        Ok(Payload::Stored(key))
    }

    /// Opens a payload.
    ///
    /// # Errors
    /// When a port fails, its retention is over, or it belongs elsewhere.
    pub(crate) async fn unpack(
        &self,
        purpose: Purpose,
        connection: &ConnectionId,
        id: &str,
        payload: &Payload,
    ) -> Result<Phi<Vec<u8>>, KeyError> {
        let sealed = match payload {
            Payload::Inline(text) => {
                BASE64.decode(text.as_bytes()).map_err(|_| KeyError::Seal(bridge_seal::SealError::Format))?
            }
            Payload::Stored(key) => self.ports.blobs().get(key).await?.ok_or(KeyError::Expired)?,
        };
        self.open(Binding { connection, purpose: purpose.as_str(), id }, &sealed).await
    }

    /// The same payload under a key that does not expire: what is parked must not be lost to retention.
    ///
    /// # Errors
    /// When a port fails, its retention is over, or it belongs elsewhere.
    pub(crate) async fn preserve(
        &self,
        purpose: Purpose,
        connection: &ConnectionId,
        id: &str,
        payload: &Payload,
    ) -> Result<Payload, KeyError> {
        let plain = self.unpack(purpose, connection, id, payload).await?;
        self.pack(purpose, connection, id, Keep::Lasting, plain.expose()).await
    }
}
