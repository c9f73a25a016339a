-- id = "B21"
-- title = { zh = "预备费占本级支出的1%至3%", en = "the reserve fund is 1 to 3 % of own-level expenditure" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "《预算法》第四十条：各级一般公共预算按照本级支出额的百分之一至百分之三设置预备费", en = "Budget Law, article 40: each level sets aside 1 to 3 % of its own-level general public budget expenditure" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "应小的一边", en = "side that is the smaller one" }
-- rhs = { zh = "应大的一边", en = "side that is the larger one" }
-- # Parameters in order: $1 the highest share, $2 the lowest.
-- parameters = { high = "0.03", low = "0.01" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '12', '13') AND l.class_scheme = 'functional' AND l.class_code IS NULL AND l.scope = 'own' AND l.stage = 'BUDGET'
    AND l.line_kind IN ('total', 'subtotal')
), {shared.year_total}, reserve AS (
  SELECT region_id, fiscal_year, stage, quoted_in, table_code, measure, amount_yuan, release_id, row_no FROM gov_budget_line
  WHERE right(table_code, 2) IN ('01', '12', '13') AND scope = 'own' AND stage = 'BUDGET' AND line_kind <> 'of_which'
    AND (class_code = '227' OR class_code IS NULL AND line_name = '预备费')
), tested AS (
  SELECT t.*, r.amount_yuan AS reserve_yuan, coalesce(r.release_id, t.release_id) AS shown_release, coalesce(r.row_no, t.row_no) AS shown_row
  FROM year_total AS t LEFT JOIN reserve AS r ON r.region_id = t.region_id AND r.fiscal_year = t.fiscal_year AND r.stage = t.stage
    AND r.quoted_in = t.quoted_in AND r.table_code = t.table_code AND r.measure = t.measure
  WHERE t.amount_yuan IS NOT NULL
)
SELECT concat_ws('/', region_id, fiscal_year, quoted_in, table_code, measure, bound) AS scope_key, shown_release AS release_id, shown_row AS row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, CASE bound WHEN 'low' THEN '预备费下限' ELSE '预备费上限' END) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, CASE bound WHEN 'low' THEN 'reserve fund, lower bound' ELSE 'reserve fund, upper bound' END) AS subject_en,
  lhs, rhs, 1 AS addends, CASE WHEN reserve_yuan IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM (
  SELECT *, 'low' AS bound, $2 * amount_yuan AS lhs, reserve_yuan AS rhs FROM tested
  UNION ALL
  SELECT *, 'high', reserve_yuan AS lhs, $1 * amount_yuan AS rhs FROM tested
) AS bounded
