//! What does not get in, with which code, and how fast.

use std::time::{Duration, Instant};

use super::warehouse::{DEBT, Warehouse};
use crate::query::{TextLimits, scan};

/// Far above what a scan takes, far below what any of these takes in the parser.
const AT_ONCE: Duration = Duration::from_millis(200);

fn scan_code(sql: &str) -> (&'static str, Duration) {
    let start = Instant::now();
    let code = scan(sql, &TextLimits::default()).map_or_else(|error| error.code(), |_| "passed");
    (code, start.elapsed())
}

#[test]
fn statements_that_hang_the_parser_are_refused_by_counting() {
    let many = |part: &str, count: usize| part.repeat(count);
    for (name, sql) in [
        ("30 unclosed CAST", format!("SELECT {}", many("CAST(", 30))),
        ("48 nested CAST", format!("SELECT {}1{}", many("CAST(", 48), many(" AS INT)", 48))),
        ("15 CAST(CASE (", format!("SELECT {}1", many("CAST(CASE (", 15))),
        ("24 CAST((", format!("SELECT {}1{}", many("CAST((", 24), many(") AS INT)", 24))),
        ("60 SUBSTRING(", format!("SELECT {}", many("SUBSTRING(", 60))),
        ("20 abs(", format!("SELECT {}1{}", many("abs(", 20), many(")", 20))),
        ("3,000 +", format!("SELECT 1{}", many("+1", 3_000))),
        ("8,000 OR", format!("SELECT 1 WHERE 1=1{}", many(" OR 1", 8_000))),
        ("100,000 brackets", format!("SELECT {}", many("(", 60_000))),
        ("10,000 ::", format!("SELECT 1{}", many("::INT", 10_000))),
        ("200 ::", format!("SELECT 1{}", many("::BIGINT", 200))),
        ("3,000 UNION ALL", format!("SELECT 1{}", many(" UNION ALL SELECT 1", 3_000))),
        ("65 UNION", format!("SELECT 1{}", many(" UNION SELECT 1", 65))),
        ("51 NOT", format!("SELECT {}true", many("NOT ", 51))),
        ("51 signs", format!("SELECT {}1", many("- ", 51))),
        ("= NOT chain", format!("SELECT 1{}", many(" = NOT 1", 60))),
        ("lambda chain", format!("SELECT {}1", many("x -> ", 60))),
        ("ARRAY<ARRAY<", format!("SELECT CAST(NULL AS {}INT{})", many("ARRAY<", 60), many(">", 60))),
        ("INTERVAL chain", format!("SELECT {}'1'", many("INTERVAL ", 60))),
        ("nested CASE", format!("SELECT {}1", many("CASE WHEN ", 60))),
        ("subscripts", format!("SELECT a{} FROM t", many("[1]", 600))),
        ("9 subqueries", format!("SELECT {}1{}", many("(SELECT ", 9), many(")", 9))),
        ("long string", format!("SELECT '{}'", many("x", (16 << 10) + 1))),
        ("64 KiB + 1", format!("SELECT '{}'", many("x", (64 << 10) + 1 - 9))),
        ("tokens", format!("SELECT 1{}", many(",1", 6_000))),
        ("wrong bracket", "SELECT (1]".to_owned()),
        ("closed too often", "SELECT 1)".to_owned()),
    ] {
        let (code, took) = scan_code(&sql);
        assert_eq!(code, "sql_too_complex", "{name}");
        assert!(took < AT_ONCE, "{name} took {took:?}");
    }
}

