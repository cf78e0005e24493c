//! Open Dental's quirks, over HTTP.

use bridge_simulators::{Clock, Seed, Served, Simulator as _, Status, opendental::OpenDental};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{client, control, send, served};

/// A Monday, seven in the morning in Chicago.
const NOW: &str = "2026-03-02T13:00:30Z";

fn office() -> OpenDental {
    let office = OpenDental::with(Clock::still(NOW.parse().unwrap()));
    office.seed(&Seed { number: 1, patients: 120, practitioners: 2, appointments: 60 });
    office
}

fn call(served: &Served, method: Method, path: &str) -> RequestBuilder {
    let access = served.simulator.connection(&served.base);
    let keys = format!("ODFHIR {}/{}", access.secrets["developer-key"], access.secrets["customer-key"]);
    client().request(method, format!("{}{path}", access.settings["url"])).header("authorization", keys)
}

async fn get(served: &Served, path: &str) -> (u16, Value) {
    send(call(served, Method::GET, path)).await
}

async fn write(served: &Served, method: Method, path: &str, body: Value) -> (u16, Value) {
    send(call(served, method, path).body(body.to_string())).await
}

#[tokio::test]
async fn both_keys_are_needed() {
    let served = served(office()).await;
    let access = served.simulator.connection(&served.base);
    for keys in ["ODFHIR x/y", "Bearer x", &format!("ODFHIR {}", access.secrets["customer-key"])] {
        let request =
            client().get(format!("{}/patients", access.settings["url"])).header("authorization", keys);
        assert_eq!(send(request).await.0, 401, "{keys}");
    }
    assert_eq!(get(&served, "/patients").await.0, 200);
}

#[tokio::test]
async fn lists_are_bare_and_a_hundred_rows_long() {
    let served = served(office()).await;
    let first = get(&served, "/patients/Simple").await.1;
    assert_eq!(first.as_array().unwrap().len(), 100);
    assert_eq!(get(&served, "/patients/Simple?Offset=100").await.1.as_array().unwrap().len(), 20);
    assert_eq!(get(&served, "/patients/Simple?Offset=120").await.1, json!([]));
    assert_eq!(get(&served, "/patients?Limit=101").await.0, 400);
    let family = first[0]["LName"].as_str().unwrap();
    let named = get(&served, &format!("/patients?LName={}", family.to_lowercase())).await.1;
    assert_eq!(named[0]["LName"], family);
}

#[tokio::test]
async fn numbers_booleans_and_nothing_are_written_in_odd_ways() {
    let served = served(office()).await;
    let appointment = get(&served, "/appointments").await.1[0].clone();
    assert_eq!(
        (&appointment["IsHygiene"], &appointment["DateTimeSeated"]),
        (&json!("false"), &json!("0001-01-01 00:00:00"))
    );
    assert!(appointment["AptNum"].is_number() && appointment["serverDateTime"] == "2026-03-02 07:00:30");
    let payment = get(&served, "/payments").await.1[0].clone();
    assert!(payment["PayAmt"].is_string() && payment["ClinicNum"] == "0");
}

#[tokio::test]
async fn what_changed_is_found_by_the_offices_time() {
    let served = served(office()).await;
    served.simulator.clock().advance(std::time::Duration::from_secs(60));
    let touched = control(&served, "touch", json!({"resource": "Appointment", "count": 3})).await.1;
    let found = get(&served, "/appointments?DateTStamp=2026-03-02%2007:01:00").await.1;
    let ids: Vec<String> = found.as_array().unwrap().iter().map(|row| row["AptNum"].to_string()).collect();
    assert_eq!(json!(ids), touched["ids"]);
    assert_eq!(found[0]["DateTStamp"], "2026-03-02 07:01:30");
    assert_eq!(get(&served, "/payments?DateTStamp=2026-03-02").await.0, 400, "payments have none");
    assert_eq!(get(&served, "/payments?DateEntry=2026-03-03").await.1, json!([]));
}

