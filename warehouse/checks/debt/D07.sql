-- id = "D07"
-- title = { zh = "年初余额等于上年决算的年末余额", en = "the opening balance is the final balance of the year before" }
-- tables = ["debt_stock"]
-- basis = { zh = "财预〔2018〕209号：表1-2、1-3、4-3 的上年末余额实际数等于上年决算表4-1（无此表时为上年决算其他表）的余额；不同须有说明", en = "财预〔2018〕209号: the actual balance of the year before in forms 1-2, 1-3 and 4-3 is that of form 4-1 of that year, or of another table of its final accounts; a difference needs a note" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "年初余额", en = "opening balance" }
-- rhs = { zh = "上年决算余额", en = "final balance of the year before" }
-- # Panels of third parties are no final accounts.
WITH stock AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_stock AS l
  WHERE l.form = 'all' AND l.measure IN ('balance', 'balance_prev') AND l.table_code NOT LIKE 'PANEL%'
), opening AS (
  SELECT *, as_of_year - 1 AS year_end FROM stock WHERE measure = 'balance_prev'
  UNION ALL
  SELECT *, as_of_year AS year_end FROM stock
  WHERE measure = 'balance' AND stage = 'FINAL' AND as_of_year < quoted_in AND table_code IN ('T12', 'T13', 'T33')
), closing AS (
  SELECT l.*, row_number() OVER (PARTITION BY l.region_id, l.scope, l.debt_kind, l.as_of_year ORDER BY CASE WHEN l.quoted_in = l.as_of_year THEN 0 ELSE 1 END, CASE l.table_code WHEN 'T31' THEN 0 WHEN 'T33' THEN 1 ELSE 2 END, l.quoted_in DESC, l.table_code) AS place
  FROM stock AS l
  WHERE l.measure = 'balance' AND l.stage = 'FINAL' AND NOT (l.as_of_year < l.quoted_in AND l.table_code IN ('T12', 'T13', 'T33'))
)
SELECT concat_ws('/', o.region_id, o.scope, o.year_end, o.stage, o.quoted_in, o.table_code, o.debt_kind) AS scope_key,
  o.release_id, o.row_no, o.region_code,
  concat_ws(' ', o.region_name, concat(o.year_end, '年末'), CASE o.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '余额') AS subject_zh,
  concat_ws(' ', o.region_name, 'end of', o.year_end, o.debt_kind, 'debt') AS subject_en,
  o.amount_yuan AS lhs, c.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN o.amount_yuan IS NULL OR c.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, greatest(o.step, c.step) AS step
FROM opening AS o
LEFT JOIN closing AS c ON c.place = 1 AND c.region_id = o.region_id AND c.scope = o.scope AND c.debt_kind = o.debt_kind
  AND c.as_of_year = o.year_end
