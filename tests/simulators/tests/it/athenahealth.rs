//! athenahealth: what its interface does that others don't.

use std::sync::Arc;

use bridge_simulators::{
    Seed, Served, Simulator as _, Status, athenahealth::Athenahealth, parts::sign, serve,
};
use serde_json::{Value, json};

use crate::support::{client, send};

struct Practice {
    served: Served,
    token: String,
}

const SCOPE: &str = "grant_type=client_credentials&scope=athena/service/Athenanet.MDP.*";

impl Practice {
    async fn open() -> Self {
        let simulator = Athenahealth::default();
        simulator.seed(&Seed::default());
        let served = serve(Arc::new(simulator), None).await.unwrap();
        let (status, token) = token(&served, SCOPE).await;
        assert_eq!(status, 200, "{token}");
        Self { token: token["access_token"].as_str().unwrap().to_owned(), served }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let url = if path.starts_with("/v1") { path.to_owned() } else { format!("/v1/999001/{path}") };
        send(client().get(format!("{}{url}", self.served.base)).bearer_auth(&self.token)).await
    }

    async fn form(&self, method: &str, path: &str, form: &str) -> (u16, Value) {
        let url = format!("{}/v1/999001/{path}", self.served.base);
        let request = client().request(method.parse().unwrap(), url).bearer_auth(&self.token);
        send(request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())).await
    }

    /// A department, a patient and two open slots.
    async fn to_book(&self) -> (String, String, [u64; 2]) {
        let department = self.get("departments").await.1["departments"][0]["departmentid"].clone();
        let department = department.as_str().expect("text").to_owned();
        let patient = self.get(&format!("patients?departmentid={department}")).await.1;
        let patient = patient["patients"][0]["patientid"].as_str().expect("text").to_owned();
        let slots = self.get(&format!("appointments/open?departmentid={department}&reasonid=-1")).await.1;
        let slot = |at: usize| slots["appointments"][at]["appointmentid"].as_u64().expect("a number");
        (department, patient, [slot(0), slot(1)])
    }
}

async fn token(served: &Served, form: &str) -> (u16, Value) {
    let request = client().post(format!("{}/oauth2/v1/token", served.base));
    let request = request.basic_auth("athena-app", Some("athena-app-not-a-secret"));
    send(request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned())).await
}

#[tokio::test]
async fn tokens_have_a_scope_an_end_and_a_limit() {
    let practice = Practice::open().await;
    assert_eq!(practice.get("ping").await, (200, json!({"pong": "true"})));
    assert_eq!(practice.get("/v1/1/ping").await.0, 404);
    practice.served.simulator.expire_tokens();
    assert_eq!(practice.get("ping").await.0, 401);
    assert_eq!(token(&practice.served, "grant_type=client_credentials").await.0, 400);
    let clock = practice.served.simulator.clock();
    clock.hold("2026-03-02T15:00:00Z".parse().unwrap());
    let mut last = (0, Value::Null);
    for _ in 0..51 {
        last = token(&practice.served, SCOPE).await;
    }
    assert_eq!(last, (429, Value::Null), "and not JSON");
}

