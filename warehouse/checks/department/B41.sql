-- id = "B41"
-- title = { zh = "部门合计等于所属单位之和", en = "a department is the sum of its units" }
-- tables = ["dept_budget_line", "three_public"]
-- basis = { zh = "部门预决算汇总所属全部单位；单位之间的内部往来在汇总时抵销，差额可能由此而来", en = "a department's tables consolidate all of its units; payments between units are taken out, which may explain a difference" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "部门合计", en = "department" }
-- rhs = { zh = "所属单位之和", en = "sum of units" }
WITH figure AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, concat_ws('/', side, fund_source, split) AS what,
    region_code, org_name, published_header, amount_yuan, value_state, published_unit, published_scale, release_id, row_no,
    line_path
  FROM dept_budget_line
  WHERE table_code IN ('DB02', 'DB03', 'DB05', 'DB06', 'DB08', 'DB09', 'DF02', 'DF03', 'DF05', 'DF06', 'DF08', 'DF09')
    AND line_kind = 'total' AND NOT is_nil
  UNION ALL
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, item, region_code, org_name, published_header,
    amount_yuan, value_state, published_unit, published_scale, release_id, row_no, 'T/合计'
  FROM three_public WHERE table_code IN ('DB07', 'DF07') AND NOT is_nil
), line AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step
  FROM figure AS l
), part AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, table_code, what, sum(amount_yuan) AS amount_yuan, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE unit_org_id <> org_id GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', t.region_id, t.org_id, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.what) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.org_name, concat(t.fiscal_year, '年'), CASE t.stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END, t.table_code,
    t.published_header, '合计') AS subject_zh,
  concat_ws(' ', t.org_name, t.fiscal_year, t.stage, t.table_code, t.what) AS subject_en,
  t.amount_yuan AS lhs, p.amount_yuan AS rhs, p.addends,
  p.missing + CASE WHEN t.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing,
  CASE WHEN p.step > t.step OR t.step IS NULL THEN p.step ELSE t.step END AS step
FROM line AS t JOIN part AS p ON p.region_id = t.region_id AND p.org_id = t.org_id AND p.fiscal_year = t.fiscal_year
  AND p.stage = t.stage AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.what = t.what
WHERE t.unit_org_id = t.org_id AND t.line_path = 'T/合计' AND (t.amount_yuan IS NOT NULL OR p.addends > 0)