#[tokio::test]
async fn an_appointment_is_booked_moved_and_broken() {
    let served = served(office()).await;
    let (patient, room) =
        (get(&served, "/patients").await.1[0].clone(), get(&served, "/operatories").await.1[0].clone());
    let day = "/appointments/Slots?date=2026-03-20&lengthMinutes=40";
    let slot = get(&served, day).await.1[0].clone();
    assert_eq!(slot["DateTimeStart"], "2026-03-20 08:00:00");
    let booking = json!({"PatNum": patient["PatNum"], "Op": room["OperatoryNum"], "AptDateTime": slot["DateTimeStart"],
        "Pattern": "//XXXX//"});
    let answer = call(&served, Method::POST, "/appointments").body(booking.to_string()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    assert!(answer.headers()["location"].to_str().unwrap().contains("/api/v1/appointments/"));
    let made: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!((&made["AptStatus"], &made["ProvNum"]), (&json!("Scheduled"), &room["ProvDentist"]));
    let slots = get(&served, &format!("{day}&OpNum={}", room["OperatoryNum"])).await.1;
    assert_eq!(slots[0]["DateTimeStart"], "2026-03-20 09:00:00");

    let path = format!("/appointments/{}", made["AptNum"]);
    let (status, moved) =
        write(&served, Method::PUT, &path, json!({"AptDateTime": "2026-03-21 10:00:00"})).await;
    assert_eq!((status, &moved["Pattern"]), (200, &json!("//XXXX//")), "what is not said stays");

    let whole = format!("{path}/Break");
    assert_eq!(write(&served, Method::PUT, &whole, json!({"breakType": "Missed"})).await.0, 400);
    let missed = json!({"sendToUnscheduledList": "false", "breakType": "Missed"});
    assert_eq!(write(&served, Method::PUT, &whole, missed.clone()).await.1["AptStatus"], "Broken");
    assert_eq!(write(&served, Method::PUT, &whole, missed).await.0, 400, "only what is scheduled");
    let book = served.simulator.book();
    let number = made["AptNum"].to_string();
    let booked = book.appointments.iter().find(|known| known.id == number).unwrap();
    assert_eq!((booked.status, booked.end.to_string().as_str()), (Status::NoShow, "2026-03-21T15:40:00Z"));

    for (wrong, why) in [
        (json!({"PatNum": 1}), "Op is required."),
        (
            json!({"PatNum": patient["PatNum"], "Op": room["OperatoryNum"], "AptDateTime": "2026-03-20T08:00:00Z"}),
            "AptDateTime must have the format yyyy-MM-dd HH:mm:ss.",
        ),
    ] {
        let answer =
            call(&served, Method::POST, "/appointments").body(wrong.to_string()).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (400, why));
    }
}

#[tokio::test]
async fn a_patient_is_made_and_a_payment_taken() {
    let served = served(office()).await;
    let body = json!({"LName": "Probestein", "FName": "Nilo", "Birthdate": "1990-05-01", "Gender": "Male"});
    let (status, made) = write(&served, Method::POST, "/patients", body).await;
    assert_eq!((status, &made["PatStatus"]), (201, &json!("Patient")));
    let path = format!("/patients/{}", made["PatNum"]);
    let (_, changed) = write(&served, Method::PUT, &path, json!({"Email": "nilo@patients.invalid"})).await;
    assert_eq!(
        (&changed["LName"], &changed["Email"]),
        (&json!("Probestein"), &json!("nilo@patients.invalid"))
    );
    let payment = json!({"PatNum": made["PatNum"], "PayAmt": "42.50", "PayNote": "by card"});
    let (status, paid) = write(&served, Method::POST, "/payments", payment).await;
    assert_eq!((status, &paid["PayAmt"], &paid["PaymentSource"]), (201, &json!("42.50"), &json!("API")));
    assert_eq!(write(&served, Method::POST, "/patients", json!({"LName": "Alone"})).await.0, 400);
}

