//! Codes and identifiers of things: CWE, EI, HD and their kin.

use super::datatypes;
use crate::value::Value;

datatypes! {
    /// HD, hierarchic designator (§2.A.33): who assigned something, by a local name or a universal id.
    Hd {
        1 namespace_id: Value "namespace id, a local name";
        2 universal_id: Value "universal id";
        3 universal_id_type: Value "universal id type (table 0301: ISO, GUID, DNS, URI ...)";
    }
    /// EI, entity identifier (§2.A.25).
    Ei {
        1 id: Value "the identifier";
        2 namespace_id: Value "namespace id of the assigner";
        3 universal_id: Value "universal id of the assigner";
        4 universal_id_type: Value "universal id type (table 0301)";
    }
    /// EIP, a pair of entity identifiers (§2.A.26).
    Eip {
        1 placer: Ei "identifier the placer assigned";
        2 filler: Ei "identifier the filler assigned";
    }
    /// CWE, coded with exceptions (§2.A.13). CE, CNE, CF and IS read as this: their components are its first
    /// ones.
    Cwe {
        1 id: Value "code";
        2 text: Value "its meaning";
        3 system: Value "name of the coding system (table 0396)";
        4 alternate_id: Value "alternate code";
        5 alternate_text: Value "its meaning";
        6 alternate_system: Value "name of the alternate coding system";
        7 version: Value "version of the coding system";
        8 alternate_version: Value "version of the alternate coding system";
        9 original_text: Value "what was originally written";
        10 second_alternate_id: Value "second alternate code (v2.7)";
        11 second_alternate_text: Value "its meaning";
        12 second_alternate_system: Value "name of the second alternate coding system";
        13 second_alternate_version: Value "its version";
        14 system_oid: Value "OID of the coding system";
        15 value_set_oid: Value "OID of the value set";
        16 value_set_version: Value "version of the value set";
        17 alternate_system_oid: Value "OID of the alternate coding system";
        18 alternate_value_set_oid: Value "OID of the alternate value set";
        19 alternate_value_set_version: Value "version of the alternate value set";
        20 second_alternate_system_oid: Value "OID of the second alternate coding system";
        21 second_alternate_value_set_oid: Value "OID of the second alternate value set";
        22 second_alternate_value_set_version: Value "version of the second alternate value set";
    }
    /// SPS, specimen source (OBR-15, before SPM).
    Sps {
        1 source: Cwe "specimen source name or code";
        2 additives: Cwe "additives";
        3 collection_method: Value "how it was collected";
        4 body_site: Cwe "body site";
        5 site_modifier: Cwe "site modifier";
        6 collection_method_modifier: Cwe "collection method modifier";
        7 role: Cwe "specimen role";
    }
    /// PRL, parent result link (OBR-26).
    Prl {
        1 observation_id: Cwe "OBX-3 of the parent result";
        2 sub_id: Value "OBX-4 of the parent result";
        3 descriptor: Value "value of the parent result";
    }
    /// OG, observation grouper (OBX-4 from v2.8.2 on).
    Og {
        1 sub_id: Value "original sub-identifier";
        2 group: Value "group";
        3 sequence: Value "sequence";
        4 identifier: Value "identifier";
    }
    /// JCC, job code and class (§2.A.37).
    Jcc {
        1 code: Cwe "job code";
        2 class: Cwe "job class";
        3 description: Value "job description";
    }
    /// FC, financial class (§2.A.29).
    Fc {
        1 class: Cwe "financial class code";
        2 effective_date: Value "date it takes effect (DTM)";
    }
}
