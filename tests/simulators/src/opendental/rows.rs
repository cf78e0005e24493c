//! Rows of the office's tables. Fields have the columns' names; those that begin with a small letter are worked out.

use serde_json::{Value, json};

use super::truth;
use crate::parts::people::Person;

/// "No time" in the database.
pub(super) const NEVER: &str = "0001-01-01 00:00:00";
/// "No day".
pub(super) const NO_DAY: &str = "0001-01-01";

/// A row of any table.
pub(super) trait Row {
    /// Its primary key.
    fn number(&self) -> u64;
    /// What a filter compares with, as text. Nothing for a filter that there is not.
    fn column(&self, name: &str) -> Option<String>;
    /// As a list shows it; `now` is the office's time.
    fn json(&self, now: &str) -> Value;
}

#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub(super) number: u64,
    pub(super) person: Person,
    pub(super) status: &'static str,
    /// `0001-01-01` where it is not known.
    pub(super) born: String,
    pub(super) gender: &'static str,
    pub(super) provider: u64,
    pub(super) stamp: String,
}

#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) number: u64,
    pub(super) person: Person,
    pub(super) stamp: String,
}

#[derive(Debug, Clone)]
pub(super) struct Operatory {
    pub(super) number: u64,
    pub(super) dentist: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Appointment {
    pub(super) number: u64,
    pub(super) patient: u64,
    pub(super) provider: u64,
    pub(super) provider_abbr: String,
    pub(super) operatory: u64,
    pub(super) status: &'static str,
    /// Each character is five minutes.
    pub(super) pattern: String,
    /// On the office's clock.
    pub(super) starts: String,
    pub(super) note: String,
    pub(super) confirmed: (u64, String),
    pub(super) arrived: Option<String>,
    pub(super) created: String,
    pub(super) stamp: String,
    /// Broken as missed; the row does not say so.
    pub(super) missed: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Procedure {
    pub(super) number: u64,
    pub(super) patient: u64,
    pub(super) appointment: u64,
    pub(super) provider: u64,
    pub(super) day: String,
    pub(super) fee: &'static str,
    pub(super) code: (&'static str, &'static str),
    pub(super) tooth: &'static str,
    pub(super) status: &'static str,
    pub(super) stamp: String,
}

#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) number: u64,
    pub(super) patient: u64,
    pub(super) amount: String,
    pub(super) day: String,
    pub(super) entered: String,
    pub(super) check: String,
    pub(super) note: String,
}

impl Row for Patient {
    fn number(&self) -> u64 {
        self.number
    }

    fn column(&self, name: &str) -> Option<String> {
        Some(match name {
            "PatNum" => self.number.to_string(),
            "LName" => self.person.family.clone(),
            "FName" => self.person.given.clone(),
            "Birthdate" => self.born.clone(),
            "PatStatus" => self.status.to_owned(),
            "DateTStamp" => self.stamp.clone(),
            "ClinicNum" => "0".to_owned(),
            _ => return None,
        })
    }

    fn json(&self, now: &str) -> Value {
        let Person { family, given, phone, email, street, city, postal_code, .. } = &self.person;
        json!({
            "PatNum": self.number, "LName": family, "FName": given, "MiddleI": "", "Preferred": "",
            "PatStatus": self.status, "Gender": self.gender, "Position": "Single", "Birthdate": self.born, "SSN": "",
            "Address": street, "Address2": "", "City": city, "State": "TX", "Zip": postal_code,
            "HmPhone": "", "WkPhone": "", "WirelessPhone": phone, "Guarantor": self.number, "Email": email,
            "EstBalance": 0.0, "PriProv": self.provider, "priProvAbbr": "", "SecProv": 0, "secProvAbbr": "",
            "BillingType": "Standard Account", "ChartNumber": "", "MedicaidID": "", "BalTotal": 0.0,
            "DateFirstVisit": NO_DAY, "ClinicNum": 0, "clinicAbbr": "", "PreferConfirmMethod": "None",
            "PreferContactMethod": "WirelessPh", "PreferRecallMethod": "None", "Language": "",
            "AdmitDate": NO_DAY, "siteDesc": "", "DateTStamp": self.stamp, "SuperFamily": 0,
            "TxtMsgOk": "Unknown", "SecDateEntry": self.stamp.get(..10), "serverDateTime": now,
        })
    }
}

impl Row for Provider {
    fn number(&self) -> u64 {
        self.number
    }

    fn column(&self, name: &str) -> Option<String> {
        match name {
            "DateTStamp" => Some(self.stamp.clone()),
            "ClinicNum" => Some("0".to_owned()),
            _ => None,
        }
    }

