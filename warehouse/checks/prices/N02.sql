-- id = "N02"
-- title = { zh = "月均价等于三旬均价的平均", en = "the mean of a month is that of its three parts" }
-- tables = ["price_observation"]
-- basis = { zh = "本月平均 = 上、中、下旬平均之均值，相差不超过 0.01", en = "mean of the month = mean of its three parts of ten days, within 0.01" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "所列月均价", en = "printed mean" }
-- rhs = { zh = "三旬平均", en = "mean of the three" }
WITH figure AS (
  SELECT o.*, concat_ws('/', region_id, period_kind, CAST(period_start AS VARCHAR), commodity_name, coalesce(spec_name, ''), price_kind, outlet_kind,
    coalesce(outlet_name, '')) AS good
  FROM price_observation AS o
), part AS (
  SELECT good, CAST(round(avg(CAST(value AS DOUBLE)), 2) AS DECIMAL(20,4)) AS mean, count(value) AS parts FROM figure
  WHERE measure IN ('price_first_ten_days', 'price_second_ten_days', 'price_third_ten_days') GROUP BY 1
)
SELECT m.good AS scope_key, m.release_id, m.row_no, m.region_code,
  concat_ws(' ', m.region_name, m.period_name, m.commodity_name, m.spec_name, '月均价') AS subject_zh,
  concat_ws(' ', m.region_name, m.period_name, m.commodity_name, m.spec_name, 'mean of the month') AS subject_en, m.value AS lhs, p.mean AS rhs,
  1 AS addends, CASE WHEN m.value IS NULL OR p.parts < 3 THEN 1 ELSE 0 END AS missing, CAST(0.01 AS DECIMAL(9,4)) AS step
FROM figure AS m JOIN part AS p ON p.good = m.good
WHERE m.measure = 'price'
