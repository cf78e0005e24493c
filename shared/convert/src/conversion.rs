//! One conversion under way: what has been read, what has been written, what is to be reported.
//!
//! The mappings in `segments/` and `datatypes/` read fields through it, which notes the field as used, and write
//! resources through it, which keeps each once. It knows no segment and no resource type.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
    ops::Range,
};

use bridge_hl7v2::{Error, Field, Message, Pieces, Segment, Value};
use jiff::Timestamp;
use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

use crate::{
    json::Json,
    profile::Profile,
    report::{Diagnostic, Reason, Removal},
    tree::{Children, Tree},
};

/// A resource by type and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ref {
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
}

impl Ref {
    pub(crate) fn write(self, w: &mut Json, key: &str) {
        w.reference(key, self.kind, self.id);
    }

    pub(crate) fn item(self, w: &mut Json) {
        w.item(|w| w.reference_member(self.kind, self.id));
    }
}

/// A finished resource in [`Conversion::body`].
pub(crate) struct Written {
    pub(crate) resource: Ref,
    pub(crate) range: Range<usize>,
}

pub(crate) struct Conversion<'m> {
    pub(crate) profile: &'m Profile,
    pub(crate) message: &'m Message<'m>,
    tree: &'m Tree,
    /// The escape character of MSH-2, when the message uses it.
    pub(crate) escape: Option<u8>,
    /// The subcomponent separator of MSH-2; `&` when there is none.
    pub(crate) subcomponent: char,
    /// When the message was received.
    pub(crate) received: Timestamp,
    /// Fields used, a bit each, by position of the segment. Bit 0: the segment was read at all.
    used: Vec<u128>,
    /// How many fields each segment has: most fields that are asked for are behind the last one.
    counts: Vec<u32>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) removals: Vec<Removal>,
    /// The resource being written, which removals are about.
    subject: Ref,
    /// The segment being read.
    segment: Segment<'m>,
    body: Vec<u8>,
    written: Vec<Written>,
    /// Position in `written`, by id.
    index: HashMap<Uuid, usize, BuildHasherDefault<IdHasher>>,
    /// How often an id that should be new was not, by that id.
    repeats: HashMap<Uuid, u32, BuildHasherDefault<IdHasher>>,
    spare: Vec<Vec<u8>>,
    name: String,
    pub(crate) recent: Recent<'m>,
}

impl<'m> Conversion<'m> {
    pub(crate) fn new(
        profile: &'m Profile,
        message: &'m Message<'m>,
        tree: &'m Tree,
        received: Timestamp,
    ) -> Self {
        let encoding = message.delimiters().encoding_characters();
        Self {
            profile,
            message,
            tree,
            escape: escape(message, &encoding),
            subcomponent: encoding.chars().nth(3).unwrap_or('&'),
            received,
            used: vec![0; message.segment_count()],
            counts: message.segments().map(|s| u32::try_from(s.field_count()).unwrap_or(u32::MAX)).collect(),
            diagnostics: Vec::new(),
            removals: Vec::new(),
            subject: Ref { kind: "Bundle", id: Uuid::nil() },
            segment: message.header(),
            body: Vec::with_capacity(message.text().len() * 12),
            written: Vec::with_capacity(message.segment_count() * 2),
            index: HashMap::with_capacity_and_hasher(
                message.segment_count() * 2,
                BuildHasherDefault::default(),
            ),
            repeats: HashMap::default(),
            spare: vec![Vec::with_capacity(2048), Vec::with_capacity(2048), Vec::with_capacity(4096)],
            name: String::with_capacity(128),
            recent: Recent::default(),
        }
    }

