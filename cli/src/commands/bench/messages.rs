//! What is sent: events of one size, over fifty patients.

/// What the messages are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Content {
    /// DrChrono's PATIENT_MODIFY, with invented values of every kind that its fields have
    Events,
    /// Small events, filled up with characters that do not compress
    Noise,
    /// Rows of a CSV file of changes, each of which goes on
    Rows,
    /// The same, where about fifty rows share a message
    Batches,
    /// Rows of a CSV file that holds everything there is, a hundredth of it changed since the day before
    Snapshot,
}

impl Content {
    /// The connection that takes them.
    pub(super) const fn connection(self) -> &'static str {
        match self {
            Self::Events => "bench.drchrono",
            Self::Noise | Self::Rows | Self::Batches | Self::Snapshot => super::rows::CONNECTION,
        }
    }

    /// Whether it comes as a file.
    pub(super) const fn is_file(self) -> bool {
        matches!(self, Self::Rows | Self::Batches | Self::Snapshot)
    }

    /// The message with this number, of `bytes` bytes, or of as few as it can have.
    pub(super) fn message(self, number: usize, bytes: usize) -> String {
        match self {
            Self::Events => event(number, bytes),
            Self::Noise | Self::Rows | Self::Batches | Self::Snapshot => noise(number, bytes),
        }
    }
}

const PATIENTS: usize = 50;

/// The fields of a patient in the order in which they are left out where the message is to be small, last first:
/// `%` is a digit, `~` a word.
const FIELDS: [&str; 58] = [
    r#""first_name":"~""#,
    r#""last_name":"~""#,
    r#""date_of_birth":"19%7-03-1%""#,
    r#""gender":"Female""#,
    r#""chart_id":"BENC00%%%%""#,
    r#""patient_status":"A""#,
    r#""cell_phone":"(555) 01%-%%%%""#,
    r#""address":"%%%% ~ Street""#,
    r#""city":"~""#,
    r#""state":"IL""#,
    r#""zip_code":"6%%%%""#,
    r#""email":"~.%%%@bench.example""#,
    r#""middle_name":"~""#,
    r#""nick_name":"""#,
    r#""home_phone":"""#,
    r#""office_phone":"(555) 01%-%%%%""#,
    r#""emergency_contact_name":"~ ~""#,
    r#""emergency_contact_phone":"(555) 01%-%%%%""#,
    r#""emergency_contact_relation":"Sibling""#,
    r#""preferred_language":"eng""#,
    r#""race":"declined""#,
    r#""ethnicity":"declined""#,
    r#""social_security_number":"""#,
    r#""doctor":31%%%%"#,
    r#""primary_care_physician":"Dr. ~ ~""#,
    r#""date_of_first_appointment":"202%-03-1%""#,
    r#""date_of_last_appointment":"2026-0%-1%""#,
    r#""offices":[10%%%%]"#,
    r#""default_pharmacy":"%%%%%%%""#,
    r#""disable_sms_messages":false"#,
    r#""copay":"%%.00""#,
    r#""referring_source":"""#,
    r#""employer":"~ Works""#,
    r#""employer_address":"%%% ~ Road""#,
    r#""employer_city":"~""#,
    r#""employer_state":"IL""#,
    r#""employer_zip_code":"6%%%%""#,
    r#""patient_photo":null"#,
    r#""patient_photo_date":null"#,
    r#""patient_payment_profile":"Insurance""#,
    r#""responsible_party_name":"~ ~""#,
    r#""responsible_party_relation":"Parent""#,
    r#""responsible_party_phone":"(555) 01%-%%%%""#,
    r#""responsible_party_email":"""#,
    r#""referring_doctor":null"#,
    r#""patient_flags":[]"#,
    r#""patient_flags_attached":[]"#,
    r#""auto_accident_insurance":null"#,
    r#""workers_comp_insurance":null"#,
    r#""tertiary_insurance":null"#,
    r#""secondary_insurance":null"#,
    r#""primary_insurance":{"insurance_company":"~ Mutual","insurance_id_number":"BNC%%%%%%%%%","insurance_group_name":"~ Works","insurance_group_number":"%%%%%%","insurance_payer_id":"0%%%%","insurance_plan_name":"~ Choice","insurance_plan_type":"","is_subscriber_the_patient":true,"patient_relationship_to_subscriber":"","photo_front":null,"photo_back":null}"#,
    r#""created_at":"202%-0%-1%T09:3%:4%""#,
    r#""custom_vitals":[]"#,
    r#""patient_alerts":null"#,
    r#""billing_notes":[]"#,
    r#""clinical_note":null"#,
    r#""cloned_from":null"#,
];

