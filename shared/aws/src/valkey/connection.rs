//! A connection to a server: opened, let in, and asked one thing at a time.

use std::{fmt, sync::Arc};

use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, ReadHalf, WriteHalf, split},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

use super::{
    address::CacheAddress,
    resp::{Fault, Reply, command, reply},
};
use crate::trust;

/// TCP, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(super) struct Connection {
    reader: BufReader<ReadHalf<Box<dyn Stream>>>,
    writer: WriteHalf<Box<dyn Stream>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    pub(super) async fn open(address: &CacheAddress) -> Result<Self, Fault> {
        let plain = TcpStream::connect((address.host.as_str(), address.port)).await?;
        plain.set_nodelay(true)?;
        let stream: Box<dyn Stream> = if address.tls {
            let name =
                ServerName::try_from(address.host.clone()).map_err(|_| Fault::Tls("the host's name"))?;
            Box::new(TlsConnector::from(Arc::new(trusting()?)).connect(name, plain).await?)
        } else {
            Box::new(plain)
        };
        let (reader, writer) = split(stream);
        let mut connection = Self { reader: BufReader::new(reader), writer };
        if !address.credentials.is_empty() {
            let mut login: Vec<&[u8]> = vec![b"AUTH"];
            login.extend(address.credentials.iter().map(String::as_bytes));
            connection.ask(&login).await?;
        }
        Ok(connection)
    }

    pub(super) async fn ask(&mut self, parts: &[&[u8]]) -> Result<Reply, Fault> {
        self.writer.write_all(&command(parts)).await?;
        self.writer.flush().await?;
        reply(&mut self.reader).await
    }
}

/// On Lambda Amazon's roots, which ElastiCache's certificates come from; where a file or a machine brings others, those.
fn trusting() -> Result<ClientConfig, Fault> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| Fault::Tls("the versions"))?;
    let Some(pem) = trust::roots() else {
        let builder =
            builder.with_platform_verifier().map_err(|_| Fault::Tls("the machine's certificates"))?;
        return Ok(builder.with_no_client_auth());
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| Fault::Tls("the trusted certificates"))?;
        roots.add(certificate).map_err(|_| Fault::Tls("the trusted certificates"))?;
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
