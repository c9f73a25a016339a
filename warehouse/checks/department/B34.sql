-- id = "B34"
-- title = { zh = "部门收入表与收支总表一致", en = "a department's table of income agrees with its summary" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "部门收入总表合计 = 收支总表收入总计（决算为本年收入合计）；各来源列 = 收支总表的对应行", en = "the total of the table of income is the summary's grand total (the income of the year in final accounts); each source is the summary's line" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "收入表合计行", en = "total of the table of income" }
-- rhs = { zh = "收支总表", en = "summary" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book,
    published_step(l.published_unit, l.published_scale) AS step
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB01', 'DF01', 'DB02', 'DF02') AND l.side = 'income' AND l.split = 'total'
    AND l.unit_org_id = l.org_id AND l.line_path LIKE 'T/%' AND NOT l.is_nil
), source AS (
  SELECT *, CASE
      -- The table of a budget counts what is carried over among the sources, that of final accounts does not.
      WHEN line_path = 'T/收入总计' OR book = 'DF' AND line_path = 'T/本年收入合计' THEN 'total'
      WHEN line_path LIKE 'T/一般公共预算%拨款收入' THEN 'general' WHEN line_path LIKE 'T/政府性基金%拨款收入' THEN 'fund'
      WHEN line_path LIKE 'T/国有资本经营预算%拨款收入' THEN 'state_capital' WHEN line_path LIKE 'T/财政专户管理资金%' THEN 'special_account'
      WHEN line_path = 'T/事业收入' THEN 'business' WHEN line_path IN ('T/经营收入', 'T/事业单位经营收入') THEN 'operating'
      WHEN line_path = 'T/上级补助收入' THEN 'upper_subsidy' WHEN line_path LIKE 'T/附属单位上缴%' THEN 'affiliated'
      WHEN line_path = 'T/其他收入' THEN 'other' WHEN line_path LIKE 'T/上年结转%' THEN 'carry_over'
      WHEN line_path LIKE 'T/使用%结余%' OR line_path LIKE 'T/用事业基金%' THEN 'nonfiscal_surplus' END AS source
  FROM line WHERE table_code IN ('DB01', 'DF01')
), summary AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, book, source, amount_yuan,
    CASE WHEN amount_yuan IS NULL THEN 0 ELSE 1 END AS addends, CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END AS missing, step
  FROM source WHERE source IS NOT NULL
  UNION ALL
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, book, 'fiscal', sum(amount_yuan), count(amount_yuan),
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END), max(CASE WHEN amount_yuan IS NOT NULL THEN step END)
  FROM source WHERE source IN ('general', 'fund', 'state_capital') GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT concat_ws('/', t.region_id, t.org_id, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.fund_source) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.org_name, concat(t.fiscal_year, '年'), CASE t.stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END,
    CASE t.fund_source WHEN 'total' THEN '收入合计' WHEN 'general' THEN '一般公共预算拨款收入' WHEN 'fund' THEN '政府性基金拨款收入'
      WHEN 'state_capital' THEN '国有资本经营预算拨款收入' WHEN 'fiscal' THEN '财政拨款收入' WHEN 'special_account' THEN '财政专户管理资金'
      WHEN 'business' THEN '事业收入' WHEN 'operating' THEN '经营收入' WHEN 'upper_subsidy' THEN '上级补助收入'
      WHEN 'affiliated' THEN '附属单位上缴收入' WHEN 'other' THEN '其他收入' WHEN 'carry_over' THEN '上年结转' ELSE '使用非财政拨款结余' END) AS subject_zh,
  concat_ws(' ', t.org_name, t.fiscal_year, t.stage, 'income', t.fund_source) AS subject_en,
  t.amount_yuan AS lhs, s.amount_yuan AS rhs, CASE WHEN s.addends < 1 THEN 1 ELSE s.addends END AS addends,
  s.missing + CASE WHEN t.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing,
  CASE WHEN s.step > t.step OR t.step IS NULL THEN s.step ELSE t.step END AS step
FROM line AS t JOIN summary AS s ON s.region_id = t.region_id AND s.org_id = t.org_id AND s.fiscal_year = t.fiscal_year
  AND s.stage = t.stage AND s.quoted_in = t.quoted_in AND s.book = t.book AND s.source = t.fund_source
WHERE t.table_code IN ('DB02', 'DF02') AND t.line_path = 'T/合计'
  -- A blank beside a nought says the same; neither side is read as the other.
  AND (coalesce(t.amount_yuan, 0) <> 0 OR coalesce(s.amount_yuan, 0) <> 0 OR t.amount_yuan IS NOT NULL AND s.amount_yuan IS NOT NULL)
