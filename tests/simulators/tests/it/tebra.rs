//! Tebra's quirks.

use bridge_simulators::{Seed, Served, tebra::Tebra};

use crate::support::{client, served};

const HEADER: &str = "<RequestHeader><CustomerKey>k51a7ed00key</CustomerKey><Password>not-a-real-password</Password>\
                      <User>bridge@practice.invalid</User></RequestHeader>";

async fn site() -> Served {
    let served = served(Tebra::default()).await;
    served.simulator.clock().hold("2026-03-02T15:00:00Z".parse().unwrap());
    served.simulator.seed(&Seed { patients: 12, appointments: 30, ..Seed::default() });
    served
}

async fn raw(served: &Served, operation: &str, content: &str) -> (u16, String) {
    let namespace = "http://www.kareo.com/api/schemas/";
    let body = format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>\
         <{operation} xmlns=\"{namespace}\">{content}</{operation}></e:Body></e:Envelope>"
    );
    let answer = client()
        .post(&served.simulator.connection(&served.base).settings["url"])
        .header("content-type", "text/xml; charset=utf-8")
        .header("soapaction", format!("\"{namespace}KareoServices/{operation}\""))
        .body(body)
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn call(served: &Served, operation: &str, content: &str) -> String {
    let (status, body) = raw(served, operation, &format!("<request>{HEADER}{content}</request>")).await;
    assert_eq!(status, 200, "{body}");
    body
}

