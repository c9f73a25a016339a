//! The API's description is what it was, and every reference in it leads somewhere.

use gongkai_api::config::Config;
use gongkai_api::http::{App, description};
use gongkai_api::instance::Instance;
use serde_json::Value;

fn document() -> Value {
    let config = Config { data: Some("memory://".into()), ..Config::default() };
    let instance = Instance::open(config).expect("opens");
    serde_json::to_value(description(App::new(instance))).expect("json")
}

#[test]
fn the_description_is_the_golden() {
    insta::with_settings!({ snapshot_path => "../goldens", prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!("openapi", document());
    });
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str() {
                    Some(reference) if key == "$ref" => found.push(reference),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn every_operation_has_an_id_of_verb_and_resource_and_says_what_can_go_wrong() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().unwrap_or_default();
            let verbs = [
                "get_",
                "list_",
                "post_",
                "download_",
                "create_",
                "revoke_",
                "submit_",
                "approve_",
                "reject_",
                "withdraw_",
            ];
            assert!(verbs.iter().any(|verb| id.starts_with(verb)), "{method} {path}: operation id {id:?}");
            if path.starts_with("/api/") {
                assert!(operation["responses"]["400"].is_object(), "{method} {path} declares no problem");
            }
        }
    }
}
