//! Imports point one way, and each engine has one owner.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use gongkai_tests::root;
use serde_json::Value;

/// What a crate of ours may depend on among ours.
const OURS: [(&str, &[&str]); 5] = [
    ("gongkai-catalog", &[]),
    ("gongkai-ingest", &["gongkai-catalog"]),
    ("gongkai-warehouse", &["gongkai-catalog"]),
    ("gongkai-api", &["gongkai-catalog", "gongkai-ingest", "gongkai-warehouse"]),
    ("gongkai-tests", &["gongkai-catalog", "gongkai-ingest", "gongkai-warehouse", "gongkai-api"]),
];

/// Libraries with one owner: nobody else may name them as a dependency of the product.
const OWNED: [(&str, &str); 7] = [
    ("polars", "gongkai-ingest"),
    ("calamine", "gongkai-ingest"),
    ("datafusion", "gongkai-warehouse"),
    ("deltalake", "gongkai-warehouse"),
    ("parquet", "gongkai-warehouse"),
    ("axum", "gongkai-api"),
    ("tower-http", "gongkai-api"),
];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is json");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().expect("dependencies").iter();
            // Development dependencies are not part of the product.
            let normal = normal.filter(|dependency| dependency["kind"].is_null());
            let names = normal.map(|dependency| dependency["name"].as_str().unwrap_or_default().to_owned()).collect();
            (package["name"].as_str().unwrap_or_default().to_owned(), names)
        })
        .collect()
}

#[test]
fn our_crates_import_each_other_in_one_direction() {
    let found = dependencies();
    assert_eq!(found.len(), OURS.len(), "a crate was added: say in this list what it may import");
    for (name, allowed) in OURS {
        for other in found[name].iter().filter(|other| other.starts_with("gongkai-")) {
            assert!(allowed.contains(&other.as_str()), "{name} must not import {other}");
        }
    }
}

#[test]
fn each_engine_has_one_owner() {
    for (name, dependencies) in dependencies() {
        for (library, owner) in OWNED {
            let is_owner = name == owner || name == "gongkai-tests";
            assert!(is_owner || !dependencies.contains(library), "{name} must not import {library}: only {owner} may");
        }
    }
}

#[test]
fn the_catalogue_is_pure() {
    let found = dependencies();
    for runtime in ["tokio", "reqwest", "object_store", "futures", "arrow"] {
        assert!(!found["gongkai-catalog"].contains(runtime), "gongkai-catalog must not import {runtime}");
    }
}
