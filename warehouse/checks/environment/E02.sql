-- id = "E02"
-- title = { zh = "所印小时 AQI 由浓度得出", en = "the printed hourly AQI follows from the concentrations" }
-- tables = ["air_hourly"]
-- basis = { zh = "HJ 633：AQI 为各分指数的最大值，进位取整；颗粒物用小时值或 24 小时滑动平均，四舍五入的也算得出", en = "HJ 633: the AQI is the largest index, rounded up; particles by the hour or by the moving mean of 24 hours, and an index rounded to the nearest counts too" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- # Where a pollutant is missing, the printed index may be its own: only one below what is there is wrong then.
-- lhs = { zh = "得不出的小时数", en = "hours that no variant explains" }
-- rhs = { zh = "允许", en = "allowed" }
SELECT concat_ws('/', geo_kind, geo_id, data_month, data_kind) AS scope_key, min(release_id) AS release_id, CAST(NULL AS BIGINT) AS row_no,
  min(region_code) AS region_code, concat_ws(' ', min(coalesce(geo_name, geo_id)), data_month, 'AQI') AS subject_zh,
  concat_ws(' ', min(coalesce(geo_name, geo_id)), data_month, 'AQI') AS subject_en,
  count(CASE WHEN aqi_printed NOT IN (aqi_pm_1h, aqi_pm_1h_nearest, coalesce(aqi_pm_24h, aqi_pm_1h))
    AND (valid_pollutants = 6 OR aqi_printed < aqi_pm_1h_nearest) THEN 1 END) AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN count(aqi_pm_1h) = 0 THEN 1 ELSE 0 END AS missing, 0 AS step
FROM air_hourly_index GROUP BY geo_kind, geo_id, data_month, data_kind
