-- id = "B25"
-- title = { zh = "引用的上年数与上年公布的一致", en = "last year as quoted is last year as published" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "表中所列上年决算数 = 上年决算表（含收支决算总表）的决算数，上年执行数 = 上年执行情况表的执行数；口径调整的应注明“同口径”", en = "last year's final figure in a table = that of last year's final accounts, summaries of them included, last year's execution = that of last year's execution table; a changed basis should be noted as 同口径" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "引用的上年数", en = "last year as quoted" }
-- rhs = { zh = "上年公布的数", en = "last year as published" }
WITH line AS (
  -- The table of own-level expenditure is 12 or 13, as the department numbers it.
  SELECT l.*, left(l.table_code, 2) AS book, CASE right(l.table_code, 2) WHEN '13' THEN '12' ELSE right(l.table_code, 2) END AS form, coalesce(l.fund_name, '') AS fund, coalesce(l.transfer_kind, '') AS kind, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) <> '61'
), quoting AS (
  SELECT * FROM line WHERE stage IN ('FINAL', 'ESTIMATE') AND quoted_in > fiscal_year
), released AS (
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, fiscal_year, stage, form, line_path, fund, kind ORDER BY table_code, measure) AS turn
  FROM line WHERE quoted_in = fiscal_year AND (
    -- Summaries 01 to 03 carry one code for execution and for final accounts: a final figure of the table's own year is one of the accounts.
    stage = 'FINAL' AND (book = 'GF' OR book = 'GE' AND form IN ('01', '02', '03')) OR stage = 'ESTIMATE' AND book = 'GE')
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
