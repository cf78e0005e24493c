//! The only place where fhir-sdk's types are named.
//!
//! fhir-sdk has no R4; its R4B types are the same on the wire for the resources used here. Every function is
//! instantiated here, once per type.

use fhir_sdk::r4b::{resources, types};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{fault::Fault, path::Path, reader::Reader};

macro_rules! resources {
    ($($name:ident)*) => {
        /// Whether `name` is a resource type that is checked.
        pub(super) fn is_known(name: &str) -> bool {
            [$(stringify!($name)),*].contains(&name)
        }

        /// What fhir-sdk would write for a resource of type `name`.
        pub(super) fn rewritten(name: &str, resource: &Value, path: &Path<'_>) -> Result<Value, Fault> {
            match name {
                $(stringify!($name) => through::<resources::$name>(resource, path),)*
                _ => Err(Fault::of_resource()),
            }
        }
    };
}

// What mappings and the v2 conversion make. Each of these is the same in R4B as in R4; one more costs about a percent
// of the build of this crate.
resources! {
    Account AllergyIntolerance Appointment AuditEvent Basic Bundle CareTeam ChargeItem Communication Condition Coverage
    Device DiagnosticReport DocumentReference Encounter EpisodeOfCare Immunization Invoice Location Medication
    MedicationRequest MessageHeader Observation OperationOutcome Organization Patient PaymentNotice Practitioner
    PractitionerRole Procedure Provenance RelatedPerson Schedule ServiceRequest Slot Specimen Subscription Task
}

/// Whether a reference can be to a resource of this type, known here or not.
pub(super) fn is_referable(name: &str) -> bool {
    name.parse::<resources::ResourceType>().is_ok()
}

/// Whether `T` is fhir-sdk's enum of all resource types, or an option of it: the type of `contained` and of
/// `Bundle.entry.resource`.
///
/// Without `'static` a constant knows no more of a type than its layout. No other element or item that fhir-sdk reads
/// is of this size and owns memory; if one ever were, it could not be read at all, and no test of its resource
/// would pass.
pub(super) const fn is_any_resource<T>() -> bool {
    size_of::<T>() == size_of::<resources::Resource>()
        && align_of::<T>() == align_of::<resources::Resource>()
        && std::mem::needs_drop::<T>()
}

fn through<T: DeserializeOwned + Serialize>(value: &Value, path: &Path<'_>) -> Result<Value, Fault> {
    let write = |value: &Value| Ok(serde_json::to_value(T::deserialize(Reader { value, path })?).ok());
    match write(value)? {
        Some(written) => Ok(written),
        None => Err(unwritable(value, path, &|value| matches!(write(value), Ok(Some(_))))),
    }
}

/// fhir-sdk reads years that it then cannot write. Finds the place: the last of the texts that have to be replaced
/// before it can.
fn unwritable(value: &Value, path: &Path<'_>, can_write: &dyn Fn(&Value) -> bool) -> Fault {
    let mut fault = Fault::of_time();
    let mut value = value.clone();
    let mut suspects = Vec::new();
    path.texts(&value, "", &mut |text, pointer, path| {
        if text.bytes().all(|b| b.is_ascii_digit() || b"+-".contains(&b)) {
            suspects.push((pointer.to_owned(), path.to_string()));
        }
    });
    for (pointer, path) in suspects {
        if let Some(text) = value.pointer_mut(&pointer) {
            *text = Value::from("2000");
        }
        if can_write(&value) {
            fault.path = Some(path);
            break;
        }
    }
    fault
}

/// The stem and type of an element that may be a choice: `value` and `Quantity` of `valueQuantity`.
pub(crate) fn choice_of(name: &str) -> Option<(&str, &str)> {
    CHOICES
        .iter()
        .filter_map(|choice| Some((name.strip_suffix(choice)?, *choice)))
        .find(|(stem, _)| !stem.is_empty())
}

macro_rules! choices {
    ($($name:literal => $type:ty),* $(,)?) => {
        /// The types of `value[x]` and its kin, the longer name first where one ends another.
        pub(super) const CHOICES: &[&str] = &[$($name),*];

        /// Whether `value` is of the choice type `name`, and what is wrong when it is not.
        pub(super) fn fits(name: &str, value: &Value, path: &Path<'_>) -> Result<(), Fault> {
            let reader = Reader { value, path };
            match name {
                $($name => <$type>::deserialize(reader).map(|_| ()).map_err(|fault| fault.at(path, value)),)*
                _ => Ok(()),
            }
        }
    };
}

choices! {
    "Address" => types::Address,
    "Age" => types::Age,
    "Annotation" => types::Annotation,
    "Attachment" => types::Attachment,
    "Base64Binary" => fhir_sdk::Base64Binary,
    "Boolean" => bool,
    "Canonical" => String,
    "Code" => String,
    "CodeableConcept" => types::CodeableConcept,
    "Coding" => types::Coding,
    "ContactDetail" => types::ContactDetail,
    "ContactPoint" => types::ContactPoint,
    "Contributor" => types::Contributor,
    "Count" => types::Count,
    "DataRequirement" => types::DataRequirement,
    "Date" => fhir_sdk::Date,
    "DateTime" => fhir_sdk::DateTime,
    "Decimal" => f64,
    "Distance" => types::Distance,
    "Dosage" => types::Dosage,
    "Duration" => types::Duration,
    "Expression" => types::Expression,
    "HumanName" => types::HumanName,
    "Id" => String,
    "Identifier" => types::Identifier,
    "Instant" => fhir_sdk::Instant,
    "Integer" => i32,
    "Markdown" => String,
    "Money" => types::Money,
    "Oid" => String,
    "ParameterDefinition" => types::ParameterDefinition,
    "Period" => types::Period,
    "PositiveInt" => std::num::NonZeroU32,
    "Quantity" => types::Quantity,
    "Range" => types::Range,
    "Ratio" => types::Ratio,
    "Reference" => types::Reference,
    "RelatedArtifact" => types::RelatedArtifact,
    "SampledData" => types::SampledData,
    "Signature" => types::Signature,
    "String" => String,
    "Time" => fhir_sdk::Time,
    "Timing" => types::Timing,
    "TriggerDefinition" => types::TriggerDefinition,
    "UnsignedInt" => u32,
    "Uri" => String,
    "Url" => String,
    "UsageContext" => types::UsageContext,
    "Uuid" => String,
}
