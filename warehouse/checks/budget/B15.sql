-- id = "B15"
-- title = { zh = "支出明细表与收支总表、支出表合计一致", en = "the detailed tables agree on the expenditure of the year" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "本级支出表合计 = 支出表的本级支出；支出表合计 = 收支总表的本年支出；同一口径、阶段和文件", en = "the total of the table of own-level expenditure = the own-level total of the table of expenditure; that table = the summary, same scope, stage and publication" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "明细表合计", en = "total of the detailed table" }
-- rhs = { zh = "支出表或收支总表的本年支出", en = "expenditure of the year in the other table" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '12', '13') AND l.class_scheme = 'functional' AND l.class_code IS NULL
    AND l.line_kind IN ('total', 'subtotal')
), {shared.year_total}
SELECT concat_ws('/', d.region_id, d.scope, d.fiscal_year, d.stage, d.quoted_in, d.table_code, o.table_code, d.measure) AS scope_key,
  d.release_id, d.row_no, d.region_code,
  concat_ws(' ', d.region_name, concat(d.fiscal_year, '年'), d.published_header, '本年支出合计') AS subject_zh,
  concat_ws(' ', d.region_name, d.fiscal_year, d.measure, 'expenditure of the year') AS subject_en,
  d.amount_yuan AS lhs, o.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN d.amount_yuan IS NULL OR o.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, CASE WHEN d.step > o.step OR o.step IS NULL THEN d.step ELSE o.step END AS step
FROM year_total AS d JOIN year_total AS o ON o.region_id = d.region_id AND o.scope = d.scope AND o.fiscal_year = d.fiscal_year AND o.stage = d.stage
  AND o.quoted_in = d.quoted_in AND o.book = d.book AND o.measure = d.measure AND o.form < d.form
WHERE d.amount_yuan IS NOT NULL OR o.amount_yuan IS NOT NULL
