//! The feeds and samples built into the binary.

use std::path::Path;

use gongkai_catalog::Declarations;
use include_dir::{Dir, include_dir};

static FEEDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/feeds");

/// Small authored files in the published layouts, `{publisher}/{file}`, each with its side file.
pub static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/samples");

/// The embedded catalogue with the embedded feeds, under `feeds/{publisher}/{feed}.toml`.
pub fn embedded_declarations() -> Declarations {
    let mut declarations = Declarations::embedded();
    declarations.insert_dir("feeds", &FEEDS);
    declarations
}

/// Writes the samples below `folder`, which is made if absent; existing files of the same names are replaced.
///
/// # Errors
///
/// A folder or file that cannot be written.
pub fn write_samples(folder: &Path) -> std::io::Result<()> {
    write_dir(&SAMPLES, folder)
}

fn write_dir(dir: &Dir<'_>, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join(dir.path()))?;
    for file in dir.files() {
        std::fs::write(folder.join(file.path()), file.contents())?;
    }
    dir.dirs().try_for_each(|sub| write_dir(sub, folder))
}
