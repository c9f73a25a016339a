-- id = "B23"
-- title = { zh = "调整预算数等于年初预算加历次调整", en = "the adjusted budget is the budget and its adjustments" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "调整预算数 = 年初预算数 + 历次预算调整（阶段 ADJUST_1、ADJUST_2……的增减数）+ 已公开的《预算法》第七十一条变动（阶段 ART71）；第七十一条的变动不属于预算调整，未公开的构成其余差额，因此只提示", en = "adjusted budget = budget + adjustments (changes of the stages ADJUST_1, ADJUST_2 …) + changes under article 71 of the Budget Law where published (stage ART71); those are no adjustments, and what of them is not published remains as a difference: told, not judged" }
-- severity = "INFO"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "调整预算数", en = "adjusted budget" }
-- rhs = { zh = "年初预算加历次调整和变动", en = "budget, adjustments and changes" }
WITH line AS (
  SELECT l.*, CASE right(l.table_code, 2) WHEN '13' THEN '12' ELSE right(l.table_code, 2) END AS form, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE (l.stage IN ('BUDGET', 'REVISED') OR l.measure = 'adjust' AND (l.stage LIKE 'ADJUST%' OR l.stage = 'ART71')) AND l.line_kind <> 'of_which' AND l.transfer_kind IS NULL
), adjustment AS (
  SELECT region_id, scope, fiscal_year, form, line_path, coalesce(fund_name, '') AS fund, sum(amount_yuan) AS amount_yuan, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE measure = 'adjust' GROUP BY 1, 2, 3, 4, 5, 6
), budget AS (
  SELECT *, coalesce(fund_name, '') AS fund, row_number() OVER (PARTITION BY region_id, scope, fiscal_year, form, line_path, fund_name
    ORDER BY quoted_in, table_code, measure) AS turn
  FROM line WHERE stage = 'BUDGET'
)
SELECT concat_ws('/', r.region_id, r.scope, r.fiscal_year, r.quoted_in, r.table_code, r.measure, r.line_path, r.fund_name) AS scope_key,
  r.release_id, r.row_no, r.region_code,
  concat_ws(' ', r.region_name, concat(r.fiscal_year, '年'), r.class_code, r.line_name, r.fund_name, '调整预算数') AS subject_zh,
  concat_ws(' ', r.region_name, r.fiscal_year, r.class_code, r.line_name, r.fund_name, 'adjusted budget') AS subject_en,
  r.amount_yuan AS lhs, b.amount_yuan + a.amount_yuan AS rhs, 1 + a.addends AS addends,
  a.missing + CASE WHEN r.amount_yuan IS NULL OR b.amount_yuan IS NULL OR a.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing,
  CASE WHEN a.step > r.step OR r.step IS NULL THEN a.step ELSE r.step END AS step
FROM line AS r JOIN budget AS b ON b.region_id = r.region_id AND b.scope = r.scope AND b.fiscal_year = r.fiscal_year AND b.form = r.form
  AND b.line_path = r.line_path AND b.fund = coalesce(r.fund_name, '') AND b.turn = 1
JOIN adjustment AS a ON a.region_id = r.region_id AND a.scope = r.scope AND a.fiscal_year = r.fiscal_year AND a.form = r.form
  AND a.line_path = r.line_path AND a.fund = coalesce(r.fund_name, '')
WHERE r.stage = 'REVISED' AND (r.amount_yuan IS NOT NULL OR a.addends > 0)
