//! The functions of the template in this process, called as Lambda calls them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bridge_aws::{
    SystemClock,
    lambda::{self, EventError, Invocation},
};
use bridge_pipeline::ports::Clock as _;
use serde_json::Value;

use crate::template::Function;

/// Why an invocation came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvokeError {
    /// The function answered with an error, or panicked.
    #[error("{0}")]
    Failed(String),
    /// It took longer than the template allows.
    #[error("the function did not answer within its timeout")]
    TimedOut,
}

/// All functions, by logical id.
pub(crate) struct Functions {
    functions: BTreeMap<String, Entry>,
    requests: AtomicU64,
}

struct Entry {
    timeout: Duration,
    handler: Arc<dyn lambda::Function>,
    invocations: AtomicU64,
}

impl Functions {
    /// The declared functions, each with the handler of its binary.
    pub(crate) fn new(
        declared: &[Function],
        handler: impl Fn(&str) -> Option<Arc<dyn lambda::Function>>,
    ) -> Result<Self, String> {
        let mut functions = BTreeMap::new();
        for Function { id, binary, timeout, .. } in declared {
            let handler =
                handler(binary).ok_or_else(|| format!("there is no handler for the binary `{binary}`"))?;
            functions
                .insert(id.clone(), Entry { timeout: *timeout, handler, invocations: AtomicU64::new(0) });
        }
        Ok(Self { functions, requests: AtomicU64::new(0) })
    }

    /// How often each function has been called.
    pub(crate) fn invocations(&self) -> BTreeMap<String, u64> {
        let count = |(id, entry): (&String, &Entry)| (id.clone(), entry.invocations.load(Ordering::Relaxed));
        self.functions.iter().map(count).collect()
    }

    /// Calls a function with an event.
    ///
    /// # Errors
    /// When the function fails, panics or takes too long. Lambda would then end its execution environment.
    pub(crate) async fn invoke(&self, id: &str, event: Value) -> Result<Value, InvokeError> {
        let entry = self.functions.get(id).ok_or_else(|| InvokeError::Failed(format!("no function {id}")))?;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        entry.invocations.fetch_add(1, Ordering::Relaxed);
        let invocation =
            Invocation { request_id: format!("{id}-{number}"), deadline: SystemClock.now() + entry.timeout };
        let handler = Arc::clone(&entry.handler);
        let event = event.to_string();
        // A task of its own: a sender that hangs up does not stop a function on Lambda either.
        let mut running =
            tokio::spawn(async move { lambda::invoke(&*handler, event.as_bytes(), &invocation).await });
        match tokio::time::timeout(entry.timeout, &mut running).await {
            Ok(Ok(answer)) => answer.map_err(|error: EventError| InvokeError::Failed(error.to_string())),
            Ok(Err(_)) => Err(InvokeError::Failed(EventError::Panicked.to_string())),
            Err(_) => {
                running.abort();
                Err(InvokeError::TimedOut)
            }
        }
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.functions.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::future::BoxFuture;
    use serde_json::json;

    use super::*;

    struct Slow(Duration);

    impl lambda::Function for Slow {
        fn call<'a>(
            &'a self,
            event: &'a [u8],
            invocation: &'a Invocation,
        ) -> BoxFuture<'a, Result<Value, EventError>> {
            Box::pin(async move {
                assert!(event != br#""panic""#, "as asked");
                tokio::time::sleep(self.0).await;
                let left = invocation.deadline.since(SystemClock.now());
                Ok(json!({"event": String::from_utf8_lossy(event), "in_time": left > Duration::ZERO}))
            })
        }
    }

    fn functions(takes: Duration) -> Functions {
        let (id, binary) = ("F".to_owned(), "f".to_owned());
        let declared = [Function {
            id,
            binary,
            timeout: Duration::from_millis(200),
            sources: Vec::new(),
            minutely: Vec::new(),
        }];
        Functions::new(&declared, |_| Some(Arc::new(Slow(takes)))).unwrap()
    }

    #[tokio::test]
    async fn a_function_answers_within_its_timeout_or_not_at_all() {
        let answer = functions(Duration::ZERO).invoke("F", json!({"a": 1})).await.unwrap();
        assert_eq!(answer, json!({"event": "{\"a\":1}", "in_time": true}));
        let late = functions(Duration::from_secs(5)).invoke("F", json!({})).await;
        assert!(matches!(late, Err(InvokeError::TimedOut)));
    }

    #[tokio::test]
    async fn a_panic_costs_the_invocation_only() {
        let functions = functions(Duration::ZERO);
        assert!(matches!(functions.invoke("F", json!("panic")).await, Err(InvokeError::Failed(_))));
        assert!(functions.invoke("F", json!({})).await.is_ok());
    }
}
