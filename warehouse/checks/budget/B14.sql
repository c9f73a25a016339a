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
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '12', '13') AND l.class_scheme = 'functional' AND l.class_code IS NULL AND l.scope = 'own'
    AND l.line_kind IN ('total', 'subtotal')
), {shared.year_total}, own AS (
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
