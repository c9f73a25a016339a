//! Every door of Gongkai: the command, HTTP and its pages.
//!
//! This crate joins the two that do not know each other: `ingest` turns files into batches, `warehouse`
//! keeps and answers them. Only here are HTTP status codes and exit codes known.

pub mod access;
pub mod bundle;
pub mod certificate;
pub mod clock;
pub mod command;
pub mod config;
pub mod connection;
pub mod flight;
pub mod http;
pub mod instance;
pub mod metrics;
pub mod offline;
pub mod page;
pub mod pipeline;
pub mod postgres;
pub mod proof;
pub mod publishing;
pub mod space;
pub mod standing;
pub mod telemetry;
pub mod text;
pub mod worker;
