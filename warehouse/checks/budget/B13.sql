-- id = "B13"
-- title = { zh = "经济分类与功能分类总额一致", en = "economic and functional classes have one total" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "本级支出按政府经济分类的类合计 = 按功能分类的类合计，两表均为本级全部支出时核对（经济分类为表 18）；基本支出表（14）只是其中一部分，由 B14 核对", en = "own-level expenditure by government economic class = that by function where both list all of it (table 18 by economic class); the table of basic expenditure (14) is a part and is tested by B14" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "经济分类合计", en = "by economic class" }
-- rhs = { zh = "功能分类合计", en = "by function" }
WITH class AS (
  SELECT l.*, left(l.table_code, 2) AS book, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('12', '13', '18') AND l.scope = 'own' AND l.class_level = 1 AND l.class_code IS NOT NULL
    AND l.line_kind NOT IN ('below', 'total', 'of_which')
), total AS (
  SELECT region_id, fiscal_year, stage, quoted_in, book, measure, class_scheme, table_code, min(region_code) AS region_code, min(region_name) AS region_name,
    min(published_header) AS published_header, min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place, sum(amount_yuan) AS amount_yuan,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM class GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), one AS (
  -- Where a book prints own-level expenditure in 12 and in 13 the detailed table counts.
  SELECT *, row_number() OVER (PARTITION BY region_id, fiscal_year, stage, quoted_in, book, measure, class_scheme ORDER BY table_code DESC) AS turn FROM total
)
SELECT concat_ws('/', e.region_id, e.fiscal_year, e.stage, e.quoted_in, e.book, e.measure) AS scope_key,
  split_part(e.place, '#', 1) AS release_id, CAST(split_part(e.place, '#', 2) AS BIGINT) AS row_no, e.region_code,
  concat_ws(' ', e.region_name, concat(e.fiscal_year, '年'), e.published_header, '本级支出按两种分类') AS subject_zh,
  concat_ws(' ', e.region_name, e.fiscal_year, e.measure, 'own-level expenditure by both classifications') AS subject_en,
  e.amount_yuan AS lhs, f.amount_yuan AS rhs, e.addends + f.addends AS addends, e.missing + f.missing AS missing, CASE WHEN e.step > f.step OR f.step IS NULL THEN e.step ELSE f.step END AS step
FROM one AS e JOIN one AS f ON f.region_id = e.region_id AND f.fiscal_year = e.fiscal_year AND f.stage = e.stage AND f.quoted_in = e.quoted_in
  AND f.book = e.book AND f.measure = e.measure AND e.turn = 1 AND f.turn = 1
WHERE e.class_scheme = 'gov_economic' AND f.class_scheme = 'functional' AND (e.amount_yuan IS NOT NULL OR f.amount_yuan IS NOT NULL)
