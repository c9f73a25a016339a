//! What there is: catalogue, schemas, tables with their columns, and what the server says of itself.

use arrow::array::RecordBatch;
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, SqlInfo,
};
use gongkai_warehouse::query::{CATALOG_NAME, ShownTable};
use gongkai_warehouse::schema::of_answers;
use tonic::Status;

use super::refused;
use crate::http::ApiError;

/// Kinds of tables.
const STORED: &str = "TABLE";
const MADE: &str = "VIEW";

fn internal(error: FlightError) -> Status {
    refused(&ApiError::internal(&error))
}

/// Rows of a listing.
type Listing = Result<RecordBatch, Status>;

/// The one catalogue.
pub fn catalogs(query: CommandGetCatalogs) -> Listing {
    let mut builder = query.into_builder();
    builder.append(CATALOG_NAME);
    builder.build().map_err(internal)
}

/// The schemas.
pub fn schemas(query: CommandGetDbSchemas, tables: &[ShownTable]) -> Listing {
    let mut builder = query.into_builder();
    let mut last = "";
    for table in tables {
        if table.schema != last {
            builder.append(CATALOG_NAME, &table.schema);
            last = &table.schema;
        }
    }
    builder.build().map_err(internal)
}

/// The tables, with their columns where they are asked for.
pub fn tables(query: CommandGetTables, tables: &[ShownTable]) -> Listing {
    let mut builder = query.into_builder();
    for table in tables {
        let kind = if table.is_stored { STORED } else { MADE };
        builder
            .append(CATALOG_NAME, &table.schema, &table.name, kind, &of_answers(&table.columns))
            .map_err(internal)?;
    }
    builder.build().map_err(internal)
}

/// The kinds of tables.
pub fn table_types(query: CommandGetTableTypes) -> Listing {
    let mut builder = query.into_builder();
    builder.append(STORED);
    builder.append(MADE);
    builder.build().map_err(internal)
}

/// What the server says of itself.
pub fn server_info() -> Result<SqlInfoData, Status> {
    let mut builder = SqlInfoDataBuilder::new();
    builder.append(SqlInfo::FlightSqlServerName, "Gongkai 公开");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    builder.append(SqlInfo::FlightSqlServerReadOnly, true);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(SqlInfo::FlightSqlServerTransaction, 0_i32);
    builder.append(SqlInfo::FlightSqlServerCancel, false);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    builder.build().map_err(internal)
}

/// The same, as asked for.
pub fn sql_info(query: CommandGetSqlInfo, data: &SqlInfoData) -> Listing {
    query.into_builder(data).build().map_err(internal)
}
