-- id = "B20"
-- title = { zh = "上级表所列与本地区公布的一致", en = "what a table of regions says of a region is what the region says" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "分地区政府性基金收入表中一个地区的数 = 该地区自己公布的政府性基金预算收入，同一年度、阶段和口径；两份文件的修约不同，取较大的单位", en = "the fund revenue of a region in a table of regions = the fund revenue that the region publishes itself, same year, stage and scope; of two roundings the coarser counts" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "分地区表", en = "table of regions" }
-- rhs = { zh = "本地区公布", en = "published by the region" }
WITH line AS (
  SELECT l.*, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('02', '21', '25', '61') AND l.class_scheme = 'revenue' AND l.class_code IS NULL AND l.line_kind = 'total'
), book AS (
  SELECT table_code, region_id, scope, fiscal_year, stage, quoted_in, measure, max(CASE WHEN regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?政府性基金(预算)?(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 1 ELSE 0 END) AS has_own,
    max(CASE WHEN regexp_like(name, '^(各项收入合计|收入总计)$') THEN 1 ELSE 0 END) AS has_grand
  FROM line WHERE form IN ('02', '21', '61') GROUP BY 1, 2, 3, 4, 5, 6, 7
), own AS (
  SELECT l.*, row_number() OVER (PARTITION BY l.region_id, l.scope, l.fiscal_year, l.stage
      -- The year's own table first, then the latest one; a table before the text of a report.
      ORDER BY CASE WHEN l.quoted_in = l.fiscal_year THEN 0 ELSE 1 END, l.quoted_in DESC, l.form, l.row_no) AS turn
  FROM line AS l JOIN book AS b ON b.table_code = l.table_code AND b.region_id = l.region_id AND b.scope = l.scope AND b.fiscal_year = l.fiscal_year
    AND b.stage = l.stage AND b.quoted_in = l.quoted_in AND b.measure = l.measure
  WHERE regexp_like(l.name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?政府性基金(预算)?(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') AND (l.form <> '61' OR l.name LIKE '%基金%')
    OR l.form = '21' AND l.name = '收入合计' AND b.has_own = 0 AND b.has_grand = 0
)
SELECT concat_ws('/', t.region_id, t.scope, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.measure, t.line_path) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.published_header, t.line_name) AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.measure, t.line_name) AS subject_en,
  t.amount_yuan AS lhs, o.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN t.amount_yuan IS NULL OR o.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, CASE WHEN t.step > o.step OR o.step IS NULL THEN t.step ELSE o.step END AS step
FROM line AS t JOIN own AS o ON o.region_id = t.region_id AND o.scope = t.scope AND o.fiscal_year = t.fiscal_year AND o.stage = t.stage
WHERE t.form = '25' AND o.turn = 1 AND (t.amount_yuan IS NOT NULL OR o.amount_yuan IS NOT NULL)
