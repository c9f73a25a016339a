-- id = "B33"
-- title = { zh = "部门收支总表两侧相等", en = "the two sides of a department's summary balance" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "部门收支总表：收入总计 = 支出总计；本年合计为各项之和；本年合计加结转结余为总计", en = "the summary of a department: total receipts = total payments; the total of the year is the sum of its lines, and with what is carried over it is the grand total" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "总计或本年合计", en = "grand total or total of the year" }
-- rhs = { zh = "对方总计或各部分之和", en = "other side or sum of parts" }
WITH line AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step,
    CASE WHEN l.line_path IN ('T/收入总计', 'T/支出总计', 'T/总计') THEN 'grand'
      WHEN l.line_path IN ('T/本年收入合计', 'T/本年支出合计') THEN 'year'
      WHEN l.side = 'income' AND (l.line_path LIKE 'T/上年结转%' OR l.line_path LIKE 'T/年初%结转%'
        OR l.line_path LIKE 'T/使用%结余%' OR l.line_path LIKE 'T/用事业基金%') THEN 'carry'
      WHEN l.side = 'expenditure' AND (l.line_path LIKE 'T/%结余分配%' OR l.line_path LIKE 'T/结转下年%'
        OR l.line_path LIKE 'T/年末%结转%') THEN 'carry'
      ELSE 'part' END AS role
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB01', 'DF01') AND l.fund_source = 'total' AND l.split = 'total' AND l.line_path LIKE 'T/%'
    AND NOT l.is_nil
), side AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, side,
    min(region_code) AS region_code, min(org_name) AS org_name,
    coalesce(min(CASE WHEN role = 'grand' THEN release_id END), min(release_id)) AS release_id,
    coalesce(min(CASE WHEN role = 'grand' THEN row_no END), min(row_no)) AS row_no,
    coalesce(min(CASE WHEN role = 'year' THEN release_id END), min(release_id)) AS year_release_id,
    coalesce(min(CASE WHEN role = 'year' THEN row_no END), min(row_no)) AS year_row_no,
    max(CASE WHEN role = 'grand' THEN amount_yuan END) AS grand,
    max(CASE WHEN role = 'year' THEN amount_yuan END) AS year_total,
    -- A blank is no addend: nothing was carried over.
    coalesce(sum(CASE WHEN role = 'carry' THEN amount_yuan END), 0) AS carry,
    count(CASE WHEN role = 'carry' THEN amount_yuan END) AS carries,
    sum(CASE WHEN role = 'part' THEN amount_yuan END) AS parts,
    count(CASE WHEN role = 'part' THEN amount_yuan END) AS addends,
    sum(CASE WHEN role = 'carry' AND value_state = 'set_aside' THEN 1 ELSE 0 END) AS carries_missing,
    sum(CASE WHEN role = 'part' AND value_state = 'set_aside' THEN 1 ELSE 0 END) AS parts_missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), identity AS (
  SELECT i.region_id, i.org_id, i.unit_org_id, i.fiscal_year, i.stage, i.quoted_in, i.table_code, i.region_code, i.org_name,
    i.release_id, i.row_no, 'balance' AS what, '收入总计等于支出总计' AS what_zh, 'receipts and payments' AS what_en,
    i.grand AS lhs, e.grand AS rhs, 1 AS addends, 0 AS missing, CASE WHEN e.step > i.step THEN e.step ELSE i.step END AS step
  FROM side AS i JOIN side AS e ON e.side = 'expenditure' AND e.region_id = i.region_id AND e.org_id = i.org_id
    AND e.unit_org_id = i.unit_org_id AND e.fiscal_year = i.fiscal_year AND e.stage = i.stage
    AND e.quoted_in = i.quoted_in AND e.table_code = i.table_code
  WHERE i.side = 'income'
  UNION ALL
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, region_code, org_name, release_id, row_no,
    concat(side, '_total'), CASE side WHEN 'income' THEN '收入总计' ELSE '支出总计' END, concat('grand total of ', side),
    grand, year_total + carry, 1 + carries, carries_missing, step
  FROM side
  UNION ALL
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, region_code, org_name, year_release_id, year_row_no,
    concat(side, '_year'), CASE side WHEN 'income' THEN '本年收入合计' ELSE '本年支出合计' END, concat(side, ' of the year'),
    year_total, parts, addends, parts_missing, step
  FROM side
)
SELECT concat_ws('/', region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, what) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), CASE stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END, what_zh) AS subject_zh,
  concat_ws(' ', org_name, fiscal_year, stage, what_en) AS subject_en, lhs, rhs, addends, missing, step
FROM identity