#[tokio::test]
async fn changes_are_posted_to_who_subscribed() {
    let office = office();
    let number = office.book().appointments[0].id.clone();
    let served = served(office).await;
    for table in ["Appointment", "Patient"] {
        let wanted =
            json!({"EndPointUrl": "https://bridge.invalid/hook", "Workstation": "DESK", "WatchTable": table});
        assert_eq!(write(&served, Method::POST, "/subscriptions", wanted).await.0, 201);
    }
    served.simulator.clock().advance(std::time::Duration::from_secs(60));
    served.simulator.deliveries();
    served.simulator.clock().advance(std::time::Duration::from_secs(60));
    write(&served, Method::PUT, &format!("/appointments/{number}"), json!({"Note": "Call first."})).await;
    let deliveries = control(&served, "deliveries", json!({})).await.1;
    assert_eq!(deliveries.as_array().unwrap().len(), 1);
    let rows: Value = serde_json::from_str(deliveries[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!((rows.as_array().unwrap().len(), &rows[0]["Note"]), (1, &json!("Call first.")));
    assert_eq!(deliveries[0]["headers"]["event-type"], "WatchTable: Appointment");
    let key = &served.simulator.connection(&served.base).secrets["customer-key"];
    assert_eq!(deliveries[0]["headers"]["authorization"], json!(key));
}

#[tokio::test]
async fn what_was_deleted_shows_in_an_event_alone() {
    let office = office();
    let number = office.book().appointments[0].id.clone();
    let clock = "2026-03-02 07:00:30";
    assert!(office.delete_appointment(&number));
    let served = served(office).await;
    assert_eq!(get(&served, &format!("/appointments/{number}")).await.0, 404);
    let wanted = json!({"EndPointUrl": "https://bridge.invalid/hook", "WatchTable": "AppointmentDeleted",
        "DateTimeStart": clock});
    write(&served, Method::POST, "/subscriptions", wanted).await;
    let deliveries = served.simulator.deliveries();
    assert!(String::from_utf8_lossy(&deliveries[0].body).contains(&format!("\"AptNum\":{number}")));
}

#[tokio::test]
async fn a_tier_says_when_to_come_back() {
    let served = served(office().with_tier(1_000)).await;
    for _ in 0..3 {
        assert_eq!(get(&served, "/providers").await.0, 200);
    }
    let refused = call(&served, Method::GET, "/providers").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "5"));
    served.simulator.clock().advance(std::time::Duration::from_secs(5));
    assert_eq!(get(&served, "/providers").await.0, 200);
}

#[tokio::test]
async fn an_insurance_stands_in_four_tables_and_a_query_finds_what_changed_in_any() {
    let served = served(office()).await;
    let patients = get(&served, "/patients?Limit=2").await.1;
    let insurances = get(&served, &format!("/familymodules/{}/Insurance", patients[1]["PatNum"])).await.1;
    assert_eq!(insurances.as_array().unwrap().len(), 2);
    assert_eq!(insurances[0]["CarrierName"], "Imaginary Dental");
    assert_eq!(get(&served, "/familymodules/999999/Insurance").await.0, 404);

    let query = |since: &str| {
        json!({"SqlCommand": format!(
            "SELECT patplan.PatPlanNum, inssub.SubscriberID FROM patplan \
             INNER JOIN inssub ON inssub.InsSubNum = patplan.InsSubNum \
             WHERE patplan.SecDateTEdit >= '{since}' OR inssub.SecDateTEdit >= '{since}' ORDER BY patplan.PatPlanNum"
        )})
    };
    let put = |path: &'static str, body: Value| write(&served, Method::PUT, path, body);
    let all = put("/queries/ShortQuery", query("2026-01-01")).await.1;
    assert_eq!(all.as_array().unwrap().len(), 100);
    let rest = put("/queries/ShortQuery?Offset=100", query("2026-01-01")).await.1;
    assert_eq!(rest.as_array().unwrap().len(), 20);
    let later = "2026-03-02 08:00:00";
    assert_eq!(put("/queries/ShortQuery", query(later)).await.1, json!([]));
    served.simulator.clock().advance(std::time::Duration::from_secs(7_200));
    // The subscriber's number is corrected: nobody's own row changes.
    let touched = served.simulator.touch("Coverage", 1);
    let changed = put("/queries/ShortQuery", query(later)).await.1;
    let changed: Vec<String> =
        changed.as_array().unwrap().iter().map(|row| row["PatPlanNum"].to_string()).collect();
    assert_eq!(changed, touched);
    assert_eq!(put("/queries/ShortQuery", json!({"SqlCommand": "DROP TABLE patient"})).await.0, 401);
    assert_eq!(
        put("/queries/ShortQuery", json!({"SqlCommand": "SELECT patplan.Colour FROM patplan"})).await.0,
        400
    );
}
