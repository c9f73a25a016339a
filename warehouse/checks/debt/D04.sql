-- id = "D04"
-- title = { zh = "余额不超过限额", en = "the balance is at most the limit" }
-- tables = ["debt_stock"]
-- basis = { zh = "《预算法》第三十五条：举借的债务余额不得突破批准的限额", en = "Budget Law, article 35: the balance may not exceed the approved limit" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- # It is real where it occurs: published, never held back.
-- blocking = false
-- lhs = { zh = "余额", en = "balance" }
-- rhs = { zh = "限额", en = "limit" }
SELECT concat_ws('/', s.region_id, s.scope, s.as_of_year, s.stage, s.quoted_in, s.table_code, s.debt_kind) AS scope_key,
  s.release_id, s.row_no, s.region_code,
  concat_ws(' ', s.region_name, concat(s.as_of_year, '年'), CASE s.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务合计' END) AS subject_zh,
  concat_ws(' ', s.region_name, s.as_of_year, s.debt_kind, 'debt') AS subject_en,
  s.amount_yuan AS lhs, t.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN s.amount_yuan IS NULL OR t.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM debt_stock AS s JOIN debt_stock AS t ON s.region_id = t.region_id AND s.scope = t.scope AND s.debt_kind = t.debt_kind
  AND s.as_of_year = t.as_of_year AND s.stage = t.stage AND s.form = t.form AND s.table_code = t.table_code
  AND s.quoted_in = t.quoted_in
WHERE s.measure = 'balance' AND t.measure = 'limit'