const WORDS: [&str; 40] = [
    "Alder", "Birch", "Cedar", "Dapple", "Ember", "Fennel", "Garnet", "Hazel", "Indigo", "Juniper",
    "Kestrel", "Linden", "Maple", "Nettle", "Osprey", "Poplar", "Quartz", "Rowan", "Sorrel", "Thistle",
    "Umber", "Violet", "Willow", "Yarrow", "Zephyr", "asked", "about", "evening", "visits", "since",
    "moving", "further", "away", "prefers", "letters", "over", "calls", "from", "last", "autumn",
];

fn event(number: usize, bytes: usize) -> String {
    let mut chance = fastrand::Rng::with_seed(number as u64);
    let at = format!("2026-11-{:02}T10:{:02}:{:02}", 1 + number / 3_600 % 28, number / 60 % 60, number % 60);
    let start = format!(
        r#"{{"receiver":{{"id":77,"callback_url":"https://bridge.example.org/webhooks/bench","events":["PATIENT_MODIFY"]}},"object":{{"id":{},"updated_at":"{at}""#,
        4_000 + number % PATIENTS
    );
    let (note, end) = (r#","custom_demographics":[{"field_type":%,"value":""#, r#""}]}}"#);
    let room = bytes.saturating_sub(start.len() + note.len() + end.len());
    let mut fields = String::new();
    for template in FIELDS {
        let field = filled(template, &mut chance);
        if fields.len() + field.len() + 1 > room {
            break;
        }
        fields.push(',');
        fields.push_str(&field);
    }
    let mut text = String::new();
    while text.len() < room - fields.len() {
        text.push_str(&filled("~ ", &mut chance));
    }
    text.truncate(room - fields.len());
    format!("{start}{fields}{}{text}{end}", filled(note, &mut chance))
}

fn filled(template: &str, chance: &mut fastrand::Rng) -> String {
    let mut text = String::with_capacity(template.len() + 8);
    for character in template.chars() {
        match character {
            '%' => text.push(chance.digit(10)),
            '~' => text.push_str(chance.choice(WORDS).unwrap_or_default()),
            other => text.push(other),
        }
    }
    text
}

/// Its filling is a hash of its number: five bits to a character, as random as can be.
fn noise(number: usize, bytes: usize) -> String {
    let with = |note: &str| {
        let patient = number % PATIENTS;
        format!(
            r#"{{"event":"patient.saved","id":"bench-{number}","at":"2026-03-02T09:00:00.{number:09}Z","patient":{{"id":"{patient}","given":"Bea","family":"Benchmark{number}","born":"1980-01-31","sex":"female","street":"1 Synthetic Street","city":"Nowhere","note":"{note}"}}}}"#
        )
    };
    let length = bytes.saturating_sub(with("").len());
    let mut note = String::new();
    while note.len() < length {
        let hash = bridge_seal::sha256(&[&number.to_le_bytes(), &note.len().to_le_bytes()]);
        note.push_str(&data_encoding::BASE32_NOPAD.encode(&hash));
    }
    note.truncate(length);
    with(&note)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Value;

    use super::*;

    #[test]
    fn messages_are_json_of_the_size_that_was_asked_for() {
        for content in [Content::Events, Content::Noise] {
            for bytes in [512, 2_048, 10_000] {
                for number in [0, 7, 12_345] {
                    let message = content.message(number, bytes);
                    assert_eq!(message.len(), bytes, "{message}");
                    serde_json::from_str::<Value>(&message).unwrap();
                }
            }
        }
    }

    #[test]
    fn two_kilobytes_hold_nearly_all_fields_of_an_event() {
        let event: Value = serde_json::from_str(&Content::Events.message(3, 2_048)).unwrap();
        assert!(event["object"]["primary_insurance"].is_object());
        assert_ne!(
            event["object"],
            serde_json::from_str::<Value>(&Content::Events.message(4, 2_048)).unwrap()["object"]
        );
    }
}
