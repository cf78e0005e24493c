//! The functions mappings have besides [JSONata's own](https://docs.jsonata.org/string-functions), one per file.
//!
//! All of them follow JSONata's habit: nothing in, nothing out, so that an absent field stays absent. A number is
//! taken with all the digits it was written with. Every module has `EXAMPLES`.
//!
//! | function | result |
//! |---|---|
//! | [`$date(text)`](date) | the date part; nothing for the empty dates of PMS databases |
//! | [`$identifier(system, value)`](identifier) | a FHIR Identifier |
//! | [`$link(type, system, value, display?)`](link) | the same reference with type, identifier and text |
//! | [`$list(items)`](list) | the items; nothing when there are none |
//! | [`$local(text, zone?)`](local) | an instant as local time without an offset |
//! | [`$minutesBetween(from, to)`](minutes_between) | whole minutes between two instants |
//! | [`$pad(text, width, char?)`](pad) | JSONata's own, bounded |
//! | [`$pick(object, names)`](pick) | the fields of these names |
//! | [`$plusMinutes(text, n)`](plus_minutes) | the instant `n` minutes later |
//! | [`$reference(type, system, value)`](reference) | a reference by identifier, made literal later |
//! | [`$text(value)`](text) | tidy text; nothing for what products write when there is none |
//! | [`$truth(text)`](truth) | a boolean from `"true"` / `"false"` |
//! | [`$zoned(text, zone?)`](zoned) | local time with the offset it had in the zone |

mod args;
pub mod date;
pub mod identifier;
pub mod link;
pub mod list;
pub mod local;
pub mod minutes_between;
pub mod pad;
pub mod pick;
pub mod plus_minutes;
pub mod reference;
pub mod text;
mod time;
pub mod truth;
pub mod zoned;

use jsonata_core::value::JValue;

use crate::engine::Run;

/// A JSONata expression and the JSON it results in, over the record `{}`.
pub type Example = (&'static str, &'static str);

/// A function: arguments in, a value or the reason why not. The reason holds no value of the record.
type Function = fn(&[JValue], &Run) -> Result<JValue, String>;

/// By the name mappings use, without `$`.
pub(crate) const ALL: &[(&str, Function)] = &[
    ("date", date::call),
    ("identifier", identifier::call),
    ("link", link::call),
    ("list", list::call),
    ("local", local::call),
    ("minutesBetween", minutes_between::call),
    ("pad", pad::call),
    ("pick", pick::call),
    ("plusMinutes", plus_minutes::call),
    ("reference", reference::call),
    ("text", text::call),
    ("truth", truth::call),
    ("zoned", zoned::call),
];
