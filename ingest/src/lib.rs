//! Department files to typed, provenance-carrying record batches.
//!
//! A file goes three steps. [`reader`] turns bytes into grids of cells that keep their address. [`mod@shape`] finds
//! which declared feed knows a grid, and turns its lines into rows of one canonical table. [`report`] says what
//! became of every record and cell. [`personal`] searches the whole file for personal data and holds it back where it finds some. What a kind of file looks like is declared in TOML ([`feed`]); a new kind
//! of the same shape needs no Rust.
//!
//! This crate is pure with respect to time and network: it reads no clock and opens no connection. It touches
//! the file system only in [`source`], and in [`write_samples`].
//!
//! ```
//! use gongkai_catalog::Catalog;
//! use gongkai_ingest::{Feeds, Limits, Outcome, embedded_declarations, ingest_bytes};
//!
//! let declarations = embedded_declarations();
//! let catalog = Catalog::load(declarations.clone())?;
//! let feeds = Feeds::load(&declarations, &catalog)?;
//! let bytes = "date,hour,城市,PM2.5\n20190201,0,攀枝花,37.0\n".as_bytes();
//! let Outcome::Matched { shaped, .. } = ingest_bytes(bytes, "a.csv", &feeds, &catalog, &Limits::default()) else {
//!     panic!("the feed of hourly air knows this file")
//! };
//! assert_eq!(shaped[0].batch.num_rows(), 1);
//! assert_eq!(shaped[0].report.totals.values, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod catalogue_sheet;
mod declaration;
pub mod draft;
pub mod feed;
pub mod inspect;
mod intake;
mod limits;
pub mod outline;
pub mod personal;
pub mod reader;
pub mod report;
pub mod shape;
pub mod source;
pub mod window;

pub use declaration::{SAMPLES, embedded_declarations, write_samples};
pub use feed::{Feed, FeedError, Feeds};
pub use inspect::{Inspection, inspect};
pub use intake::{Outcome, ingest_bytes};
pub use limits::Limits;
pub use reader::{Document, Format, Member, ReadError, is_archive, read_archive, read_document};
pub use report::Report;
pub use shape::{Recognition, ShapeError, Shaped, batch_schema, recognise, shape};
pub use source::{InboxFile, SideFile, SourceError, find_files, read_side_file};
