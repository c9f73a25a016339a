-- id = "B03"
-- title = { zh = "其中项之和不超过上级行", en = "of-which lines are at most the line above" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "“其中”各项只列出上级行的一部分，其和不大于上级行", en = "lines printed as 其中 name parts of the line above; together they are at most that line" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "其中项之和", en = "sum of the of-which lines" }
-- rhs = { zh = "上级行", en = "line above" }
WITH line AS (
  SELECT l.*, coalesce(l.fund_name, '') AS fund, coalesce(l.transfer_kind, '') AS kind, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
), part AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, fund, kind, parent_path AS path, sum(amount_yuan) AS total,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE line_kind = 'of_which' AND parent_path <> '' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
)
SELECT concat_ws('/', t.region_id, t.scope, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.measure, t.line_path, t.transfer_kind, t.fund_name) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.published_header, t.fund_name, t.line_name, '的其中项') AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.measure, t.fund_name, t.line_name, '(of which)') AS subject_en,
  p.total AS lhs, t.amount_yuan AS rhs, p.addends, p.missing + CASE WHEN t.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing,
  CASE WHEN p.step > t.step OR t.step IS NULL THEN p.step ELSE t.step END AS step
FROM line AS t JOIN part AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage
  AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.measure = t.measure AND p.fund = t.fund AND p.kind = t.kind
  AND p.path = t.line_path
WHERE p.addends > 0