#[tokio::test]
async fn statements_within_the_limits_parse_at_once_whatever_their_shape() {
    // Each shape as deep as the limits let it be, whole and cut off in front of the closing half.
    let warehouse = Warehouse::new();
    let mut slow: Vec<String> = Vec::new();
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("abs(", "1", ")"),
        ("replace(", "1", ",2,3)"),
        ("CAST(", "1", " AS INT)"),
        ("CAST((", "1", ") AS INT)"),
        ("TRY_CAST(", "1", " AS INT)"),
        ("SUBSTRING(", "'a'", " FROM 1)"),
        ("EXTRACT(YEAR FROM ", "x", ")"),
        ("TRIM(BOTH ' ' FROM ", "'a'", ")"),
        ("POSITION('a' IN ", "'a'", ")"),
        ("CASE WHEN ", "1", " THEN 1 END"),
        ("CASE (", "1", ") WHEN 1 THEN 1 END"),
        ("CAST(CASE (", "1", ") WHEN 1 THEN 1 END AS INT)"),
        ("(SELECT ", "1", ")"),
        ("(SELECT 1 FROM (SELECT ", "1", "))"),
        ("EXISTS (SELECT ", "1", ")"),
        ("1 IN (", "1", ")"),
        ("1 IN (SELECT ", "1", ")"),
        ("[", "1", "]"),
        ("ARRAY[", "1", "]"),
        ("{'a': ", "1", "}"),
        ("NOT (", "1", ")"),
        ("-(", "1", ")"),
        ("INTERVAL (", "1", ") DAY"),
        ("coalesce((SELECT ", "1", "), 2)"),
        ("STRUCT(", "1", ")"),
        ("count(DISTINCT ", "1", ")"),
        ("sum(1) OVER (PARTITION BY ", "1", ")"),
        ("CAST(NULL AS ARRAY<", "INT", ">)"),
        ("f(x -> ", "1", ")"),
        ("(1, ", "1", ")"),
        ("x[", "1", "]"),
        ("((1) + ", "1", ")"),
        ("DATE (", "1", ")"),
        ("ROW(", "1", ")"),
    ] {
        for prefix in ["SELECT ", "SELECT 1 FROM t WHERE "] {
            slow.extend(nest(&warehouse, prefix, open, inner, close).await);
        }
    }
    for (open, inner, close) in [
        ("(", "t", ")"),
        ("(SELECT * FROM ", "t", ")"),
        ("(t JOIN ", "t", " ON 1 = 1)"),
        ("LATERAL (SELECT * FROM ", "t", ")"),
    ] {
        slow.extend(nest(&warehouse, "SELECT * FROM ", open, inner, close).await);
    }
    slow.extend(nest(&warehouse, "", "(", "SELECT 1", ")").await);
    slow.extend(nest(&warehouse, "", "WITH t AS (", "SELECT 1", ") SELECT * FROM t").await);
    slow.extend(nest(&warehouse, "SELECT 1 ", "UNION (SELECT ", "1", ")").await);
    assert!(slow.is_empty(), "{slow:#?}");
}

/// The first statement of the shape that took too long, as a message.
async fn nest(warehouse: &Warehouse, prefix: &str, open: &str, inner: &str, close: &str) -> Option<String> {
    let statement =
        |depth: usize, closed: usize| format!("{prefix}{}{inner}{}", open.repeat(depth), close.repeat(closed));
    let limits = TextLimits::default();
    let deepest = (1..=30).take_while(|depth| scan(&statement(*depth, *depth), &limits).is_ok()).last().unwrap_or(0);
    for depth in 1..=deepest {
        let whole = statement(depth, depth);
        // The same brackets with nothing sensible inside them: errors are what makes the parser go back.
        let broken = whole.replace(inner, "! !");
        for sql in [whole, broken] {
            let start = Instant::now();
            let _ = warehouse.at(&warehouse.snapshot, &sql).await;
            let took = start.elapsed();
            if took > AT_ONCE * 5 {
                return Some(format!("{took:?} at depth {depth} of {deepest}: {sql}"));
            }
        }
    }
    None
}

