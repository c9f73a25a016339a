-- id = "D16"
-- title = { zh = "付息额在平均余额的 1% 至 8% 之间", en = "interest is between 1 % and 8 % of the average balance" }
-- tables = ["debt_flow", "debt_stock"]
-- basis = { zh = "付息额与年初、年末余额平均数之比；超出区间多为单位或列错", en = "interest against the mean of the opening and the closing balance; outside that range a unit or a column is mostly wrong" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "应较小的一侧", en = "side that should be smaller" }
-- rhs = { zh = "应较大的一侧", en = "side that should be larger" }
-- # Both bounds in yuan, half of the rate times the sum of the two balances, so that nothing is divided.
-- parameters = { rate_high = "0.08", rate_low = "0.01" }
WITH stock AS (
  SELECT region_id, scope, debt_kind, as_of_year, stage, quoted_in, table_code, measure, max(amount_yuan) AS amount_yuan
  FROM debt_stock WHERE measure IN ('balance', 'balance_prev') AND form = 'all' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), tested AS (
  SELECT i.*, coalesce(p.amount_yuan, o.amount_yuan) + c.amount_yuan AS balances
  FROM debt_flow AS i
  LEFT JOIN stock AS c ON c.measure = 'balance' AND c.region_id = i.region_id AND c.scope = i.scope AND c.debt_kind = i.debt_kind
    AND c.as_of_year = i.year AND c.stage = i.stage AND c.quoted_in = i.quoted_in AND c.table_code = i.table_code
  LEFT JOIN stock AS p ON p.measure = 'balance_prev' AND p.region_id = i.region_id AND p.scope = i.scope AND p.debt_kind = i.debt_kind
    AND p.as_of_year = i.year AND p.stage = i.stage AND p.quoted_in = i.quoted_in AND p.table_code = i.table_code
  LEFT JOIN stock AS o ON o.measure = 'balance' AND o.stage = 'FINAL' AND o.region_id = i.region_id AND o.scope = i.scope
    AND o.debt_kind = i.debt_kind AND o.as_of_year + 1 = i.year AND o.quoted_in = i.quoted_in AND o.table_code = i.table_code
  WHERE i.flow = 'interest' AND i.stage IN ('FINAL', 'ESTIMATE')
)
SELECT concat_ws('/', region_id, scope, year, stage, quoted_in, table_code, debt_kind, 'high') AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(year, '年'), CASE debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '付息不高于平均余额的 8%') AS subject_zh,
  concat_ws(' ', region_name, year, debt_kind, 'interest, at most 8 %') AS subject_en, amount_yuan AS lhs,
  $1 * balances / 2 AS rhs, 2 AS addends,
  CASE WHEN amount_yuan IS NULL OR balances IS NULL OR balances = 0 THEN 1 ELSE 0 END AS missing, 0 AS step
FROM tested
UNION ALL
SELECT concat_ws('/', region_id, scope, year, stage, quoted_in, table_code, debt_kind, 'low'), release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(year, '年'), CASE debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '付息不低于平均余额的 1%'),
  concat_ws(' ', region_name, year, debt_kind, 'interest, at least 1 %'), $2 * balances / 2, amount_yuan, 2,
  CASE WHEN amount_yuan IS NULL OR balances IS NULL OR balances = 0 THEN 1 ELSE 0 END, 0
FROM tested
