-- id = "B06"
-- title = { zh = "本年收入等于税收收入加非税收入", en = "revenue equals tax and non-tax revenue" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "一般公共预算本年收入合计 = 税收收入 + 非税收入", en = "general public budget: revenue of the year = tax revenue + non-tax revenue" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "本年收入合计", en = "revenue of the year" }
-- rhs = { zh = "税收加非税", en = "tax and non-tax" }
WITH line AS (
  SELECT l.*, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '11') AND l.class_scheme = 'revenue' AND l.line_kind <> 'of_which'
), role AS (
  SELECT *, CASE WHEN class_code = '101' OR class_code IS NULL AND name = '税收收入' THEN 'tax'
      WHEN class_code = '103' OR class_code IS NULL AND name = '非税收入' THEN 'other'
      WHEN class_code IS NULL AND regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 'own'
      WHEN class_code IS NULL AND name = '收入合计' THEN 'plain'
      WHEN line_kind = 'below' OR class_code IS NULL AND line_kind <> 'total' AND regexp_like(name, '返还性|转移|补助|上解|结余|结转|调入|调出|债务(转贷)?收入|债务还本|债务转贷支出|还本支出|调节基金|周转金|接受.*援助|区域间') THEN 'below' END AS role
  FROM line
), book AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure,
    sum(CASE WHEN role IN ('tax', 'other') THEN amount_yuan END) AS parts,
    count(DISTINCT CASE WHEN role IN ('tax', 'other') THEN role END) AS printed,
    count(CASE WHEN role IN ('tax', 'other') THEN amount_yuan END) AS addends,
    sum(CASE WHEN role IN ('tax', 'other') AND value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN role IN ('tax', 'other') AND amount_yuan IS NOT NULL THEN step END) AS step,
    max(CASE WHEN role = 'own' THEN 1 ELSE 0 END) AS has_own, max(CASE WHEN role = 'below' THEN 1 ELSE 0 END) AS has_below
  FROM role GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', t.region_id, t.scope, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.measure, t.line_path) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.published_header, t.line_name) AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.measure, t.line_name) AS subject_en,
  t.amount_yuan AS lhs, b.parts AS rhs, b.addends,
  b.missing + CASE WHEN t.amount_yuan IS NULL THEN 1 ELSE 0 END + 2 - b.printed AS missing,
  CASE WHEN b.step > t.step OR t.step IS NULL THEN b.step ELSE t.step END AS step
FROM role AS t JOIN book AS b ON b.region_id = t.region_id AND b.scope = t.scope AND b.fiscal_year = t.fiscal_year AND b.stage = t.stage
  AND b.quoted_in = t.quoted_in AND b.table_code = t.table_code AND b.measure = t.measure
-- 收入合计 alone is the revenue of the year only where the table lists nothing below the line.
WHERE (t.role = 'own' OR t.role = 'plain' AND b.has_own = 0 AND b.has_below = 0) AND b.printed > 0
  AND (t.amount_yuan IS NOT NULL OR b.addends > 0)