#[tokio::test]
async fn statements_that_are_not_queries_are_refused() {
    let warehouse = Warehouse::new();
    for sql in [
        "CREATE TABLE t (a INT)",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE VIEW v AS SELECT 1",
        "DROP TABLE debt_stock",
        "ALTER TABLE debt_stock ADD COLUMN a INT",
        "INSERT INTO debt_stock SELECT * FROM debt_stock",
        "UPDATE debt_stock SET stage = 'x'",
        "DELETE FROM debt_stock",
        "MERGE INTO debt_stock USING debt_stock ON true WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE debt_stock",
        "COPY debt_stock TO '/tmp/x.csv'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "SHOW TABLES",
        "SHOW ALL",
        "DESCRIBE debt_stock",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "CALL p()",
        "USE restricted",
        "GRANT SELECT ON debt_stock TO public",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN VERBOSE SELECT 1",
        "EXPLAIN INSERT INTO debt_stock SELECT * FROM debt_stock",
        "EXPLAIN EXPLAIN SELECT 1",
        "EXPLAIN COPY debt_stock TO '/tmp/x'",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE debt_stock",
        "WITH x AS (INSERT INTO debt_stock SELECT 1) SELECT * FROM x",
        "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x) SELECT * FROM x",
        "SELECT * INTO t FROM debt_stock",
        "SELECT * FROM debt_stock FOR UPDATE",
        "SELECT @@version",
    ] {
        let error = warehouse.error(sql).await;
        assert!(["statement_not_allowed", "sql_syntax"].contains(&error.code()), "{sql}: {} {error}", error.code());
    }
    assert_eq!(warehouse.value("SELECT 1;").await, "1");
}

#[tokio::test]
async fn files_functions_and_hidden_things_have_their_codes() {
    let warehouse = Warehouse::new();
    for (sql, code) in [
        ("SELECT * FROM '/etc/passwd'", "table_not_found"),
        ("SELECT * FROM \"/etc/passwd\"", "table_not_found"),
        ("SELECT * FROM 'file:///etc/passwd'", "table_not_found"),
        ("SELECT * FROM \"s3://bucket/x.parquet\"", "table_not_found"),
        ("SELECT * FROM read_csv('/etc/passwd')", "function_not_allowed"),
        ("SELECT * FROM read_parquet('/etc/passwd')", "function_not_allowed"),
        ("SELECT * FROM generate_series(1, 1000000000)", "function_not_allowed"),
        ("SELECT * FROM range(1, 1000000000)", "function_not_allowed"),
        ("SELECT * FROM information_schema.views", "table_not_found"),
        ("SELECT * FROM pg_catalog.pg_class", "table_not_found"),
        ("SELECT pg_backend_pid()", "function_not_allowed"),
        ("SELECT * FROM information_schema.df_settings", "table_not_found"),
        ("SELECT * FROM pg_catalog.pg_class", "table_not_found"),
        ("SELECT * FROM restricted.debt_stock", "table_not_found"),
        ("SELECT * FROM staging.debt_stock", "table_not_found"),
        ("SELECT * FROM other.open.debt_stock", "table_not_found"),
        ("SELECT * FROM open.\"debt_stock@undeclared.1\"", "table_not_found"),
        ("SELECT * FROM open.\"debt_stock@air_city_hourly.1\"", "table_not_found"),
        ("SELECT repeat('x', 2147483647)", "function_not_allowed"),
        ("SELECT lpad('x', 2147483647)", "function_not_allowed"),
        ("SELECT array_repeat(1, 100000000)", "function_not_allowed"),
        ("SELECT generate_series(1, 1000000000)", "function_not_allowed"),
        ("SELECT arrow_cast(1, 'Int64')", "function_not_allowed"),
        ("SELECT input_file_name() FROM debt_stock", "function_not_allowed"),
        ("SELECT version()", "function_not_allowed"),
        ("SELECT overlay('abc' PLACING 'x' FROM 1)", "function_not_allowed"),
        ("SELECT {'a': 1}['a']", "function_not_allowed"),
        ("SELECT named_struct('a', 1)", "function_not_allowed"),
        ("SELECT nonsense(1)", "function_not_allowed"),
        ("SELECT source_region_code FROM debt_stock", "column_not_found"),
        ("SELECT nothing FROM debt_stock", "column_not_found"),
        ("SELECT 1 / 0", "query_failed"),
        ("SELECT CAST(region_name AS INT) FROM debt_stock", "query_failed"),
        ("SELECT (SELECT as_of_year FROM debt_stock)", "query_failed"),
        ("SELECT region_name + 1 + DATE '2024-01-01' FROM debt_stock", "sql_syntax"),
        ("SELECT region_name, sum(amount_yuan) FROM debt_stock", "sql_syntax"),
        ("SELEC 1", "sql_syntax"),
        ("SELECT 'open", "sql_syntax"),
        ("SELECT 1 +", "sql_syntax"),
        ("", "sql_syntax"),
        ("-- nothing", "sql_syntax"),
    ] {
        let error = warehouse.error(sql).await;
        assert_eq!(error.code(), code, "{sql}: {error}");
    }
}

