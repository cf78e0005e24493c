//! Patients' insurance policies: columns of the patient, as lists show them.

use super::state::Row;

const COMPANIES: [(&str, &str, &str); 2] =
    [("7", "Imaginary Mutual", "Fable Plus"), ("9", "Mirage Insurance", "Mirage Basic")];

/// Of three patients one has no policy, and one has two.
pub(super) fn insure(row: &mut Row, id: u64) {
    if id.is_multiple_of(3) {
        return;
    }
    row.set("PrimaryInsurancePolicyCompanyID", COMPANIES[0].0);
    row.set("PrimaryInsurancePolicyCompanyName", COMPANIES[0].1);
    row.set("PrimaryInsurancePolicyPlanName", COMPANIES[0].2);
    row.set("PrimaryInsurancePolicyPlanID", "12");
    row.set("PrimaryInsurancePolicyNumber", format!("M-{id}"));
    row.set("PrimaryInsurancePolicyGroupNumber", "G-900");
    row.set("PrimaryInsurancePolicyEffectiveStartDate", "1/1/2026");
    row.set("PrimaryInsurancePolicyPatientRelationshipToInsured", "S");
    if id % 3 == 1 {
        row.set("SecondaryInsurancePolicyCompanyID", COMPANIES[1].0);
        row.set("SecondaryInsurancePolicyCompanyName", COMPANIES[1].1);
        row.set("SecondaryInsurancePolicyPlanName", COMPANIES[1].2);
        row.set("SecondaryInsurancePolicyNumber", format!("N-{id}"));
        row.set("SecondaryInsurancePolicyEffectiveStartDate", "6/1/2025");
        row.set("SecondaryInsurancePolicyEffectiveEndDate", "12/31/2026");
        row.set("SecondaryInsurancePolicyPatientRelationshipToInsured", "C");
    }
}