    pub(crate) fn children(&self, of: Segment<'m>, names: &'static [&'static str]) -> Children<'m> {
        self.tree.children(of, names)
    }

    pub(crate) fn child(&self, of: Segment<'m>, name: &'static [&'static str]) -> Option<Segment<'m>> {
        self.children(of, name).next()
    }

    // Reading.

    /// Reads a field without judging it, and notes it as used.
    pub(crate) fn field(&mut self, segment: Segment<'m>, n: u32) -> Field<'m> {
        self.segment = segment;
        if let Some(used) = self.used.get_mut(segment.position()) {
            *used |= 1 | 1_u128.checked_shl(n).unwrap_or(0);
        }
        segment.field(n)
    }

    /// Notes the segment as read, whatever it holds.
    fn read(&mut self, segment: Segment<'m>) {
        self.segment = segment;
        if let Some(used) = self.used.get_mut(segment.position()) {
            *used |= 1;
        }
    }

    /// Fields that order or delimit and say nothing else, such as set ids.
    pub(crate) fn skip(&mut self, segment: Segment<'m>, fields: &[u32]) {
        for n in fields {
            self.field(segment, *n);
        }
    }

    /// The values of a field that repeats. `path` is what it fills, and what is removed when it is null.
    #[inline]
    pub(crate) fn each(&mut self, segment: Segment<'m>, n: u32, path: &'static str) -> Filled<'m> {
        if self.counts.get(segment.position()).is_some_and(|count| n > *count) {
            self.read(segment);
            return Filled(None);
        }
        self.present(segment, n, path)
    }

    fn present(&mut self, segment: Segment<'m>, n: u32, path: &'static str) -> Filled<'m> {
        let field = self.field(segment, n);
        if field.is_null() {
            self.removal(field, path);
            return Filled(None);
        }
        Filled((!field.is_empty()).then(|| field.repetitions()))
    }

    /// The value of a field that fills an element which takes one; further repetitions are noted.
    #[inline]
    pub(crate) fn one(&mut self, segment: Segment<'m>, n: u32, path: &'static str) -> Option<Value<'m>> {
        let values = self.each(segment, n, path);
        if values.0.is_some() { self.first_of(values) } else { None }
    }

    fn first_of(&mut self, mut values: Filled<'m>) -> Option<Value<'m>> {
        let first = values.next();
        for further in values {
            self.note(further, Reason::ExtraRepetition);
        }
        first
    }

    /// The text of [`Conversion::one`].
    pub(crate) fn text(&mut self, segment: Segment<'m>, n: u32, path: &'static str) -> Option<Cow<'m, str>> {
        trimmed(self.one(segment, n, path)?.text())
    }

    /// Whether the field holds something, without using it.
    pub(crate) fn valued(&self, segment: Segment<'m>, n: u32) -> bool {
        let field = segment.field(n);
        !field.is_empty() && !field.is_null()
    }

    fn removal(&mut self, field: Field<'m>, path: &'static str) {
        let Ref { kind, id } = self.subject;
        self.removals.push(Removal { kind, id, path, location: field.location() });
    }

    // Reporting.

    #[cold]
    pub(crate) fn note(&mut self, value: Value<'m>, reason: Reason) {
        self.diagnostics.push(Diagnostic { location: value.location(), reason });
    }

    /// Notes something about a field, which counts as used by it.
    pub(crate) fn note_field(&mut self, segment: Segment<'m>, n: u32, reason: Reason) {
        let location = self.field(segment, n).location();
        self.diagnostics.push(Diagnostic { location, reason });
    }

    /// Notes that a field is left aside for another, when it holds something.
    pub(crate) fn superseded(&mut self, segment: Segment<'m>, n: u32, by: &'static str) {
        if self.valued(segment, n) {
            self.note_field(segment, n, Reason::Superseded(by));
        }
    }

    /// Notes what [`Value::dtm`] and its like could not read.
    #[cold]
    pub(crate) fn unreadable(&mut self, error: &Error) {
        if let Error::Time { location, fault } = error {
            self.diagnostics.push(Diagnostic { location: *location, reason: Reason::Time(*fault) });
        }
    }

    /// Notes every field and segment nobody used. A segment that nobody read at all gives one note.
    pub(crate) fn note_unused(&mut self) {
        for (segment, used) in self.message.segments().zip(&self.used) {
            if *used == 0 {
                let location = segment.location();
                self.diagnostics.push(Diagnostic { location, reason: Reason::SegmentNotUsed });
                continue;
            }
            let count = u32::try_from(segment.field_count()).unwrap_or(u32::MAX);
            for n in (1..=count).filter(|n| used.checked_shr(*n).unwrap_or(0) & 1 == 0) {
                let field = segment.field(n);
                if !field.is_empty() {
                    let location = field.location();
                    self.diagnostics.push(Diagnostic { location, reason: Reason::NotMapped });
                }
            }
        }
        for stray in self.message.strays() {
            let before = stray.position().saturating_sub(1);
            let location = self.message.segment(before).unwrap_or(self.message.header()).location();
            self.diagnostics.push(Diagnostic { location, reason: Reason::Stray });
        }
    }

    // Ids.

    /// The id bridge-fhir gives the resource of this type that `system` knows as `value`: UUIDv5 of type, length of the
    /// system, system and value, a line each.
    pub(crate) fn id(&mut self, kind: &'static str, system: &[&str], value: &[&str]) -> Uuid {
        let length: usize = system.iter().map(|piece| piece.len()).sum();
        self.name.clear();
        self.name.push_str(kind);
        self.name.push('\n');
        push_number(&mut self.name, length);
        for pieces in [system, value] {
            self.name.push('\n');
            pieces.iter().for_each(|piece| self.name.push_str(piece));
        }
        // As `Uuid::new_v5`, with the processor's SHA instructions: ids are a tenth of the work otherwise.
        let hash = Sha1::new_with_prefix(self.profile.namespace).chain_update(&self.name).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Builder::from_sha1_bytes(bytes).into_uuid()
    }

    /// The id of something that has no identifier of its own: its place under something that has.
    pub(crate) fn id_within(&mut self, kind: &'static str, parent: Uuid, value: &[&str]) -> Uuid {
        let mut text = [0; 36];
        let parent: &str = parent.hyphenated().encode_lower(&mut text);
        self.id(kind, &["urn:uuid:", parent], value)
    }

    /// The id of something only this message tells about.
    pub(crate) fn id_in_message(&mut self, kind: &'static str, value: &[&str]) -> Uuid {
        let header = self.message.header();
        let [application, facility, control] = [3, 4, 10].map(|n| header.field(n).raw());
        let system = ["urn:hl7v2:message:", application, "|", facility, "|", control];
        self.id(kind, &system, value)
    }

    /// `id`, or, when a resource of this message has it already, the next one after it: two things that look alike
    /// are still two.
    pub(crate) fn fresh(&mut self, kind: &'static str, id: Uuid) -> Uuid {
        if !self.index.contains_key(&id) {
            return id;
        }
        let count = self.repeats.entry(id).or_insert(1);
        *count += 1;
        let number = count.to_string();
        self.id_within(kind, id, &["#", &number])
    }

    // Writing.

    /// Writes a resource. One that is described twice is kept once: the fuller description.
    pub(crate) fn resource(
        &mut self,
        kind: &'static str,
        id: Uuid,
        write: impl FnOnce(&mut Self, &mut Json),
    ) -> Ref {
        let resource = Ref { kind, id };
        let outer = (self.subject, self.segment);
        self.subject = resource;
        let mut json = Json::reusing(self.spare.pop().unwrap_or_default());
        json.document(|w| {
            w.code("resourceType", kind);
            w.id("id", id);
            write(self, w);
        });
        (self.subject, self.segment) = outer;
        self.keep(resource, json.bytes());
        self.spare.push(json.into_bytes());
        resource
    }

    /// Whether a resource of this id has been written.
    pub(crate) fn has(&self, id: Uuid) -> bool {
        self.index.contains_key(&id)
    }

    fn keep(&mut self, resource: Ref, json: &[u8]) {
        let start = self.body.len();
        let place = match self.index.entry(resource.id) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.written.len());
                self.written.push(Written { resource, range: 0..0 });
                self.written.len() - 1
            }
            Entry::Occupied(at) => {
                let at = *at.get();
                let kept = self.written[at].range.clone();
                if self.body[kept.clone()] == *json {
                    return;
                }
                let location = self.segment.location();
                self.diagnostics.push(Diagnostic { location, reason: Reason::DescribedTwice(resource.kind) });
                if kept.len() >= json.len() {
                    return;
                }
                at
            }
        };
        self.body.extend_from_slice(json);
        self.written[place].range = start..self.body.len();
    }

    /// The finished resources and their bytes.
    pub(crate) fn finish(self) -> (Vec<u8>, Vec<Written>, Vec<Removal>, Vec<Diagnostic>) {
        (self.body, self.written, self.removals, self.diagnostics)
    }
}

