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
  SELECT l.*, concat_ws('/', coalesce(from_region_code, from_region_name), fiscal_year, programme, batch) AS allocation,
    published_step(l.published_unit, l.published_scale) AS step
  FROM poverty_allocation AS l
), part AS (
  SELECT allocation, region_id, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent, max(step) AS step
  FROM fund WHERE line_kind = 'detail' GROUP BY 1, 2
), part_of_tier AS (
  SELECT allocation, region_id, source_tier, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent, max(step) AS step
  FROM fund WHERE line_kind = 'detail' GROUP BY 1, 2, 3
), part_of_regions AS (
  SELECT allocation, source_tier, fund_name, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent, max(step) AS step
  FROM fund WHERE receiver_kind = 'region' GROUP BY 1, 2, 3
)
SELECT concat_ws('/', t.allocation, t.region_id) AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.batch) AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.batch) AS subject_en, t.amount_yuan AS lhs, s.total AS rhs, s.addends,
  coalesce(s.absent, 1) AS missing, CASE WHEN s.step > t.step THEN s.step ELSE t.step END AS step
FROM fund AS t LEFT JOIN part AS s ON s.allocation = t.allocation AND s.region_id = t.region_id
WHERE t.line_kind = 'total'
UNION ALL
SELECT concat_ws('/', t.allocation, t.region_id, t.source_tier) AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.batch, t.source_tier, '小计') AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.batch, t.source_tier, 'subtotal') AS subject_en, t.amount_yuan AS lhs, s.total AS rhs, s.addends,
  coalesce(s.absent, 1) AS missing, CASE WHEN s.step > t.step THEN s.step ELSE t.step END AS step
FROM fund AS t LEFT JOIN part_of_tier AS s ON s.allocation = t.allocation AND s.region_id = t.region_id AND s.source_tier = t.source_tier
WHERE t.line_kind = 'subtotal'
UNION ALL
SELECT concat_ws('/', t.allocation, t.region_id, t.source_tier, t.fund_name, 'regions') AS scope_key, t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.batch, t.fund_name, '各地区之和') AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.batch, t.fund_name, 'over the regions') AS subject_en, t.amount_yuan AS lhs, s.total AS rhs, s.addends,
  coalesce(s.absent, 1) AS missing, CASE WHEN s.step > t.step THEN s.step ELSE t.step END AS step
FROM fund AS t LEFT JOIN part_of_regions AS s ON s.allocation = t.allocation AND s.source_tier = t.source_tier AND s.fund_name = t.fund_name
WHERE t.receiver_kind = 'all'
