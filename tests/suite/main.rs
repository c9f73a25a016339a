//! Suites over the whole product.

mod checks;
mod commands;
mod damaged_files;
mod declarations;
mod directions;
mod doors;
mod draft;
mod feeds;
mod forbidden;
mod guide;
mod http;
mod inspect;
mod interrupted;
mod notebooks;
mod openapi;
mod pages;
mod read_back;
mod real_files;
mod regions;
mod slt;
mod staging;
mod watch;
