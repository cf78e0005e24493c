//! The cache over its protocol: against a server of the tests that speaks it, and against a real one where the machine has one
//! (`VALKEY_SERVER=/path/to/valkey-server`, or `redis-server`).

use std::{
    collections::HashMap,
    io,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bridge_aws::Valkey;
use bridge_pipeline::ports::Cache as _;
use bridge_testkit::contract;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

const PASSWORD: &str = "p@ss";

#[derive(Default)]
struct Kept {
    values: HashMap<Vec<u8>, (Vec<u8>, Instant)>,
    connections: usize,
    /// Closes each connection after so many commands.
    patience: Option<usize>,
}

type Shared = Arc<Mutex<Kept>>;

/// Serves one connection until it ends.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, kept: Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut let_in, mut commands) = (false, 0);
    loop {
        let patience = kept.lock().unwrap().patience;
        if patience.is_some_and(|patience| commands >= patience) {
            return Ok(());
        }
        let Some(parts) = command(&mut stream).await? else { return Ok(()) };
        commands += 1;
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let reply = match parts.as_slice() {
            [b"AUTH", b"bridge", password] if *password == PASSWORD.as_bytes() => {
                let_in = true;
                b"+OK\r\n".to_vec()
            }
            _ if !let_in => b"-NOAUTH Authentication required.\r\n".to_vec(),
            [b"SET", key, value, b"PX", millis] => {
                let millis = std::str::from_utf8(millis).unwrap().parse().unwrap();
                let until = Instant::now() + Duration::from_millis(millis);
                kept.lock().unwrap().values.insert(key.to_vec(), (value.to_vec(), until));
                b"+OK\r\n".to_vec()
            }
            [b"GET", key] => {
                match kept.lock().unwrap().values.get(*key).filter(|(_, until)| Instant::now() < *until) {
                    Some((value, _)) => [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat(),
                    None => b"$-1\r\n".to_vec(),
                }
            }
            _ => b"-ERR unknown command\r\n".to_vec(),
        };
        stream.write_all(&reply).await?;
        stream.flush().await?;
    }
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<String>> {
    let mut line = String::new();
    Ok((stream.read_line(&mut line).await? > 0).then(|| line.trim_end().to_owned()))
}

async fn command<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<Option<Vec<Vec<u8>>>> {
    let Some(head) = line(stream).await? else { return Ok(None) };
    let mut parts = Vec::new();
    for _ in 0..head.strip_prefix('*').unwrap().parse().unwrap() {
        let size: usize = line(stream).await?.unwrap().strip_prefix('$').unwrap().parse().unwrap();
        let mut part = vec![0; size + 2];
        stream.read_exact(&mut part).await?;
        part.truncate(size);
        parts.push(part);
    }
    Ok(Some(parts))
}

/// A server of its own; its address and what it keeps.
async fn server(tls: Option<TlsAcceptor>) -> (String, Shared) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let scheme = if tls.is_some() { "rediss" } else { "redis" };
    let kept = Shared::default();
    let shared = Arc::clone(&kept);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            shared.lock().unwrap().connections += 1;
            let (tls, kept) = (tls.clone(), Arc::clone(&shared));
            tokio::spawn(async move {
                match tls {
                    Some(tls) => serve(tls.accept(stream).await?, kept).await,
                    None => serve(stream, kept).await,
                }
            });
        }
    });
    (format!("{scheme}://bridge:p%40ss@localhost:{port}"), kept)
}

fn cache(address: &str) -> Valkey {
    Valkey::new(address.parse().unwrap())
}

#[tokio::test]
async fn the_cache_keeps_its_contract() {
    let (address, kept) = server(None).await;
    contract::cache(&cache(&address), "room", tokio::time::sleep).await;
    assert_eq!(kept.lock().unwrap().connections, 1, "one connection for all of it");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_opened_again() {
    let (address, kept) = server(None).await;
    kept.lock().unwrap().patience = Some(3);
    let cache = cache(&address);
    for n in 0..10_u8 {
        cache.put(&n.to_string(), vec![n], Duration::from_secs(60)).await;
        assert_eq!(cache.get(&n.to_string()).await, Some(vec![n]));
    }
    assert!(kept.lock().unwrap().connections > 5);
}

#[tokio::test]
async fn a_cache_that_fails_costs_little_and_is_left_alone() {
    // Nobody answers there.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cache = cache(&format!("redis://{}", silent.local_addr().unwrap()));
    let begun = Instant::now();
    assert_eq!(cache.get("a").await, None);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let begun = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(cache.get("a").await, None);
        cache.put("a", Vec::new(), Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() < Duration::from_millis(200), "asked again: {:?}", begun.elapsed());
    // A password that is not the server's.
    let (address, kept) = server(None).await;
    let stranger = Valkey::new(address.replace("p%40ss", "guess").parse().unwrap());
    stranger.put("a", b"x".to_vec(), Duration::from_secs(60)).await;
    assert_eq!(stranger.get("a").await, None);
    assert!(kept.lock().unwrap().values.is_empty());
}

/// Nobody's certificate: what is not trusted is not spoken to.
#[tokio::test]
async fn a_server_that_is_not_trusted_is_told_nothing() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![made.cert.der().clone()], key)
    .unwrap();
    let (address, kept) = server(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let cache = cache(&address);
    cache.put("a", b"secret".to_vec(), Duration::from_secs(60)).await;
    assert_eq!(cache.get("a").await, None);
    assert!(kept.lock().unwrap().values.is_empty());
}

/// Ends with its last use.
struct Real(Child);

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_real_server_understands_it() {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, not for the bridge")]
    let Some(program) = std::env::var_os("VALKEY_SERVER") else { return };
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", PASSWORD];
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string()]).args(options).stdout(Stdio::null());
    let _server = Real(command.spawn().unwrap());
    for _ in 0..100 {
        match tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
            Ok(_) => break,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    let cache = cache(&format!("redis://:p%40ss@127.0.0.1:{port}"));
    contract::cache(&cache, "room", tokio::time::sleep).await;
}
