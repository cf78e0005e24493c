//! HD, hierarchic designator: who assigned an identifier, or what an application or a place is called.

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, Ref},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{Found, UNIVERSAL_ID_TYPE},
};

pub(crate) type Hd<'m> = Parts<'m, 3>;

const MAPPED: [u32; 3] = [1, 2, 3];

/// An assigning authority: the system its identifiers are in, if anyone says so, and the authority itself.
#[derive(Clone, Copy)]
pub(crate) struct Authority<'m> {
    /// The system's URI in two pieces.
    pub(crate) system: Option<[&'m str; 2]>,
    /// What stands for the system in ids: the system, else the authority's name, else the sending facility.
    pub(crate) key: [&'m str; 2],
    named: Option<Value<'m>>,
}

/// The authority an HD names. A system is never made up: the profile knows it, or the HD holds a universal id.
pub(crate) fn authority<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Authority<'m> {
    if value.is_empty() || value.is_null() {
        return Authority {
            system: None,
            key: ["", c.message.header().field(4).first().part(1).raw()],
            named: None,
        };
    }
    let hd = Hd::of(c, value, &MAPPED);
    let system = system(c, hd.raw(1), hd.raw(2), hd.raw(3));
    let key = system.unwrap_or(["", if hd.has(1) { hd.raw(1) } else { hd.raw(2) }]);
    Authority { system, key, named: Some(value) }
}

/// The URI of an authority's identifiers.
pub(crate) fn system<'m>(
    c: &Conversion<'m>,
    namespace: &str,
    universal: &'m str,
    kind: &str,
) -> Option<[&'m str; 2]> {
    let known = |name: &str| c.profile.authorities.get(name).filter(|_| !name.is_empty());
    if let Some(uri) = known(namespace).or_else(|| known(universal)) {
        return Some(["", uri]);
    }
    uri(universal, kind)
}

/// A universal id as a URI, where its type (table 0301) is one that has URIs.
pub(crate) fn uri<'m>(universal: &'m str, kind: &str) -> Option<[&'m str; 2]> {
    let oid = universal.contains('.') && universal.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match kind {
        "ISO" if oid => Some(["urn:oid:", universal]),
        "UUID" | "GUID" if universal.len() == 36 => Some(["urn:uuid:", universal]),
        "URI" if universal.contains(':') && !universal.contains(' ') => Some(["", universal]),
        _ => None,
    }
}

impl<'m> Authority<'m> {
    /// The `system` and `assigner` of an identifier. The assigner is named beside the system: a profile may give several
    /// authorities one system.
    pub(crate) fn members(self, c: &mut Conversion<'m>, w: &mut Json) {
        if let Some([scheme, rest]) = self.system {
            w.joined("system", &[scheme, rest]);
        }
        let Some(value) = self.named else { return };
        if self.system.is_none() {
            c.note(value, Reason::UnknownAuthority);
        }
        if let Some(organization) = organization(c, value) {
            organization.write(w, "assigner");
        }
    }
}

/// An Organization known by its designator alone.
pub(crate) fn organization<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    resource(c, "Organization", value, |_, _| {})
}

/// The same in a country.
pub(crate) fn organization_in<'m>(
    c: &mut Conversion<'m>,
    value: Value<'m>,
    country: Option<&str>,
) -> Option<Ref> {
    resource(c, "Organization", value, |w, _| {
        if let Some(country) = country {
            w.one("address", |w| w.text("country", country));
        }
    })
}

/// A Device (an application) known by its designator alone.
pub(crate) fn device<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    resource(c, "Device", value, |_, _| {})
}

/// A site (EVN-7).
pub(crate) fn location<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    resource(c, "Location", value, |w, hd| {
        if let Some(name) = hd.text(1) {
            w.text("name", &name);
        }
        w.object("physicalType", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/location-physical-type");
                w.code("code", "si");
            });
        });
    })
}

fn resource<'m>(
    c: &mut Conversion<'m>,
    kind: &'static str,
    value: Value<'m>,
    rest: impl FnOnce(&mut Json, &Hd<'m>),
) -> Option<Ref> {
    if value.is_empty() || value.is_null() {
        return None;
    }
    if let Some(made) = c.recent.get(kind, value.raw()) {
        return Some(made);
    }
    let hd = Hd::of(c, value, &MAPPED);
    if hd.text(1).or_else(|| hd.text(2)).is_none() {
        c.note(value, Reason::Lacks("a name"));
        return None;
    }
    let id = c.id(kind, &["hd"], &[hd.raw(1), "|", hd.raw(2)]);
    let made = c.resource(kind, id, |_, w| {
        w.array("identifier", |w| identifiers(w, &hd));
        rest(w, &hd);
    });
    c.recent.put(kind, value.raw(), made);
    Some(made)
}

/// The local name and the universal id, an Identifier each.
fn identifiers(w: &mut Json, hd: &Hd<'_>) {
    if let Some(name) = hd.text(1) {
        w.item(|w| w.text("value", &name));
    }
    universal_identifier(w, hd);
}

/// The universal id as an Identifier, with its type; a URI where its type has URIs.
pub(crate) fn universal_identifier(w: &mut Json, hd: &Hd<'_>) {
    let Some(universal) = hd.text(2) else { return };
    w.item(|w| {
        if let Some(kind) = hd.text(3) {
            universal_id_type(w, &kind);
        }
        match uri(hd.raw(2), hd.raw(3)) {
            Some([scheme, rest]) => {
                w.code("system", "urn:ietf:rfc:3986");
                w.joined("value", &[scheme, rest]);
            }
            None => w.text("value", &universal),
        }
    });
}

fn universal_id_type(w: &mut Json, kind: &str) {
    w.object("type", |w| {
        w.one("coding", |w| {
            if !matches!(UNIVERSAL_ID_TYPE.find(kind), Found::Unknown) {
                w.text("system", UNIVERSAL_ID_TYPE.own_system());
            }
            w.text("code", kind);
        });
    });
}

/// `name`, `software` and `endpoint` of MessageHeader.source. The software is the application's second name, else the
/// `product` SFT tells. An endpoint is required: the message's own designator
/// of the application, or the reason why there is none.
pub(crate) fn source<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    application: Option<Value<'m>>,
    network: Option<Value<'m>>,
    product: Option<&str>,
) {
    let hd = application.map(|value| Hd::of(c, value, &MAPPED));
    if let Some(name) = hd.as_ref().and_then(|hd| hd.text(1)) {
        w.text("name", &name);
    }
    match (hd.as_ref().and_then(|hd| hd.text(2)), product) {
        (Some(software), _) => w.text("software", &software),
        (None, Some(product)) => w.text("software", product),
        (None, None) => {}
    }
    endpoint(c, w, network.or(application));
}

/// `endpoint`, required: the universal id as a URI, or the reason why there is none.
pub(crate) fn endpoint<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Option<Value<'m>>) {
    let hd = value.map(|value| Hd::of(c, value, &MAPPED));
    let uri = hd.as_ref().and_then(|hd| match hd.raw(3) {
        "DNS" if hd.has(2) => Some(["urn:dns:", hd.raw(2)]),
        kind => uri(hd.raw(2), kind),
    });
    match (uri, &c.profile.endpoint) {
        (Some([scheme, rest]), _) => w.joined("endpoint", &[scheme, rest]),
        (None, Some(known)) => w.text("endpoint", known),
        (None, None) => {
            w.object("_endpoint", |w| {
                w.one_extension("http://hl7.org/fhir/StructureDefinition/data-absent-reason", |w| {
                    w.code("valueCode", "unknown");
                });
            });
        }
    }
}
