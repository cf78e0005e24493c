//! SOAP 1.1 in and out, as a .NET data contract reads and writes it.

use quick_xml::{
    events::{BytesStart, Event},
    name::ResolveResult,
    reader::NsReader,
};

/// Namespace of the operations and everything in them.
pub(super) const NAMESPACE: &str = "http://www.kareo.com/api/schemas/";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const DEEPEST: usize = 32;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    namespace: String,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text at a path of names; nothing where there is none or it is empty.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        let node = path.split('/').try_fold(self, |node, name| node.child(name))?;
        Some(node.text.trim()).filter(|text| !text.is_empty())
    }

    /// What the contract's reader sees: members come in alphabetical order, those of the base type (`RequestHeader`) before
    /// all others; what comes too late, or in another namespace, is passed over without a word.
    fn in_order(mut self) -> Self {
        let mut last = (1, String::new());
        let mut seen = Vec::new();
        for child in self.children {
            let rank = (usize::from(child.name != "RequestHeader"), child.name.clone());
            let is_late = !seen.is_empty() && rank < last;
            if child.namespace != NAMESPACE || is_late {
                continue;
            }
            last = rank;
            seen.push(child.in_order());
        }
        self.children = seen;
        self
    }
}

/// The operation's element of an envelope; `None` when it is no envelope with one.
pub(super) fn operation(body: &[u8]) -> Option<Node> {
    let envelope = parse(std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}'))?;
    if envelope.name != "Envelope" || envelope.namespace != ENVELOPE {
        return None;
    }
    let body =
        envelope.children.into_iter().find(|child| child.name == "Body" && child.namespace == ENVELOPE)?;
    let operation = body.children.into_iter().next()?;
    if operation.namespace != NAMESPACE {
        return None;
    }
    // The wrapper has one part, which is read by its contract.
    Some(Node { children: operation.children.into_iter().map(Node::in_order).collect(), ..operation })
}

fn parse(text: &str) -> Option<Node> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Node> = vec![Node::default()];
    loop {
        let (namespace, event) = reader.read_resolved_event().ok()?;
        match event {
            Event::Start(start) => {
                let namespace = match namespace {
                    ResolveResult::Bound(found) => found.into_inner().to_owned(),
                    ResolveResult::Unbound => String::new(),
                    ResolveResult::Unknown(_) => return None,
                };
                if open.len() > DEEPEST {
                    return None;
                }
                open.push(begin(&start, namespace));
            }
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = if reference.is_char_ref() {
                    reference.resolve_char_ref().ok()??
                } else {
                    match &*reference.xml10_content() {
                        "lt" => '<',
                        "gt" => '>',
                        "amp" => '&',
                        "quot" => '"',
                        "apos" => '\'',
                        _ => return None,
                    }
                };
                open.last_mut()?.text.push(character);
            }
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
    }
    let document = open.pop().filter(|_| open.is_empty())?;
    document.children.into_iter().next()
}

fn begin(start: &BytesStart<'_>, namespace: String) -> Node {
    Node { name: start.local_name().as_ref().to_owned(), namespace, ..Node::default() }
}

/// An element with text; without text it is nil.
pub(super) fn element(name: &str, text: &str) -> String {
    if text.is_empty() {
        return format!("<{name} i:nil=\"true\"/>");
    }
    format!("<{name}>{}</{name}>", quick_xml::escape::escape(text))
}

/// What an operation answers.
pub(super) fn envelope(operation: &str, result: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body><{operation}Response xmlns=\"{NAMESPACE}\">\
         <{operation}Result xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">{result}</{operation}Result>\
         </{operation}Response></s:Body></s:Envelope>"
    )
}

/// A fault.
pub(super) fn fault(code: &str, text: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body><s:Fault><faultcode>{code}</faultcode>\
         <faultstring xml:lang=\"en-US\">{}</faultstring></s:Fault></s:Body></s:Envelope>",
        quick_xml::escape::escape(text)
    )
}
