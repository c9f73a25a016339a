-- id = "B02"
-- title = { zh = "上级科目等于下级之和", en = "a line equals the sum of the lines below it" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "《预算法》第四十六条、第七十五条：按功能分类编列到项", en = "Budget Law, articles 46 and 75: by function to 项" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "本级", en = "line" }
-- rhs = { zh = "下级之和", en = "sum below" }
WITH line AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
), part AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, parent_path AS path, sum(amount_yuan) AS total,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(step) AS step
  -- Without codes, what stands below is told by the layout, which does not say that it adds up.
  FROM line WHERE parent_path <> '' AND parent_path NOT LIKE 'T/%' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
  UNION ALL
  -- The total of the table is that of its 类 above the line.
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, 'T', sum(amount_yuan),
    count(amount_yuan), sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END), max(step)
  FROM line WHERE class_level = 1 AND class_code LIKE '2%' AND line_kind <> 'below' GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', p.region_id, p.scope, p.fiscal_year, p.stage, p.quoted_in, p.table_code, p.measure, p.line_path) AS scope_key,
  p.release_id, p.row_no, p.region_code,
  concat_ws(' ', p.region_name, p.published_header, p.class_code, p.line_name) AS subject_zh,
  concat_ws(' ', p.region_name, p.fiscal_year, p.measure, p.class_code, p.line_name) AS subject_en,
  p.amount_yuan AS lhs, c.total AS rhs, c.addends,
  c.missing + CASE WHEN p.amount_yuan IS NULL AND c.addends > 0 THEN 1 ELSE 0 END AS missing,
  CASE WHEN c.step > p.step THEN c.step ELSE p.step END AS step
FROM line AS p JOIN part AS c
  ON c.region_id = p.region_id AND c.scope = p.scope AND c.fiscal_year = p.fiscal_year AND c.stage = p.stage
  AND c.quoted_in = p.quoted_in AND c.table_code = p.table_code AND c.measure = p.measure
  AND c.path = CASE WHEN p.line_kind = 'total' AND p.line_name NOT LIKE '各项%'
    AND (p.line_name LIKE '%支出合计' OR p.line_name LIKE '%预算支出') THEN 'T' ELSE p.line_path END
-- A blank is no addend: where nothing is printed on either side there is nothing to test.
WHERE p.amount_yuan IS NOT NULL OR c.addends > 0
