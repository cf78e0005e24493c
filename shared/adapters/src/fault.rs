//! What can be wrong with an adapter or a connection: a closed list, each at its place.

use std::fmt;

use bridge_mapping::MappingError;

use crate::place::line_of;

/// Something wrong in an adapter's folder. Prints as `file:line: reason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {fault}")]
pub struct CatalogError {
    /// Path of the file, below the folder that holds the adapters.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// What it is.
    pub fault: Fault,
}

/// Something wrong in a manifest or a connection. Prints as `settings.url: reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys that lead to it, from the top of the document.
    pub path: Vec<String>,
    /// What it is.
    pub fault: Fault,
}

impl Problem {
    /// The line of `yaml`, the document that was checked, where it stands. Counted from 1.
    pub fn line(&self, yaml: &str) -> usize {
        line_of(yaml, &self.path)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_slice() {
            [] => write!(f, "{}", self.fault),
            path => write!(f, "{}: {}", path.join("."), self.fault),
        }
    }
}

/// Every way to be wrong. Holds no value of a secret or of a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A file or folder cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Not YAML, or not in the manifest's vocabulary.
    #[error("{0}")]
    Yaml(String),
    /// The manifest's name is not the folder's.
    #[error("the adapter is called `{0}` here, but its folder is `{1}`")]
    WrongName(String, String),
    /// Neither a webhook nor HL7 v2, an interface or deliveries, nor open to a connection's own.
    #[error("an adapter needs a `webhook`, `hl7v2`, `api` or `deliver` section, or `open: true`")]
    Useless,
    /// A webhook without kinds takes nothing.
    #[error("no kinds: nothing would be taken")]
    NoKinds,
    /// A kind names a mapping that is not there.
    #[error("there is no mapping `{0}`")]
    NoSuchMapping(String),
    /// A mapping that no kind names.
    #[error("no kind and no feed uses this mapping")]
    UnusedMapping,
    /// A mapping that does not compile.
    #[error(transparent)]
    Mapping(MappingError),
    /// A secret that is not declared.
    #[error("there is no secret `{0}`")]
    NoSuchSecret(String),
    /// A secret that nothing names.
    #[error("nothing uses this secret")]
    UnusedSecret,
    /// A declared secret that the connection does not give, or gives without a value.
    #[error("the secret `{0}` is missing")]
    MissingSecret(String),
    /// More values of a secret than a rotation has.
    #[error("a secret has one value, or two during a rotation")]
    TooManyValues,
    /// Not in the form of a Standard Webhooks secret.
    #[error("must be `whsec_` and the base 64 of 24 to 64 bytes")]
    NotWhsec,
    /// An answer that would be taken for a delivery and for a signal.
    #[error("a signal with a status below 400 needs a `text` that tells it from success")]
    SignalWithoutText,
    /// A setting that is not declared.
    #[error("there is no setting `{0}`")]
    NoSuchSetting(String),
    /// A setting without a default that the connection does not give.
    #[error("the setting `{0}` is missing")]
    MissingSetting(String),
    /// A setting with a value outside its list.
    #[error("must be one of {0}")]
    NotOneOf(String),
    /// Not a table of zones.
    #[error("must be `key=zone, key=zone` with IANA zones (example: 2=America/Denver)")]
    NotZones,
    /// Not a number of days.
    #[error("must be a whole number of days from today (example: -14)")]
    NotDays,
    /// A key that a product can't look up.
    #[error(
        "a private key needs the `kid` by which the product knows it; without a private key the bridge's own signs"
    )]
    KeyWithoutId,
    /// A text with `{` and `}` that do not pair.
    #[error("`{{` and `}}` must enclose the name of a setting")]
    Template,
    /// Not an address that deliveries may go to.
    #[error("must be an https URL without user or fragment (http only to this machine)")]
    Address,
    /// Not an address that an interface may have.
    #[error(
        "must be an https URL without user, query or fragment, on a public address (http and a private one only on this \
         machine)"
    )]
    ApiAddress,
    /// Not a host.
    #[error("must be a host (examples: auth.example, auth.example:8443, *.example)")]
    Host,
    /// Not a path of an operation.
    #[error("a path begins with `/`, or is an https URL")]
    Path,
    /// An operation that is not there.
    #[error("there is no operation `{0}`")]
    NoSuchOperation(String),
    /// An operation that nothing names.
    #[error("nothing uses this operation")]
    UnusedOperation,
    /// A kind that is not there.
    #[error("there is no kind `{0}`")]
    NoSuchKind(String),
    /// A kind of record that no resource names.
    #[error("no resource uses this kind")]
    UnusedKind,
    /// A GraphQL document that is not there.
    #[error("there is no query `{0}`")]
    NoSuchQuery(String),
    /// A GraphQL document that no operation names.
    #[error("no operation uses this query")]
    UnusedQuery,
    /// A resource type that is not there.
    #[error("there is no resource `{0}` here")]
    NoSuchResource(String),
    /// A record that can't be read by its id.
    #[error("the interface does not say how one `{0}` is read by its id: `resources.{0}.read`")]
    NotRead(String),
    /// A header, where only the message is left.
    #[error("must be a place in the message: when the record is read, its headers are not there any more")]
    HeaderIsGone,
    /// An anchor that is set twice.
    #[error("the anchor `{0}` is set above already: give this one another name")]
    AnchorAgain(String),
    /// A search parameter that is not there.
    #[error("there is no parameter `{0}` here")]
    NoSuchParameter(String),
    /// A name in a text that nothing stands for.
    #[error("`{0}` is no setting, and nothing gives it as an argument")]
    NoSuchArgument(String),
    /// An argument that would have no effect.
    #[error("is given the argument `{0}`, and makes no use of it")]
    UnusedArgument(String),
    /// One word needs another.
    #[error("`{0}` needs `{1}`")]
    Needs(&'static str, &'static str),
    /// One word leaves no room for others.
    #[error("`{0}` goes without {1}")]
    Alone(&'static str, &'static str),
    /// A rule that fits everything.
    #[error("a rule needs `status`, `at` or `text`")]
    EmptyRule,
    /// A body that is never sent.
    #[error("a GET has no body")]
    GetWithBody,
    /// Not the name of an element.
    #[error("must be the name of an element, without a prefix")]
    Element,
    /// Not a text for a token.
    #[error("must hold `{{token}}`, and no other name")]
    TokenTemplate,
    /// Not a form of times.
    #[error("not a form of strftime (example: %Y-%m-%d %H:%M:%S)")]
    TimeForm,
    /// Deliveries by an interface that takes none.
    #[error("deliveries by `api` need an `api` in which a resource has `write`")]
    NothingWritten,
    /// Not an address that HL7 v2 may go to.
    #[error(
        "must be mllps://host:port or an https URL; mllp://host:port to this machine or a private network, http to \
         this machine"
    )]
    Hl7v2Address,
    /// Not what TLS needs.
    #[error("{0}")]
    Tls(String),
    /// Not a character set that can be written.
    #[error("not a character set of table 0211 that is written here (example: UNICODE UTF-8)")]
    Charset,
    /// Not delimiters.
    #[error("must be MSH-1 and MSH-2, all different (example: |^~\\&)")]
    Delimiters,
    /// Not a version of HL7 v2.
    #[error("not a version of HL7 v2 (example: 2.5.1)")]
    Hl7v2Version,
    /// Not a JSON pointer.
    #[error("not a JSON pointer (RFC 6901): empty, or `/` before each part, `~0` for `~`, `~1` for `/`")]
    Pointer,
    /// Not a header name as requests hold them.
    #[error("not a lower-case header name")]
    Header,
    /// Not a media type as requests hold them.
    #[error("not a lower-case media type without parameters (example: application/json)")]
    MediaType,
    /// A name that is already something else.
    #[error("`row` is the row itself: carry this under another name")]
    ReservedName,
    /// Not a URI.
    #[error("must be a URI (example: https://north.example/mrn, or urn:oid:2.999.1)")]
    Uri,
    /// A sender or receiver that could be anybody.
    #[error("needs an `application` or a `facility`: without one it says nothing")]
    EmptyParty,
    /// A list that would let nothing through.
    #[error("is empty, so nothing would be taken: leave it out for the default")]
    EmptyList,
    /// An `hl7v2` section where the adapter has none.
    #[error("the adapter `{0}` does not speak HL7 v2: use `hl7v2`")]
    NoHl7v2(String),
    /// Carrying goes with rows.
    #[error("`carry` needs `rows`")]
    CarryWithoutRows,
    /// Something wrong in the declaration of a feed.
    #[error("{0}")]
    Feed(String),
    /// A rhythm that contradicts itself, or of a connection that never speaks.
    #[error("{0}")]
    Expects(String),
    /// A name that could not be a folder of the bucket.
    #[error("a feed's name is 1 to 40 of a-z, 0-9 and hyphens")]
    FeedName,
    /// An export that can't be written.
    #[error("{0}")]
    Export(String),
    /// Names of exports are parts of keys.
    #[error("an export's name is 1 to 40 of a-z, 0-9 and hyphens")]
    ExportName,
    /// HL7 v2 is written as a site says.
    #[error("HL7 v2 is written as the connection's `hl7v2` section says: add it, or choose another format")]
    NoHl7v2Site,
    /// A number that cannot work.
    #[error("must be from {0} to {1}")]
    OutOfRange(u64, u64),
    /// The adapter brings its own webhook rules and mappings.
    #[error("the adapter `{0}` is not open: it brings its own")]
    NotOpen(String),
    /// An open adapter needs the connection's rules.
    #[error("the adapter `{0}` is open: the connection brings a `webhook` section, `feeds` or `exports`")]
    NoWebhook(String),
    /// A destination of another tenant.
    #[error("a route stays within its tenant")]
    ForeignRoute,
    /// An endpoint with the name of another.
    #[error("another endpoint has this name")]
    EndpointTwice,
    /// An endpoint with the name of something else.
    #[error("`outbox` is the outbox: give the endpoint another name")]
    EndpointOutbox,
    /// An endpoint that could be of either side.
    #[error("the adapter has deliveries and an interface: say with `serves` which of them is there")]
    EndpointSide,
    /// An endpoint of an adapter that is not called there.
    #[error("the adapter `{0}` calls nothing there")]
    NothingServed(String),
    /// An endpoint whose address the adapter does not leave to the connection.
    #[error("the adapter's address does not begin with a setting: its connections have no endpoints")]
    FixedAddress,
    /// Standbys for nothing.
    #[error("every endpoint of this side is a standby: make one of them `primary`")]
    NoPrimary,
    /// A way out that leads back.
    #[error("leads back to the connection itself")]
    OwnFallback,
    /// A way out to another tenant.
    #[error("a fallback stays within its tenant")]
    ForeignFallback,
    /// Not the name of a resource type.
    #[error("not a FHIR resource type (example: Patient)")]
    ResourceType,
    /// Not a path to an element.
    #[error("not a path to an element (example: Patient.telecom)")]
    ElementPath,
}
