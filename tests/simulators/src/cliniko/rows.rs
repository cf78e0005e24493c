//! Cliniko's records, as the interface shows them and lets them be filtered by.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use crate::parts::people::Person;

/// A record of any kind.
pub(super) trait Row {
    /// The name of its lists: `patients`.
    const NAME: &'static str;
    /// Its id.
    fn id(&self) -> u64;
    /// What it can be filtered and sorted by. Nothing for a field that there is not.
    fn field(&self, name: &str) -> Option<Field<'_>>;
    /// As the interface shows it to a caller who finds it at `base`.
    fn json(&self, base: &str) -> Value;
}

/// A field that may have nothing in it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Text(Option<&'a str>),
    Number(Option<u64>),
    Time(Option<Timestamp>),
    Date(Option<Date>),
}

impl Field<'_> {
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Self::Text(text) => text.is_none_or(str::is_empty),
            Self::Number(number) => number.is_none(),
            Self::Time(time) => time.is_none(),
            Self::Date(date) => date.is_none(),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.unwrap_or_default()),
            _ => None,
        }
    }

    /// Sorts as the field does; what has nothing comes first.
    pub(super) fn order_key(&self) -> (i64, String) {
        match self {
            Self::Text(text) => (0, text.unwrap_or_default().to_lowercase()),
            Self::Number(number) => {
                (number.map_or(-1, |number| i64::try_from(number).unwrap_or(i64::MAX)), String::new())
            }
            Self::Time(time) => (time.map_or(i64::MIN, Timestamp::as_second), String::new()),
            Self::Date(date) => (0, date.map(|date| date.to_string()).unwrap_or_default()),
        }
    }
}

/// When a record was made, changed and put away.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamps {
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) archived: Option<Timestamp>,
}

impl Stamps {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { created: now, updated: now, archived: None }
    }

    fn field(&self, name: &str) -> Option<Field<'static>> {
        Some(match name {
            "created_at" => Field::Time(Some(self.created)),
            "updated_at" => Field::Time(Some(self.updated)),
            "archived_at" => Field::Time(self.archived),
            _ => return None,
        })
    }
}

/// Somebody who is treated.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub(super) id: u64,
    pub(super) person: Person,
    /// Without a birth date where nobody asked for it.
    pub(super) born: Option<Date>,
    pub(super) sex: Option<&'static str>,
    pub(super) stamps: Stamps,
}

/// Somebody who treats.
#[derive(Debug, Clone)]
pub(super) struct Practitioner {
    pub(super) id: u64,
    pub(super) person: Person,
    pub(super) active: bool,
    pub(super) stamps: Stamps,
}

/// A place.
#[derive(Debug, Clone)]
pub(super) struct Business {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) stamps: Stamps,
}

/// What an appointment is for, and how long it takes.
#[derive(Debug, Clone)]
pub(super) struct AppointmentType {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) minutes: i64,
    pub(super) price: &'static str,
    pub(super) stamps: Stamps,
}

/// An appointment.
#[derive(Debug, Clone)]
pub(super) struct Appointment {
    pub(super) id: u64,
    pub(super) patient: u64,
    pub(super) patient_name: String,
    pub(super) practitioner: u64,
    pub(super) business: u64,
    pub(super) kind: u64,
    pub(super) starts: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) notes: Option<String>,
    pub(super) arrived: bool,
    pub(super) missed: bool,
    pub(super) cancelled: Option<(Timestamp, u64, Option<String>)>,
    pub(super) stamps: Stamps,
}

/// A bill.
#[derive(Debug, Clone)]
pub(super) struct Invoice {
    pub(super) id: u64,
    pub(super) number: u64,
    pub(super) appointment: u64,
    pub(super) patient: u64,
    pub(super) practitioner: u64,
    pub(super) business: u64,
    pub(super) issued: Date,
    pub(super) total: &'static str,
    pub(super) paid: bool,
    pub(super) stamps: Stamps,
}

/// A line of a bill.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: u64,
    pub(super) invoice: u64,
    pub(super) name: &'static str,
    pub(super) price: &'static str,
    pub(super) stamps: Stamps,
}

/// `{"links": {"self": …}}`.
fn link(base: &str, kind: &str, id: u64) -> Value {
    json!({"links": {"self": format!("{base}/v1/{kind}/{id}")}})
}

/// A record's own link, without the object around.
fn own(base: &str, kind: &str, id: u64) -> Value {
    json!({"self": format!("{base}/v1/{kind}/{id}")})
}