#[tokio::test]
async fn small_texts_with_large_meanings_are_refused() {
    let warehouse = Warehouse::new();
    let columns: Vec<String> = (1..=24).map(|n| n.to_string()).collect();
    let columns = columns.join(",");
    let doubling: String = (1..26).map(|n| format!(", c{n} AS (SELECT a.x FROM c{0} a, c{0} b)", n - 1)).collect();
    let wide: String = (0..1_001).map(|n| format!("1 AS c{n},")).collect();
    for sql in [
        format!("SELECT 1 FROM debt_stock GROUP BY CUBE ({columns})"),
        "SELECT 1 FROM debt_stock GROUP BY CUBE (1,2,3), CUBE (4,5,6), ROLLUP (7,8)".to_owned(),
        format!("WITH c0 AS (SELECT 1 AS x){doubling} SELECT * FROM c25"),
        format!("SELECT 1 FROM debt_stock{}", ", debt_stock".repeat(32)),
        format!("SELECT {wide} 1"),
    ] {
        let start = Instant::now();
        let error = warehouse.error(&sql).await;
        assert_eq!(error.code(), "sql_too_complex", "{sql}: {error}");
        assert!(start.elapsed() < AT_ONCE * 10, "{:?} {sql}", start.elapsed());
    }
    assert_eq!(
        warehouse.rows("SELECT stage, form, count(*) FROM debt_stock GROUP BY CUBE (stage, form)").await.len(),
        4
    );
}

#[tokio::test]
async fn a_hidden_table_and_a_missing_one_give_the_same_answer() {
    let warehouse = Warehouse::new();
    for (hidden, missing) in [
        ("debt_stock@undeclared.1", "debt_stock@undeclared.2"),
        ("debt_stock@undeclared.1", &format!("debt_stock@{DEBT}.9")),
        ("debt_stock@undeclared.1", "nothing"),
    ] {
        let text = |name: &str| format!("SELECT * FROM open.\"{name}\"");
        let hidden_error = warehouse.error(&text(hidden)).await;
        let missing_error = warehouse.error(&text(missing)).await;
        assert_eq!(hidden_error.code(), missing_error.code());
        assert_eq!(hidden_error.to_string().replace(hidden, "?"), missing_error.to_string().replace(missing, "?"));
    }
}

#[tokio::test]
async fn messages_carry_no_paths_values_or_guesses() {
    let warehouse = Warehouse::new();
    let folder = warehouse.folder.path().display().to_string();
    let long = format!("SELECT * FROM \"{}\"", "x".repeat(5_000));
    std::fs::remove_file(warehouse.folder.path().join("releases").join(DEBT).join("2/data.parquet")).expect("a file");
    for sql in [
        "SELECT region_name FROM debt_stock",
        "SELECT CAST(region_name AS INT) FROM open.\"debt_stock@all\"",
        "SELECT region_nam FROM air_hourly",
        "SELECT coun(1)",
        "SELECT * FROM debt_stok",
        "SELECT sum(region_name, 1) FROM air_hourly",
        "SELECT regexp_like('a', '(')",
        "SELECT to_timestamp(geo_id) FROM air_hourly",
        long.as_str(),
    ] {
        let text = warehouse.error(sql).await.to_string();
        for leak in
            [folder.as_str(), "/", "parquet", "四川", "510400", "Did you mean", "Valid fields", "debt_stock.", "src"]
        {
            assert!(!text.contains(leak), "{sql}: {text}");
        }
        assert!(text.len() < 400, "{text}");
    }
    // What the storage said is kept for the log.
    let error = warehouse.error("SELECT region_name FROM debt_stock").await;
    assert_eq!(error.code(), "internal");
    assert!(std::error::Error::source(&error).is_some());
}
