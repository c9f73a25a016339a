-- id = "R01"
-- title = { zh = "浓度在可能范围内", en = "concentrations are possible" }
-- tables = ["air_hourly"]
-- basis = { zh = "一氧化碳（mg/m³）大于 150、其他污染物（µg/m³）大于 4000 或为负，应为单位错误", en = "carbon monoxide above 150 mg/m³, other pollutants above 4000 µg/m³, and negative values are errors of unit" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = false
-- lhs = { zh = "超出范围的数值", en = "values out of range" }
-- rhs = { zh = "允许", en = "allowed" }
-- # Some files give carbon monoxide in µg/m³, of which a mg/m³ has a thousand.
-- parameters = { highest_co = "150", highest_other = "4000" }
WITH tested AS (
  SELECT *, coalesce(geo_name, geo_id) AS shown,
    value < 0 OR value > CASE WHEN measure <> 'CO' THEN $2 WHEN unit = 'ug_m3' THEN 1000 * $1 ELSE $1 END AS is_out
  FROM air_hourly WHERE measure <> 'AQI' AND value IS NOT NULL
)
SELECT concat_ws('/', geo_kind, geo_id, measure, averaging, data_month, data_kind) AS scope_key, min(release_id) AS release_id,
  min(CASE WHEN is_out THEN row_no END) AS row_no,
  min(region_code) AS region_code, concat_ws(' ', min(shown), data_month, measure, averaging) AS subject_zh,
  concat_ws(' ', min(shown), data_month, measure, averaging) AS subject_en,
  sum(CASE WHEN is_out THEN 1 ELSE 0 END) AS lhs, 0 AS rhs,
  1 AS addends, 0 AS missing, 0 AS step
FROM tested
GROUP BY geo_kind, geo_id, measure, averaging, data_month, data_kind
