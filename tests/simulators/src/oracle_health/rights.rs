//! What Oracle Health offers, by its capability statement of 2026.

use crate::parts::fhir::{
    search::{Form, Parameter},
    server::Rights,
};

/// The scopes that the simulated client registered.
pub(super) const SCOPES: &[&str] = &[
    "system/Appointment.crus",
    "system/ChargeItem.crs",
    "system/Coverage.crs",
    "system/Location.rs",
    "system/Patient.crs",
    "system/Practitioner.rs",
    "system/Schedule.r",
    "system/Slot.rus",
];

const fn parameter(name: &'static str, form: Form, path: &'static [&'static str]) -> Parameter {
    Parameter { name, form, path }
}

const ID: Parameter = parameter("_id", Form::Token, &["id"]);
const IDENTIFIER: Parameter = parameter("identifier", Form::Token, &["identifier"]);
const NAME: Parameter = parameter("name", Form::Text, &["name"]);
const FAMILY: Parameter = parameter("family", Form::Text, &["name", "family"]);
const GIVEN: Parameter = parameter("given", Form::Text, &["name", "given"]);
const ACTOR: &[&str] = &["participant", "actor"];

pub(super) const ALL: &[Rights] = &[
    Rights {
        name: "Appointment",
        interactions: &["read", "search-type", "create", "patch"],
        parameters: &[
            ID,
            parameter("date", Form::Date, &["start"]),
            parameter("patient", Form::Reference("Patient"), ACTOR),
            parameter("practitioner", Form::Reference("Practitioner"), ACTOR),
            parameter("location", Form::Reference("Location"), ACTOR),
            parameter("status", Form::Token, &["status"]),
        ],
        needs: &[&["_id"], &["patient", "date"], &["practitioner", "date"], &["location", "date"]],
        operations: &[],
    },
    Rights {
        name: "ChargeItem",
        interactions: &["read", "search-type"],
        parameters: &[
            ID,
            parameter("context", Form::Reference("Encounter"), &["context"]),
            parameter("account", Form::Reference("Account"), &["account"]),
            parameter("-status", Form::Token, &["status"]),
        ],
        needs: &[&["_id"], &["context", "-status"], &["account", "-status"]],
        operations: &["create"],
    },
    Rights {
        name: "Coverage",
        interactions: &["read", "search-type", "create"],
        parameters: &[ID, parameter("patient", Form::Reference("Patient"), &["beneficiary"])],
        needs: &[&["_id"], &["patient"]],
        operations: &[],
    },
    Rights {
        name: "Location",
        interactions: &["read", "search-type"],
        parameters: &[ID, IDENTIFIER, NAME],
        needs: &[&["_id"], &["identifier"], &["name"]],
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
        ],
        needs: &[&["_id"], &["identifier"], &["name"], &["family"], &["given"], &["birthdate"]],
        operations: &[],
    },
    Rights {
        name: "Practitioner",
        interactions: &["read", "search-type"],
        parameters: &[ID, IDENTIFIER, NAME, FAMILY, GIVEN],
        needs: &[&["_id"], &["identifier"], &["name"], &["family"], &["given"]],
        operations: &[],
    },
    Rights {
        name: "Schedule",
        interactions: &["read", "search-type"],
        parameters: &[ID, parameter("actor", Form::Reference("Practitioner"), &["actor"])],
        needs: &[],
        operations: &[],
    },
    Rights {
        name: "Slot",
        interactions: &["read", "search-type", "patch"],
        parameters: &[
            ID,
            parameter("schedule", Form::Reference("Schedule"), &["schedule"]),
            parameter("service-type", Form::Token, &["serviceType"]),
            parameter("start", Form::Date, &["start"]),
            parameter("status", Form::Token, &["status"]),
        ],
        needs: &[&["_id"], &["schedule", "start"], &["service-type", "start"]],
        operations: &[],
    },
];
