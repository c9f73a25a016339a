-- id = "E04"
-- title = { zh = "小时值没有长时间不变", en = "hourly values do not stand still" }
-- tables = ["air_hourly"]
-- basis = { zh = "连续六小时及以上数值完全相同，多为仪器卡滞；仪器检出限（通常二氧化硫、二氧化氮、臭氧 2 ppb，一氧化碳 0.5 ppm）及以下的数值本就相同，不计", en = "a value that is the same for six hours or more comes mostly from an instrument that is stuck; values at or below the usual detection limits of instruments (2 ppb of sulphur dioxide, nitrogen dioxide and ozone, 0.5 ppm of carbon monoxide) are the same by nature and are not counted" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "数值不变的最长时间（小时）", en = "longest time without a change (hours)" }
-- rhs = { zh = "允许（小时）", en = "allowed (hours)" }
-- # Limits in µg/m³ (carbon monoxide in mg/m³), raised to what is printed: 2 ppb of SO2 are 5.2, of NO2 3.8, of O3 3.9; 0.5 ppm of CO are 0.57.
-- # A run counts for the month in which it is longest; an hour without a value, or that is not there, ends it.
-- parameters = { co_limit = "0.6", gas_limit = "4", hours_allowed = "5", so2_limit = "6" }
WITH hour AS (
  SELECT geo_kind, geo_id, measure, data_kind, data_month, obs_time, release_id, row_no, region_code, coalesce(geo_name, geo_id) AS shown,
    value, CASE measure WHEN 'CO' THEN CASE WHEN unit = 'ug_m3' THEN 1000 * $1 ELSE $1 END WHEN 'SO2' THEN $4
      WHEN 'NO2' THEN $2 WHEN 'O3' THEN $2 ELSE 0 END AS detectable
  FROM air_hourly WHERE averaging = '1h' AND measure <> 'AQI' AND value IS NOT NULL
),
neighbour AS (
  SELECT *, row_number() OVER (PARTITION BY geo_kind, geo_id, measure, data_kind ORDER BY obs_time) AS position,
    lag(value) OVER (PARTITION BY geo_kind, geo_id, measure, data_kind ORDER BY obs_time) AS value_before,
    lag(obs_time) OVER (PARTITION BY geo_kind, geo_id, measure, data_kind ORDER BY obs_time) AS time_before
  FROM hour
),
standing AS (
  SELECT *, 1 + position - max(CASE WHEN value = value_before AND obs_time = time_before + INTERVAL '1 hour' THEN 1 ELSE position END)
    OVER (PARTITION BY geo_kind, geo_id, measure, data_kind ORDER BY obs_time ROWS UNBOUNDED PRECEDING) AS hours
  FROM neighbour
),
counted AS (
  SELECT *, CASE WHEN value > detectable THEN hours ELSE 1 END AS hours_counted FROM standing
)
SELECT concat_ws('/', geo_kind, geo_id, measure, data_month, data_kind) AS scope_key, min(release_id) AS release_id,
  min(CASE WHEN hours_counted > $3 THEN row_no END) AS row_no, min(region_code) AS region_code,
  concat_ws(' ', min(shown), data_month, measure) AS subject_zh, concat_ws(' ', min(shown), data_month, measure) AS subject_en,
  max(hours_counted) AS lhs, $3 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM counted GROUP BY geo_kind, geo_id, measure, data_month, data_kind
