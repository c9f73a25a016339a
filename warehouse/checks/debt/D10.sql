-- id = "D10"
-- title = { zh = "再融资债券不超过当年还本额", en = "refinancing bonds are at most the principal repaid" }
-- tables = ["debt_flow"]
-- basis = { zh = "再融资债券用于偿还到期本金，一般与专项分别比较；用于偿还存量债务的再融资债券会超过，须有说明", en = "refinancing bonds repay principal that falls due, general and special each; those that repay other debt go beyond it and need a note" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "再融资债券", en = "refinancing bonds" }
-- rhs = { zh = "还本额", en = "principal repaid" }
SELECT concat_ws('/', r.region_id, r.scope, r.year, r.stage, r.quoted_in, r.table_code, r.debt_kind) AS scope_key,
  r.release_id, r.row_no, r.region_code,
  concat_ws(' ', r.region_name, concat(r.year, '年'), CASE r.debt_kind WHEN 'general' THEN '再融资一般债券' ELSE '再融资专项债券' END) AS subject_zh,
  concat_ws(' ', r.region_name, r.year, r.debt_kind, 'refinancing bonds') AS subject_en,
  r.amount_yuan AS lhs, p.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN r.amount_yuan IS NULL OR p.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM debt_flow AS r
LEFT JOIN debt_flow AS p ON p.flow = 'repay_total' AND p.form = 'all' AND p.region_id = r.region_id AND p.scope = r.scope
  AND p.debt_kind = r.debt_kind AND p.year = r.year AND p.stage = r.stage AND p.quoted_in = r.quoted_in AND p.table_code = r.table_code
WHERE r.flow = 'issue_refinance' AND r.debt_kind IN ('general', 'special')
