//! The account's rows: texts by column, as the interface shows them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{PRACTICE, PRACTICE_NAME, insurance::insure, money, times};
use crate::{
    Seed,
    book::{self, Amount, Book, Booking, Status},
    parts::people::person,
};

/// A row.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) columns: BTreeMap<&'static str, String>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
}

impl Row {
    pub(super) fn text(&self, column: &str) -> &str {
        self.columns.get(column).map_or("", String::as_str)
    }

    pub(super) fn set(&mut self, column: &'static str, text: impl Into<String>) {
        self.columns.insert(column, text.into());
    }

    fn stamp(&mut self, now: Timestamp) {
        self.modified = now;
        self.set("LastModifiedDate", times::written(now));
    }
}

/// An appointment: what it is besides a row's texts.
#[derive(Debug, Clone)]
pub(super) struct Appointment {
    pub(super) row: Row,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) provider: String,
    pub(super) location: String,
}

/// All rows, by id.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) patients: BTreeMap<u64, Row>,
    pub(super) providers: BTreeMap<u64, Row>,
    pub(super) locations: BTreeMap<u64, Row>,
    pub(super) appointments: BTreeMap<u64, Appointment>,
    pub(super) charges: BTreeMap<u64, Row>,
    pub(super) payments: BTreeMap<u64, Row>,
    given: u64,
}

impl State {
    pub(super) fn id(&mut self) -> u64 {
        self.given += 1;
        self.given
    }

    /// A row with its id, its practice and its stamps.
    pub(super) fn row(&mut self, now: Timestamp) -> (u64, Row) {
        let id = self.id();
        let mut row = Row { created: now, ..Row::default() };
        row.set("ID", id.to_string());
        row.set("PracticeID", PRACTICE);
        row.set("PracticeName", PRACTICE_NAME);
        row.set("CreatedDate", times::written(now));
        row.stamp(now);
        (id, row)
    }

    pub(super) fn seed(&mut self, seed: &Seed, now: Timestamp) {
        let mut chance = fastrand::Rng::with_seed(seed.number);
        if self.locations.is_empty() {
            let (id, mut row) = self.row(now);
            row.set("Name", "Sampleby Main Street");
            row.set("City", "Sampleby");
            self.locations.insert(id, row);
        }
        for _ in 0..seed.practitioners {
            let someone = person(&mut chance);
            let (id, mut row) = self.row(now);
            row.set("FirstName", &*someone.given);
            row.set("LastName", &*someone.family);
            row.set("FullName", format!("{} {}", someone.given, someone.family));
            row.set("Active", "True");
            self.providers.insert(id, row);
        }
        for _ in 0..seed.patients {
            let someone = person(&mut chance);
            let (id, mut row) = self.row(now);
            row.set("FirstName", &*someone.given);
            row.set("LastName", &*someone.family);
            row.set("PatientFullName", format!("{} {}", someone.given, someone.family));
            row.set("DOB", someone.birth_date.strftime("%-m/%-d/%Y").to_string());
            let gender = match someone.gender {
                "male" => "Male",
                "female" => "Female",
                _ => "Unknown",
            };
            row.set("Gender", gender);
            row.set("HomePhone", someone.phone);
            row.set("EmailAddress", someone.email);
            row.set("AddressLine1", someone.street);
            row.set("City", someone.city);
            row.set("State", "ZZ");
            row.set("ZipCode", someone.postal_code);
            insure(&mut row, id);
            self.patients.insert(id, row);
        }
        let patients: Vec<u64> = self.patients.keys().copied().collect();
        let providers: Vec<u64> = self.providers.keys().copied().collect();
        let Some(location) = self.locations.keys().next().copied() else { return };
        if patients.is_empty() || providers.is_empty() {
            return;
        }
        for count in 0..seed.appointments {
            let patient = patients.get(chance.usize(..patients.len())).copied().unwrap_or_default();
            let provider = providers.get(count % providers.len()).copied().unwrap_or_default();
            let nth = i64::try_from(count / providers.len()).unwrap_or(0);
            let midnight = now.as_second().div_euclid(86_400) * 86_400;
            let second = midnight + (nth / 16 - 5) * 86_400 + 14 * 3_600 + (nth % 16) * 1_800;
            let start = Timestamp::from_second(second).unwrap_or(now);
            let end = start.saturating_add(SignedDuration::from_mins(30)).unwrap_or(start);
            let status = match (count % 10, end <= now) {
                (0, _) => "Cancelled",
                (1, true) => "NoShow",
                (_, true) => "CheckedOut",
                (_, false) => "Scheduled",
            };
            let ids = [patient, provider, location].map(|id| id.to_string());
            self.book_at((start, end), &ids, status, now);
            if status == "CheckedOut" {
                self.charge(&ids[0], "99213", "1", "120.50", now);
                if count.is_multiple_of(3) {
                    money::paid(self, &ids[0], "20.00", now);
                }
            }
        }
    }

