//! The golden vectors of the field, from a department's file to the answer of SQL: `tests/vectors/inbox` is read, normalised,
//! checked and released, and `tests/vectors/*.slt` say what has to be there.

use gongkai_tests::{root, up_once};

use super::slt;

#[test]
fn published_figures_come_out_as_the_field_says() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let output = up_once(&data, Some(&root().join("tests/vectors/inbox")));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    slt::hold(&data, &root().join("tests/vectors"));
}
