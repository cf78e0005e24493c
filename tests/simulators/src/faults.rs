//! Troubles that are asked for: each for the next calls that fit.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Answered at once, without the work.
    Status {
        /// The HTTP status.
        status: u16,
        /// The body, as plain text or, where it begins like it, JSON.
        body: String,
    },
    /// Answered in the product's own way of saying that it was called too often, without the work.
    Throttle,
    /// Never answered, and the work not done.
    Hang,
    /// The connection is reset before the work.
    Reset,
    /// The work is done, the answer comes after this time.
    Late(Duration),
    /// The work is done, the connection is reset before the answer.
    Lost,
    /// Every access token is forgotten before the call is looked at.
    ExpireTokens,
    /// The work is done, but only half of the answer's body is sent, as if that were all.
    Malformed,
}

/// A trouble for the next calls that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub trouble: Trouble,
    /// How many calls.
    pub times: u32,
    /// Only this method.
    pub method: Option<String>,
    /// Only paths that begin so.
    pub path: Option<String>,
}

impl Fault {
    /// For the next call, whichever it is.
    #[must_use]
    pub fn next(trouble: Trouble) -> Self {
        Self { trouble, times: 1, method: None, path: None }
    }

    /// For so many calls.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Only for calls of this method and with paths that begin so.
    #[must_use]
    pub fn at(self, method: &str, path: &str) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..self }
    }

    /// From `{"fault": "status", "status": 503, "body": "…", "times": 2, "method": "GET", "path": "/v1"}`.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    pub fn from_json(fault: &Value) -> Result<Self, String> {
        let text = |name: &str| fault.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| fault.get(name).and_then(Value::as_u64);
        let trouble = match text("fault").unwrap_or_default().as_str() {
            "status" => Trouble::Status {
                status: number("status")
                    .and_then(|status| u16::try_from(status).ok())
                    .filter(|status| (200..600).contains(status))
                    .ok_or("`status` must be a number from 200 to 599")?,
                body: text("body").unwrap_or_default(),
            },
            "throttle" => Trouble::Throttle,
            "hang" => Trouble::Hang,
            "reset" => Trouble::Reset,
            "late" => Trouble::Late(Duration::from_millis(number("millis").unwrap_or(60_000))),
            "lost" => Trouble::Lost,
            "expire-tokens" => Trouble::ExpireTokens,
            "malformed" => Trouble::Malformed,
            _ => {
                return Err(
                    "`fault` must be one of status, throttle, hang, reset, late, lost, expire-tokens, \
                            malformed"
                        .to_owned(),
                );
            }
        };
        let times = u32::try_from(number("times").unwrap_or(1)).map_err(|_| "`times` is too large")?;
        Ok(Self { trouble, times, method: text("method"), path: text("path") })
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path.as_deref().is_none_or(|wanted| path.starts_with(wanted))
    }
}

/// The queue of them. A call takes the first that fits.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Puts a fault behind those that wait.
    pub fn add(&self, fault: Fault) {
        if fault.times > 0 {
            self.queue().push(fault);
        }
    }

    /// Takes back what waits; how many faults that were.
    pub fn clear(&self) -> usize {
        std::mem::take(&mut *self.queue()).len()
    }

    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Trouble> {
        let mut queue = self.queue();
        let at = queue.iter().position(|fault| fault.fits(method, path))?;
        let fault = queue.get_mut(at)?;
        fault.times -= 1;
        let (trouble, is_spent) = (fault.trouble.clone(), fault.times == 0);
        if is_spent {
            queue.remove(at);
        }
        Some(trouble)
    }

    fn queue(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_is_for_the_calls_that_fit() {
        let faults = Faults::default();
        faults.add(Fault::next(Trouble::Lost).at("POST", "/v1/patients").times(2));
        faults.add(Fault::next(Trouble::Hang));
        assert_eq!(faults.take("GET", "/v1/patients"), Some(Trouble::Hang));
        assert_eq!(faults.take("GET", "/v1/patients"), None);
        assert_eq!(faults.take("POST", "/v1/patients/1"), Some(Trouble::Lost));
        assert_eq!(faults.take("POST", "/v1/patients"), Some(Trouble::Lost));
        assert_eq!(faults.take("POST", "/v1/patients"), None);
    }

    #[test]
    fn they_are_read_from_json() {
        let fault = Fault::from_json(&json!({"fault": "status", "status": 503, "times": 2, "path": "/v1"}));
        let status = Trouble::Status { status: 503, body: String::new() };
        let expected = Fault { trouble: status, times: 2, method: None, path: Some("/v1".to_owned()) };
        assert_eq!(fault, Ok(expected));
        assert!(Fault::from_json(&json!({"fault": "status", "status": 99})).is_err());
        assert!(Fault::from_json(&json!({"fault": "flood"})).is_err());
    }
}
