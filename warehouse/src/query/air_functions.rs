//! `iaqi(pollutant, period, value, date)`, `aqi_standard(date)` and `aqi_level(aqi)`: the air quality index by the standard of the
//! data's date.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, Int32Array, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ScalarUDF, Signature, TypeSignature, Volatility};
use gongkai_catalog::air_quality::{self, Rounding};
use gongkai_catalog::{Catalog, Exact};

use super::function::{Described, Function, refuse};

/// Decimals of a concentration: more than any instrument gives.
const SCALE: i8 = 6;

/// All of them.
pub(super) fn all(catalog: &Arc<Catalog>) -> Vec<Arc<ScalarUDF>> {
    vec![iaqi(catalog), aqi_standard(catalog), aqi_level(catalog)]
}

fn iaqi(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "iaqi",
        description: "Individual air quality index of a concentration, in exact arithmetic, by the edition of HJ 633 that holds for \
                      the date of the data. NULL where the pollutant has no index for the period, or none so high.",
        syntax: "iaqi(pollutant, period, value, date[, rounding])",
        arguments: &[
            ("pollutant", "SO2, NO2, PM10, PM25, O3 or CO"),
            ("period", "1h, 8h or 24h"),
            ("value", "Concentration in µg/m³, of CO in mg/m³; rounded first as HJ 633 rounds"),
            ("date", "Day that the data are of"),
            ("rounding", "'up', as the standard says and where it is left out, or 'nearest', as many pages print"),
        ],
    };
    let signature = Signature::one_of(vec![TypeSignature::Any(4), TypeSignature::Any(5)], Volatility::Immutable);
    Function::udf(catalog, &described, signature, DataType::Int32, |catalog, args| {
        let (pollutants, periods) = (args.array(0, &DataType::Utf8View)?, args.array(1, &DataType::Utf8View)?);
        let values = args.array(2, &DataType::Decimal128(38, SCALE))?;
        let days = args.array(3, &DataType::Date32)?;
        let rounding = match args.len() {
            4 => Rounding::Up,
            _ => rounding(args.array(4, &DataType::Utf8View)?.as_string_view())?,
        };
        let rows = pollutants.as_string_view().iter().zip(periods.as_string_view().iter());
        let rows =
            rows.zip(values.as_primitive::<Decimal128Type>().iter().zip(days.as_primitive::<Date32Type>().iter()));
        let indices = rows.map(|((pollutant, period), (value, day))| {
            let day = Date32Type::to_naive_date_opt(day?)?;
            catalog.air_quality.iaqi(pollutant?, period?, Exact::new(value?, SCALE as u8), day, rounding)
        });
        Ok(Arc::new(indices.collect::<Int32Array>()))
    })
}

/// The rounding that a call asks for, one for all of its rows.
fn rounding(words: &StringViewArray) -> Result<Rounding> {
    match words.iter().next().flatten() {
        Some("nearest") if words.iter().all(|word| word == Some("nearest")) => Ok(Rounding::Nearest),
        None if words.is_empty() => Ok(Rounding::Up),
        Some("up") if words.iter().all(|word| word == Some("up")) => Ok(Rounding::Up),
        _ => refuse("the rounding of iaqi is 'up' or 'nearest'"),
    }
}

fn aqi_standard(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "aqi_standard",
        description: "Edition of HJ 633 that holds for the data of a day; its break points stand in ref.breakpoint.",
        syntax: "aqi_standard(date)",
        arguments: &[("date", "Day that the data are of")],
    };
    let signature = Signature::any(1, Volatility::Immutable);
    Function::udf(catalog, &described, signature, DataType::Utf8View, |catalog, args| {
        let days = args.array(0, &DataType::Date32)?;
        let editions = days.as_primitive::<Date32Type>().iter().map(|day| {
            let day = Date32Type::to_naive_date_opt(day?)?;
            catalog.air_quality.edition(day)
        });
        Ok(Arc::new(editions.collect::<StringViewArray>()))
    })
}

fn aqi_level(catalog: &Arc<Catalog>) -> Arc<ScalarUDF> {
    let described = Described {
        name: "aqi_level",
        description: "Level of an air quality index, 1 (excellent) to 6 (severely polluted); names and colours stand in ref.aqi_level.",
        syntax: "aqi_level(aqi)",
        arguments: &[("aqi", "Air quality index, a whole number of at least 0")],
    };
    let signature = Signature::any(1, Volatility::Immutable);
    Function::udf(catalog, &described, signature, DataType::Int32, |_, args| {
        let indices = args.array(0, &DataType::Int64)?;
        let levels = indices.as_primitive::<Int64Type>().iter().map(|aqi| air_quality::level(aqi?));
        Ok(Arc::new(levels.collect::<Int32Array>()))
    })
}
