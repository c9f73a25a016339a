-- id = "E06"
-- title = { zh = "一天的时标为 1 至 24，各一次", en = "a day has the labels 1 to 24, each once" }
-- tables = ["air_hourly"]
-- basis = { zh = "一天是时标 01:00 至 24:00 的二十四个小时：同一时标不重复，没有此外的时标，且与观测时间相符；缺少的时标由 E06H 计数", en = "a day is the 24 hours labelled 01:00 to 24:00: no label twice, none besides, and each in keeping with the time of observation; labels that are not there are counted by E06H" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "时标有误的天数", en = "days with a wrong label" }
-- rhs = { zh = "允许", en = "allowed" }
-- # Each label is a power of two: the sum of a day's labels is their union exactly when none stands twice.
WITH day AS (
  SELECT geo_kind, geo_id, measure, averaging, data_kind, data_month, data_date, min(release_id) AS release_id, min(row_no) AS row_no,
    min(region_code) AS region_code, min(coalesce(geo_name, geo_id)) AS shown, bit_or(1 << CAST(hour_label AS BIGINT)) AS labels,
    sum(1 << CAST(hour_label AS BIGINT)) AS sum_of_labels, min(hour_label) AS first_label, max(hour_label) AS last_label,
    max(CASE WHEN CAST(obs_time - INTERVAL '1 hour' AS DATE) = data_date AND date_part('hour', obs_time) = hour_label % 24 THEN 0
      ELSE 1 END) AS is_astray
  FROM air_hourly GROUP BY 1, 2, 3, 4, 5, 6, 7
),
judged AS (
  SELECT *, labels <> sum_of_labels OR first_label < 1 OR last_label > 24 OR is_astray = 1 AS is_wrong FROM day
)
SELECT concat_ws('/', geo_kind, geo_id, measure, data_month, data_kind) AS scope_key, min(release_id) AS release_id,
  min(CASE WHEN is_wrong THEN row_no END) AS row_no, min(region_code) AS region_code,
  concat_ws(' ', min(shown), data_month, measure) AS subject_zh, concat_ws(' ', min(shown), data_month, measure) AS subject_en,
  count(DISTINCT CASE WHEN is_wrong THEN data_date END) AS lhs, 0 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM judged GROUP BY geo_kind, geo_id, measure, data_month, data_kind
