//! Reconciliation checks: identities that published figures obey, tested over the state about to be released.
//!
//! A check is one file under `checks/{domain}/`: a header that declares what it means, and a query that answers one row
//! for each tested identity. [`judge`] turns that row into an outcome; no check has a rule of its own. What is not `PASS`
//! becomes a [`Finding`] with the way to the tested row; passes are counted in a [`CheckRun`].
//!
//! Findings are kept with the state of the pointer that they are about. They change no figure.

mod declaration;
mod finding;
mod outcome;
mod run;

use gongkai_catalog::Declarations;
use include_dir::{Dir, include_dir};

pub use declaration::{Check, CheckError, load};
pub use finding::{CheckRun, Finding, Findings};
pub use outcome::{Identity, Judged, Outcome, Relation, SCALE, Tolerance, judge};
pub use run::{Tested, run, run_all};

static CHECKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/checks");

/// Adds the checks built into the binary to a set of declarations, as `checks/{domain}/{id}.sql`.
pub fn add_embedded(declarations: &mut Declarations) {
    declarations.insert_dir("checks", &CHECKS);
}