impl Row for Patient {
    const NAME: &'static str = "patients";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "id" => Field::Number(Some(self.id)),
            "first_name" => Field::Text(Some(&self.person.given)),
            "last_name" => Field::Text(Some(&self.person.family)),
            "email" => Field::Text(Some(&self.person.email)),
            "city" => Field::Text(Some(&self.person.city)),
            "post_code" => Field::Text(Some(&self.person.postal_code)),
            "date_of_birth" => Field::Date(self.born),
            name => return self.stamps.field(name),
        })
    }

    fn json(&self, base: &str) -> Value {
        let Person { family, given, phone, email, street, city, postal_code, .. } = &self.person;
        let phones = match phone.as_str() {
            "" => json!([]),
            phone => {
                json!([{"phone_type": "Mobile", "number": phone, "normalized_number": format!("1{phone}")}])
            }
        };
        json!({
            "id": self.id.to_string(), "title": null, "first_name": given, "last_name": family,
            "preferred_first_name": null, "date_of_birth": self.born, "sex": self.sex, "gender_identity": null,
            "email": email, "address_1": street, "address_2": "", "address_3": "", "city": city, "state": "",
            "post_code": postal_code, "country": "", "country_code": "AU", "occupation": "", "notes": "",
            "emergency_contact": "", "old_reference_id": "", "patient_phone_numbers": phones,
            "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "archived_at": self.stamps.archived, "deleted_at": null,
            "appointments": {"links": {"self": format!("{base}/v1/bookings?q[]=patient_ids:~{}", self.id)}},
            "invoices": {"links": {"self": format!("{base}/v1/invoices?q[]=patient_id:={}", self.id)}},
            "links": own(base, "patients", self.id),
        })
    }
}

impl Row for Practitioner {
    const NAME: &'static str = "practitioners";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "id" => Field::Number(Some(self.id)),
            "first_name" => Field::Text(Some(&self.person.given)),
            "last_name" => Field::Text(Some(&self.person.family)),
            name => return self.stamps.field(name),
        })
    }

    fn json(&self, base: &str) -> Value {
        let Person { family, given, .. } = &self.person;
        json!({
            "id": self.id.to_string(), "active": self.active, "title": "Dr", "first_name": given,
            "last_name": family, "designation": "Osteopath", "display_name": format!("Dr {given} {family}"),
            "show_in_online_bookings": true,
            "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "links": own(base, "practitioners", self.id),
        })
    }
}

impl Row for Business {
    const NAME: &'static str = "businesses";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "id" => Field::Number(Some(self.id)),
            "business_name" => Field::Text(Some(&self.name)),
            name => return self.stamps.field(name),
        })
    }

    fn json(&self, base: &str) -> Value {
        json!({
            "id": self.id.to_string(), "business_name": self.name, "display_name": self.name,
            "address_1": "1 Sample Street", "address_2": null, "city": "Testville", "state": "Victoria",
            "post_code": "0001", "country": "Australia", "country_code": "AU",
            "contact_information": "", "website_address": "https://practice.invalid",
            "time_zone": "Melbourne", "time_zone_identifier": "Australia/Melbourne",
            "show_in_online_bookings": true, "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "archived_at": self.stamps.archived, "deleted_at": null, "links": own(base, "businesses", self.id),
        })
    }
}

impl Row for AppointmentType {
    const NAME: &'static str = "appointment_types";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "id" => Field::Number(Some(self.id)),
            "name" => Field::Text(Some(self.name)),
            name => return self.stamps.field(name),
        })
    }

    fn json(&self, base: &str) -> Value {
        json!({
            "id": self.id.to_string(), "name": self.name, "duration_in_minutes": self.minutes, "category": "",
            "max_attendees": 1, "show_in_online_bookings": true, "telehealth_enabled": false,
            "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "links": own(base, "appointment_types", self.id),
        })
    }
}

