-- id = "B28"
-- title = { zh = "“三公”经费合计等于分项之和", en = "official spending adds up" }
-- tables = ["three_public"]
-- basis = { zh = "合计 = 因公出国（境）费 + 公务用车购置及运行费 + 公务接待费；公务用车购置及运行费 = 购置费 + 运行费", en = "total = travel abroad + vehicles + receptions; vehicles = purchase + running" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "合计或小计", en = "total" }
-- rhs = { zh = "分项之和", en = "sum of parts" }
WITH item AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step
  FROM three_public AS l WHERE NOT l.is_nil
), parent AS (
  -- The subtotal of vehicles counts once as a parent and once as a part.
  SELECT i.*, p.parent AS sum_of FROM item AS i
  JOIN (VALUES ('abroad', 'total'), ('car_total', 'total'), ('reception', 'total'), ('car_purchase', 'car_total'), ('car_run', 'car_total'))
    AS p (item, parent) ON p.item = i.item
), part AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, sum_of, sum(amount_yuan) AS amount_yuan,
    -- A blank is no addend: nothing is planned or spent under it.
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, count(*) AS printed,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM parent GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT concat_ws('/', t.region_id, t.org_id, t.unit_org_id, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.item) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.org_name, t.unit_name, concat(t.fiscal_year, '年'), CASE t.stage WHEN 'FINAL' THEN '决算' ELSE '预算' END,
    CASE t.item WHEN 'total' THEN '“三公”经费合计' ELSE '公务用车购置及运行费' END) AS subject_zh,
  concat_ws(' ', t.org_name, t.unit_name, t.fiscal_year, t.stage, CASE t.item WHEN 'total' THEN 'official spending' ELSE 'vehicles' END) AS subject_en,
  t.amount_yuan AS lhs, p.amount_yuan AS rhs, p.addends,
  p.missing + CASE WHEN t.value_state = 'set_aside' THEN 1 ELSE 0 END
    -- An item that the table does not list at all is unknown.
    + CASE t.item WHEN 'total' THEN 3 ELSE 2 END - p.printed AS missing,
  CASE WHEN p.step > t.step OR t.step IS NULL THEN p.step ELSE t.step END AS step
FROM item AS t JOIN part AS p ON p.region_id = t.region_id AND p.org_id = t.org_id AND p.unit_org_id = t.unit_org_id
  AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code
  AND p.sum_of = t.item
WHERE t.amount_yuan IS NOT NULL OR p.addends > 0
