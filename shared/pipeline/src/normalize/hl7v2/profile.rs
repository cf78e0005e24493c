//! A connection's `hl7v2` section, as the conversion takes it.

use bridge_convert::{AllergySeverity, Defaults, NationalId, NextOfKin, Profile};
use bridge_core::config::{self, Hl7v2Site};
use jiff::tz::TimeZone;
use uuid::Uuid;

/// Stands in front of the full URLs in a message bundle, of which only the resources are taken.
const BASE: &str = "https://bridge.invalid/fhir";

/// The profile of a site.
pub(super) fn profile(site: &Hl7v2Site, namespace: Uuid, zone: TimeZone) -> Profile {
    let mut profile = Profile::new(namespace, zone, BASE);
    for (name, uri) in &site.authorities {
        profile = profile.authority(name, uri);
    }
    for (name, uri) in &site.code_systems {
        profile = profile.code_system(name, uri);
    }
    for (path, value) in &site.defaults {
        if let Some(default) = default_mut(&mut profile.defaults, path) {
            value.clone_into(default);
        }
    }
    if let Some(types) = &site.patient_id_types {
        types.clone_into(&mut profile.patient_id_types);
    }
    if let Some(config::NationalId { system, type_code }) = &site.national_id {
        profile.national_id = NationalId { system: system.clone(), type_code: type_code.clone() };
    }
    profile.endpoint.clone_from(&site.endpoint);
    profile.allergy_severity = match site.allergy_severity {
        Some(config::AllergySeverity::Criticality) => AllergySeverity::Criticality,
        Some(config::AllergySeverity::Reaction) | None => AllergySeverity::Reaction,
    };
    profile.next_of_kin = match site.next_of_kin {
        Some(config::NextOfKin::Contact) => NextOfKin::Contact,
        Some(config::NextOfKin::RelatedPerson) => NextOfKin::RelatedPerson,
        Some(config::NextOfKin::Both) | None => NextOfKin::Both,
    };
    profile.vip_is_personal = site.vip_is_personal.unwrap_or_default();
    profile.clinical_information_is_fasting = site.clinical_information_is_fasting.unwrap_or_default();
    profile
}

/// What stands in for a required element.
pub(super) fn default_of(profile: &Profile, path: &str) -> Option<String> {
    default_mut(&mut profile.defaults.clone(), path).cloned()
}

fn default_mut<'a>(defaults: &'a mut Defaults, path: &str) -> Option<&'a mut String> {
    Some(match path {
        "ChargeItem.status" => &mut defaults.charge_status,
        "Coverage.status" => &mut defaults.coverage_status,
        "DiagnosticReport.status" => &mut defaults.report_status,
        "Encounter.class" => &mut defaults.encounter_class,
        "Encounter.status" => &mut defaults.encounter_status,
        "EpisodeOfCare.status" => &mut defaults.episode_status,
        "Observation.status" => &mut defaults.observation_status,
        "Procedure.status" => &mut defaults.procedure_status,
        "ServiceRequest.status" => &mut defaults.request_status,
        _ => return None,
    })
}