impl Row for Appointment {
    const NAME: &'static str = "individual_appointments";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "id" => Field::Number(Some(self.id)),
            "patient_id" => Field::Number(Some(self.patient)),
            "practitioner_id" => Field::Number(Some(self.practitioner)),
            "business_id" => Field::Number(Some(self.business)),
            "appointment_type_id" => Field::Number(Some(self.kind)),
            "starts_at" => Field::Time(Some(self.starts)),
            "ends_at" => Field::Time(Some(self.ends)),
            "cancelled_at" => Field::Time(self.cancelled.as_ref().map(|(at, ..)| *at)),
            name => return self.stamps.field(name),
        })
    }

    fn json(&self, base: &str) -> Value {
        let own_path = format!("{base}/v1/individual_appointments/{}", self.id);
        let reason = self.cancelled.as_ref().map(|(_, reason, _)| *reason);
        let words = [
            (10, "Feeling better"),
            (20, "Condition worse"),
            (30, "Sick"),
            (40, "Away"),
            (50, "Other"),
            (60, "Work"),
        ];
        let description = words.iter().find(|(code, _)| Some(*code) == reason).map_or("", |(_, text)| *text);
        json!({
            "id": self.id.to_string(), "patient_name": self.patient_name, "starts_at": self.starts, "ends_at": self.ends,
            "notes": self.notes, "patient_arrived": self.arrived, "did_not_arrive": self.missed,
            "cancelled_at": self.cancelled.as_ref().map(|(at, ..)| *at),
            "cancellation_reason": reason, "cancellation_reason_description": description,
            "cancellation_note": self.cancelled.as_ref().and_then(|(.., note)| note.as_deref()),
            "archived_at": self.stamps.archived, "deleted_at": self.stamps.archived,
            "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "booking_ip_address": null, "email_reminder_sent": false, "sms_reminder_sent": false,
            "has_patient_appointment_notes": false, "invoice_status": null, "treatment_note_status": null,
            "online_booking_policy_accepted": null, "repeat_rule": {}, "repeats": null, "telehealth_url": null,
            "appointment_type": link(base, "appointment_types", self.kind),
            "business": link(base, "businesses", self.business),
            "patient": link(base, "patients", self.patient),
            "practitioner": link(base, "practitioners", self.practitioner),
            "attendees": {"links": {"self": format!("{own_path}/attendees")}},
            "conflicts": {"links": {"self": format!("{own_path}/conflicts")}},
            "links": {"self": own_path},
        })
    }
}

impl Row for Invoice {
    const NAME: &'static str = "invoices";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        Some(match name {
            "id" => Field::Number(Some(self.id)),
            "number" => Field::Number(Some(self.number)),
            "status" => Field::Number(Some(self.status())),
            "patient_id" => Field::Number(Some(self.patient)),
            "practitioner_id" => Field::Number(Some(self.practitioner)),
            "business_id" => Field::Number(Some(self.business)),
            "issue_date" => Field::Date(Some(self.issued)),
            name => return self.stamps.field(name),
        })
    }

    fn json(&self, base: &str) -> Value {
        json!({
            "id": self.id.to_string(), "number": self.number, "issue_date": self.issued,
            "total_amount": self.total, "net_amount": self.total, "tax_amount": "0.0", "discounted_amount": "0.0",
            "status": self.status(), "status_description": if self.paid { "Paid" } else { "Open" },
            "closed_at": self.paid.then_some(self.stamps.updated), "notes": "", "invoice_to": "",
            "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "archived_at": self.stamps.archived, "deleted_at": self.stamps.archived,
            "appointment": link(base, "individual_appointments", self.appointment),
            "business": link(base, "businesses", self.business),
            "patient": link(base, "patients", self.patient),
            "practitioner": link(base, "practitioners", self.practitioner),
            "links": own(base, "invoices", self.id),
        })
    }
}

impl Invoice {
    /// 10 is open, 20 paid.
    fn status(&self) -> u64 {
        if self.paid { 20 } else { 10 }
    }
}

impl Row for Item {
    const NAME: &'static str = "invoice_items";

    fn id(&self) -> u64 {
        self.id
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        match name {
            "id" => Some(Field::Number(Some(self.id))),
            "invoice_id" => Some(Field::Number(Some(self.invoice))),
            name => self.stamps.field(name),
        }
    }

    fn json(&self, base: &str) -> Value {
        json!({
            "id": self.id.to_string(), "name": self.name, "code": "2020", "quantity": "1.0",
            "unit_price": self.price, "net_price": self.price, "tax_amount": "0.0", "tax_name": null,
            "total_including_tax": self.price, "discounted_amount": "0.0", "discount_percentage": null,
            "concession_type_name": null, "created_at": self.stamps.created, "updated_at": self.stamps.updated,
            "archived_at": self.stamps.archived, "deleted_at": null,
            "invoice": link(base, "invoices", self.invoice), "links": own(base, "invoice_items", self.id),
        })
    }
}
