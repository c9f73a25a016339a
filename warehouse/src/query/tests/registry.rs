//! The function lists against the engine as it is built.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::execution::SessionStateDefaults;
use gongkai_catalog::{Catalog, Declarations};

use crate::query::functions::{AGGREGATE, Functions, OWN, REFUSED, SCALAR, WINDOW};

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_function_of_the_engine_is_either_listed_or_refused() {
    let scalar = SessionStateDefaults::default_scalar_functions();
    let listed: BTreeSet<String> = set(SCALAR.iter().chain(REFUSED).copied());
    assert_eq!(set(scalar.iter().map(|function| function.name())), listed);
    let aggregate = SessionStateDefaults::default_aggregate_functions();
    assert_eq!(set(aggregate.iter().map(|function| function.name())), set(AGGREGATE.iter().copied()));
    let window = SessionStateDefaults::default_window_functions();
    assert_eq!(set(window.iter().map(|function| function.name())), set(WINDOW.iter().copied()));
    assert!(SCALAR.iter().all(|name| !REFUSED.contains(name)));
}

#[test]
fn the_registry_holds_the_lists_and_nothing_else() {
    let catalog = Arc::new(Catalog::load(Declarations::embedded()).expect("the embedded declarations"));
    let functions = Functions::new(&catalog);
    let scalar = set(functions.scalar.iter().map(|function| function.name()));
    assert_eq!(scalar, set(SCALAR.iter().chain(OWN).copied()));
    assert!(functions.has("count") && functions.has("char_length"));
    // No alias brings back what the lists leave out.
    for name in REFUSED {
        assert!(!functions.has(name), "{name}");
    }
}
