//! Notebooks, executed over a warehouse of the samples; their outputs against the product's own answers.

use std::path::Path;
use std::process::Command;

use gongkai_tests::{root, skip, up_samples, value};
use serde_json::Value;

/// What the code cells of a notebook gave, in order; nothing where it cannot run here.
fn execute(name: &str, data: &Path) -> Option<Vec<Value>> {
    let Some(python) = std::env::var_os("GONGKAI_PYTHON") else {
        skip("notebooks", "no Python environment (GONGKAI_PYTHON)");
        return None;
    };
    let modules = Command::new(&python).args(["-c", "import nbclient, ipykernel, polars, duckdb, matplotlib"]).output();
    if !modules.is_ok_and(|output| output.status.success()) {
        skip("notebooks", "packages of tests/requirements.txt are not installed");
        return None;
    }
    let output = Command::new(&python)
        .arg(root().join("tests/execute_notebook.py"))
        .arg(root().join("notebooks").join(name))
        .env("GONGKAI_DATA", data)
        .output()
        .unwrap_or_else(|error| panic!("python does not start: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("no Chinese font is installed") {
        skip("notebooks", "no Chinese font is installed, such as Debian's fonts-wqy-zenhei");
        return None;
    }
    assert!(output.status.success(), "{name}: {said}");
    let cells = String::from_utf8_lossy(&output.stdout);
    Some(cells.lines().map(|line| serde_json::from_str(line).expect("a cell as JSON")).collect())
}

/// The text output of the first cell whose source has these words.
fn output<'a>(cells: &'a [Value], words: &str, kind: &str) -> &'a str {
    let cell = cells.iter().find(|cell| cell["source"].as_str().is_some_and(|source| source.contains(words)));
    let outputs = cell.unwrap_or_else(|| panic!("no cell has {words:?}"))["outputs"].as_array().expect("outputs");
    let found = outputs.iter().find(|output| output["kind"] == kind);
    found.unwrap_or_else(|| panic!("{words:?} gave no {kind}: {outputs:?}"))["content"].as_str().expect("text")
}

#[test]
fn the_first_notebook_runs_and_agrees_with_sql() {
    let folder = tempfile::tempdir().expect("folder");
    let data = folder.path().join("data");
    up_samples(&data);
    let Some(cells) = execute("getting-started.ipynb", &data) else { return };

    assert!(output(&cells, "plt.show()", "image/png").ends_with("characters"));
    let debt = output(&cells, "debt = (", "text/plain");
    // Public figures of 2022 and 2023 are in the samples; the synthetic 2024 release is left out by the notebook.
    for (year, measure) in [("2022", "limit"), ("2022", "balance"), ("2023", "limit"), ("2023", "balance")] {
        let amount = value(
            &data,
            &format!(
                "SELECT amount_yuan FROM debt_stock WHERE region_code = '510400' AND scope = 'area' \
                 AND debt_kind = 'total' AND measure = '{measure}' AND as_of_year = {year}"
            ),
        );
        assert!(debt.contains(&amount), "{year} {measure} {amount} is not in\n{debt}");
    }
    assert!(!debt.contains("2024"), "a synthetic release is among the published ones:\n{debt}");
    let months = value(
        &data,
        "SELECT count(*) FROM cpi_monthly WHERE base_kind = 'yoy' AND population = 'all' AND item_code = 'total' AND data_year = 2024",
    );
    let prices = output(&cells, "duckdb.execute", "text/plain");
    let row = prices.lines().find(|line| line.contains("2024")).unwrap_or_else(|| panic!("no 2024 in\n{prices}"));
    assert!(row.contains(&format!(" {months} ")), "{months} months, not {row:?}");
    let traced = output(&cells, "openpyxl.load_workbook", "text/plain");
    let raw = traced.split("'raw_text': '").nth(1).and_then(|rest| rest.split('\'').next()).expect("raw text");
    assert!(traced.contains(&format!("'openpyxl reads': {raw}")), "{traced}");
}

#[test]
fn notebooks_are_kept_without_outputs() {
    for entry in std::fs::read_dir(root().join("notebooks")).expect("folder").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "ipynb") {
            let text = std::fs::read(&path).expect("readable");
            let notebook: Value = serde_json::from_slice(&text).expect("a notebook");
            for cell in notebook["cells"].as_array().expect("cells") {
                let is_clean = cell["outputs"].as_array().is_none_or(Vec::is_empty);
                assert!(is_clean, "{} has outputs; clear them before it is committed", path.display());
            }
        }
    }
}
