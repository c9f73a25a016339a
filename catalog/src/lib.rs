//! What the things in Gongkai mean: fields, units, publishers, tables, datasets and regions.
//!
//! Declarations are TOML and CSV files, embedded in the binary or read from a folder. They are parsed
//! as written ([`declaration`]) and resolved into a [`Catalog`] in which every reference has been
//! checked; nothing downstream has to ask whether a name exists.
//!
//! This crate is pure. It opens no network connection, runs no async code and reads no clock.

pub mod address;
pub mod air_quality;
pub mod catalog;
pub mod column;
pub mod dataset;
pub mod deadline;
pub mod declaration;
pub mod disclosure;
pub mod error;
pub mod exact;
pub mod field;
pub mod functional_class;
pub mod label;
pub mod list;
pub mod publisher;
pub mod region;
pub mod region_alias;
pub mod region_name;
pub mod table;
pub mod unit;
pub mod workday;

pub use address::{Address, column_letters};
pub use air_quality::AirQuality;
pub use catalog::Catalog;
pub use column::{Column, ColumnType, Visibility};
pub use dataset::{Audience, Dataset};
pub use declaration::Declarations;
pub use disclosure::Disclosure;
pub use error::CatalogError;
pub use exact::Exact;
pub use field::Field;
pub use functional_class::{BudgetKind, FunctionalClass, FunctionalClasses};
pub use label::Label;
pub use list::{List, ListColumn};
pub use publisher::{Licence, Publisher, Theme};
pub use region::{Region, RegionList, Tier};
pub use region_alias::{AliasKind, RegionAlias};
pub use table::{SumRule, Table};
pub use unit::Unit;
pub use workday::Workdays;
