-- id = "D18"
-- title = { zh = "预计执行数与决算数相差不超过 2%", en = "the expected balance is within 2 % of the final one" }
-- tables = ["debt_stock"]
-- basis = { zh = "财预〔2018〕209号：表1-1、1-2、1-3 的年末余额预计执行数与同一年末的决算数；相差超过 2% 须有说明", en = "财预〔2018〕209号: the expected balances of forms 1-1, 1-2 and 1-3 against the final ones of the same year end; more than 2 % needs a note" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "相差", en = "difference" }
-- rhs = { zh = "决算数的 2%", en = "2 % of the final balance" }
-- parameters = { share = "0.02" }
WITH final AS (
  SELECT l.region_id, l.scope, l.debt_kind, l.as_of_year, l.amount_yuan,
    row_number() OVER (PARTITION BY l.region_id, l.scope, l.debt_kind, l.as_of_year ORDER BY CASE WHEN l.quoted_in = l.as_of_year THEN 0 ELSE 1 END, CASE l.table_code WHEN 'T31' THEN 0 WHEN 'T33' THEN 1 ELSE 2 END, l.quoted_in DESC, l.table_code) AS place
  FROM debt_stock AS l
  WHERE l.measure = 'balance' AND l.stage = 'FINAL' AND l.form = 'all' AND l.amount_yuan IS NOT NULL AND l.table_code NOT LIKE 'PANEL%'
)
SELECT concat_ws('/', e.region_id, e.scope, e.as_of_year, e.quoted_in, e.table_code, e.debt_kind) AS scope_key,
  e.release_id, e.row_no, e.region_code,
  concat_ws(' ', e.region_name, concat(e.as_of_year, '年末'), CASE e.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '余额') AS subject_zh,
  concat_ws(' ', e.region_name, 'end of', e.as_of_year, e.debt_kind, 'debt') AS subject_en,
  abs(e.amount_yuan - f.amount_yuan) AS lhs, $1 * f.amount_yuan AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM debt_stock AS e
JOIN final AS f ON f.place = 1 AND f.region_id = e.region_id AND f.scope = e.scope AND f.debt_kind = e.debt_kind AND f.as_of_year = e.as_of_year
WHERE e.measure = 'balance' AND e.stage = 'ESTIMATE' AND e.form = 'all' AND e.amount_yuan IS NOT NULL AND e.table_code NOT LIKE 'PANEL%'
