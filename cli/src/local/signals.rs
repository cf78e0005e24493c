//! Being asked to stop: Ctrl-C, or SIGTERM as service managers send it.

use tokio::signal;

/// Returns when the process is asked to stop.
///
/// # Errors
/// When signals can't be heard.
#[cfg(unix)]
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Returns when the process is asked to stop.
///
/// # Errors
/// When signals can't be heard.
#[cfg(not(unix))]
pub(crate) async fn asked_to_stop() -> std::io::Result<()> {
    signal::ctrl_c().await
}
