//! Tebra (formerly Kareo), SOAP 2.1: credentials in the body, members in the contract's order, refusals inside of HTTP 200.
//!
//! What is not confirmed: a longest span for `GetAppointments` ([`Tebra::longest_span`]; none here), numbers of the throttle
//! (what `GetThrottles` says here is invented), whether deleted appointments are reported (they are not).

mod appointments;
mod insurance;
mod money;
mod patients;
mod state;
mod times;
mod xml;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Access, Answer, Book, Clock, Request, Seed, Simulator, parts::limits::FixedWindow};
use state::{Row, State};
use xml::{Node, element, envelope, fault};

const PATH: &str = "/services/soap/2.1/KareoServices.svc";
const CUSTOMER_KEY: &str = "k51a7ed00key";
const USER: &str = "bridge@practice.invalid";
const PASSWORD: &str = "not-a-real-password";
const PRACTICE: &str = "1";
const PRACTICE_NAME: &str = "Sampleby Family Practice";

/// A simulated Tebra account.
#[derive(Debug)]
pub struct Tebra {
    state: Mutex<State>,
    clock: Clock,
    limit: FixedWindow,
    /// The longest span of `GetAppointments` in days, where there is one. Not confirmed.
    pub longest_span: Option<i32>,
}

impl Default for Tebra {
    fn default() -> Self {
        let limit = FixedWindow::new(1_000, 60);
        Self { state: Mutex::default(), clock: Clock::default(), limit, longest_span: None }
    }
}

/// Why an operation says no, inside of HTTP 200.
#[derive(Debug)]
struct No(String);

impl No {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl Simulator for Tebra {
    fn adapter(&self) -> &'static str {
        "tebra"
    }

    fn answer(&self, request: &Request) -> Answer {
        if request.path != PATH || request.method != "POST" {
            return Answer::empty(if request.path == PATH { 405 } else { 404 });
        }
        if !request.header("content-type").is_some_and(|kind| kind.starts_with("text/xml")) {
            return Answer::empty(415);
        }
        let Some(operation) = xml::operation(&request.body) else {
            return Answer::xml(500, &fault("a:DeserializationFailed", "The message could not be read"));
        };
        let action = format!("{}KareoServices/{}", xml::NAMESPACE, operation.name);
        if request.header("soapaction").map(|action| action.trim_matches('"')) != Some(action.as_str()) {
            return Answer::xml(
                500,
                &fault("a:ActionNotSupported", "The action and the message do not agree"),
            );
        }
        // UpdatePatient's part has a name of its own.
        let part = if operation.name == "UpdatePatient" { "UpdatePatientReq" } else { "request" };
        let nothing = Node::default();
        let part = operation.child(part).unwrap_or(&nothing);
        let credential = |name: &str| part.text(&format!("RequestHeader/{name}")).unwrap_or_default();
        if self.limit.take(credential("CustomerKey"), self.clock.now()).is_err() {
            return self.throttled();
        }
        let key_is_good = credential("CustomerKey") == CUSTOMER_KEY;
        let user_is_good = key_is_good && credential("User") == USER && credential("Password") == PASSWORD;
        if !user_is_good {
            let security = security(user_is_good, key_is_good);
            return Answer::xml(200, &envelope(&operation.name, &(no_error() + &security)));
        }
        let Some(result) = self.work(&operation.name, part) else {
            return Answer::xml(500, &fault("a:ActionNotSupported", "There is no such operation"));
        };
        let content = match result {
            Ok(content) => no_error() + &security(true, true) + &content,
            Err(No(text)) => error(&text) + &security(true, true),
        };
        Answer::xml(200, &envelope(&operation.name, &content))
    }

    fn connection(&self, base: &str) -> Access {
        Access::default()
            .zone(times::ZONE)
            .setting("url", format!("{base}{PATH}"))
            .setting("practice-id", PRACTICE)
            .secret("customer-key", CUSTOMER_KEY)
            .secret("user", USER)
            .secret("password", PASSWORD)
    }

    fn seed(&self, seed: &Seed) {
        let now = self.clock.now();
        self.state().seed(seed, now);
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.clock.now();
        self.state().touch(resource, count, now)
    }

    fn book(&self) -> Book {
        self.state().book()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        Answer::xml(
            500,
            &fault("s:Client", "The customer has requested more than allowed for this operation"),
        )
    }
}

