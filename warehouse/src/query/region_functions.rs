//! `region_name(code, date)` and `region_within(code, ancestor)` over the region list of the catalogue.
//!
//! A code without an entry gives NULL from both: what is not known is neither named nor denied.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Date32Type};
use datafusion::common::Result;
use datafusion::common::types::{logical_date, logical_string};
use datafusion::logical_expr::{
    Coercion, ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignatureClass, Volatility, scalar_doc_sections::DOC_SECTION_OTHER,
};
use gongkai_catalog::Catalog;

/// Both functions.
pub(super) fn all(catalog: &Arc<Catalog>) -> Vec<Arc<ScalarUDF>> {
    vec![
        Arc::new(ScalarUDF::new_from_impl(RegionName::new(Arc::clone(catalog)))),
        Arc::new(ScalarUDF::new_from_impl(RegionWithin::new(Arc::clone(catalog)))),
    ]
}

fn text() -> Coercion {
    Coercion::new_exact(TypeSignatureClass::Native(logical_string()))
}

fn date() -> Coercion {
    Coercion::new_implicit(
        TypeSignatureClass::Native(logical_date()),
        vec![TypeSignatureClass::Timestamp, TypeSignatureClass::Native(logical_string())],
        datafusion::common::types::NativeType::Date,
    )
}

/// The argument as an array of that type, one value per row.
fn argument(args: &ScalarFunctionArgs, index: usize, to: &DataType) -> Result<Arc<dyn Array>> {
    let array = args.args[index].to_array(args.number_rows)?;
    Ok(cast(&array, to)?)
}

#[derive(Debug)]
struct RegionName {
    catalog: Arc<Catalog>,
    signature: Signature,
    documentation: Documentation,
}

impl RegionName {
    fn new(catalog: Arc<Catalog>) -> Self {
        let documentation = Documentation::builder(
            DOC_SECTION_OTHER,
            "Official name that a region code had on a day; NULL where the code had none.",
            "region_name(code, date)",
        )
        .with_argument("code", "GB/T 2260 code")
        .with_argument("date", "Day for which the name is asked")
        .build();
        let signature = Signature::coercible(vec![text(), date()], Volatility::Immutable);
        Self { catalog, signature, documentation }
    }
}

impl ScalarUDFImpl for RegionName {
    fn name(&self) -> &str {
        "region_name"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let codes = argument(&args, 0, &DataType::Utf8View)?;
        let days = argument(&args, 1, &DataType::Date32)?;
        let codes = codes.as_string_view();
        let days = days.as_primitive::<Date32Type>();
        let names: StringViewArray = codes
            .iter()
            .zip(days.iter())
            .map(|(code, day)| {
                let day = Date32Type::to_naive_date_opt(day?)?;
                self.catalog.regions.name_on(code?, day)
            })
            .collect();
        Ok(ColumnarValue::Array(Arc::new(names)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

#[derive(Debug)]
struct RegionWithin {
    catalog: Arc<Catalog>,
    /// Codes of the regions above each code, under any of the entries the code has had.
    parents: HashMap<String, Vec<String>>,
    signature: Signature,
    documentation: Documentation,
}

impl RegionWithin {
    fn new(catalog: Arc<Catalog>) -> Self {
        let mut parents: HashMap<String, Vec<String>> = HashMap::new();
        for region in catalog.regions.iter() {
            let above = parents.entry(region.region_code.clone()).or_default();
            if let Some(parent) = region.parent_code.as_ref().filter(|parent| !above.contains(parent)) {
                above.push(parent.clone());
            }
        }
        let documentation = Documentation::builder(
            DOC_SECTION_OTHER,
            "Whether a region is the other one or lies below it, at any of the dates the region list covers.",
            "region_within(code, ancestor)",
        )
        .with_argument("code", "GB/T 2260 code")
        .with_argument("ancestor", "Code of the region above")
        .build();
        let signature = Signature::coercible(vec![text(), text()], Volatility::Immutable);
        Self { catalog, parents, signature, documentation }
    }

    fn is_within(&self, code: &str, ancestor: &str) -> Option<bool> {
        let mut level: Vec<&str> = vec![self.parents.get_key_value(code)?.0];
        // Five tiers at most; the bound also ends a cycle in a faulty list.
        for _ in 0..6 {
            if level.contains(&ancestor) {
                return Some(true);
            }
            level = level.iter().filter_map(|code| self.parents.get(*code)).flatten().map(String::as_str).collect();
        }
        Some(false)
    }
}

impl ScalarUDFImpl for RegionWithin {
    fn name(&self) -> &str {
        "region_within"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let codes = argument(&args, 0, &DataType::Utf8View)?;
        let ancestors = argument(&args, 1, &DataType::Utf8View)?;
        let within: BooleanArray = codes
            .as_string_view()
            .iter()
            .zip(ancestors.as_string_view().iter())
            .map(|(code, ancestor)| self.is_within(code?, ancestor?))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(within)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

// Two instances are one function if they look up in the same catalogue.
macro_rules! equal_by_catalogue {
    ($function:ty) => {
        impl PartialEq for $function {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.catalog, &other.catalog)
            }
        }

        impl Eq for $function {}

        impl Hash for $function {
            fn hash<H: Hasher>(&self, state: &mut H) {
                Arc::as_ptr(&self.catalog).hash(state);
            }
        }
    };
}

equal_by_catalogue!(RegionName);
equal_by_catalogue!(RegionWithin);
