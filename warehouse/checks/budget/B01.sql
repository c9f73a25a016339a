-- id = "B01"
-- title = { zh = "合计列等于各分列之和", en = "a total column equals the columns that make it up" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "同一行的“合计”列 = 各险种、各类转移支付等分列之和；按地区的转移支付表由 B16 核对", en = "the column 合计 of a line = the columns of schemes or kinds of transfer; tables of transfers by region are tested by B16" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "合计列", en = "total column" }
-- rhs = { zh = "分列之和", en = "sum of columns" }
WITH line AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step,
    CASE WHEN l.fund_name = '合计' THEN 'total' WHEN l.fund_name <> '' THEN 'part' WHEN l.transfer_kind = 'total' THEN 'total'
      WHEN l.transfer_kind <> '' THEN 'part' END AS place
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) NOT IN ('15', '34') AND (l.fund_name <> '' OR l.transfer_kind <> '')
), part AS (
  -- A blank is no addend: the line does not exist for that column.
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, line_path, sum(amount_yuan) AS total,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE place = 'part' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT concat_ws('/', t.region_id, t.scope, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.measure, t.line_path) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.published_header, t.line_name) AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.measure, t.line_name) AS subject_en,
  t.amount_yuan AS lhs, p.total AS rhs, p.addends,
  p.missing + CASE WHEN t.amount_yuan IS NULL OR p.addends = 0 THEN 1 ELSE 0 END AS missing,
  CASE WHEN p.step > t.step OR t.step IS NULL THEN p.step ELSE t.step END AS step
FROM line AS t JOIN part AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage
  AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.measure = t.measure AND p.line_path = t.line_path
WHERE t.place = 'total' AND (t.amount_yuan IS NOT NULL OR p.addends > 0)
