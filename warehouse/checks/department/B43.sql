-- id = "B43"
-- title = { zh = "项目支出表与一般公共预算支出表的项目支出一致", en = "the table of projects agrees with general public expenditure on projects" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "项目支出表各项目的本年一般公共预算拨款之和 = 一般公共预算支出表的项目支出合计", en = "the sum of the year's general public money of the projects = expenditure on projects in the table of general public expenditure" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "各项目之和", en = "sum of projects" }
-- rhs = { zh = "一般公共预算项目支出", en = "general public expenditure on projects" }
WITH project AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, sum(amount_yuan) AS amount_yuan, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN published_step(published_unit, published_scale) END) AS step,
    min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place
  FROM dept_budget_line
  WHERE table_code = 'DB10' AND fund_source = 'general' AND split = 'project' AND is_leaf AND line_kind = 'detail' AND NOT is_nil
  GROUP BY 1, 2, 3, 4, 5
), general AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step FROM dept_budget_line AS l
  WHERE l.table_code = 'DB05' AND l.fund_source = 'general' AND l.split = 'project' AND l.line_path = 'T/合计' AND l.unit_org_id = l.org_id AND NOT l.is_nil
)
SELECT concat_ws('/', g.region_id, g.org_id, g.fiscal_year, g.stage, g.quoted_in) AS scope_key,
  split_part(p.place, '#', 1) AS release_id, CAST(split_part(p.place, '#', 2) AS BIGINT) AS row_no, g.region_code,
  concat_ws(' ', g.org_name, concat(g.fiscal_year, '年'), '项目支出') AS subject_zh,
  concat_ws(' ', g.org_name, g.fiscal_year, 'projects') AS subject_en,
  -- Blanks are nothing: a department without projects of this budget leaves both tables blank.
  coalesce(p.amount_yuan, 0) AS lhs, CASE WHEN g.value_state = 'missing' THEN 0 ELSE g.amount_yuan END AS rhs,
  CASE WHEN p.addends < 1 THEN 1 ELSE p.addends END AS addends, p.missing + CASE WHEN g.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing,
  CASE WHEN p.step > g.step OR g.step IS NULL THEN p.step ELSE g.step END AS step
FROM project AS p JOIN general AS g ON g.region_id = p.region_id AND g.org_id = p.org_id AND g.fiscal_year = p.fiscal_year
  AND g.stage = p.stage AND g.quoted_in = p.quoted_in
WHERE p.addends > 0 OR p.missing > 0 OR g.amount_yuan IS NOT NULL OR g.value_state = 'set_aside'