fn text(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or(("", ""));
    rest.split_once('<').map(|(text, _)| text.to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn only_the_columns_that_were_asked_for_come_back_as_text() {
    let site = site().await;
    let fields = "<Fields><DOB>true</DOB><ID>true</ID><LastName>false</LastName></Fields>";
    let body = call(&site, "GetPatients", fields).await;
    assert_eq!(body.matches("<PatientData>").count(), 12);
    assert!(body.contains("<DOB>") && !body.contains("<LastName>") && !body.contains("<FirstName>"));
    let none = call(
        &site,
        "GetPatients",
        "<Fields><ID>true</ID></Fields><Filter><LastName>Nobody</LastName></Filter>",
    )
    .await;
    assert!(none.contains("<Patients i:nil=\"true\"/>"), "{none}");
    let all = call(&site, "GetPatients", "<Fields><ID>true</ID></Fields><Filter><LastModifiedStartDate>1/1/2030</LastModifiedStartDate></Filter>").await;
    assert_eq!(all.matches("<PatientData>").count(), 12, "a filter that does not exist is passed over");
}

#[tokio::test]
async fn members_that_come_too_late_are_passed_over() {
    let site = site().await;
    let fields = "<Fields><ID>true</ID></Fields>";
    let filter = "<Filter><LastName>Nobody</LastName></Filter>";
    let rows = |body: &str| body.matches("<PatientData>").count();
    assert_eq!(rows(&call(&site, "GetPatients", &format!("{fields}{filter}")).await), 0);
    assert_eq!(rows(&call(&site, "GetPatients", &format!("{filter}{fields}")).await), 0);
    let (_, late) = raw(&site, "GetPatients", &format!("<request>{fields}{HEADER}</request>")).await;
    assert_eq!(text(&late, "CustomerKeyValid"), "false", "the header stands first, or not at all");
    let body = call(&site, "GetPatients", "<Fields><LastName>true</LastName><ID>true</ID></Fields>").await;
    assert!(body.contains("<LastName>") && !body.contains("<ID>"), "{body}");
}

#[tokio::test]
async fn refusals_come_with_http_200_and_faults_with_500() {
    let site = site().await;
    let wrong = HEADER.replace("not-a-real-password", "wrong");
    let (status, body) = raw(&site, "GetPatients", &format!("<request>{wrong}</request>")).await;
    assert_eq!(
        (status, text(&body, "Authenticated").as_str(), text(&body, "IsError").as_str()),
        (200, "false", "false")
    );
    let body =
        call(&site, "GetAppointment", "<Appointment><AppointmentId>99999</AppointmentId></Appointment>")
            .await;
    assert_eq!(
        (text(&body, "IsError"), text(&body, "ErrorMessage")),
        ("true".to_owned(), "Appointment not found".to_owned())
    );
    let (status, body) = raw(&site, "GetEverything", &format!("<request>{HEADER}</request>")).await;
    assert_eq!((status, body.contains("<s:Fault>")), (500, true));
    site.faults().add(bridge_simulators::Fault::next(bridge_simulators::Trouble::Throttle));
    let (status, body) = raw(&site, "GetPatients", &format!("<request>{HEADER}</request>")).await;
    assert_eq!((status, body.contains("requested more than allowed")), (500, true));
}

#[tokio::test]
async fn changes_are_found_by_the_accounts_clock() {
    let site = site().await;
    site.simulator.clock().advance(std::time::Duration::from_secs(3_600));
    let ids = site.simulator.touch("Appointment", 3);
    // 16:00 UTC is 10:00 in Chicago.
    let filter = "<Filter><FromLastModifiedDate>3/2/2026 9:30:00 AM</FromLastModifiedDate>\
                  <ToLastModifiedDate>3/2/2026 10:30:00 AM</ToLastModifiedDate></Filter>";
    let fields = "<Fields><ID>true</ID><LastModifiedDate>true</LastModifiedDate></Fields>";
    let body = call(&site, "GetAppointments", &format!("{fields}{filter}")).await;
    assert_eq!(body.matches("<AppointmentData>").count(), ids.len());
    assert_eq!(text(&body, "LastModifiedDate"), "3/2/2026 10:00:00 AM");
}

#[tokio::test]
async fn all_patients_come_in_batches() {
    let site = site().await;
    let (mut key, mut seen) = (String::new(), 0);
    loop {
        let start = if key.is_empty() { String::new() } else { format!("<StartKey>{key}</StartKey>") };
        let filter =
            format!("<Fields><ID>true</ID></Fields><Filter><BatchSize>5</BatchSize>{start}</Filter>");
        let body = call(&site, "GetAllPatients", &filter).await;
        seen += body.matches("<PatientData>").count();
        key = text(&body, "nextStartKey");
        if key.is_empty() {
            break;
        }
    }
    assert_eq!(seen, 12);
}

#[tokio::test]
async fn an_appointment_is_booked_moved_and_cancelled() {
    let site = site().await;
    let book = site.simulator.book();
    let providers = call(&site, "GetProviders", "<Fields><ID>true</ID></Fields>").await;
    let locations = call(&site, "GetServiceLocations", "<Fields><ID>true</ID></Fields>").await;
    let (provider, location) = (text(&providers, "ID"), text(&locations, "ID"));
    let patient = &book.patients[0].id;
    let create = format!(
        "<Appointment><AppointmentStatus>Scheduled</AppointmentStatus><EndTime>2026-03-09T09:30:00</EndTime>\
         <PatientSummary><PatientId>{patient}</PatientId></PatientSummary><PracticeId>1</PracticeId>\
         <ProviderId>{provider}</ProviderId><ServiceLocationId>{location}</ServiceLocationId>\
         <StartTime>2026-03-09T09:00:00</StartTime></Appointment>"
    );
    let id = text(&call(&site, "CreateAppointment", &create).await, "AppointmentId");
    let update = format!(
        "<Appointment><AppointmentId>{id}</AppointmentId><EndTime>2026-03-09T10:30:00</EndTime><PatientId>{patient}</PatientId>\
         <ServiceLocationId>{location}</ServiceLocationId><StartTime>2026-03-09T10:00:00</StartTime></Appointment>"
    );
    assert_eq!(text(&call(&site, "UpdateAppointment", &update).await, "AppointmentId"), id);
    let cancel = format!(
        "<Appointment><AppointmentId>{id}</AppointmentId><AppointmentStatus>Cancelled</AppointmentStatus></Appointment>"
    );
    call(&site, "UpdateAppointmentStatus", &cancel).await;
    let booking = site.simulator.book().appointments.into_iter().find(|one| one.id == id).unwrap();
    assert_eq!(booking.status, bridge_simulators::Status::Cancelled);
    // The clocks went forward on the 8th: 10:00 is 15:00 UTC.
    assert_eq!(
        (booking.start.to_string().as_str(), &booking.practitioner),
        ("2026-03-09T15:00:00Z", &provider)
    );
    let short = format!(
        "<Appointment><AppointmentId>{id}</AppointmentId><PatientId>{patient}</PatientId></Appointment>"
    );
    assert_eq!(text(&call(&site, "UpdateAppointment", &short).await, "IsError"), "true");
}

#[tokio::test]
async fn money_goes_in_as_encounters_and_payments() {
    let site = site().await;
    let patient = site.simulator.book().patients[0].id.clone();
    let encounter = format!(
        "<Encounter><Patient><PatientID>{patient}</PatientID></Patient><ServiceLines><ServiceLineReq>\
         <ProcedureCode>99213</ProcedureCode><UnitCharge>60.25</UnitCharge><Units>2</Units></ServiceLineReq></ServiceLines></Encounter>"
    );
    assert_ne!(text(&call(&site, "CreateEncounter", &encounter).await, "EncounterID"), "");
    let payment = format!(
        "<Payment><AmountPaid>21.00</AmountPaid><Patient><PatientID>{patient}</PatientID></Patient></Payment>"
    );
    assert_ne!(text(&call(&site, "CreatePayment", &payment).await, "PaymentID"), "");
    let book = site.simulator.book();
    assert_eq!(book.procedures.last().unwrap().amount, "120.50");
    let payment = book.payments.last().unwrap();
    assert_eq!((payment.amount.as_str(), &payment.patient), ("21.00", &patient));
}
