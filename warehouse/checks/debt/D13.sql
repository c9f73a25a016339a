-- id = "D13"
-- title = { zh = "预算的债务收支与债务表一致", en = "debt in the budget is that of the debt tables" }
-- tables = ["gov_budget_line", "debt_flow"]
-- basis = { zh = "本级债务转贷收入 − 本级债务转贷支出 = 本级债务发行额；债务还本支出 = 本级还本额；一般债务对一般公共预算，专项债务对政府性基金预算", en = "own level: debt received − debt lent on = debt raised, and debt repaid is the same; general debt stands in the general public budget, special debt in the fund budget" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "预算", en = "budget" }
-- rhs = { zh = "债务表", en = "debt tables" }
-- # Two books meet here, so the years in which they were printed differ; year, stage and level are the same.
WITH {shared.budget_debt}
SELECT concat_ws('/', b.region_id, b.fiscal_year, b.stage, b.quoted_in, b.debt_kind, d.table_code, d.quoted_in, 'issue') AS scope_key,
  b.release_id, b.row_no, b.region_code,
  concat_ws(' ', b.region_name, concat(b.fiscal_year, '年本级'), CASE b.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '转贷收入减转贷支出') AS subject_zh,
  concat_ws(' ', b.region_name, b.fiscal_year, 'own level,', b.debt_kind, 'debt received less lent on') AS subject_en,
  b.received - b.lent AS lhs, d.issue AS rhs, 2 AS addends,
  CASE WHEN b.received IS NULL OR b.lent IS NULL OR d.issue IS NULL THEN 1 ELSE 0 END AS missing, greatest(b.step, d.step) AS step
FROM book AS b
JOIN raised AS d ON d.region_id = b.region_id AND d.debt_kind = b.debt_kind AND d.year = b.fiscal_year AND d.stage = b.stage
WHERE b.received_rows > 0 AND d.issue IS NOT NULL
UNION ALL
SELECT concat_ws('/', b.region_id, b.fiscal_year, b.stage, b.quoted_in, b.debt_kind, d.table_code, d.quoted_in, 'repaid'),
  b.release_id, b.row_no, b.region_code,
  concat_ws(' ', b.region_name, concat(b.fiscal_year, '年本级'), CASE b.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '还本支出'),
  concat_ws(' ', b.region_name, b.fiscal_year, 'own level,', b.debt_kind, 'debt repaid'),
  b.repaid AS lhs, d.repaid AS rhs, 1, CASE WHEN b.repaid IS NULL OR d.repaid IS NULL THEN 1 ELSE 0 END, greatest(b.step, d.step)
FROM book AS b
JOIN raised AS d ON d.region_id = b.region_id AND d.debt_kind = b.debt_kind AND d.year = b.fiscal_year AND d.stage = b.stage
WHERE b.repaid_rows > 0 AND d.repaid IS NOT NULL
