-- id = "E03"
-- title = { zh = "PM2.5 不大于 PM10", en = "PM2.5 is at most PM10" }
-- tables = ["air_hourly"]
-- basis = { zh = "细颗粒物是可吸入颗粒物的一部分；允许不超过一成的小时例外（仪器误差），至少允许一个小时", en = "fine particles are a part of PM10; up to a tenth of the hours, and always one, may differ (instrument error)" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "PM2.5 大于 PM10 的小时数", en = "hours with PM2.5 above PM10" }
-- rhs = { zh = "允许的小时数", en = "hours allowed" }
-- # A station may have a single hour in a snapshot: one hour off is no finding.
-- parameters = { hours_at_least = "1", share = "0.1" }
WITH hour AS (
  SELECT geo_kind, geo_id, data_month, data_kind, obs_time, min(coalesce(geo_name, geo_id)) AS geo_name, min(region_code) AS region_code,
    min(release_id) AS release_id, max(CASE WHEN measure = 'PM25' THEN value END) AS pm25,
    max(CASE WHEN measure = 'PM10' THEN value END) AS pm10
  FROM air_hourly WHERE averaging = '1h' AND measure IN ('PM25', 'PM10') GROUP BY 1, 2, 3, 4, 5
)
SELECT concat_ws('/', geo_kind, geo_id, data_month, data_kind) AS scope_key, min(release_id) AS release_id,
  CAST(NULL AS BIGINT) AS row_no, min(region_code) AS region_code, concat_ws(' ', min(geo_name), data_month) AS subject_zh,
  concat_ws(' ', min(geo_name), data_month) AS subject_en, sum(CASE WHEN pm25 > pm10 THEN 1 ELSE 0 END) AS lhs,
  greatest($1, $2 * count(*)) AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM hour WHERE pm25 IS NOT NULL AND pm10 IS NOT NULL
GROUP BY geo_kind, geo_id, data_month, data_kind