    /// Puts an appointment of patient, provider and place into the book.
    pub(super) fn book_at(
        &mut self,
        time: (Timestamp, Timestamp),
        ids: &[String; 3],
        status: &str,
        now: Timestamp,
    ) -> u64 {
        let [patient, provider, location] = ids;
        let (id, row) = self.row(now);
        let (provider, location) = (provider.clone(), location.clone());
        let mut appointment = Appointment { row, start: time.0, end: time.1, provider, location };
        appointment.row.set("PatientID", patient.clone());
        appointment.row.set("Type", "P");
        appointment.row.set("AllDay", "False");
        appointment.row.set("Recurring", "False");
        appointment.row.set("ConfirmationStatus", status);
        self.show(&mut appointment);
        self.appointments.insert(id, appointment);
        id
    }

    /// Writes the columns that follow from others.
    fn show(&self, appointment: &mut Appointment) {
        let name = |rows: &BTreeMap<u64, Row>, id: &str, column: &str| {
            id.parse()
                .ok()
                .and_then(|id: u64| rows.get(&id))
                .map(|row| row.text(column).to_owned())
                .unwrap_or_default()
        };
        let row = &mut appointment.row;
        let patient = row.text("PatientID").to_owned();
        row.set("PatientFullName", name(&self.patients, &patient, "PatientFullName"));
        row.set("ResourceName1", name(&self.providers, &appointment.provider, "FullName"));
        row.set("ServiceLocationName", name(&self.locations, &appointment.location, "Name"));
        row.set("StartDate", times::written(appointment.start));
        row.set("EndDate", times::written(appointment.end));
    }

    /// Changes an appointment, if it is there.
    pub(super) fn change(&mut self, id: u64, now: Timestamp, change: impl FnOnce(&mut Appointment)) -> bool {
        let Some(mut appointment) = self.appointments.remove(&id) else { return false };
        change(&mut appointment);
        appointment.row.stamp(now);
        self.show(&mut appointment);
        self.appointments.insert(id, appointment);
        true
    }

    pub(super) fn charge(
        &mut self,
        patient: &str,
        code: &str,
        units: &str,
        unit: &str,
        now: Timestamp,
    ) -> u64 {
        let (id, mut row) = self.row(now);
        let total = units.parse::<f64>().unwrap_or(1.0) * unit.parse::<f64>().unwrap_or(0.0);
        row.set("PatientID", patient);
        row.set("ProcedureCode", code);
        row.set("Units", units);
        row.set("UnitCharge", unit);
        row.set("TotalCharges", format!("{total:.2}"));
        row.set("ServiceStartDate", times::written(now));
        row.set("PostingDate", times::written(now));
        self.charges.insert(id, row);
        id
    }

    pub(super) fn touch(&mut self, resource: &str, count: usize, now: Timestamp) -> Vec<String> {
        let rows: Vec<(&u64, &mut Row)> = match resource {
            "Patient" | "Coverage" => self.patients.iter_mut().take(count).collect(),
            "Appointment" => {
                self.appointments.iter_mut().take(count).map(|(id, one)| (id, &mut one.row)).collect()
            }
            "ChargeItem" => self.charges.iter_mut().take(count).collect(),
            "PaymentNotice" => self.payments.iter_mut().take(count).collect(),
            _ => Vec::new(),
        };
        let touch = |(id, row): (&u64, &mut Row)| {
            row.stamp(now);
            id.to_string()
        };
        rows.into_iter().map(touch).collect()
    }

    pub(super) fn book(&self) -> Book {
        let day = |text: &str| {
            jiff::civil::Date::strptime("%m/%d/%Y", text).map(|day| day.to_string()).unwrap_or_default()
        };
        let patient = |(id, row): (&u64, &Row)| book::Patient {
            id: id.to_string(),
            family: row.text("LastName").to_owned(),
            given: row.text("FirstName").to_owned(),
            birth_date: day(row.text("DOB")),
        };
        let booking = |(id, appointment): (&u64, &Appointment)| Booking {
            id: id.to_string(),
            patient: appointment.row.text("PatientID").to_owned(),
            practitioner: appointment.provider.clone(),
            start: appointment.start,
            end: appointment.end,
            status: match appointment.row.text("ConfirmationStatus") {
                "CheckedIn" | "Roomed" => Status::Arrived,
                "CheckedOut" => Status::Fulfilled,
                "Cancelled" | "Rescheduled" => Status::Cancelled,
                "NoShow" => Status::NoShow,
                _ => Status::Booked,
            },
        };
        let amount = |column: &'static str| {
            move |(id, row): (&u64, &Row)| Amount {
                id: id.to_string(),
                patient: row.text("PatientID").to_owned(),
                amount: row.text(column).to_owned(),
            }
        };
        Book {
            patients: self.patients.iter().map(patient).collect(),
            appointments: self.appointments.iter().map(booking).collect(),
            payments: self.payments.iter().map(amount("Amount")).collect(),
            procedures: self.charges.iter().map(amount("TotalCharges")).collect(),
        }
    }
}
