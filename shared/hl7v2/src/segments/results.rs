//! Results, specimens and documents: OBX, SPM, TXA (chapters 7 and 9).

use super::segments;
use crate::{
    datatypes::{Cq, Cwe, Cx, Dr, Ei, Eip, Hd, Og, Xad, Xcn, Xon},
    value::Value,
};

segments! {
    /// Observation or result (§7.4.2).
    Obx "OBX" {
        1 set_id: Value "set id (SI)";
        2 value_type: Value "type of OBX-5 (table 0125)";
        3 observation: Cwe "observation identifier";
        4 sub_id: Og "observation sub-id";
        5 values: [Value] "observation values, of the type OBX-2 names";
        6 units: Cwe "units";
        7 reference_range: Value "reference range";
        8 interpretations: [Cwe] "interpretation codes (table 0078)";
        9 probability: Value "probability (NM)";
        10 abnormal_natures: [Value] "nature of abnormal test (table 0080)";
        11 status: Value "observation result status (table 0085)";
        12 range_effective: Value "effective date of the reference range (DTM)";
        13 access_checks: Value "user defined access checks";
        14 observed: Value "date and time of the observation (DTM)";
        15 producer: Cwe "producer's id";
        16 observers: [Xcn] "responsible observers";
        17 methods: [Cwe] "observation methods";
        18 equipment: [Ei] "equipment instances";
        19 analyzed: Value "date and time of the analysis (DTM)";
        20 sites: [Cwe] "observation sites";
        21 identifier: Ei "observation instance identifier";
        22 mood: Cwe "mood code (table 0725)";
        23 performing_organization: Xon "performing organisation";
        24 performing_organization_address: Xad "performing organisation's address";
        25 medical_director: Xcn "performing organisation's medical director";
        26 release_category: Value "patient results release category (v2.8)";
        27 root_cause: Cwe "root cause (v2.8)";
        28 local_controls: [Cwe] "local process controls (v2.8)";
        29 observation_type: Value "observation type (v2.8)";
        30 observation_subtype: Value "observation sub-type (v2.8)";
        31 action: Value "action code (v2.9)";
        32 absent_reasons: [Cwe] "observation value absent reasons (v2.9)";
        33 specimens: [Eip] "related specimen identifiers (v2.9)";
    }
    /// Specimen (§7.4.3).
    Spm "SPM" {
        1 set_id: Value "set id (SI)";
        2 identifier: Eip "specimen id";
        3 parents: [Eip] "specimen parent ids";
        4 specimen_type: Cwe "specimen type (table 0487)";
        5 type_modifiers: [Cwe] "specimen type modifiers";
        6 additives: [Cwe] "specimen additives";
        7 collection_method: Cwe "collection method (table 0488)";
        8 source_site: Cwe "source site";
        9 site_modifiers: [Cwe] "source site modifiers";
        10 collection_site: Cwe "collection site";
        11 roles: [Cwe] "specimen roles (table 0369)";
        12 collection_amount: Cq "collection amount";
        13 grouped_count: Value "grouped specimen count (NM)";
        14 descriptions: [Value] "descriptions";
        15 handling: [Cwe] "handling codes";
        16 risks: [Cwe] "risk codes";
        17 collected: Dr "collection date and time";
        18 received: Value "received date and time (DTM)";
        19 expires: Value "expiration date and time (DTM)";
        20 available: Value "availability (Y, N)";
        21 reject_reasons: [Cwe] "reject reasons (table 0490)";
        22 quality: Cwe "quality";
        23 appropriateness: Cwe "appropriateness";
        24 conditions: [Cwe] "conditions (table 0493)";
        25 current_quantity: Cq "current quantity";
        26 containers: Value "number of containers (NM)";
        27 container_type: Cwe "container type";
        28 container_condition: Cwe "container condition";
        29 child_role: Cwe "child role";
        30 accession_ids: [Cx] "accession ids (v2.7)";
        31 other_ids: [Cx] "other specimen ids (v2.7)";
        32 shipment: Ei "shipment id (v2.7)";
    }
    /// Transcription document header (§9.6.1).
    Txa "TXA" {
        1 set_id: Value "set id (SI)";
        2 document_type: Cwe "document type (table 0270)";
        3 presentation: Value "content presentation (table 0191)";
        4 activity: Value "activity date and time (DTM)";
        5 activity_providers: [Xcn] "primary activity providers";
        6 originated: Value "origination date and time (DTM)";
        7 transcribed: Value "transcription date and time (DTM)";
        8 edited: [Value] "edit dates and times (DTM)";
        9 originators: [Xcn] "originators";
        10 authenticators: [Xcn] "assigned document authenticators";
        11 transcriptionists: [Xcn] "transcriptionists";
        12 document_number: Ei "unique document number";
        13 parent_number: Ei "parent document number";
        14 placer_order_numbers: [Ei] "placer order numbers";
        15 filler_order_number: Ei "filler order number";
        16 file_name: Value "unique document file name";
        17 completion: Value "completion status (table 0271)";
        18 confidentiality: Value "confidentiality status (table 0272)";
        19 availability: Value "availability status (table 0273)";
        20 storage: Value "storage status (table 0275)";
        21 change_reason: Value "change reason";
        22 authentications: [Xcn] "authentication person, its time stamp in component 15 (PPN)";
        23 copies_to: [Xcn] "distributed copies";
        24 folders: [Cwe] "folder assignments (v2.8)";
        25 titles: [Value] "document title (v2.8)";
        26 due: Value "agreed due date and time (v2.8, DTM)";
        27 creating_facility: Hd "creating facility (v2.8)";
        28 creating_specialty: Cwe "creating specialty (v2.8)";
    }
}
