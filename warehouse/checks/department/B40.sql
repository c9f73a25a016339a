-- id = "B40"
-- title = { zh = "政府性基金表和国有资本经营预算表与财政拨款总表一致", en = "the tables of funds and state capital agree with the summary of appropriations" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "政府性基金预算表、国有资本经营预算表合计 = 财政拨款收支总表的对应栏；声明无数据的表等于零", en = "the totals of the tables of funds and of state capital are the columns of the summary of appropriations; a table declared empty is nought" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "该预算的表", en = "table of that budget" }
-- rhs = { zh = "财政拨款总表", en = "summary of appropriations" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book,
    published_step(l.published_unit, l.published_scale) AS step
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB04', 'DF04', 'DB08', 'DF08', 'DB09', 'DF09') AND l.split = 'total' AND l.unit_org_id = l.org_id
), summary AS (
  SELECT *, CASE WHEN side = 'expenditure' AND line_path IN ('T/本年支出合计', 'T/本年支出') THEN 'expenditure'
      WHEN side = 'expenditure' AND (line_path LIKE 'T/年末%结转%' OR line_path LIKE 'T/结转下年%') THEN 'closing'
      WHEN side = 'income' AND (line_path LIKE 'T/年初%结转%' OR line_path LIKE 'T/上年结转%') THEN 'opening'
      WHEN side = 'income' AND (line_path LIKE 'T/政府性基金%拨款%' OR line_path LIKE 'T/国有资本经营预算%拨款%') THEN 'income' END AS flow,
    CASE WHEN line_path LIKE 'T/政府性基金%拨款%' THEN 'fund' WHEN line_path LIKE 'T/国有资本经营预算%拨款%' THEN 'state_capital'
      ELSE fund_source END AS budget
  FROM line WHERE table_code IN ('DB04', 'DF04') AND NOT is_nil
)
SELECT concat_ws('/', t.region_id, t.org_id, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.side) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.org_name, concat(t.fiscal_year, '年'), CASE t.stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END,
    CASE t.fund_source WHEN 'fund' THEN '政府性基金预算' ELSE '国有资本经营预算' END,
    CASE t.side WHEN 'expenditure' THEN '本年支出' WHEN 'income' THEN '本年收入' WHEN 'opening' THEN '年初结转和结余' ELSE '年末结转和结余' END) AS subject_zh,
  concat_ws(' ', t.org_name, t.fiscal_year, t.stage, t.fund_source, t.side) AS subject_en,
  CASE WHEN t.is_nil THEN 0 ELSE t.amount_yuan END AS lhs, s.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN t.value_state = 'set_aside' OR s.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing,
  CASE WHEN s.step > t.step OR t.step IS NULL THEN s.step ELSE t.step END AS step
FROM line AS t JOIN summary AS s ON s.region_id = t.region_id AND s.org_id = t.org_id AND s.fiscal_year = t.fiscal_year
  AND s.stage = t.stage AND s.quoted_in = t.quoted_in AND s.book = t.book AND s.flow = t.side AND s.budget = t.fund_source
WHERE t.table_code IN ('DB08', 'DF08', 'DB09', 'DF09') AND (t.is_nil OR t.line_path = 'T/合计')
  -- A blank beside a nought says the same; neither side is read as the other.
  AND (coalesce(t.amount_yuan, 0) <> 0 OR coalesce(s.amount_yuan, 0) <> 0 OR s.value_state = 'set_aside'
    OR s.amount_yuan IS NOT NULL AND (t.is_nil OR t.amount_yuan IS NOT NULL))
