//! Every adapter that has a simulator is certified against it, and its guide says what the run proved.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{fs, path::Path, sync::Arc};

use bridge_adapters::Catalog;
use bridge_certify::{Control, Subject, certify};
use serde_json::json;

/// Certifies one, and compares the matrix in its guide; `UPDATE_FIXTURES=1` writes it.
async fn product(adapter: &str) {
    let simulator = bridge_simulators::by_name(adapter).expect("a simulator of that name");
    let served = bridge_simulators::serve(simulator, None).await.unwrap();
    let control = Control::new(&served.base).unwrap();
    control.seed(60, 120).await.unwrap();
    control.prepare().await.unwrap();
    let reached = control.connection().await.unwrap();
    let connection = serde_json::from_value(json!({
        "connection": "certify.product", "adapter": adapter, "zone": reached.zone,
        "settings": reached.settings, "secrets": reached.secrets,
    }));
    let subject = Subject::new(Arc::new(Catalog::builtin()), connection.unwrap(), Some(control)).unwrap();
    let report = certify(&subject).await;
    let failures: Vec<String> = report
        .failures()
        .map(|check| {
            format!("{} {}: {}: {:?}", check.area.title(), check.resource, check.claim, check.verdict)
        })
        .collect();
    assert!(failures.is_empty(), "{adapter}:\n{}", failures.join("\n"));

    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters").join(adapter).join("README.md");
    let text = fs::read_to_string(&guide).unwrap();
    let (head, rest) = text.split_once("<!-- matrix:begin -->\n").expect("a place for the matrix");
    let (matrix, tail) = rest.split_once("<!-- matrix:end -->").unwrap();
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, not for the bridge")]
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    if update {
        let made = report.matrix();
        fs::write(&guide, format!("{head}<!-- matrix:begin -->\n{made}<!-- matrix:end -->{tail}")).unwrap();
    } else {
        assert_eq!(matrix, report.matrix(), "the guide of {adapter} says something else");
    }
}

macro_rules! products {
    ($($test:ident: $adapter:literal),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            product($adapter).await;
        })*

        #[test]
        fn none_is_left_out() {
            let mut simulated: Vec<_> = bridge_simulators::all().iter().map(|make| make().adapter()).collect();
            simulated.sort_unstable();
            assert_eq!(simulated, [$($adapter),*]);
        }
    };
}

products! {
    athenahealth: "athenahealth",
    cliniko: "cliniko",
    drchrono: "drchrono",
    epic: "epic",
    healthie: "healthie",
    nexhealth: "nexhealth",
    opendental: "opendental",
    oracle_health: "oracle-health",
    tebra: "tebra",
}
