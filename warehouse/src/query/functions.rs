//! The functions that SQL has here, by their canonical names.
//!
//! The lists are the product's choice, not the engine's. Every built-in function of the engine stands in one
//! of them or in [`REFUSED`], and a test fails as soon as an upgrade brings one that stands in neither.
//!
//! Left out are functions whose result can be far larger than their arguments (`repeat`, `lpad`,
//! `generate_series`), whose cost is beyond their length (`levenshtein`), that name types or files in text
//! (`arrow_cast`, `input_file_name`), and that tell about the process (`version`). Some that make large values
//! of small ones (`concat`, `regexp_replace`, `string_agg`) have a bound on what they make, and so has the
//! operator `||` (`capped`).

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::execution::{SessionState, SessionStateDefaults};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};
use gongkai_catalog::Catalog;

use super::{air_functions, capped, day_functions, region_functions, unit_functions};

/// Scalar functions of the engine that are available.
pub const SCALAR: &[&str] = &[
    // Choice and missing values
    "coalesce",
    "greatest",
    "least",
    "nanvl",
    "nullif",
    "nvl",
    "nvl2",
    // Numbers
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    // Text
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "ends_with",
    "find_in_set",
    "initcap",
    "left",
    "lower",
    "ltrim",
    "octet_length",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "to_hex",
    "translate",
    "upper",
    "uuid",
    // Dates and times
    "current_date",
    "current_time",
    "date_bin",
    "date_part",
    "date_trunc",
    "from_unixtime",
    "make_date",
    "make_time",
    "now",
    "to_char",
    "to_date",
    "to_local_time",
    "to_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_nanos",
    "to_timestamp_seconds",
    "to_unixtime",
    // Lists, as far as array_agg needs them
    "array_element",
    "array_has",
    "array_length",
    "array_to_string",
    "cardinality",
    "empty",
    "make_array",
    "string_to_array",
    // Types
    "arrow_typeof",
];

/// Aggregate functions that are available.
pub const AGGREGATE: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "approx_percentile_cont_with_weight",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "median",
    "min",
    "nth_value",
    "percentile_cont",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "string_agg",
    "sum",
    "var",
    "var_pop",
];

/// Window functions that are available, beside every aggregate.
pub const WINDOW: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// Functions of this product.
pub const OWN: &[&str] = &[
    "aqi_level",
    "aqi_standard",
    "day_end",
    "due_at",
    "due_date",
    "iaqi",
    "published_step",
    "region_name",
    "region_within",
    "workdays_between",
];

/// Built-in functions that are known and left out.
pub const REFUSED: &[&str] = &[
    "array_add",
    "array_any_value",
    "array_append",
    "array_avg",
    "array_compact",
    "array_concat",
    "array_dims",
    "array_distance",
    "array_distinct",
    "array_except",
    "array_has_all",
    "array_has_any",
    "array_intersect",
    "array_max",
    "array_min",
    "array_ndims",
    "array_normalize",
    "array_pop_back",
    "array_pop_front",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_product",
    "array_remove",
    "array_remove_all",
    "array_remove_n",
    "array_repeat",
    "array_replace",
    "array_replace_all",
    "array_replace_n",
    "array_resize",
    "array_reverse",
    "array_scale",
    "array_slice",
    "array_sort",
    "array_subtract",
    "array_sum",
    "array_union",
    "arrays_zip",
    "arrow_cast",
    "arrow_field",
    "arrow_metadata",
    "arrow_try_cast",
    "cast_to_type",
    "cosine_distance",
    "decode",
    "digest",
    "encode",
    "file_row_index",
    "flatten",
    "generate_series",
    "get_field",
    "inner_product",
    "input_file_name",
    "levenshtein",
    "lpad",
    "map",
    "map_entries",
    "map_extract",
    "map_keys",
    "map_values",
    "md5",
    "named_struct",
    "overlay",
    "range",
    "repeat",
    "rpad",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "struct",
    "try_cast_to_type",
    "union_extract",
    "union_tag",
    "version",
    "with_metadata",
];

/// The functions of one process, ready to be handed to every session.
#[derive(Debug, Clone)]
pub(super) struct Functions {
    pub scalar: Vec<Arc<ScalarUDF>>,
    pub aggregate: Vec<Arc<AggregateUDF>>,
    pub window: Vec<Arc<WindowUDF>>,
    names: HashSet<String>,
}

impl Functions {
    /// The listed functions of the engine, and the product's own over `catalog`.
    pub fn new(catalog: &Arc<Catalog>) -> Self {
        let scalar: Vec<Arc<ScalarUDF>> = SessionStateDefaults::default_scalar_functions()
            .into_iter()
            .filter(|function| SCALAR.contains(&function.name()))
            .map(capped::scalar)
            .chain(region_functions::all(catalog))
            .chain(air_functions::all(catalog))
            .chain(day_functions::all(catalog))
            .chain(unit_functions::all(catalog))
            .collect();
        let aggregate: Vec<Arc<AggregateUDF>> = SessionStateDefaults::default_aggregate_functions()
            .into_iter()
            .filter(|function| AGGREGATE.contains(&function.name()))
            .map(capped::aggregate)
            .collect();
        let window: Vec<Arc<WindowUDF>> = SessionStateDefaults::default_window_functions()
            .into_iter()
            .filter(|function| WINDOW.contains(&function.name()))
            .collect();
        let names = scalar
            .iter()
            .flat_map(|function| with_aliases(function.name(), function.aliases()))
            .chain(aggregate.iter().flat_map(|function| with_aliases(function.name(), function.aliases())))
            .chain(window.iter().flat_map(|function| with_aliases(function.name(), function.aliases())))
            .collect();
        Self { scalar, aggregate, window, names }
    }

    /// These, and every scalar function that a session has besides.
    pub fn with_all_of(&self, state: &SessionState) -> Self {
        let mut all = self.clone();
        all.names.extend(state.scalar_functions().keys().cloned());
        all
    }

    /// Whether a call of that name, canonical or alias, may stand in a statement or a plan.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

fn with_aliases(name: &str, aliases: &[String]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(aliases.iter().cloned()).collect()
}
