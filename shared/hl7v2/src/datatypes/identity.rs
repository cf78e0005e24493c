//! People and organisations: their identifiers and names.

use super::{Cwe, Dr, Hd, datatypes};
use crate::value::Value;

datatypes! {
    /// CX, extended composite id with check digit (§2.A.14).
    Cx {
        1 id: Value "the identifier";
        2 check_digit: Value "check digit";
        3 check_digit_scheme: Value "check digit scheme (table 0061)";
        4 assigning_authority: Hd "who assigned it";
        5 type_code: Value "identifier type (table 0203)";
        6 assigning_facility: Hd "where it was assigned";
        7 effective_date: Value "valid from (DT)";
        8 expiration_date: Value "valid until (DT)";
        9 assigning_jurisdiction: Cwe "assigning jurisdiction";
        10 assigning_agency: Cwe "assigning agency or department";
        11 security_check: Value "security check (v2.7)";
        12 security_check_scheme: Value "security check scheme (v2.7)";
    }
    /// FN, family name (§2.A.30).
    Fn {
        1 surname: Value "surname";
        2 own_prefix: Value "own surname prefix (van, de)";
        3 own: Value "own surname";
        4 partner_prefix: Value "prefix of the partner's surname";
        5 partner: Value "partner's surname";
    }
    /// XPN, extended person name (§2.A.88).
    Xpn {
        1 family: Fn "family name";
        2 given: Value "given name";
        3 second: Value "second and further given names or initials";
        4 suffix: Value "suffix (Jr)";
        5 prefix: Value "prefix (Dr)";
        6 degree: Value "degree (MD), replaced by 14";
        7 type_code: Value "name type (table 0200)";
        8 representation: Value "name representation code";
        9 context: Cwe "name context";
        10 validity: Dr "validity range, replaced by 12 and 13";
        11 assembly_order: Value "name assembly order (table 0444)";
        12 effective_date: Value "valid from (DTM)";
        13 expiration_date: Value "valid until (DTM)";
        14 professional_suffix: Value "professional suffix";
        15 called_by: Value "what the person is called";
    }
    /// XCN, extended composite id and name for persons (§2.A.86).
    Xcn {
        1 id: Value "identifier of the person";
        2 family: Fn "family name";
        3 given: Value "given name";
        4 second: Value "second and further given names or initials";
        5 suffix: Value "suffix (Jr)";
        6 prefix: Value "prefix (Dr)";
        7 degree: Value "degree (MD), replaced by 21";
        8 source_table: Cwe "source table";
        9 assigning_authority: Hd "who assigned the identifier";
        10 name_type: Value "name type (table 0200)";
        11 check_digit: Value "check digit";
        12 check_digit_scheme: Value "check digit scheme (table 0061)";
        13 id_type: Value "identifier type (table 0203)";
        14 assigning_facility: Hd "where the identifier was assigned";
        15 representation: Value "name representation code";
        16 context: Cwe "name context";
        17 validity: Dr "validity range, replaced by 19 and 20";
        18 assembly_order: Value "name assembly order (table 0444)";
        19 effective_date: Value "valid from (DTM)";
        20 expiration_date: Value "valid until (DTM)";
        21 professional_suffix: Value "professional suffix";
        22 assigning_jurisdiction: Cwe "assigning jurisdiction";
        23 assigning_agency: Cwe "assigning agency or department";
        24 security_check: Value "security check (v2.7)";
        25 security_check_scheme: Value "security check scheme (v2.7)";
    }
    /// CNN, composite id and name simplified (§2.A.9).
    Cnn {
        1 id: Value "identifier of the person";
        2 family: Value "family name";
        3 given: Value "given name";
        4 second: Value "second and further given names or initials";
        5 suffix: Value "suffix (Jr)";
        6 prefix: Value "prefix (Dr)";
        7 degree: Value "degree (MD)";
        8 source_table: Value "source table";
        9 namespace_id: Value "namespace id of the assigning authority";
        10 universal_id: Value "universal id of the assigning authority";
        11 universal_id_type: Value "universal id type (table 0301)";
    }
    /// XON, extended composite name and id for organisations (§2.A.87).
    Xon {
        1 name: Value "organisation name";
        2 name_type: Cwe "organisation name type (table 0204)";
        3 number: Value "numeric identifier, replaced by 10";
        4 check_digit: Value "check digit";
        5 check_digit_scheme: Value "check digit scheme (table 0061)";
        6 assigning_authority: Hd "who assigned the identifier";
        7 id_type: Value "identifier type (table 0203)";
        8 assigning_facility: Hd "where it was assigned";
        9 representation: Value "name representation code";
        10 id: Value "organisation identifier";
    }
    /// DLN, driver's license number (§2.A.18).
    Dln {
        1 number: Value "license number";
        2 issuer: Cwe "issuing state, province or country";
        3 expiration_date: Value "valid until (DT)";
    }
    /// PLN, practitioner license or other id number (§2.A.54).
    Pln {
        1 id: Value "the number";
        2 type_code: Cwe "type of number (table 0338)";
        3 state: Value "state or other qualifying information";
        4 expiration_date: Value "valid until (DT)";
    }
}
