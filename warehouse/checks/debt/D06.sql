-- id = "D06"
-- title = { zh = "余额情况表与分地区表的余额一致", en = "the balance of the roll-forward is that of the table by region" }
-- tables = ["debt_stock"]
-- basis = { zh = "财预〔2018〕209号：表1-2、1-3 的年末余额预计执行数等于表1-1 的 E、F；表4-3 的年末余额决算数等于表4-1", en = "财预〔2018〕209号: the expected closing balances of forms 1-2 and 1-3 are E and F of form 1-1; the final closing balances of form 4-3 are those of form 4-1" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "余额情况表", en = "roll-forward" }
-- rhs = { zh = "分地区表", en = "table by region" }
-- # Both tables belong to one set: same year, same stage, same quotation.
WITH stock AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_stock AS l WHERE l.measure = 'balance' AND l.form = 'all'
)
SELECT concat_ws('/', r.region_id, r.scope, r.as_of_year, r.stage, r.quoted_in, r.table_code, r.debt_kind) AS scope_key,
  r.release_id, r.row_no, r.region_code,
  concat_ws(' ', r.region_name, concat(r.as_of_year, '年'), CASE r.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '余额') AS subject_zh,
  concat_ws(' ', r.region_name, r.as_of_year, r.debt_kind, 'debt') AS subject_en,
  r.amount_yuan AS lhs, t.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN r.amount_yuan IS NULL OR t.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, greatest(r.step, t.step) AS step
FROM stock AS r
LEFT JOIN stock AS t ON t.region_id = r.region_id AND t.scope = r.scope AND t.debt_kind = r.debt_kind AND t.as_of_year = r.as_of_year
  AND t.stage = r.stage AND t.quoted_in = r.quoted_in AND t.table_code = CASE r.table_code WHEN 'T33' THEN 'T31' ELSE 'T11' END
WHERE (r.table_code IN ('T12', 'T13') AND r.stage = 'ESTIMATE') OR (r.table_code = 'T33' AND r.as_of_year = r.quoted_in)
