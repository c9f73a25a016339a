-- id = "B38"
-- title = { zh = "一般公共预算支出表与财政拨款总表一致，等于基本支出加项目支出", en = "general public budget expenditure agrees with the summary of appropriations and adds up" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "一般公共预算支出表小计 = 财政拨款收支总表的一般公共预算支出；小计 = 基本支出 + 项目支出", en = "general public budget expenditure = that of the summary of appropriations; total = basic + project" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "一般公共预算支出表", en = "table of general public budget expenditure" }
-- rhs = { zh = "财政拨款总表，或基本支出加项目支出", en = "summary of appropriations, or basic and project" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book,
    published_step(l.published_unit, l.published_scale) AS step
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB04', 'DF04', 'DB05', 'DF05') AND l.side = 'expenditure' AND l.fund_source = 'general' AND NOT l.is_nil
), kind AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, line_path, sum(amount_yuan) AS amount_yuan,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE table_code IN ('DB05', 'DF05') AND split IN ('basic', 'project') GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), identity AS (
  SELECT t.*, 'summary' AS what, s.amount_yuan AS other, 1 AS addends,
    CASE WHEN t.value_state = 'set_aside' OR s.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing, s.step AS other_step
  FROM line AS t JOIN line AS s ON s.region_id = t.region_id AND s.org_id = t.org_id AND s.unit_org_id = t.unit_org_id
    AND s.fiscal_year = t.fiscal_year AND s.stage = t.stage AND s.quoted_in = t.quoted_in AND s.book = t.book
    AND s.table_code IN ('DB04', 'DF04') AND s.line_path IN ('T/本年支出合计', 'T/本年支出') AND s.split = 'total'
  WHERE t.table_code IN ('DB05', 'DF05') AND t.split = 'total' AND t.line_path = 'T/合计'
  UNION ALL
  SELECT t.*, 'kinds', k.amount_yuan, k.addends, k.missing + CASE WHEN t.value_state = 'set_aside' THEN 1 ELSE 0 END, k.step
  FROM line AS t JOIN kind AS k ON k.region_id = t.region_id AND k.org_id = t.org_id AND k.unit_org_id = t.unit_org_id
    AND k.fiscal_year = t.fiscal_year AND k.stage = t.stage AND k.quoted_in = t.quoted_in AND k.table_code = t.table_code
    AND k.line_path = t.line_path
  WHERE t.split = 'total' AND (k.addends > 0 OR k.missing > 0)
)
SELECT concat_ws('/', region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, what, line_path) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), CASE stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END, class_code, line_name,
    CASE what WHEN 'summary' THEN '与财政拨款收支总表' ELSE '等于基本支出加项目支出' END) AS subject_zh,
  concat_ws(' ', org_name, fiscal_year, stage, class_code, line_name,
    CASE what WHEN 'summary' THEN 'and the summary of appropriations' ELSE 'and its kinds' END) AS subject_en,
  amount_yuan AS lhs, other AS rhs, addends, missing,
  CASE WHEN other_step > step OR step IS NULL THEN other_step ELSE step END AS step
FROM identity
