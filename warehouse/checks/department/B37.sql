-- id = "B37"
-- title = { zh = "财政拨款收支总表平衡", en = "the summary of appropriations balances" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "财政拨款收支总表：收入总计 = 支出总计；每种预算的本年拨款 + 年初结转 = 本年支出 + 年末结转", en = "the summary of appropriations: total receipts = total payments; in each budget the appropriation and what was carried over = the expenditure and what is carried on" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "收入一侧", en = "receipts" }
-- rhs = { zh = "支出一侧", en = "payments" }
WITH line AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step,
    CASE WHEN l.line_path IN ('T/收入总计', 'T/支出总计', 'T/总计') THEN 'grand'
      WHEN l.line_path IN ('T/本年收入合计', 'T/本年支出合计', 'T/本年收入', 'T/本年支出') THEN 'year'
      -- Budgets list what was carried over by budget below its total.
      WHEN l.side = 'income' AND l.line_path LIKE 'T/上年结转%/一般公共预算%' THEN 'general_carry'
      WHEN l.side = 'income' AND l.line_path LIKE 'T/上年结转%/政府性基金%' THEN 'fund_carry'
      WHEN l.side = 'income' AND l.line_path LIKE 'T/上年结转%/国有资本经营预算%' THEN 'state_capital_carry'
      WHEN l.side = 'income' AND (l.line_path LIKE 'T/年初%结转%' OR l.line_path LIKE 'T/上年结转%') THEN 'carry'
      WHEN l.side = 'expenditure' AND (l.line_path LIKE 'T/年末%结转%' OR l.line_path LIKE 'T/结转下年%') THEN 'carry'
      WHEN l.side = 'income' AND regexp_like(l.line_path, '^T/(本年收入/)?一般公共预算.*拨款') THEN 'general'
      WHEN l.side = 'income' AND regexp_like(l.line_path, '^T/(本年收入/)?政府性基金.*拨款') THEN 'fund'
      WHEN l.side = 'income' AND regexp_like(l.line_path, '^T/(本年收入/)?国有资本经营预算.*拨款') THEN 'state_capital' END AS role
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB04', 'DF04') AND l.split = 'total' AND NOT l.is_nil
), figure AS (
  SELECT *, 'total' AS budget FROM line WHERE role = 'grand' AND fund_source = 'fiscal'
  UNION ALL
  SELECT *, fund_source AS budget FROM line WHERE role IN ('year', 'carry')
  UNION ALL
  -- The receipts of each budget stand in the one column of figures; only what is carried over has its own.
  SELECT *, replace(role, '_carry', '') AS budget FROM line
  WHERE role IN ('general', 'fund', 'state_capital', 'general_carry', 'fund_carry', 'state_capital_carry') AND fund_source = 'fiscal'
), opening AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, max(amount_yuan) AS amount_yuan
  FROM line WHERE role = 'carry' AND side = 'income' AND fund_source = 'fiscal' GROUP BY 1, 2, 3, 4, 5, 6, 7
), budget AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, budget,
    min(region_code) AS region_code, min(org_name) AS org_name,
    coalesce(min(CASE WHEN side = 'expenditure' AND role <> 'carry' THEN release_id END), min(release_id)) AS release_id,
    coalesce(min(CASE WHEN side = 'expenditure' AND role <> 'carry' THEN row_no END), min(row_no)) AS row_no,
    sum(CASE WHEN side = 'income' THEN amount_yuan END) AS income, sum(CASE WHEN side = 'expenditure' THEN amount_yuan END) AS expenditure,
    count(amount_yuan) AS figures, sum(CASE WHEN role LIKE '%carry' AND side = 'income' THEN 1 ELSE 0 END) AS openings,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM figure GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT concat_ws('/', b.region_id, b.org_id, b.unit_org_id, b.fiscal_year, b.stage, b.quoted_in, b.table_code, b.budget) AS scope_key,
  b.release_id, b.row_no, b.region_code,
  concat_ws(' ', b.org_name, concat(b.fiscal_year, '年'), CASE b.stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END,
    CASE b.budget WHEN 'total' THEN '财政拨款收支总计' WHEN 'fiscal' THEN '财政拨款' WHEN 'general' THEN '一般公共预算财政拨款'
      WHEN 'fund' THEN '政府性基金预算财政拨款' ELSE '国有资本经营预算财政拨款' END) AS subject_zh,
  concat_ws(' ', b.org_name, b.fiscal_year, b.stage, 'appropriations', b.budget) AS subject_en,
  b.income AS lhs, b.expenditure AS rhs, b.figures - 1 AS addends,
  -- Some tables print what was carried over for all budgets together only.
  b.missing + CASE WHEN b.budget <> 'total' AND b.openings = 0 AND coalesce(o.amount_yuan, 0) <> 0 THEN 1 ELSE 0 END AS missing, b.step
FROM budget AS b LEFT JOIN opening AS o ON o.region_id = b.region_id AND o.org_id = b.org_id AND o.unit_org_id = b.unit_org_id
  AND o.fiscal_year = b.fiscal_year AND o.stage = b.stage AND o.quoted_in = b.quoted_in AND o.table_code = b.table_code
WHERE coalesce(b.income, 0) <> 0 OR coalesce(b.expenditure, 0) <> 0 OR b.income IS NOT NULL AND b.expenditure IS NOT NULL
