-- id = "E01"
-- title = { zh = "所给日均值由小时值得出", en = "supplied means of the day follow from the hours" }
-- tables = ["air_hourly"]
-- basis = { zh = "24 时的 24 小时滑动平均即该日均值；由小时值推算的日均值（每日至少 20 个有效小时）与之相差不超过 1 µg/m³（一氧化碳 0.1 mg/m³）", en = "the moving mean of 24 hours at 24:00 is that of the day; the mean reckoned from the hours (at least 20 valid ones) differs by at most 1 µg/m³ (carbon monoxide 0.1 mg/m³)" }
-- # Means that a real-time page moves from hour to hour are not reviewed: where they differ the hours were mended later, or the page was.
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "不符的日均值", en = "means that differ" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { a_particles_and_gases = "1", b_carbon_monoxide = "0.1" }
WITH supplied AS (
  SELECT geo_kind, geo_id, data_date, data_kind, measure, min(release_id) AS release_id,
    min(CASE WHEN measure = 'CO' AND unit = 'ug_m3' THEN value / 1000 ELSE value END) AS v
  FROM air_hourly WHERE averaging = '24h' AND hour_label = 24 AND value IS NOT NULL AND measure IN ('SO2', 'NO2', 'PM10', 'PM25', 'CO')
  GROUP BY geo_kind, geo_id, data_date, data_kind, measure
), both_sides AS (
  SELECT s.geo_kind, s.geo_id, s.data_kind, s.release_id, d.geo_name, d.region_code, d.data_month, s.measure, s.v,
    CASE s.measure WHEN 'SO2' THEN so2_ug_m3 WHEN 'NO2' THEN no2_ug_m3 WHEN 'PM10' THEN pm10_ug_m3 WHEN 'PM25' THEN pm25_ug_m3 ELSE co_mg_m3 END AS mean
  FROM supplied AS s JOIN air_daily AS d ON d.geo_kind = s.geo_kind AND d.geo_id = s.geo_id AND d.data_date = s.data_date AND d.data_kind = s.data_kind
)
SELECT concat_ws('/', geo_kind, geo_id, data_month, data_kind) AS scope_key, min(release_id) AS release_id, CAST(NULL AS BIGINT) AS row_no,
  min(region_code) AS region_code, concat_ws(' ', min(coalesce(geo_name, geo_id)), data_month, '日均值') AS subject_zh,
  concat_ws(' ', min(coalesce(geo_name, geo_id)), data_month, 'means of the day') AS subject_en,
  sum(CASE WHEN abs(v - mean) > CASE measure WHEN 'CO' THEN $2 ELSE $1 END THEN 1 ELSE 0 END) AS lhs, 0 AS rhs, count(*) AS addends, 0 AS missing, 0 AS step
FROM both_sides WHERE mean IS NOT NULL GROUP BY geo_kind, geo_id, data_month, data_kind
