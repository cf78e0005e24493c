//! Patients.

use jiff::Timestamp;

use super::{
    No, is_same, is_within, rows,
    state::{Row, State},
    times,
    xml::{Node, element},
};

/// What a new or changed patient may bring, and the column it becomes.
const MEMBERS: [(&str, &str); 11] = [
    ("AddressLine1", "AddressLine1"),
    ("AddressLine2", "AddressLine2"),
    ("City", "City"),
    ("EmailAddress", "EmailAddress"),
    ("FirstName", "FirstName"),
    ("HomePhone", "HomePhone"),
    ("LastName", "LastName"),
    ("MiddleName", "MiddleName"),
    ("MobilePhone", "MobilePhone"),
    ("State", "State"),
    ("ZipCode", "ZipCode"),
];

pub(super) fn list(state: &State, request: &Node) -> Result<String, No> {
    let mut found = Vec::new();
    for row in state.patients.values() {
        let born = times::read(row.text("DOB"));
        if is_within(request, "LastModifiedDate", Some(row.modified))?
            && is_within(request, "CreatedDate", Some(row.created))?
            && is_within(request, "DateOfBirth", born)?
            && is_same(request, "FirstName", row, "FirstName")
            && is_same(request, "LastName", row, "LastName")
            && is_same(request, "FullName", row, "PatientFullName")
            && is_same(request, "PracticeID", row, "PracticeID")
        {
            found.push(row);
        }
    }
    Ok(rows("Patients", "PatientData", request, found.into_iter()))
}

/// All columns of one, whichever were asked for.
pub(super) fn one(state: &State, request: &Node) -> Result<String, No> {
    let id = request.text("Filter/PatientID").and_then(|id| id.parse().ok());
    let row: &Row =
        id.and_then(|id: u64| state.patients.get(&id)).ok_or_else(|| No::new("Patient not found"))?;
    let content: String = row.columns.iter().map(|(name, text)| element(name, text)).collect();
    Ok(format!("<Patient>{content}</Patient>"))
}

/// The only operation with pages: so many patients behind a key.
pub(super) fn batch(state: &State, request: &Node) -> Result<String, No> {
    let number =
        |name: &str| request.text(&format!("Filter/{name}")).and_then(|text| text.parse::<u64>().ok());
    let size = number("BatchSize").filter(|size| (1..=1_000).contains(size));
    let size = size.ok_or_else(|| No::new("BatchSize must be from 1 to 1000"))?;
    let first = number("StartKey").unwrap_or(0);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut behind = state.patients.range(first..);
    let page: Vec<&Row> = behind.by_ref().take(size).map(|(_, row)| row).collect();
    let next = behind.next().map(|(id, _)| id.to_string()).unwrap_or_default();
    let key = format!("<PatientBatchKey>{}</PatientBatchKey>", element("nextStartKey", &next));
    Ok(key + &rows("Patients", "PatientData", request, page.into_iter()))
}

pub(super) fn create(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let patient = request.child("Patient").ok_or_else(|| No::new("Patient is missing"))?;
    if patient.text("FirstName").is_none() || patient.text("LastName").is_none() {
        return Err(No::new("First name and last name are required"));
    }
    if patient.child("Practice").is_none() {
        return Err(No::new("Practice is required"));
    }
    let (id, mut row) = state.row(now);
    apply(&mut row, patient)?;
    state.patients.insert(id, row);
    Ok(element("PatientID", &id.to_string()))
}

pub(super) fn update(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let patient = request.child("Patient").ok_or_else(|| No::new("Patient is missing"))?;
    let id: Option<u64> = patient.text("PatientID").and_then(|id| id.parse().ok());
    let row = id.and_then(|id| state.patients.get_mut(&id)).ok_or_else(|| No::new("Patient not found"))?;
    apply(row, patient)?;
    row.modified = now;
    row.set("LastModifiedDate", times::written(now));
    Ok(element("PatientID", row.text("ID")))
}

/// What is not there stays as it is.
fn apply(row: &mut Row, patient: &Node) -> Result<(), No> {
    for (member, column) in MEMBERS {
        if let Some(text) = patient.text(member) {
            row.set(column, text);
        }
    }
    if let Some(text) = patient.text("DateofBirth") {
        let day: jiff::civil::DateTime =
            text.parse().map_err(|_| No::new("DateofBirth is not a valid date"))?;
        row.set("DOB", day.strftime("%-m/%-d/%Y").to_string());
    }
    if let Some(gender) = patient.text("Gender") {
        if !["Male", "Female", "Unknown"].contains(&gender) {
            return Err(No::new("Gender is not valid"));
        }
        row.set("Gender", gender);
    }
    let name = format!("{} {}", row.text("FirstName"), row.text("LastName"));
    row.set("PatientFullName", name);
    Ok(())
}
