//! What Epic offers, by its capability statement of May 2026.

use crate::parts::fhir::{
    search::{Form, Parameter},
    server::Rights,
};

/// The scopes that the simulated client registered.
pub(super) const SCOPES: &[&str] = &[
    "system/Appointment.crs",
    "system/Coverage.rs",
    "system/Location.rs",
    "system/Patient.crs",
    "system/Practitioner.rs",
    "system/Slot.r",
];

const fn parameter(name: &'static str, form: Form, path: &'static [&'static str]) -> Parameter {
    Parameter { name, form, path }
}

const ID: Parameter = parameter("_id", Form::Token, &["id"]);
const IDENTIFIER: Parameter = parameter("identifier", Form::Token, &["identifier"]);
const NAME: Parameter = parameter("name", Form::Text, &["name"]);
const FAMILY: Parameter = parameter("family", Form::Text, &["name", "family"]);
const GIVEN: Parameter = parameter("given", Form::Text, &["name", "given"]);

pub(super) const R4: &[Rights] = &[
    Rights {
        name: "Appointment",
        interactions: &["read", "search-type"],
        parameters: &[
            ID,
            IDENTIFIER,
            parameter("date", Form::Date, &["start"]),
            parameter("patient", Form::Reference("Patient"), &["participant", "actor"]),
            parameter("status", Form::Token, &["status"]),
            parameter("service-category", Form::Token, &["serviceCategory"]),
        ],
        needs: &[&["_id"], &["identifier"], &["patient"], &["date"]],
        operations: &[],
    },
    Rights {
        name: "Coverage",
        interactions: &["read", "search-type"],
        parameters: &[ID, parameter("patient", Form::Reference("Patient"), &["beneficiary"])],
        needs: &[&["_id"], &["patient"]],
        operations: &[],
    },
    Rights {
        name: "Location",
        interactions: &["read", "search-type"],
        parameters: &[ID, IDENTIFIER, NAME],
        needs: &[],
        operations: &[],
    },
    Rights {
        name: "Patient",
        interactions: &["read", "search-type", "create"],
        parameters: &[
            ID,
            IDENTIFIER,
            NAME,
            FAMILY,
            GIVEN,
            parameter("birthdate", Form::Date, &["birthDate"]),
            parameter("gender", Form::Token, &["gender"]),
        ],
        // Enough demographics to mean a person.
        needs: &[
            &["_id"],
            &["identifier"],
            &["family", "given"],
            &["name", "birthdate"],
            &["family", "birthdate"],
        ],
        operations: &[],
    },
    Rights {
        name: "Practitioner",
        interactions: &["read", "search-type"],
        parameters: &[ID, IDENTIFIER, NAME, FAMILY, GIVEN],
        needs: &[],
        operations: &[],
    },
];
