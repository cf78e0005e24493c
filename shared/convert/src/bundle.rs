//! Puts the finished resources together to one Bundle.

use crate::{
    conversion::{Conversion, Ref},
    datatypes::dtm,
    json::{Json, hyphenated},
    report::{Converted, Resource},
};

/// A Bundle of type `message`: `header` first, as FHIR asks, then the others in the order they were written.
pub(crate) fn assemble(mut c: Conversion<'_>, header: Ref) -> Converted {
    let mut head = Json::default();
    begin(&mut c, &mut head);
    let base = c.profile.base.clone();
    let (body, written, removals, diagnostics) = c.finish();
    let mut bundle = head.into_bytes();
    bundle.reserve(body.len() + written.len() * (base.len() + 96) + 2);
    let mut resources = Vec::with_capacity(written.len());
    let first = written.iter().filter(|one| one.resource == header);
    let others = written.iter().filter(|one| one.resource != header);
    for one in first.chain(others) {
        bundle.extend_from_slice(if resources.is_empty() { b"{\"fullUrl\":\"" } else { b",{\"fullUrl\":\"" });
        for piece in [base.as_str(), "/", one.resource.kind, "/"] {
            bundle.extend_from_slice(piece.as_bytes());
        }
        bundle.extend_from_slice(&hyphenated(one.resource.id));
        bundle.extend_from_slice(b"\",\"resource\":");
        let start = bundle.len();
        bundle.extend_from_slice(&body[one.range.clone()]);
        resources.push(Resource { kind: one.resource.kind, id: one.resource.id, range: start..bundle.len() });
        bundle.push(b'}');
    }
    bundle.extend_from_slice(b"]}");
    Converted { bundle, resources, removals, diagnostics }
}

/// Everything before the first entry.
fn begin(c: &mut Conversion<'_>, w: &mut Json) {
    let msh = c.message.header();
    let id = c.id_in_message("Bundle", &["MSH"]);
    w.push(b"{");
    w.code("resourceType", "Bundle");
    w.id("id", id);
    w.object("identifier", |w| {
        if let Some(control) = c.text(msh, 10, "Bundle.identifier") {
            let facility = msh.field(4).first();
            let universal = crate::datatypes::hd::uri(facility.part(2).raw(), facility.part(3).raw());
            if let Some([scheme, rest]) = universal {
                w.joined("system", &[scheme, rest]);
            }
            w.text("value", &control);
        }
    });
    w.code("type", "message");
    let sent = c.one(msh, 7, "Bundle.timestamp");
    if !sent.is_some_and(|sent| dtm::instant(c, w, "timestamp", sent)) {
        dtm::own_instant(w, "timestamp", c.received);
    }
    w.key("entry");
    w.push(b"[");
}
