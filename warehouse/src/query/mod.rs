//! The one door for SQL.
