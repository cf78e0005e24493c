//! What a schedule of EventBridge does: call a function with the same event again and again.

use std::{sync::Arc, time::Duration};

use super::{functions::Functions, stop::Stop};

/// The only rate that the template has.
const MINUTE: Duration = Duration::from_mins(1);
/// How often it looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(250);

/// Calls `function` with `event` once a minute, until it is told to stop.
pub(crate) async fn minutely(functions: Arc<Functions>, function: String, event: String, stop: Stop) {
    let event: serde_json::Value = serde_json::from_str(&event).unwrap_or_default();
    let mut due = tokio::time::Instant::now() + MINUTE;
    while !stop.is_said() {
        tokio::time::sleep(LOOK).await;
        if tokio::time::Instant::now() < due {
            continue;
        }
        due += MINUTE;
        if let Err(error) = functions.invoke(&function, event.clone()).await {
            tracing::warn!(function, %error, "a scheduled invocation failed");
        }
    }
}
