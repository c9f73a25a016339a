-- id = "D14"
-- title = { zh = "债务按类别、按形式的分列等于合计", en = "debt by kind and by form adds up to its total" }
-- tables = ["debt_stock", "debt_flow", "debt_balance_by_use"]
-- basis = { zh = "一般债务 + 专项债务 = 债务合计 = 政府债券 + 非政府债券形式存量政府债务；表1-6：A = B + C，D = E + F，G = H + I；按投向分列的余额同理", en = "general + special = total = bonds + debt not in bonds; form 1-6: A = B + C, D = E + F, G = H + I; the same for balances by use" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "合计", en = "total" }
-- rhs = { zh = "各项之和", en = "sum of the parts" }
-- # Kinds of limits and balances are D01; they stand here only where the total is not printed and the forms are.
WITH stock AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_stock AS l
), form AS (
  SELECT region_id, scope, as_of_year, stage, quoted_in, table_code, measure, debt_kind, min(region_name) AS region_name,
    min(region_code) AS region_code, max(CASE WHEN form <> 'non_bond' THEN release_id END) AS release_id,
    coalesce(min(CASE WHEN form = 'all' THEN row_no END), min(row_no)) AS row_no,
    sum(CASE WHEN form = 'all' THEN amount_yuan END) AS total, sum(CASE WHEN form <> 'all' THEN amount_yuan END) AS parts,
    count(CASE WHEN form <> 'all' THEN amount_yuan END) AS printed, sum(CASE WHEN form <> 'all' THEN 1 ELSE 0 END) AS form_rows,
    min(step) AS step
  FROM stock GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), kind AS (
  SELECT region_id, scope, as_of_year, stage, quoted_in, table_code, measure, sum(total) AS total, count(total) AS printed, min(step) AS step
  FROM form WHERE debt_kind <> 'total' GROUP BY 1, 2, 3, 4, 5, 6, 7
), flow AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.flow IN ('new_limit', 'advance_new_limit', 'limit_recovered', 'limit_transferred', 'adjust')
), by_use AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_balance_by_use AS l
), split AS (
  SELECT concat_ws('/', region_id, scope, year, stage, quoted_in, table_code, flow) AS scope_key, min(region_name) AS region_name,
    min(region_code) AS region_code, year, CASE flow WHEN 'new_limit' THEN '新增限额' WHEN 'advance_new_limit' THEN '提前下达限额'
      WHEN 'limit_recovered' THEN '收回限额' WHEN 'limit_transferred' THEN '调整限额' ELSE '调减' END AS what_zh, flow AS what_en,
    max(CASE WHEN debt_kind = 'total' THEN release_id END) AS release_id, max(CASE WHEN debt_kind = 'total' THEN row_no END) AS row_no,
    sum(CASE WHEN debt_kind = 'total' THEN 1 ELSE 0 END) AS total_rows, sum(CASE WHEN debt_kind = 'total' THEN amount_yuan END) AS total,
    sum(CASE WHEN debt_kind <> 'total' THEN amount_yuan END) AS parts, count(CASE WHEN debt_kind <> 'total' THEN amount_yuan END) AS printed,
    sum(CASE WHEN debt_kind <> 'total' THEN 1 ELSE 0 END) AS kind_rows, min(step) AS step
  FROM flow GROUP BY region_id, scope, year, stage, quoted_in, table_code, flow
  UNION ALL
  SELECT concat_ws('/', region_id, scope, as_of_year, stage, quoted_in, table_code, line_path), min(region_name), min(region_code), as_of_year,
    min(line_name), min(line_name), max(CASE WHEN debt_kind = 'total' THEN release_id END), max(CASE WHEN debt_kind = 'total' THEN row_no END),
    sum(CASE WHEN debt_kind = 'total' THEN 1 ELSE 0 END), sum(CASE WHEN debt_kind = 'total' THEN amount_yuan END),
    sum(CASE WHEN debt_kind <> 'total' THEN amount_yuan END), count(CASE WHEN debt_kind <> 'total' THEN amount_yuan END),
    sum(CASE WHEN debt_kind <> 'total' THEN 1 ELSE 0 END), min(step)
  FROM by_use GROUP BY region_id, scope, as_of_year, stage, quoted_in, table_code, line_path
)
SELECT scope_key, release_id, row_no, region_code, concat_ws(' ', region_name, concat(year, '年'), what_zh) AS subject_zh,
  concat_ws(' ', region_name, year, what_en) AS subject_en, total AS lhs, parts AS rhs, printed AS addends,
  2 - printed + CASE WHEN total IS NULL THEN 1 ELSE 0 END AS missing, step
FROM split WHERE total_rows > 0 AND kind_rows > 0 AND (total IS NOT NULL OR printed > 0)
UNION ALL
SELECT concat_ws('/', f.region_id, f.scope, f.as_of_year, f.stage, f.quoted_in, f.table_code, f.measure, f.debt_kind, 'forms') AS scope_key,
  f.release_id, f.row_no, f.region_code,
  concat_ws(' ', f.region_name, concat(f.as_of_year, '年'), CASE f.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '按形式') AS subject_zh,
  concat_ws(' ', f.region_name, f.as_of_year, f.debt_kind, f.measure, 'by form') AS subject_en,
  coalesce(f.total, k.total) AS lhs, f.parts AS rhs, f.printed AS addends,
  2 - f.printed + CASE WHEN f.total IS NULL AND k.printed <> 2 THEN 1 ELSE 0 END AS missing, least(f.step, k.step) AS step
FROM form AS f
LEFT JOIN kind AS k ON f.debt_kind = 'total' AND k.region_id = f.region_id AND k.scope = f.scope AND k.as_of_year = f.as_of_year
  AND k.stage = f.stage AND k.quoted_in = f.quoted_in AND k.table_code = f.table_code AND k.measure = f.measure
WHERE f.form_rows > 0
