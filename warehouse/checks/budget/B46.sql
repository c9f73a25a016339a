-- id = "B46"
-- title = { zh = "债务付息支出等于一般债务付息额", en = "interest in the general public budget is the interest of general debt" }
-- tables = ["gov_budget_line", "debt_flow"]
-- basis = { zh = "一般公共预算本级 232 债务付息支出 = 债务表的本级一般债务付息额", en = "general public budget, own level: 232 interest = interest of general debt in the debt tables" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "预算", en = "budget" }
-- rhs = { zh = "债务表", en = "debt tables" }
-- # Two books meet here, so the years in which they were printed differ; year, stage and level are the same.
WITH line AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step,
    row_number() OVER (PARTITION BY l.region_id, l.fiscal_year, l.stage, l.quoted_in
      ORDER BY CASE WHEN l.amount_yuan IS NULL THEN 1 ELSE 0 END, CASE WHEN right(l.table_code, 2) = '01' THEN 1 ELSE 0 END, l.table_code, l.row_no) AS place
  FROM gov_budget_line AS l
  WHERE l.scope = 'own' AND l.table_code LIKE 'G%' AND right(l.table_code, 2) IN ('01', '12', '13') AND l.line_name = '债务付息支出'
), interest AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.scope = 'own' AND l.flow = 'interest' AND l.debt_kind = 'general'
)
SELECT concat_ws('/', b.region_id, b.fiscal_year, b.stage, b.quoted_in, d.table_code, d.quoted_in) AS scope_key,
  b.release_id, b.row_no, b.region_code, concat_ws(' ', b.region_name, concat(b.fiscal_year, '年本级'), '债务付息支出') AS subject_zh,
  concat_ws(' ', b.region_name, b.fiscal_year, 'own level, interest of general debt') AS subject_en,
  b.amount_yuan AS lhs, d.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN b.amount_yuan IS NULL OR d.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, greatest(b.step, d.step) AS step
FROM line AS b
JOIN interest AS d ON d.region_id = b.region_id AND d.year = b.fiscal_year AND d.stage = b.stage
WHERE b.place = 1
