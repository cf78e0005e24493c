//! What records look like.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{NO_SHOW, ZONE};
use crate::parts::clinic::{Charge, Clinic, Patient, Payment, Place, Practitioner, Visit, money};

/// `03/02/2026`.
pub(super) fn day(day: Date) -> String {
    day.strftime("%m/%d/%Y").to_string()
}

pub(super) fn read_day(text: &str) -> Option<Date> {
    Date::strptime("%m/%d/%Y", text).ok()
}

/// A time of the practice: `03/02/2026 09:00:00`.
pub(super) fn stamp(at: Timestamp) -> String {
    at.to_zoned(practice_zone()).strftime("%m/%d/%Y %H:%M:%S").to_string()
}

pub(super) fn practice_zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap_or(TimeZone::UTC)
}

/// A slot: its ids are numbers.
pub(super) fn open(clinic: &Clinic, visit: &Visit) -> Value {
    let start = visit.start.to_zoned(clinic.zone(visit.place));
    json!({
        "date": day(start.date()),
        "starttime": start.strftime("%H:%M").to_string(),
        "appointmentid": visit.id,
        "departmentid": visit.place,
        "providerid": visit.practitioner,
        "localproviderid": visit.practitioner,
        "duration": visit.minutes,
        "appointmenttypeid": visit.kind,
        "appointmenttype": "Any 30",
        "patientappointmenttypename": "Any 30",
        "reasonid": ["-1"],
    })
}

/// An appointment with a patient: its ids are texts.
pub(super) fn booked(clinic: &Clinic, visit: &Visit) -> Value {
    let start = visit.start.to_zoned(clinic.zone(visit.place));
    let is_no_show = visit.status == NO_SHOW;
    let mut record = json!({
        "date": day(start.date()),
        "starttime": start.strftime("%H:%M").to_string(),
        "appointmentid": visit.id.to_string(),
        "departmentid": visit.place.to_string(),
        "providerid": visit.practitioner.to_string(),
        "hl7providerid": visit.practitioner,
        "appointmentstatus": if is_no_show { "x" } else { visit.status.as_str() },
        "duration": visit.minutes,
        "appointmenttypeid": visit.kind.to_string(),
        "appointmenttype": "Any 30",
        "patientappointmenttypename": "Any 30",
        "scheduleddatetime": stamp(visit.stamps.created),
        "lastmodified": stamp(visit.stamps.updated),
        "lastmodifiedby": "API-1",
        "chargeentrynotrequired": false,
        "coordinatorenterprise": false,
        "copay": 0,
        "templateappointmentid": visit.id.to_string(),
    });
    let Value::Object(fields) = &mut record else { return record };
    if let Some(patient) = visit.patient {
        fields.insert("patientid".to_owned(), json!(patient.to_string()));
    }
    if visit.status == "x" || is_no_show {
        fields.insert("cancelreasonnoshow".to_owned(), json!(is_no_show));
        fields.insert("cancelreasonname".to_owned(), json!("CANCELLED FROM API"));
        fields.insert("cancelleddatetime".to_owned(), json!(stamp(visit.stamps.updated)));
    }
    if !visit.note.is_empty() {
        let note = json!([{"id": visit.id, "text": visit.note, "displayonschedule": false}]);
        fields.insert("appointmentnotes".to_owned(), note);
    }
    record
}

pub(super) fn patient(patient: &Patient) -> Value {
    let Patient { person, .. } = patient;
    let sex = match person.gender {
        "male" => "M",
        "female" => "F",
        _ => "",
    };
    let mut record = json!({
        "patientid": patient.id.to_string(),
        "firstname": person.given,
        "lastname": person.family,
        "dob": day(person.birth_date),
        "status": if patient.is_active { "active" } else { "inactive" },
        "address1": person.street,
        "city": person.city,
        "state": "NY",
        "zip": person.postal_code,
        "countrycode": "USA",
        "mobilephone": person.phone,
        "primaryproviderid": patient.practitioner.to_string(),
        "registrationdate": day(patient.stamps.created.to_zoned(practice_zone()).date()),
        "portaltermsonfile": false,
        "consenttocall": true,
        "balances": [{"balance": 0, "departmentlist": "1", "providergroupid": 1, "cleanbalance": true}],
    });
    if let Value::Object(fields) = &mut record {
        // What is not known is left out.
        for (name, value) in [("sex", sex), ("email", person.email.as_str())] {
            if !value.is_empty() {
                fields.insert(name.to_owned(), json!(value));
            }
        }
    }
    record
}

