-- id = "P01"
-- title = { zh = "分项之和等于合计", en = "funds add up to the stated total" }
-- tables = ["poverty_allocation"]
-- basis = { zh = "国开办发〔2018〕11号：资金分配结果公开各项来源及合计", en = "国开办发〔2018〕11号: allocations are published by source with their total" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "所列合计", en = "stated total" }
-- rhs = { zh = "分项之和", en = "sum of the funds" }
WITH fund AS (
  SELECT l.*, CAST(u.factor AS DECIMAL(12,0)) / CASE l.published_scale WHEN 0 THEN 1 WHEN 1 THEN 10 WHEN 2 THEN 100
    WHEN 3 THEN 1000 WHEN 4 THEN 10000 WHEN 5 THEN 100000 ELSE 1000000 END AS step
  FROM poverty_allocation AS l LEFT JOIN ref.unit AS u ON u.unit = l.published_unit
), part AS (
  SELECT fiscal_year, programme, batch, from_region_code, region_id, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent, max(step) AS step
  FROM fund WHERE line_kind = 'detail' GROUP BY 1, 2, 3, 4, 5
)
SELECT concat_ws('/', t.from_region_code, t.fiscal_year, t.programme, t.batch, t.region_id) AS scope_key,
  t.release_id, t.row_no, t.region_code, concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.batch) AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.batch) AS subject_en, t.amount_yuan AS lhs, s.total AS rhs, s.addends,
  coalesce(s.absent, 1) AS missing, CASE WHEN s.step > t.step THEN s.step ELSE t.step END AS step
FROM fund AS t LEFT JOIN part AS s ON s.fiscal_year = t.fiscal_year AND s.programme = t.programme AND s.batch = t.batch
  AND s.from_region_code = t.from_region_code AND s.region_id = t.region_id
WHERE t.line_kind = 'total'
