//! Suites over the whole product.

mod checks;
mod commands;
mod damaged_files;
mod declarations;
mod directions;
mod doors;
mod feeds;
mod forbidden;
mod hostile_files;
mod http;
mod interrupted;
mod notebooks;
mod openapi;
mod pages;
mod personal_data;
mod read_back;
mod real_environment;

mod real_budget;

mod real_debt;
mod real_files;
mod region_names;
mod regions;
mod slt;
