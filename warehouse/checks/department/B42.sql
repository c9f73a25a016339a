-- id = "B42"
-- title = { zh = "各部门一般公共预算支出与本级支出合计", en = "departments beside all own-level expenditure" }
-- tables = ["dept_budget_line", "gov_budget_line"]
-- basis = { zh = "已收录各部门的一般公共预算支出合计 ≤ 一般公共预算本级支出合计；差额为未收录的部门、未分配到部门的支出和对下转移支付，列出供参考。没有本级支出表时取支出表的本级口径", en = "general public expenditure of the departments that are here ≤ that of the own level; the difference is departments that are not here, money not given to departments, and transfers to lower levels, and is shown to know. Where the table of own-level expenditure is not there, the own level of the table of expenditure is taken" }
-- severity = "INFO"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "各部门之和", en = "sum of departments" }
-- rhs = { zh = "本级支出合计，或不超过它的部门之和", en = "own-level expenditure, or what of the sum it allows" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('12', '13') AND l.class_scheme = 'functional' AND l.class_code IS NULL AND l.scope = 'own'
    AND l.line_kind IN ('total', 'subtotal') AND (l.stage = 'BUDGET' AND l.measure = 'budget' OR l.stage = 'FINAL' AND l.measure = 'final')
), {shared.year_total}, chosen AS (
  -- The table of own-level expenditure before the other, and the figure of the year's own publication before one quoted later.
  SELECT *, row_number() OVER (PARTITION BY region_id, fiscal_year, stage
    ORDER BY CASE WHEN amount_yuan IS NULL THEN 1 ELSE 0 END, form DESC, quoted_in, table_code) AS turn
  FROM year_total
), department AS (
  SELECT region_id, fiscal_year, stage, sum(amount_yuan) AS amount_yuan, count(*) AS departments, count(amount_yuan) AS addends,
    sum(CASE WHEN amount_yuan IS NULL THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN published_step(published_unit, published_scale) END) AS step,
    min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place
  FROM dept_budget_line
  WHERE table_code IN ('DB05', 'DF05') AND split = 'total' AND fund_source = 'general' AND line_path = 'T/合计' AND unit_org_id = org_id
    AND quoted_in = fiscal_year AND NOT is_nil
  GROUP BY 1, 2, 3
), joined AS (
  SELECT d.*, g.region_code, g.region_name, g.table_code, g.amount_yuan AS own_yuan, CASE WHEN g.step > d.step OR d.step IS NULL THEN g.step ELSE d.step END AS larger
  FROM department AS d JOIN chosen AS g ON g.region_id = d.region_id AND g.fiscal_year = d.fiscal_year AND g.stage = d.stage AND g.turn = 1
)
SELECT concat_ws('/', region_id, fiscal_year, stage, table_code, what) AS scope_key,
  split_part(place, '#', 1) AS release_id, CAST(split_part(place, '#', 2) AS BIGINT) AS row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), concat('已收录', departments, '个部门一般公共预算支出'),
    CASE what WHEN 'bound' THEN '不超过本级支出' ELSE '与本级支出的差额' END) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, 'departments,', departments, 'of them here,', CASE what WHEN 'bound' THEN 'within' ELSE 'and' END, 'own-level expenditure') AS subject_en,
  amount_yuan AS lhs, CASE WHEN what = 'bound' AND amount_yuan < own_yuan THEN amount_yuan ELSE own_yuan END AS rhs, addends, missing, larger AS step
FROM joined CROSS JOIN (VALUES ('bound'), ('difference')) AS kinds (what)
