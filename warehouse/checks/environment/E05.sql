-- id = "E05"
-- title = { zh = "小时浓度没有突变", en = "hourly concentrations do not jump" }
-- tables = ["air_hourly"]
-- basis = { zh = "大于上一小时四倍且升高超过 200 µg/m³ 的小时值应当核实；一氧化碳另用单位，不检验", en = "an hourly value above four times that of the hour before, and higher by more than 200 µg/m³, is to be looked at; carbon monoxide has another unit and is not tested" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "突变的小时数", en = "hours with a jump" }
-- rhs = { zh = "允许", en = "allowed" }
-- # Only the hour right after another is compared with it: a gap of hours or months is no jump.
-- parameters = { rise = "200", times = "4" }
WITH hour AS (
  SELECT geo_kind, geo_id, measure, data_kind, data_month, obs_time, release_id, row_no, region_code, coalesce(geo_name, geo_id) AS shown, value,
    lag(value) OVER (PARTITION BY geo_kind, geo_id, measure, data_kind ORDER BY obs_time) AS value_before,
    lag(obs_time) OVER (PARTITION BY geo_kind, geo_id, measure, data_kind ORDER BY obs_time) AS time_before
  FROM air_hourly WHERE averaging = '1h' AND measure NOT IN ('AQI', 'CO') AND value IS NOT NULL
),
compared AS (
  SELECT *, value > $2 * value_before AND value > $1 + value_before AS is_jump
  FROM hour WHERE obs_time = time_before + INTERVAL '1 hour'
)
SELECT concat_ws('/', geo_kind, geo_id, measure, data_month, data_kind) AS scope_key, min(release_id) AS release_id,
  min(CASE WHEN is_jump THEN row_no END) AS row_no, min(region_code) AS region_code,
  concat_ws(' ', min(shown), data_month, measure) AS subject_zh, concat_ws(' ', min(shown), data_month, measure) AS subject_en,
  sum(CASE WHEN is_jump THEN 1 ELSE 0 END) AS lhs, 0 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM compared GROUP BY geo_kind, geo_id, measure, data_month, data_kind
