-- id = "B24"
-- title = { zh = "决算、执行表引用的预算数与公布的预算一致", en = "the budget quoted in later tables is the budget released" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "决算表、执行情况表和下年预算草案的“预算数”= 当年公布的预算该行的预算数，同一口径", en = "the column 预算数 of final accounts, execution tables and the next draft budget = the figure of that line in the budget released for the year, same scope" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "引用的预算数", en = "budget as quoted" }
-- rhs = { zh = "公布的预算数", en = "budget as released" }
WITH line AS (
  -- The table of own-level expenditure is 12 or 13, as the department numbers it.
  SELECT l.*, left(l.table_code, 2) AS book, CASE right(l.table_code, 2) WHEN '13' THEN '12' ELSE right(l.table_code, 2) END AS form, coalesce(l.fund_name, '') AS fund, coalesce(l.transfer_kind, '') AS kind, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) <> '61'
), quoting AS (
  SELECT * FROM line WHERE stage = 'BUDGET' AND (book <> 'GB' OR quoted_in > fiscal_year)
), released AS (
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, fiscal_year, stage, form, line_path, fund, kind ORDER BY table_code, measure) AS turn
  FROM line WHERE stage = 'BUDGET' AND book = 'GB' AND quoted_in = fiscal_year
)
SELECT concat_ws('/', q.region_id, q.scope, q.fiscal_year, q.stage, q.quoted_in, q.table_code, q.measure, q.line_path, q.transfer_kind, q.fund_name) AS scope_key,
  q.release_id, q.row_no, q.region_code,
  concat_ws(' ', q.region_name, concat(q.quoted_in, '年的表'), q.published_header, q.class_code, q.line_name, q.fund_name) AS subject_zh,
  concat_ws(' ', q.region_name, q.fiscal_year, q.measure, 'as quoted in', q.quoted_in, q.class_code, q.line_name, q.fund_name) AS subject_en,
  q.amount_yuan AS lhs, r.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN q.amount_yuan IS NULL OR r.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, CASE WHEN q.step > r.step OR r.step IS NULL THEN q.step ELSE r.step END AS step
FROM quoting AS q JOIN released AS r ON r.region_id = q.region_id AND r.scope = q.scope AND r.fiscal_year = q.fiscal_year AND r.stage = q.stage
  AND r.form = q.form AND r.line_path = q.line_path AND r.fund = q.fund AND r.kind = q.kind AND r.turn = 1
-- A blank quotes nothing.
WHERE q.amount_yuan IS NOT NULL AND (q.amount_yuan <> 0 OR r.amount_yuan <> 0) OR q.value_state = 'set_aside'
