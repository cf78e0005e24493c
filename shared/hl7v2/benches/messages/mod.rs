//! The messages benchmarks run on. Everyone and everything in them is invented.

/// A kind of message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    name: &'static str,
    build: fn() -> String,
}

impl Sample {
    pub(crate) fn build(&self) -> String {
        (self.build)()
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

pub(crate) const ALL: [Sample; 4] = [
    Sample { name: "ORU 1.5 KB", build: || results(5) },
    Sample { name: "ADT 3.4 KB", build: admission },
    Sample { name: "SIU 1.2 KB", build: appointment },
    Sample { name: "ORU 33 segments", build: || results(29) },
];

const PATIENT: &str = "PID|1||4711000^^^NORTHGATE&1.2.3.4.5&ISO^MR~999-12-3456^^^SSA^SS~D7700123^^^STATE^DL\
    ||Testperson^Una^Quill^^Dr^^L~Sampleton^Una^^^^^M||19700229|F||2106-3^White^CDCREC\
    |12 Imaginary Lane^Apt 4^Nowhere^IL^60600-0001^USA^H^^COOK||^PRN^PH^^1^555^5550100~^NET^Internet^una@example.org\
    |^WPN^PH^^1^555^5550111|eng^English^ISO639|M^Married^HL70002|CHR|AC-100200^^^NORTHGATE^AN|||||||N||||||N\r";

/// An ORU^R01 of four segments and `observations` OBX.
pub(crate) fn results(observations: usize) -> String {
    let mut text = "MSH|^~\\&|IMAGINARYLAB|NORTHGATE|BRIDGE|PRACTICE|20240229103000.123-0600||ORU^R01^ORU_R01|LAB000001|P|2.5.1|||AL|NE|USA|UNICODE UTF-8\r".to_owned();
    text.push_str(PATIENT);
    text.push_str("ORC|RE|ORD-5501^PRACTICE|LAB-9001^IMAGINARYLAB||CM||||20240229090000|||7001^Madeup^Olaf^^^Dr^MD^^NPI&2.16.840&ISO\r");
    text.push_str("OBR|1|ORD-5501^PRACTICE|LAB-9001^IMAGINARYLAB|24323-8^Comprehensive panel^LN|||20240229081500|||||||||7001^Madeup^Olaf^^^Dr^MD||||||20240229102500||LAB|F\r");
    for n in 1..=observations {
        text.push_str(&format!(
            "OBX|{n}|NM|2345-{}^Invented analyte {n}^LN^GLU^Local name^L||{}.{}|mg/dL^milligram per deciliter^UCUM|70 - 110|{}|||F|||20240229101500||7002^Techley^Tom|AN-{n}\r",
            n % 10,
            90 + n,
            n % 7,
            if n % 3 == 0 { "H" } else { "N" }
        ));
    }
    text
}

/// An ADT^A01 with next of kin, insurance, allergies and diagnoses.
fn admission() -> String {
    let mut text = "MSH|^~\\&|REGISTRATION|NORTHGATE|BRIDGE|PRACTICE|20240229103000-0600||ADT^A01^ADT_A01|ADT000001|P|2.5.1|||AL|NE|USA\rEVN|A01|20240229102900||ADT_EVENT|7009^Clerkson^Cora^^^^^^NORTHGATE|20240229102500|NORTHGATE\r".to_owned();
    text.push_str(PATIENT);
    text.push_str("PD1|S^Spouse dependent^HL70223|A^Alone^HL70220|NORTHGATE CLINIC^L^1001^^^NORTHGATE|7001^Madeup^Olaf^^^Dr^MD^^NPI||||||||||||||||\r");
    for (n, who) in ["Sampleton^Sven^S", "Testperson^Thea^T"].iter().enumerate() {
        text.push_str(&format!(
            "NK1|{}|{who}|SPO^Spouse^HL70063|12 Imaginary Lane^Apt 4^Nowhere^IL^60600^USA^H|^PRN^PH^^1^555^555012{n}|^WPN^PH^^1^555^555013{n}|C^Emergency contact^HL70131|20100101|||||||M^Married^HL70002|M|1968010{n}\r",
            n + 1
        ));
    }
    text.push_str("PV1|1|I^Inpatient^HL70004|WARD7^701^A^NORTHGATE^^N^MAIN^7|E^Emergency^HL70007|||7001^Madeup^Olaf^^^Dr^MD^^NPI|7003^Refer^Rita^^^Dr^MD^^NPI|7004^Consult^Carl^^^Dr^MD^^NPI|MED|||N|7|A0||7001^Madeup^Olaf^^^Dr^MD^^NPI|INP|V-88001^^^NORTHGATE^VN|C^20240101|||||||||||||||||||NORTHGATE|||||20240229101500||||1200.50|\r");
    text.push_str("PV2||P^Private^L|CHEST^Chest discomfort, invented^L||||N|20240229|20240303|3|||||||||||||||||||||||||||||AMB\r");
    for n in 1..=4 {
        text.push_str(&format!("AL1|{n}|DA^Drug allergy^HL70127|70618{n}^Inventedicillin {n}^RXNORM|MO^Moderate^HL70128|Hives~Itching \\T\\ swelling|2015010{n}\r"));
        text.push_str(&format!("DG1|{n}||R07.{n}^Invented chest complaint {n}^I10||20240229102000|A^Admitting^HL70052|||||||||{n}|7001^Madeup^Olaf^^^Dr^MD\r"));
    }
    for n in 1..=2 {
        text.push_str(&format!("GT1|{n}|G-4400{n}^^^NORTHGATE|Testperson^Una^Quill||12 Imaginary Lane^Apt 4^Nowhere^IL^60600^USA|^PRN^PH^^1^555^5550100||19700229|F||SEL^Self^HL70063\r"));
        text.push_str(&format!("IN1|{n}|PLAN{n}^Imaginary health plan {n}^L|INS00{n}^^^PAYERS|Imaginary Mutual {n}|1 Payer Plaza^^Nowhere^IL^60601|^WPN^PH^^1^555^5550200|^WPN^PH^^1^555^5550201|GRP-77{n}|Invented Works||Invented Works|20240101|20241231|||Testperson^Una^Quill|SEL^Self^HL70063|19700229|12 Imaginary Lane^Apt 4^Nowhere^IL^60600|Y||{n}||||||||||||||POL-55{n}00\r"));
    }
    text
}

/// An SIU^S12 with a service, a practitioner and a room.
fn appointment() -> String {
    let mut text = "MSH|^~\\&|SCHEDULER|NORTHGATE|BRIDGE|PRACTICE|20240229103000-0600||SIU^S12^SIU_S12|SIU000001|P|2.5.1\rSCH|APT-1001^SCHEDULER|APT-2002^BRIDGE||||ROUTINE^Routine visit^HL70276|CHECKUP^Yearly check-up^L|NORMAL^Normal^HL70277|30|min^minutes^UCUM|^^30^20240305090000-0600^20240305093000-0600|7009^Clerkson^Cora|^WPN^PH^^1^555^5550300|||7009^Clerkson^Cora|||||BOOKED^Booked^HL70278\r".to_owned();
    text.push_str(PATIENT);
    text.push_str("PV1|1|O|ROOM3^^^NORTHGATE||||7001^Madeup^Olaf^^^Dr^MD^^NPI|||MED\r");
    text.push_str("RGS|1|A|GROUP1^Morning^L\rAIS|1|A|99213^Office visit, invented^CPT|20240305090000-0600|0|min|30|min|N|BOOKED\r");
    text.push_str("AIP|1|A|7001^Madeup^Olaf^^^Dr^MD^^NPI|D^Doctor^HL70286|GEN^General^L|20240305090000-0600|0|min|30|min|N|BOOKED\rAIL|1|A|ROOM3^^^NORTHGATE|C^Clinic^L||20240305090000-0600|0|min|30|min|N|BOOKED\r");
    text
}

/// An ORU^R01 whose OBX-5 holds `size` characters.
pub(crate) fn embedded(size: usize) -> String {
    let obx = format!("OBX|1|ED|PDF^Report^L||^application^pdf^Base64^{}||||||F\r", "QUJD".repeat(size / 4));
    results(0) + &obx
}