/// The values of a field: neither empty nor null.
#[derive(Clone)]
pub(crate) struct Filled<'m>(Option<Pieces<'m>>);

impl<'m> Iterator for Filled<'m> {
    type Item = Value<'m>;

    fn next(&mut self) -> Option<Value<'m>> {
        self.0.as_mut()?.find(|value| !value.is_empty() && !value.is_null())
    }
}

/// What `write!` would, without its machinery: an id is made for each resource, and for most references.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    // A digit.
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// The escape character, when it stands anywhere but in MSH-2: most messages escape nothing.
fn escape(message: &Message<'_>, encoding: &str) -> Option<u8> {
    let text = message.text().as_bytes().get(4 + encoding.len()..)?;
    encoding.as_bytes().get(2).copied().filter(|escape| text.contains(escape))
}

/// The text without blanks around it, which FHIR forbids in codes and identifiers and nobody means elsewhere.
#[inline]
pub(crate) fn trimmed(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let edge = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_graphic());
    if edge(text.as_bytes().first()) && edge(text.as_bytes().last()) {
        return Some(text);
    }
    trimmed_slowly(text)
}

fn trimmed_slowly(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() < text.len() => Cow::Owned(text.trim().to_owned()),
        owned @ Cow::Owned(_) => owned,
    };
    (!text.is_empty()).then_some(text)
}

/// People, places and authorities already made in this message, by the text that names them. A message names the same
/// few again and again; the list is short and the oldest goes.
#[derive(Default)]
pub(crate) struct Recent<'m> {
    seen: Vec<(&'static str, &'m str, Ref)>,
    next: usize,
}

impl<'m> Recent<'m> {
    const ROOM: usize = 32;

    pub(crate) fn get(&self, kind: &'static str, raw: &str) -> Option<Ref> {
        self.seen.iter().find(|(k, r, _)| *r == raw && *k == kind).map(|(.., found)| *found)
    }

    pub(crate) fn put(&mut self, kind: &'static str, raw: &'m str, made: Ref) {
        if self.seen.len() < Self::ROOM {
            self.seen.push((kind, raw, made));
        } else {
            self.seen[self.next] = (kind, raw, made);
            self.next = (self.next + 1) % Self::ROOM;
        }
    }
}

/// Ids are SHA-1 under a tenant's namespace: their bits need no further mixing.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(head) = bytes.last_chunk::<8>() {
            self.0 = u64::from_ne_bytes(*head);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
