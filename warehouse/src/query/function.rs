//! A function of this product: a name, what it says of itself, and one piece of code over the catalogue.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_OTHER;
use datafusion::logical_expr::{ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use gongkai_catalog::Catalog;

use super::QueryError;

/// What a function computes: its arguments as arrays, one row for each of the answer.
pub(super) type Evaluate = fn(&Catalog, &Arguments<'_>) -> Result<ArrayRef>;

/// The arguments of one call.
pub(super) struct Arguments<'a>(&'a ScalarFunctionArgs);

impl Arguments<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.args.len()
    }

    /// An argument as an array of that type, one value per row.
    ///
    /// # Errors
    ///
    /// It has values that the type cannot hold.
    pub fn array(&self, index: usize, to: &DataType) -> Result<ArrayRef> {
        // One value for all rows is brought to its type once.
        match &self.0.args[index] {
            ColumnarValue::Scalar(value) => {
                let one = cast(&value.to_array()?, to)?;
                ScalarValue::try_from_array(&one, 0)?.to_array_of_size(self.0.number_rows)
            }
            ColumnarValue::Array(array) => Ok(cast(array, to)?),
        }
    }
}

/// A function over the catalogue.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    catalog: Arc<Catalog>,
    signature: Signature,
    returns: DataType,
    documentation: Documentation,
    evaluate: Evaluate,
}

/// What a function says of itself.
pub(super) struct Described {
    /// Name.
    pub name: &'static str,
    /// What it answers.
    pub description: &'static str,
    /// A call as it is written.
    pub syntax: &'static str,
    /// Arguments with their meaning.
    pub arguments: &'static [(&'static str, &'static str)],
}

impl Function {
    /// A function, ready to be registered.
    pub fn udf(
        catalog: &Arc<Catalog>,
        described: &Described,
        signature: Signature,
        returns: DataType,
        evaluate: Evaluate,
    ) -> Arc<ScalarUDF> {
        let documentation = Documentation::builder(DOC_SECTION_OTHER, described.description, described.syntax);
        let documentation = described
            .arguments
            .iter()
            .fold(documentation, |documentation, (name, meaning)| documentation.with_argument(*name, *meaning))
            .build();
        Arc::new(ScalarUDF::new_from_impl(Self {
            name: described.name,
            catalog: Arc::clone(catalog),
            signature,
            returns,
            documentation,
            evaluate,
        }))
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Array((self.evaluate)(&self.catalog, &Arguments(&args))?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// Two instances are one function if they have one name and look up in the same catalogue.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.catalog, &other.catalog)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        Arc::as_ptr(&self.catalog).hash(state);
    }
}

/// The refusal of an argument that is not one of a few words.
pub(super) fn refuse<T>(reason: &'static str) -> Result<T> {
    Err(DataFusionError::External(Box::new(QueryError::Failed { reason })))
}
