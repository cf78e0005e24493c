//! MSG, the type of a message: code, trigger event, structure.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, json::Json, parts::Parts, report::Reason};

/// The type and the trigger event of a message. `Display` shows `?` for what is not three letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'m> {
    /// For example `ADT`; may be anything when the sender is wrong.
    pub message: &'m str,
    /// For example `A04`; the same.
    pub trigger: &'m str,
}

impl<'m> Event<'m> {
    /// Of MSH-9. Old senders write the structure alone (`ADT_A01`), which says the same.
    pub fn of(value: Value<'m>) -> Self {
        let [message, trigger, structure] = [1, 2, 3].map(|n| value.part(n).raw().trim());
        let split = [message, structure].into_iter().find_map(|text| text.split_once('_'));
        match split {
            Some((message, trigger)) if message.len() == 3 && trigger.len() == 3 => Self { message, trigger },
            _ => Self { message, trigger },
        }
        .preferring(message, trigger)
    }

    /// The first two components, where they are given.
    fn preferring(self, message: &'m str, trigger: &'m str) -> Self {
        Self {
            message: if message.len() == 3 { message } else { self.message },
            trigger: if trigger.is_empty() { self.trigger } else { trigger },
        }
    }
}

impl std::fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // MSH-9 of a broken message may hold anything, so only what looks like a code is shown.
        let code = |text: &str| match text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            true => text.to_owned(),
            false => "?".to_owned(),
        };
        write!(f, "{}^{}", code(self.message), code(self.trigger))
    }
}

/// The members of a Coding of the trigger event.
pub(crate) fn coding<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let msg = Parts::<3>::of(c, value, &[1, 2, 3]);
    let event = Event::of(value);
    if event.trigger.is_empty() {
        c.note(msg.value(2), Reason::NoCode);
        w.code("system", "http://terminology.hl7.org/CodeSystem/data-absent-reason");
        w.code("code", "unknown");
    } else {
        w.code("system", "http://terminology.hl7.org/CodeSystem/v2-0003");
        w.text("code", event.trigger);
    }
    display(w, "display", value);
}

/// `ADT^A01^ADT_A01`, whatever the sender's separator is.
pub(crate) fn display(w: &mut Json, key: &str, value: Value<'_>) {
    prefixed_display(w, key, "", value);
}

/// The same after a word.
pub(crate) fn prefixed_display(w: &mut Json, key: &str, before: &str, value: Value<'_>) {
    let [message, trigger, structure] = [1, 2, 3].map(|n| value.part(n).raw());
    let second = if trigger.is_empty() && structure.is_empty() { "" } else { "^" };
    let third = if structure.is_empty() { "" } else { "^" };
    w.joined(key, &[before, message, second, trigger, third, structure]);
}
