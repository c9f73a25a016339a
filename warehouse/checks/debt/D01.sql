-- id = "D01"
-- title = { zh = "债务合计等于一般与专项之和", en = "total debt equals general and special debt" }
-- tables = ["debt_stock"]
-- basis = { zh = "财预〔2018〕209号：A = B + C，D = E + F", en = "财预〔2018〕209号: A = B + C, D = E + F" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "合计", en = "total" }
-- rhs = { zh = "一般加专项", en = "general and special" }
WITH stock AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step
  FROM debt_stock AS l
)
SELECT concat_ws('/', t.region_id, t.scope, t.as_of_year, t.stage, t.quoted_in, t.table_code, t.measure) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.as_of_year, '年'), CASE t.measure WHEN 'limit' THEN '限额' ELSE '余额' END) AS subject_zh,
  concat_ws(' ', t.region_name, t.as_of_year, t.measure) AS subject_en,
  t.amount_yuan AS lhs, g.amount_yuan + p.amount_yuan AS rhs, 2 AS addends,
  CASE WHEN g.amount_yuan IS NULL THEN 1 ELSE 0 END + CASE WHEN p.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, t.step
FROM stock AS t
LEFT JOIN stock AS g ON g.region_id = t.region_id AND g.scope = t.scope AND g.debt_kind = 'general'
  AND g.as_of_year = t.as_of_year AND g.stage = t.stage AND g.measure = t.measure
  AND g.form = t.form AND g.table_code = t.table_code AND g.quoted_in = t.quoted_in
LEFT JOIN stock AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.debt_kind = 'special'
  AND p.as_of_year = t.as_of_year AND p.stage = t.stage AND p.measure = t.measure
  AND p.form = t.form AND p.table_code = t.table_code AND p.quoted_in = t.quoted_in
WHERE t.debt_kind = 'total'