#[tokio::test]
async fn single_records_are_lists_of_one_and_ids_change_type() {
    let practice = Practice::open().await;
    let (_, patient, [slot, _]) = practice.to_book().await;
    let (_, one) = practice.get(&format!("patients/{patient}")).await;
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    assert!(one[0]["dob"].as_str().unwrap().as_bytes()[2] == b'/', "{one}");
    let (_, provider) = practice.get("providers").await;
    assert!(provider["providers"][0]["providerid"].is_u64());
    let (status, booked) = practice
        .form("PUT", &format!("appointments/{slot}"), &format!("patientid={patient}&reasonid=-1"))
        .await;
    assert_eq!(status, 200, "{booked}");
    assert_eq!(
        (booked[0]["appointmentid"].clone(), booked[0]["appointmentstatus"].clone()),
        (json!(slot.to_string()), json!("f"))
    );
    assert_eq!(practice.get("appointments/1").await.0, 404);
    let (_, page) = practice.get("providers?limit=1").await;
    let next = page["next"].as_str().expect("a path");
    assert!(next.starts_with("/v1/999001/providers?"));
    assert_eq!(practice.get(next).await.1["providers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn forms_alone_are_read_and_slots_are_appointments() {
    let practice = Practice::open().await;
    let (_, patient, [first, second]) = practice.to_book().await;
    let path = format!("appointments/{first}");
    let (status, missing) = practice.form("PUT", &path, "reasonid=-1").await;
    assert_eq!((status, &missing["missingfields"]), (400, &json!(["patientid"])));
    let url = format!("{}/v1/999001/{path}", practice.served.base);
    let body = json!({"patientid": patient, "reasonid": "-1"}).to_string();
    let as_json =
        client().put(url).bearer_auth(&practice.token).header("content-type", "application/json").body(body);
    assert_eq!(send(as_json).await.0, 400, "JSON is not looked at");
    let book = format!("patientid={patient}&appointmenttypeid=2");
    assert_eq!(practice.form("PUT", &path, &book).await.0, 200);
    assert_eq!(practice.form("PUT", &path, &book).await.0, 409, "it is taken");

    let (status, moved) = practice
        .form("PUT", &format!("{path}/reschedule"), &format!("patientid={patient}&newappointmentid={second}"))
        .await;
    assert_eq!(status, 200, "{moved}");
    assert_eq!(moved[0]["appointmentid"], second.to_string(), "a new id");
    let status = |id: u64| {
        let book = practice.served.simulator.book();
        book.appointments
            .into_iter()
            .find(|booking| booking.id == id.to_string())
            .map(|booking| booking.status)
    };
    assert_eq!((status(first), status(second)), (Some(Status::Cancelled), Some(Status::Booked)));
    let edit = |form: &'static str| {
        let path = format!("appointments/booked/{second}");
        let practice = &practice;
        async move { practice.form("PUT", &path, form).await }
    };
    assert_eq!(edit("bookingnote=Bring+nothing").await, (200, json!(1)));
    assert_eq!(edit("providerid=1").await, (200, json!("Invalid PROVIDERID input")));
    let cancel =
        practice.form("PUT", &format!("appointments/{second}/cancel"), &format!("patientid={patient}")).await;
    assert_eq!(cancel, (200, json!({"status": "x"})));
    assert_eq!(status(second), Some(Status::Cancelled));
}

#[tokio::test]
async fn a_change_queue_forgets_and_can_be_asked_again() {
    let practice = Practice::open().await;
    assert_eq!(practice.get("appointments/changed").await.0, 403);
    practice.served.simulator.touch("Appointment", 3);
    let subscribed = practice.form("POST", "appointments/changed/subscription", "").await;
    assert_eq!(subscribed, (200, json!({"success": true})));
    assert_eq!(practice.get("appointments/changed/subscription").await.1["status"], "ACTIVE");
    assert_eq!(practice.get("appointments/changed").await.1["totalcount"], 0, "nothing from before");

    let touched = practice.served.simulator.touch("Appointment", 5);
    practice.served.simulator.touch("Appointment", 40);
    let count = |answer: Value| answer["appointments"].as_array().unwrap().len();
    assert_eq!(count(practice.get("appointments/changed?leaveunprocessed=true").await.1), 40, "each once");
    let (_, first) = practice.get("appointments/changed?limit=5").await;
    let ids: Vec<_> = first["appointments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["appointmentid"].as_str().unwrap())
        .collect();
    assert_eq!(ids, touched, "in the order of the changes");
    assert_eq!(count(practice.get("appointments/changed?limit=100").await.1), 35);
    assert_eq!(count(practice.get("appointments/changed").await.1), 0);
    let window =
        "showprocessedstartdatetime=01/01/2020 00:00:00&showprocessedenddatetime=12/31/2099 00:00:00";
    assert_eq!(count(practice.get(&format!("appointments/changed?{window}")).await.1), 40);
}

#[tokio::test]
async fn patients_and_claims_are_written_as_forms() {
    let practice = Practice::open().await;
    let (department, patient, _) = practice.to_book().await;
    let form = format!("firstname=Alba&lastname=Onlyonce&dob=02/03/1980&departmentid={department}");
    let (status, made) = practice.form("POST", "patients", &form).await;
    assert_eq!((status, made[0]["errormessage"].as_str()), (200, Some("")));
    assert_eq!(practice.form("POST", "patients", &form).await.1, made, "the patient that it has");
    let long = "x".repeat(31);
    assert_eq!(
        practice.form("PUT", &format!("patients/{patient}"), &format!("lastname={long}")).await.0,
        400
    );
    let claim = |charges: &str| {
        format!(
            "departmentid={department}&patientid={patient}&supervisingproviderid=1&servicedate=03/02/2026&claimcharges={charges}"
        )
    };
    let (status, refused) = practice.form("POST", "claims", &claim("nothing")).await;
    assert_eq!((status, &refused["success"]), (200, &json!(false)), "a refusal with 200");
    let charges = r#"[{"procedurecode":"X1","unitamount":"12.50","units":2}]"#;
    let (_, done) = practice.form("POST", "claims", &claim(charges)).await;
    assert_eq!(done["success"], true);
    let (_, claims) = practice.get(&format!("claims?patientid={patient}")).await;
    let amounts: Vec<_> = claims["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["procedures"][0]["chargeamount"].clone())
        .collect();
    assert!(amounts.contains(&json!("25.00")), "{claims}");
}

#[tokio::test]
async fn notifications_hold_ids_and_are_signed() {
    let practice = Practice::open().await;
    let subscription = json!({
        "resourceType": "Subscription",
        "criteria": "https://api.platform.athenahealth.com/fhir/r4/SubscriptionTopic/Patient.update",
        "channel": {"type": "rest-hook", "endpoint": "http://127.0.0.1:9/hook"},
    });
    let request =
        client().post(format!("{}/fhir/r4/Subscription", practice.served.base)).bearer_auth(&practice.token);
    let request = request.header("x-hub-secret", "athena-hub-not-a-secret").body(subscription.to_string());
    assert_eq!(send(request).await.0, 201);
    let ids = practice.served.simulator.touch("Patient", 1);
    let [delivery] = practice.served.simulator.deliveries().try_into().unwrap();
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    let focus = &body["entry"][0]["resource"]["notificationEvent"][0]["focus"];
    assert_eq!(focus["reference"], format!("Patient/a-999001.E-{}", ids[0]));
    let signature = format!("sha256={}", sign::hmac_sha256_hex("athena-hub-not-a-secret", &delivery.body));
    assert!(delivery.headers.contains(&("x-hub-signature".to_owned(), signature)));
}