impl Tebra {
    /// Does an operation; `None` when there is none of that name.
    fn work(&self, operation: &str, request: &Node) -> Option<Result<String, No>> {
        let now = self.clock.now();
        let mut state = self.state();
        Some(match operation {
            "GetPatients" => patients::list(&state, request),
            "GetPatient" => patients::one(&state, request),
            "GetAllPatients" => patients::batch(&state, request),
            "CreatePatient" => patients::create(&mut state, request, now),
            "UpdatePatient" => patients::update(&mut state, request, now),
            "GetAppointments" => appointments::list(&state, request, self.longest_span),
            "GetAppointment" => appointments::one(&state, request),
            "CreateAppointment" => appointments::create(&mut state, request, now),
            "UpdateAppointment" => appointments::update(&mut state, request, now),
            "UpdateAppointmentStatus" => appointments::status(&mut state, request, now),
            "DeleteAppointment" => appointments::delete(&mut state, request),
            "GetProviders" => Ok(rows("Providers", "ProviderData", request, state.providers.values())),
            "GetServiceLocations" => Ok(rows("ServiceLocations", "ServiceLocationData", request, state.locations.values())),
            "GetCharges" => money::list(&state.charges, "Charges", "ChargeData", request),
            "GetPayments" => money::list(&state.payments, "Payments", "PaymentData", request),
            "CreateEncounter" => money::encounter(&mut state, request, now),
            "CreatePayment" => money::pay(&mut state, request, now),
            "GetThrottles" => Ok("<Throttles><ThrottleData><Calls>1000</Calls><Seconds>60</Seconds></ThrottleData></Throttles>".to_owned()),
            _ => return None,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_error() -> String {
    "<ErrorResponse><ErrorMessage i:nil=\"true\"/><IsError>false</IsError><StackTrace i:nil=\"true\"/></ErrorResponse>".to_owned()
}

fn error(text: &str) -> String {
    format!(
        "<ErrorResponse>{}<IsError>true</IsError><StackTrace i:nil=\"true\"/></ErrorResponse>",
        element("ErrorMessage", text)
    )
}

fn security(user: bool, key: bool) -> String {
    let result = if user { "Success" } else { "The user or the customer key is not valid" };
    format!(
        "<SecurityResponse><Authenticated>{user}</Authenticated><Authorized>{user}</Authorized>\
         <CustomerId>51</CustomerId><CustomerKeyValid>{key}</CustomerKeyValid><PermissionsMissing i:nil=\"true\"/>\
         <PracticesAuthorized i:nil=\"true\"/>{}<SecurityResultSuccess>{user}</SecurityResultSuccess></SecurityResponse>",
        element("SecurityResult", result)
    )
}

/// A list of rows with the columns that were asked for; nil when there is none.
fn rows<'a>(list: &str, item: &str, request: &Node, all: impl Iterator<Item = &'a Row>) -> String {
    let asked = |name: &str| request.text(&format!("Fields/{name}")) == Some("true");
    let mut content = String::new();
    for row in all {
        content.push_str(&format!("<{item}>"));
        let columns = row.columns.iter().filter(|(name, _)| asked(name));
        columns.for_each(|(name, text)| content.push_str(&element(name, text)));
        content.push_str(&format!("</{item}>"));
    }
    if content.is_empty() {
        format!("<{list} i:nil=\"true\"/>")
    } else {
        format!("<{list}>{content}</{list}>")
    }
}

/// A filter that only an empty request, or a row with this text, passes.
fn is_same(request: &Node, filter: &str, row: &Row, column: &str) -> bool {
    request
        .text(&format!("Filter/{filter}"))
        .is_none_or(|wanted| row.text(column).eq_ignore_ascii_case(wanted))
}

/// The filters `From{name}` and `To{name}`, both ends included.
fn is_within(request: &Node, name: &str, at: Option<jiff::Timestamp>) -> Result<bool, No> {
    let end = |side: &str| match request.text(&format!("Filter/{side}{name}")) {
        None => Ok(None),
        Some(text) => {
            times::read(text).map(Some).ok_or_else(|| No::new(format!("{side}{name} is not a valid date")))
        }
    };
    let (from, to) = (end("From")?, end("To")?);
    Ok(from.is_none_or(|from| at.is_some_and(|at| from <= at))
        && to.is_none_or(|to| at.is_some_and(|at| at <= to)))
}
