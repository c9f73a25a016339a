-- id = "E06H"
-- title = { zh = "一天有 24 个小时的数据", en = "a day has data of 24 hours" }
-- tables = ["air_hourly"]
-- basis = { zh = "一天应有时标 1 至 24；缺少的小时（文件中整行没有）按月计数，快照本来只有一个小时", en = "a day should have the labels 1 to 24; hours whose rows are not in any file are counted by month. A snapshot has one hour by nature" }
-- severity = "INFO"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "INFO"]
-- blocking = false
-- lhs = { zh = "已有的小时（各对象合计）", en = "hours that are there (all places)" }
-- rhs = { zh = "有数据的天数乘以 24", en = "days with data, times 24" }
-- parameters = { hours_a_day = "24" }
WITH place_hour AS (
  SELECT geo_kind, geo_id, data_kind, data_month, data_date, obs_time, min(release_id) AS release_id
  FROM air_hourly WHERE averaging = '1h' GROUP BY 1, 2, 3, 4, 5, 6
),
place_day AS (
  SELECT geo_kind, data_kind, data_month, data_date, geo_id, count(*) AS hours, min(release_id) AS release_id
  FROM place_hour GROUP BY 1, 2, 3, 4, 5
)
SELECT concat_ws('/', geo_kind, data_month, data_kind) AS scope_key, min(release_id) AS release_id, CAST(NULL AS BIGINT) AS row_no,
  CAST(NULL AS VARCHAR) AS region_code,
  concat_ws(' ', CASE geo_kind WHEN 'city' THEN '城市' WHEN 'station' THEN '站点' ELSE geo_kind END, data_month) AS subject_zh,
  concat_ws(' ', geo_kind, data_month) AS subject_en, sum(hours) AS lhs, $1 * count(*) AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM place_day GROUP BY geo_kind, data_month, data_kind
