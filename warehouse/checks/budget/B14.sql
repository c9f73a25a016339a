-- id = "B14"
-- title = { zh = "基本支出不超过本级支出", en = "basic expenditure is at most own-level expenditure" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "一般公共预算本级基本支出合计 ≤ 本级支出合计", en = "basic expenditure of the own level is a part of its general public expenditure" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "本级基本支出合计", en = "basic expenditure" }
-- rhs = { zh = "本级支出合计", en = "own-level expenditure" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, CAST(u.factor AS DECIMAL(12,0)) / CASE l.published_scale WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100
      WHEN 3 THEN 1000 WHEN 4 THEN 10000 WHEN 5 THEN 100000 ELSE 1000000 END AS step
  FROM gov_budget_line AS l LEFT JOIN ref.unit AS u ON u.unit = l.published_unit
  WHERE right(l.table_code, 2) IN ('01', '12', '13') AND l.class_scheme = 'functional' AND l.class_code IS NULL AND l.scope = 'own'
    AND l.line_kind IN ('total', 'subtotal')
), ranked AS (
  -- 支出合计 is the expenditure of the year where no other total of it is printed; in a summary it is the grand total.
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, fiscal_year, stage, quoted_in, table_code, measure
    ORDER BY CASE WHEN regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 0 ELSE 1 END, row_no) AS place
  FROM line WHERE regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') OR form <> '01' AND regexp_like(name, '^(支出)?合计$')
), year_total AS (
  SELECT * FROM ranked WHERE place = 1
), own AS (
  SELECT region_id, fiscal_year, stage, quoted_in, book, amount_yuan,
    -- The detailed table first, the summary last; the column of last year's budget is measure prev_budget.
    row_number() OVER (PARTITION BY region_id, fiscal_year, stage, quoted_in, book
      ORDER BY CASE form WHEN '13' THEN 0 WHEN '12' THEN 1 ELSE 2 END, measure) AS turn
  FROM year_total
), basic AS (
  SELECT *, left(table_code, 2) AS book FROM gov_budget_line WHERE right(table_code, 2) = '14' AND scope = 'own' AND line_kind = 'total'
)
SELECT concat_ws('/', b.region_id, b.fiscal_year, b.stage, b.quoted_in, b.table_code, b.measure, b.line_path) AS scope_key,
  b.release_id, b.row_no, b.region_code,
  concat_ws(' ', b.region_name, concat(b.fiscal_year, '年'), b.published_header, '本级基本支出') AS subject_zh,
  concat_ws(' ', b.region_name, b.fiscal_year, b.measure, 'basic expenditure of the own level') AS subject_en,
  b.amount_yuan AS lhs, o.amount_yuan AS rhs, 1 AS addends, CASE WHEN b.amount_yuan IS NULL OR o.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM basic AS b LEFT JOIN own AS o ON o.region_id = b.region_id AND o.fiscal_year = b.fiscal_year AND o.stage = b.stage
  AND o.quoted_in = b.quoted_in AND o.book = b.book AND o.turn = 1
WHERE b.amount_yuan IS NOT NULL OR o.amount_yuan IS NOT NULL
