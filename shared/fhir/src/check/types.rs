//! The only place where fhir-sdk's types are named.
//!
//! fhir-sdk has no R4; its R4B types are the same on the wire for the resources used here. Every function is
//! instantiated here, once per type.

use fhir_sdk::r4b::{resources, types};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{fault::Fault, path::Path, reader::Reader};

/// Resources that R4B has and R4 has not, or has with other elements.
const NOT_R4: [&str; 16] = [
    "AdministrableProductDefinition",
    "Citation",
    "ClinicalUseDefinition",
    "Evidence",
    "EvidenceReport",
    "EvidenceVariable",
    "Ingredient",
    "ManufacturedItemDefinition",
    "MedicinalProductDefinition",
    "NutritionProduct",
    "PackagedProductDefinition",
    "RegulatedAuthorization",
    "SubscriptionStatus",
    "SubscriptionTopic",
    "Substance",
    "SubstanceDefinition",
];

/// Whether `name` is a resource type that can be checked.
pub(super) fn is_name(name: &str) -> bool {
    !NOT_R4.contains(&name) && name.parse::<resources::ResourceType>().is_ok()
}

/// What fhir-sdk would write for a resource of type `name`.
pub(super) fn rewritten(name: &str, resource: &Value, path: &Path<'_>) -> Result<Value, Fault> {
    macro_rules! by_name {
        ($($name:ident)*) => {
            match name {
                $(stringify!($name) => through::<resources::$name>(resource, path),)*
                // Read through a buffer, so that a fault has no place.
                _ => through::<resources::Resource>(resource, path),
            }
        };
    }
    by_name! {
        Account AllergyIntolerance Appointment AuditEvent Bundle ChargeItem Communication Condition Coverage
        DiagnosticReport DocumentReference Encounter Invoice Location MessageHeader Observation OperationOutcome
        Organization Patient PaymentNotice Practitioner PractitionerRole Procedure Provenance RelatedPerson Schedule
        ServiceRequest Slot Specimen Subscription Task
    }
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
    "CodeableConcept" => types::CodeableConcept,
    "Coding" => types::Coding,
    "ContactPoint" => types::ContactPoint,
    "Count" => types::Count,
    "DateTime" => fhir_sdk::DateTime,
    "Date" => fhir_sdk::Date,
    "Decimal" => f64,
    "Distance" => types::Distance,
    "Dosage" => types::Dosage,
    "Duration" => types::Duration,
    "HumanName" => types::HumanName,
    "Identifier" => types::Identifier,
    "Instant" => fhir_sdk::Instant,
    "Integer" => i32,
    "Money" => types::Money,
    "Period" => types::Period,
    "PositiveInt" => std::num::NonZeroU32,
    "Quantity" => types::Quantity,
    "Range" => types::Range,
    "Ratio" => types::Ratio,
    "Reference" => types::Reference,
    "SampledData" => types::SampledData,
    "Signature" => types::Signature,
    "String" => String,
    "Time" => fhir_sdk::Time,
    "Timing" => types::Timing,
    "UnsignedInt" => u32,
}
