-- id = "D05"
-- title = { zh = "本年限额等于上年限额加新增限额", en = "the limit equals last year's limit and the new limit" }
-- tables = ["debt_stock", "debt_flow"]
-- basis = { zh = "财预〔2018〕209号表1-2、1-3、1-6：t年末余额限额 = (t−1)年末余额限额 + t年新增限额（另加上级收回、地区间调整）；一般债务的新增限额即地方财政赤字", en = "财预〔2018〕209号, forms 1-2, 1-3 and 1-6: limit of year t = limit of t−1 + new limit of t, and what was taken back or moved between regions; the new limit of general debt is the local deficit" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "本年限额", en = "limit of the year" }
-- rhs = { zh = "上年限额加新增限额", en = "last year's limit and the new limit" }
-- # A limit taken back lowers the limit, with or without a printed minus. Cells of it and of moved limits that are blank say that
-- # there was none; the new limit itself has to be printed.
WITH stock AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_stock AS l WHERE l.measure = 'limit' AND l.form = 'all'
), change AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.flow IN ('new_limit', 'limit_recovered', 'limit_transferred') OR (l.flow = 'deficit' AND l.debt_kind = 'general')
), flow AS (
  SELECT region_id, scope, debt_kind, year, stage, table_code, quoted_in,
    coalesce(sum(CASE WHEN flow = 'new_limit' THEN amount_yuan END), sum(CASE WHEN flow = 'deficit' THEN amount_yuan END)) AS granted,
    sum(CASE flow WHEN 'limit_recovered' THEN -abs(amount_yuan) WHEN 'limit_transferred' THEN amount_yuan END) AS moved,
    count(amount_yuan) AS printed, max(abs(amount_yuan)) AS largest, min(step) AS step
  FROM change GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', t.region_id, t.scope, t.as_of_year, t.stage, t.quoted_in, t.table_code, t.debt_kind) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.as_of_year, '年'), CASE t.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '限额') AS subject_zh,
  concat_ws(' ', t.region_name, t.as_of_year, t.debt_kind, 'limit') AS subject_en,
  t.amount_yuan AS lhs, p.amount_yuan + f.granted + coalesce(f.moved, 0) AS rhs, f.printed + 1 AS addends,
  CASE WHEN p.amount_yuan IS NULL THEN 1 ELSE 0 END + CASE WHEN f.granted IS NULL THEN 1 ELSE 0 END
    + CASE WHEN t.amount_yuan = 0 AND p.amount_yuan = 0 AND f.largest = 0 THEN 1 ELSE 0 END AS missing,
  least(t.step, p.step, f.step) AS step
FROM stock AS t
JOIN stock AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.debt_kind = t.debt_kind AND p.as_of_year + 1 = t.as_of_year
  AND p.table_code = t.table_code AND p.quoted_in = t.quoted_in
JOIN flow AS f ON f.region_id = t.region_id AND f.scope = t.scope AND f.debt_kind = t.debt_kind AND f.year = t.as_of_year
  AND f.stage = t.stage AND f.table_code = t.table_code AND f.quoted_in = t.quoted_in
