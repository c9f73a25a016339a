-- id = "B15"
-- title = { zh = "支出明细表与收支总表、支出表合计一致", en = "the detailed tables agree on the expenditure of the year" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "本级支出表合计 = 支出表的本级支出；支出表合计 = 收支总表的本年支出；同一口径、阶段和文件", en = "the total of the table of own-level expenditure = the own-level total of the table of expenditure; that table = the summary, same scope, stage and publication" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "明细表合计", en = "total of the detailed table" }
-- rhs = { zh = "支出表或收支总表的本年支出", en = "expenditure of the year in the other table" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, CAST(u.factor AS DECIMAL(12,0)) / CASE l.published_scale WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100
      WHEN 3 THEN 1000 WHEN 4 THEN 10000 WHEN 5 THEN 100000 ELSE 1000000 END AS step
  FROM gov_budget_line AS l LEFT JOIN ref.unit AS u ON u.unit = l.published_unit
  WHERE right(l.table_code, 2) IN ('01', '12', '13') AND l.class_scheme = 'functional' AND l.class_code IS NULL
    AND l.line_kind IN ('total', 'subtotal')
), ranked AS (
  -- 支出合计 is the expenditure of the year where no other total of it is printed; in a summary it is the grand total.
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, fiscal_year, stage, quoted_in, table_code, measure
    ORDER BY CASE WHEN regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 0 ELSE 1 END, row_no) AS place
  FROM line WHERE regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') OR form <> '01' AND regexp_like(name, '^(支出)?合计$')
), year_total AS (
  SELECT * FROM ranked WHERE place = 1
)
SELECT concat_ws('/', d.region_id, d.scope, d.fiscal_year, d.stage, d.quoted_in, d.table_code, o.table_code, d.measure) AS scope_key,
  d.release_id, d.row_no, d.region_code,
  concat_ws(' ', d.region_name, concat(d.fiscal_year, '年'), d.published_header, '本年支出合计') AS subject_zh,
  concat_ws(' ', d.region_name, d.fiscal_year, d.measure, 'expenditure of the year') AS subject_en,
  d.amount_yuan AS lhs, o.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN d.amount_yuan IS NULL OR o.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, CASE WHEN d.step > o.step OR o.step IS NULL THEN d.step ELSE o.step END AS step
FROM year_total AS d JOIN year_total AS o ON o.region_id = d.region_id AND o.scope = d.scope AND o.fiscal_year = d.fiscal_year AND o.stage = d.stage
  AND o.quoted_in = d.quoted_in AND o.book = d.book AND o.measure = d.measure AND o.form < d.form
WHERE d.amount_yuan IS NOT NULL OR o.amount_yuan IS NOT NULL
