-- id = "E13"
-- title = { zh = "数值不在量程或指数的上限", en = "values are not at the ceiling of an instrument or scale" }
-- tables = ["air_hourly"]
-- basis = { zh = "AQI 最高为 500（爆表），颗粒物监测仪量程常为 985、1000、9985 或 10000 µg/m³，一氧化碳为 10 mg/m³：等于上限的数值，真实情况可能更高", en = "the AQI ends at 500; instruments for particles often end at 985, 1000, 9985 or 10000 µg/m³, those for carbon monoxide at 10 mg/m³: what really was may be above a value that equals the ceiling" }
-- severity = "INFO"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "INFO"]
-- blocking = false
-- lhs = { zh = "等于上限的小时数", en = "hours at a ceiling" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { aqi_end = "500", co_end = "10", pm_high = "10000", pm_high_offset = "9985", pm_low = "1000", pm_low_offset = "985" }
WITH tested AS (
  SELECT geo_kind, geo_id, measure, data_month, data_kind, release_id, row_no, region_code, coalesce(geo_name, geo_id) AS shown,
    CASE measure WHEN 'AQI' THEN value >= $1 WHEN 'CO' THEN value = CASE WHEN unit = 'ug_m3' THEN 1000 * $2 ELSE $2 END
      ELSE value IN ($3, $4, $5, $6) END AS is_at_end
  FROM air_hourly WHERE averaging = '1h' AND measure IN ('AQI', 'CO', 'PM10', 'PM25') AND value IS NOT NULL
)
SELECT concat_ws('/', geo_kind, geo_id, measure, data_month, data_kind) AS scope_key, min(release_id) AS release_id,
  min(CASE WHEN is_at_end THEN row_no END) AS row_no, min(region_code) AS region_code,
  concat_ws(' ', min(shown), data_month, measure) AS subject_zh, concat_ws(' ', min(shown), data_month, measure) AS subject_en,
  sum(CASE WHEN is_at_end THEN 1 ELSE 0 END) AS lhs, 0 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM tested GROUP BY geo_kind, geo_id, measure, data_month, data_kind
