//! Columns from polars to arrow-rs by the Arrow C data interface, without copying.
//!
//! The only unsafe code of the crate. Invariant: each exported structure is taken exactly once, by value, and
//! an empty one is left behind, so that nothing is released twice.

use arrow::array::{ArrayRef, make_array};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use polars::prelude::{Column, CompatLevel};

/// The column as an arrow-rs array; texts come as plain UTF-8.
pub(super) fn to_arrow(column: &Column) -> Result<ArrayRef, ArrowError> {
    let series = column.as_materialized_series().rechunk();
    let field = series.dtype().to_arrow_field(series.name().clone(), CompatLevel::newest());
    let array = import(
        polars_arrow::ffi::export_array_to_c(series.to_arrow(0, CompatLevel::newest())),
        polars_arrow::ffi::export_field_to_c(&field),
    )?;
    if array.data_type() == &DataType::Utf8View { cast(&array, &DataType::Utf8) } else { Ok(array) }
}

#[allow(
    unsafe_code,
    reason = "both crates implement the Arrow C data interface; the structures have one layout by its specification"
)]
fn import(
    mut array: polars_arrow::ffi::ArrowArray,
    mut schema: polars_arrow::ffi::ArrowSchema,
) -> Result<ArrayRef, ArrowError> {
    const {
        assert!(size_of::<polars_arrow::ffi::ArrowArray>() == size_of::<FFI_ArrowArray>());
        assert!(size_of::<polars_arrow::ffi::ArrowSchema>() == size_of::<FFI_ArrowSchema>());
    }
    // SAFETY: the pointers are to live, exported structures; `from_raw` moves their content out and leaves
    // released ones behind, whose destructors do nothing.
    let (array, schema) = unsafe {
        (FFI_ArrowArray::from_raw((&raw mut array).cast()), FFI_ArrowSchema::from_raw((&raw mut schema).cast()))
    };
    // SAFETY: the structures were exported together by polars, so that the array has the schema's type.
    let data = unsafe { from_ffi(array, &schema) }?;
    Ok(make_array(data))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::UInt32Type;
    use polars::prelude::{NamedFrom, Series};

    use super::*;

    #[test]
    fn numbers_and_texts_cross_with_their_nulls() {
        let numbers = Column::from(Series::new("n".into(), [Some(7_u32), None, Some(9)]));
        let array = to_arrow(&numbers).expect("an array");
        let array = array.as_primitive::<UInt32Type>();
        assert_eq!((array.value(0), array.is_null(1), array.value(2)), (7, true, 9));
        let texts = Column::from(Series::new("t".into(), ["攀枝花市的名字比十二个字节长", ""]));
        let array = to_arrow(&texts).expect("an array");
        assert_eq!(array.as_string::<i32>().value(0), "攀枝花市的名字比十二个字节长");
    }
}
