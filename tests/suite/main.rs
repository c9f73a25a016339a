//! Suites over the whole product.

mod commands;
mod damaged_files;
mod declarations;
mod directions;
mod doors;
mod feeds;
mod forbidden;
mod http;
mod interrupted;
mod openapi;
mod real_files;
mod slt;
