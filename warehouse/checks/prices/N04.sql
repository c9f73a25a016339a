-- id = "N04"
-- title = { zh = "同一商品规格的单位不变", en = "the unit of a commodity and specification stays" }
-- tables = ["price_observation"]
-- basis = { zh = "单位变动时价格序列不可直接比较", en = "where the unit changes the prices are no series" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "单位数", en = "units" }
-- rhs = { zh = "应为", en = "expected" }
SELECT concat_ws('/', region_id, period_kind, commodity_name, coalesce(spec_name, '')) AS scope_key, max(release_id) AS release_id,
  CAST(NULL AS BIGINT) AS row_no, max(region_code) AS region_code,
  concat_ws(' ', max(region_name), commodity_name, spec_name, '的计量单位') AS subject_zh,
  concat_ws(' ', 'unit of', max(region_name), commodity_name, spec_name) AS subject_en, count(DISTINCT unit) AS lhs, 1 AS rhs, 1 AS addends,
  0 AS missing, 0 AS step
FROM price_observation WHERE measure = 'price' GROUP BY region_id, period_kind, commodity_name, spec_name
