//! `published_step(unit, scale)`: how far two figures of a printed unit and scale are apart at least.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, Decimal128Array};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ScalarUDF, Signature, Volatility};
use gongkai_catalog::{Catalog, Exact};

use super::function::{Described, Function};

/// Digits and decimals of a step: that of checks, in base units.
const PRECISION: u8 = 38;
const SCALE: u8 = crate::check::SCALE;

/// The function.
pub(super) fn all(catalog: &Arc<Catalog>) -> Vec<Arc<ScalarUDF>> {
    let described = Described {
        name: "published_step",
        description: "Step of a printed figure in base units: 万元 with two decimals moves by 100 yuan. Rounding explains half of it for each \
                      figure. NULL for a unit that is not declared and a scale that is not known.",
        syntax: "published_step(unit, scale)",
        arguments: &[
            ("unit", "Id of the unit, as in published_unit"),
            ("scale", "Decimals printed, as in published_scale"),
        ],
    };
    let signature = Signature::any(2, Volatility::Immutable);
    let step =
        Function::udf(catalog, &described, signature, DataType::Decimal128(PRECISION, SCALE as i8), |catalog, args| {
            let (units, scales) = (args.array(0, &DataType::Utf8View)?, args.array(1, &DataType::Int64)?);
            let pairs = units.as_string_view().iter().zip(scales.as_primitive::<Int64Type>().iter());
            let steps = pairs.map(|(unit, scale)| step(catalog, unit?, u8::try_from(scale?).ok()?));
            Ok(Arc::new(steps.collect::<Decimal128Array>().with_precision_and_scale(PRECISION, SCALE as i8)?))
        });
    vec![step]
}

fn step(catalog: &Catalog, unit: &str, scale: u8) -> Option<i128> {
    let factor: Exact = catalog.units.get(unit)?.factor;
    let step = Exact::new(factor.digits(), factor.scale().checked_add(scale)?);
    Some(step.rescale(SCALE)?.digits())
}
