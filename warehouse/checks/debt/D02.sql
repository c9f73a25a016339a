-- id = "D02"
-- title = { zh = "本地区等于本级与下级之和", en = "a region equals its own level and the regions below" }
-- tables = ["debt_stock"]
-- basis = { zh = "财预〔2018〕209号表1-1、表3-1：本地区 = 本级 + 各下级地区", en = "财预〔2018〕209号, forms 1-1 and 3-1: region = own level + lower regions" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "本地区", en = "region" }
-- rhs = { zh = "本级加下级", en = "own level and below" }
WITH stock AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step
  FROM debt_stock AS l
), part AS (
  SELECT as_of_year, stage, measure, debt_kind, form, table_code, quoted_in, parent_path, sum(amount_yuan) AS total,
    count(amount_yuan) AS addends, count(*) - count(amount_yuan) AS absent,
    sum(CASE WHEN scope = 'own' THEN 1 ELSE 0 END) AS own_rows, max(step) AS step
  -- A row for all lower levels together says again what the regions say one by one.
  FROM stock WHERE parent_path <> '' AND scope <> 'lower' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT concat_ws('/', t.region_id, t.as_of_year, t.stage, t.quoted_in, t.table_code, t.measure, t.debt_kind) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.as_of_year, '年'), CASE t.debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END,
    CASE t.measure WHEN 'limit' THEN '限额' ELSE '余额' END) AS subject_zh,
  concat_ws(' ', t.region_name, t.as_of_year, t.debt_kind, t.measure) AS subject_en,
  t.amount_yuan AS lhs, s.total AS rhs, s.addends, s.absent + CASE WHEN s.own_rows = 0 THEN 1 ELSE 0 END AS missing,
  CASE WHEN s.step > t.step THEN s.step ELSE t.step END AS step
FROM stock AS t JOIN part AS s ON s.as_of_year = t.as_of_year AND s.stage = t.stage AND s.measure = t.measure
  AND s.form = t.form AND s.table_code = t.table_code AND s.quoted_in = t.quoted_in AND s.debt_kind = t.debt_kind
  AND s.parent_path = CASE WHEN t.parent_path = '' THEN t.region_name ELSE concat(t.parent_path, '/', t.region_name) END
WHERE t.scope = 'area'
