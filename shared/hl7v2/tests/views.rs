//! Typed views: that names stand for the right numbers, spot-checked where a slip would hurt, and that they
//! read data types at whatever depth these stand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bridge_hl7v2::{
    Message, SegmentView,
    datatypes::Datatype,
    segments::{
        Aip, Dg1, Ft1, Gt1, In1, Mrg, Msh, Nk1, Nte, Obr, Obx, Orc, Pid, Pr1, Pv1, Pv2, Sch, Spm, Txa,
    },
};

/// A message with one segment of which field `n` says `n`.
fn numbered(name: &str, fields: u32) -> String {
    let values: Vec<_> = (1..=fields).map(|n| n.to_string()).collect();
    format!("MSH|^~\\&|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17\r{name}|{}", values.join("|"))
}

macro_rules! numbers {
    ($view:ident $count:literal { $($field:ident = $n:literal),* $(,)? }) => {{
        let text = numbered($view::NAME.as_str(), $count);
        let message = Message::parse(&text).unwrap();
        let view = message.first::<$view<'_>>().unwrap();
        $(assert_eq!(view.$field().value().raw(), stringify!($n), concat!(stringify!($field), " = ", $n));)*
        assert_eq!(view.segment().field_count(), $count);
    }};
}

#[test]
fn single_fields_have_their_numbers() {
    numbers!(Pid 40 {
        set_id = 1, birth = 7, sex = 8, marital_status = 16, account_number = 18, ssn = 19,
        multiple_birth = 24, death = 29, dead = 30,
    });
    numbers!(Pv1 54 {
        patient_class = 2, assigned_location = 3, hospital_service = 10, visit_number = 19,
        discharge_disposition = 36, admitted = 44, discharged = 45, episode_id = 54,
    });
    numbers!(Pv2 50 {
        admit_reason = 3, expected_admit = 8, mode_of_arrival = 38, advance_directive_verified = 50,
    });
    numbers!(Nk1 41 { relationship = 3, role = 7, birth = 16, vip = 39 });
    numbers!(Mrg 7 { prior_account_number = 3, prior_visit_number = 5 });
    numbers!(Dg1 26 {
        code = 3, diagnosed = 5, diagnosis_type = 6, priority = 15, identifier = 20, action = 21,
    });
    numbers!(Pr1 25 { code = 3, performed = 5, minutes = 7, identifier = 19 });
    numbers!(Ft1 43 {
        transaction_date = 4, transaction_type = 6, code = 7, quantity = 10, unit_amount = 12,
        procedure = 25, ndc_quantity = 43,
    });
    numbers!(Gt1 57 { birth = 8, relationship = 11, begin = 13, employment_status = 20, vip = 57 });
    numbers!(In1 55 {
        plan = 2, group_number = 8, effective = 12, expires = 13, insured_relationship = 17,
        policy_number = 36, action = 55,
    });
    numbers!(Orc 38 {
        control = 1, placer_order_number = 2, status = 5, transaction = 9, effective = 15,
        filler_group_number = 38,
    });
    numbers!(Obr 54 {
        service = 4, observed = 7, specimen_source = 15, status_changed = 22, status = 25, parent = 29,
        parent_order = 54,
    });
    numbers!(Obx 33 {
        value_type = 2, observation = 3, sub_id = 4, units = 6, reference_range = 7, status = 11,
        observed = 14, performing_organization = 23,
    });
    numbers!(Spm 32 { identifier = 2, specimen_type = 4, collected = 17, received = 18, shipment = 32 });
    numbers!(Txa 28 {
        document_type = 2, document_number = 12, completion = 17, availability = 19,
        creating_specialty = 28,
    });
    numbers!(Sch 28 { placer_id = 1, filler_id = 2, appointment_reason = 7, duration = 9, status = 25 });
    numbers!(Aip 12 { action = 2, resource_type = 4, start = 6, duration = 9, status = 12 });
    numbers!(Nte 9 { source = 2, comment_type = 4 });
}

#[test]
fn the_header_counts_its_separator() {
    let text = numbered("PID", 1);
    let message = Message::parse(&text).unwrap();
    let msh = Msh::of(message.header()).unwrap();
    assert_eq!(msh.sending_application().namespace_id().raw(), "3");
    assert_eq!((msh.control_id().raw(), msh.application_acknowledgment().raw()), ("10", "16"));
    assert!(Pid::of(message.header()).is_none(), "a view is of its own segments only");
}

#[test]
fn repeated_fields_skip_the_empty_and_keep_the_null() {
    let message = Message::parse("MSH|^~\\&|A\rPID|||~1^^^NS&1.2&ISO~\"\"~|||||||||||^PRN^PH~").unwrap();
    let pid = message.first::<Pid<'_>>().unwrap();
    let ids: Vec<_> = pid.identifiers().map(|cx| (cx.value().location().to_string(), cx.is_null())).collect();
    assert_eq!(ids, [("PID-3[2]".to_owned(), false), ("PID-3[3]".to_owned(), true)]);
    assert_eq!(pid.home_phones().count(), 0);
    assert_eq!(pid.business_phones().count(), 1);
}

#[test]
fn a_data_type_reads_the_same_at_every_depth() {
    // HD as a field, as a component, CWE as a component's subcomponents, FN inside XCN.
    let text =
        "MSH|^~\\&|NS^1.2^ISO\rPID|1||7^^^NS&1.2&ISO^^^^^Y&Yes&T\rPV1|1||||||9^Doe&de^Ann^^^^^^NS&1.2&ISO";
    let message = Message::parse(text).unwrap();
    let application = Msh::of(message.header()).unwrap().sending_application();
    let cx = message.first::<Pid<'_>>().unwrap().identifiers().next().unwrap();
    let doctor = message.first::<Pv1<'_>>().unwrap().attending_doctors().next().unwrap();
    for hd in [application, cx.assigning_authority(), doctor.assigning_authority()] {
        assert_eq!(
            (hd.namespace_id().raw(), hd.universal_id().raw(), hd.universal_id_type().raw()),
            ("NS", "1.2", "ISO")
        );
    }
    assert_eq!(cx.assigning_jurisdiction().text().raw(), "Yes");
    assert_eq!((doctor.family().surname().raw(), doctor.family().own_prefix().raw()), ("Doe", "de"));
    assert_eq!(doctor.assigning_authority().universal_id().location().to_string(), "PV1-7.9.2");
}

#[test]
fn dates_tell_what_is_wrong_with_them_and_where() {
    let message =
        Message::parse("MSH|^~\\&|A\rPID|1||||||19701340|||||||||||||||||||||||\"\"\rOBR|1||||||2024^D")
            .unwrap();
    let pid = message.first::<Pid<'_>>().unwrap();
    assert_eq!(pid.birth().dtm().unwrap_err().to_string(), "PID-7[1]: the month is not 01 to 12");
    assert_eq!(pid.death().dtm(), Ok(None));
    assert_eq!(pid.last_update().dtm(), Ok(None));
    let obr = message.first::<Obr<'_>>().unwrap();
    assert_eq!(
        obr.observed().dtm().unwrap().unwrap().to_string(),
        "2024",
        "TS had its precision in a second component"
    );
}