pub(super) fn insurances(patient: &Patient) -> Vec<Value> {
    let of = |(rank, policy): (usize, &crate::parts::clinic::Policy)| {
        json!({
            "insuranceid": policy.id.to_string(),
            "insurancepackageid": rank + 100,
            "sequencenumber": rank + 1,
            "insuranceidnumber": policy.member,
            "insuranceplanname": policy.payer,
            "insuranceplandisplayname": policy.payer,
            "insurancetype": "Commercial",
            "relationshiptoinsured": "Self",
            "relationshiptoinsuredid": 1,
            "eligibilitystatus": "Unverified",
            "policynumber": policy.group,
        })
    };
    patient.policies.iter().enumerate().map(of).collect()
}

pub(super) fn provider(provider: &Practitioner) -> Value {
    json!({
        "providerid": provider.id,
        "firstname": provider.person.given,
        "lastname": provider.person.family,
        "displayname": format!("{} {}, MD", provider.person.given, provider.person.family),
        "schedulingname": format!("{}_{}", provider.person.family, provider.person.given),
        "specialty": provider.specialty,
        "providertypeid": "MD",
        "providertype": "MD",
        // A number, although it is an identifier.
        "npi": provider.npi.parse::<u64>().unwrap_or_default(),
        "sex": if provider.person.gender == "male" { "M" } else { "F" },
        "entitytype": "Person",
        "billable": true,
        "hideinportal": false,
        "homedepartment": provider.place.to_string(),
    })
}

pub(super) fn department(place: &Place, now: Timestamp) -> Value {
    let [street, city, state, zip] = &place.address;
    let offset = now.to_zoned(place.time_zone()).offset().seconds() / 3_600;
    json!({
        "departmentid": place.id.to_string(),
        "name": place.name,
        "patientdepartmentname": place.name,
        "address": street,
        "city": city,
        "state": state,
        "zip": zip,
        "phone": place.phone,
        "timezonename": place.zone,
        "timezoneoffset": offset,
        "providergroupid": "1",
        "ishospitaldepartment": false,
    })
}

/// What was paid by card; the time is Eastern wherever the practice is.
pub(super) fn receipt(payment: &Payment) -> Value {
    json!({
        "epaymentid": payment.id.to_string(), "amount": money(payment.cents), "type": "SALE",
        "requestdate": stamp(payment.stamps.created), "cardnumberlast4digits": "0000",
        "cardtypeabbreviation": "MC", "cardtypename": "Mastercard",
    })
}

/// A claim of one procedure: the amount is a text, the patient's id a number.
pub(super) fn claim(charge: &Charge, department: u64) -> Value {
    let amount = money(charge.cents.saturating_mul(i64::from(charge.quantity)));
    json!({
        "claimid": charge.id.to_string(),
        "patientid": charge.patient,
        "departmentid": department,
        "appointmentid": charge.visit.to_string(),
        "billedproviderid": charge.practitioner,
        "billedservicedate": day(charge.day),
        "claimcreateddate": day(charge.stamps.created.to_zoned(practice_zone()).date()),
        "procedures": [{
            "transactionid": charge.id.to_string(), "procedurecode": charge.code,
            "proceduredescription": charge.text, "procedurecategory": "Invented", "chargeamount": amount,
        }],
        "transactiondetails": {charge.id.to_string(): amount},
        "diagnoses": [],
        "patientpayer": {"status": "DROP"},
    })
}