    fn json(&self, now: &str) -> Value {
        json!({
            "ProvNum": self.number, "Abbr": self.abbreviation(), "LName": self.person.family,
            "FName": self.person.given, "MI": "", "Suffix": "DDS", "FeeSched": 53, "Specialty": 263, "SSN": "",
            "StateLicense": "", "IsSecondary": "false", "provColor": "164,255,164", "IsHidden": "false",
            "UsingTIN": "true", "NationalProvID": "", "DateTStamp": self.stamp, "IsNotPerson": "false",
            "ProvStatus": "Active", "IsHiddenReport": "false", "Birthdate": NO_DAY, "SchedNote": "",
            "PreferredName": "", "serverDateTime": now,
        })
    }
}

impl Provider {
    pub(super) fn abbreviation(&self) -> String {
        format!("DOC{}", self.number)
    }
}

impl Row for Operatory {
    fn number(&self) -> u64 {
        self.number
    }

    fn column(&self, name: &str) -> Option<String> {
        (name == "ClinicNum").then(|| "0".to_owned())
    }

    fn json(&self, _: &str) -> Value {
        json!({
            "OperatoryNum": self.number, "OpName": format!("Sample Room {}", self.number),
            "Abbrev": format!("OP-{}", self.number), "ItemOrder": self.number, "IsHidden": "false",
            "ProvDentist": self.dentist, "ProvHygienist": 0, "IsHygiene": "false", "ClinicNum": 0,
            "SetProspective": "false", "IsWebSched": "false", "OperatoryType": 0, "operatoryType": "",
        })
    }
}

impl Row for Appointment {
    fn number(&self) -> u64 {
        self.number
    }

    fn column(&self, name: &str) -> Option<String> {
        Some(match name {
            "PatNum" => self.patient.to_string(),
            "AptStatus" => self.status.to_owned(),
            "Op" => self.operatory.to_string(),
            "ClinicNum" => "0".to_owned(),
            "DateTStamp" => self.stamp.clone(),
            // The three that ask for a day.
            "date" | "dateStart" | "dateEnd" => self.starts.get(..10).unwrap_or_default().to_owned(),
            _ => return None,
        })
    }

    fn json(&self, now: &str) -> Value {
        json!({
            "AptNum": self.number, "PatNum": self.patient, "AptStatus": self.status, "Pattern": self.pattern,
            "Confirmed": self.confirmed.0, "confirmed": self.confirmed.1, "TimeLocked": "false",
            "Op": self.operatory, "Note": self.note, "ProvNum": self.provider, "provAbbr": self.provider_abbr,
            "ProvHyg": 0, "AptDateTime": self.starts, "NextAptNum": 0, "UnschedStatus": 0, "unschedStatus": "",
            "IsNewPatient": "false", "ProcDescript": "", "ClinicNum": 0, "IsHygiene": "false",
            "DateTStamp": self.stamp, "DateTimeArrived": self.arrived.as_deref().unwrap_or(NEVER),
            "DateTimeSeated": NEVER, "DateTimeDismissed": NEVER, "InsPlan1": 0, "InsPlan2": 0,
            "DateTimeAskedToArrive": NEVER, "colorOverride": "0,0,0", "AppointmentTypeNum": 0,
            "SecUserNumEntry": 0, "SecDateTEntry": self.created, "Priority": "Normal", "PatternSecondary": "",
            "ItemOrderPlanned": 0, "serverDateTime": now,
        })
    }
}

impl Row for Procedure {
    fn number(&self) -> u64 {
        self.number
    }

    fn column(&self, name: &str) -> Option<String> {
        Some(match name {
            "PatNum" => self.patient.to_string(),
            "AptNum" => self.appointment.to_string(),
            "ClinicNum" => "0".to_owned(),
            "DateTStamp" => self.stamp.clone(),
            _ => return None,
        })
    }

    fn json(&self, now: &str) -> Value {
        json!({
            "ProcNum": self.number, "PatNum": self.patient, "AptNum": self.appointment, "ProcDate": self.day,
            "ProcFee": self.fee, "Surf": "", "ToothNum": self.tooth, "ToothRange": "",
            "ProcStatus": self.status, "ProvNum": self.provider, "provAbbr": "", "CodeNum": 12,
            "procCode": self.code.0, "descript": self.code.1, "UnitQty": 1, "ClinicNum": "0",
            "IsLocked": truth(false), "DateTStamp": self.stamp, "serverDateTime": now,
        })
    }
}

impl Row for Payment {
    fn number(&self) -> u64 {
        self.number
    }

    fn column(&self, name: &str) -> Option<String> {
        Some(match name {
            "PatNum" => self.patient.to_string(),
            "PayType" => "69".to_owned(),
            "DateEntry" => self.entered.clone(),
            _ => return None,
        })
    }

    fn json(&self, _: &str) -> Value {
        json!({
            "PayNum": self.number, "PayType": 69, "PayDate": self.day, "PayAmt": self.amount,
            "CheckNum": self.check, "BankBranch": "", "PayNote": self.note, "IsSplit": "false",
            "PatNum": self.patient, "ClinicNum": "0", "DateEntry": self.entered, "PaymentSource": "API",
            "ProcessStatus": "OfficeProcessed",
        })
    }
}
