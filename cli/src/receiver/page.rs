//! The book as a page for a browser.

use std::fmt::Write as _;

use serde_json::Value;

use super::book::Book;

/// Newest first, at most this many.
const SHOWN: usize = 100;

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>\
<title>Practice Studio (stand-in)</title>\
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ddd;\
vertical-align:top}code,pre{font-size:13px}pre{overflow:auto;background:#f6f6f6;padding:.6rem}</style>";

/// The page.
pub(super) fn page(book: &Book) -> String {
    let mut page = String::from(HEAD);
    // Writing to a String can't fail.
    let _ = write!(
        page,
        "<h1>Practice Studio (stand-in)</h1><p>{} deliveries had an effect; {} calls failed on purpose, {} were \
         refused. The whole book as JSON: <a href=\"{path}\">{path}</a></p>\
         <table><tr><th>arrived<th>calls<th>resources<th>idempotency key",
        book.len(),
        book.failed,
        book.refused,
        path = super::PATH,
    );
    for effect in book.effects.iter().rev().take(SHOWN) {
        let text = serde_json::to_string_pretty(&effect.bundle).unwrap_or_default();
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td><details><summary>{}</summary><pre>{}</pre></details><td><code>{}</code>",
            effect.at,
            book.calls(&effect.key),
            escape(&types(&effect.bundle)),
            escape(&text),
            escape(&effect.key),
        );
    }
    page.push_str("</table>");
    page
}

/// `Patient, Appointment`.
fn types(bundle: &Value) -> String {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let types: Vec<&str> = entries.filter_map(|entry| entry["resource"]["resourceType"].as_str()).collect();
    types.join(", ")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use bridge_core::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_arrived_is_shown_as_text() {
        let mut book = Book::default();
        let patient = json!({"resourceType": "Patient", "name": [{"family": "<script>"}]});
        book.enter("dlv_a", json!({"entry": [{"resource": patient}]}), Timestamp::from_millis(0));
        let page = page(&book);
        assert!(page.contains("<summary>Patient</summary>") && page.contains("dlv_a"));
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"));
    }
}
