-- id = "E07"
-- title = { zh = "各级天数之和等于有效天数", en = "the days of all levels are the valid days" }
-- tables = ["air_period_published"]
-- basis = { zh = "优、良、轻度、中度、重度、严重污染天数之和等于有效天数；有效天数不多于该时段的天数；优良天数等于优与良之和", en = "the days of the six levels add up to the valid days; these are not more than the days of the period; good days are those of the first two levels" }
-- severity = "ERROR"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "印刷的天数", en = "days as printed" }
-- rhs = { zh = "由各级天数或日历得出的天数", en = "days that follow from the levels or the calendar" }
WITH report AS (
  SELECT region_id, period_kind, period, data_kind, min(release_id) AS release_id, min(region_code) AS region_code,
    min(region_name) AS region_name, min(CASE WHEN stat = 'valid_days' THEN row_no END) AS valid_row,
    min(CASE WHEN stat = 'good_days' THEN row_no END) AS good_row,
    sum(CASE WHEN stat LIKE 'days_level_%' THEN value END) AS days_of_levels,
    count(CASE WHEN stat LIKE 'days_level_%' THEN value END) AS levels,
    sum(CASE WHEN stat LIKE 'days_level_%' THEN 1 ELSE 0 END) AS levels_printed,
    sum(CASE WHEN stat IN ('days_level_1', 'days_level_2') THEN value END) AS days_of_good,
    count(CASE WHEN stat IN ('days_level_1', 'days_level_2') THEN value END) AS good_levels,
    max(CASE WHEN stat = 'valid_days' THEN value END) AS valid_days, max(CASE WHEN stat = 'good_days' THEN value END) AS good_days
  FROM air_period_published WHERE measure = 'AQI' AND period_kind IN ('month', 'year') GROUP BY 1, 2, 3, 4
),
dated AS (
  SELECT *, CASE period_kind
      WHEN 'month' THEN date_part('day', CAST(concat(period, '-01') AS DATE) + INTERVAL '1 month' - INTERVAL '1 day')
      ELSE date_part('doy', CAST(concat(period, '-12-31') AS DATE)) END AS calendar_days
  FROM report
),
identity (part, part_zh, part_en) AS (VALUES ('levels', '各级天数之和', 'sum of the levels'), ('calendar', '时段天数', 'days of the period'),
  ('good', '优良天数', 'good days'))
SELECT concat_ws('/', d.region_id, d.period_kind, d.period, d.data_kind, i.part) AS scope_key, d.release_id,
  CASE i.part WHEN 'good' THEN d.good_row ELSE d.valid_row END AS row_no, d.region_code,
  concat_ws(' ', d.region_name, d.period, i.part_zh) AS subject_zh, concat_ws(' ', d.region_name, d.period, i.part_en) AS subject_en,
  CASE i.part WHEN 'good' THEN d.good_days ELSE d.valid_days END AS lhs,
  CASE i.part WHEN 'levels' THEN d.days_of_levels WHEN 'good' THEN d.days_of_good
    ELSE least(d.valid_days, CAST(d.calendar_days AS DECIMAL(12,4))) END AS rhs,
  CASE i.part WHEN 'levels' THEN d.levels WHEN 'good' THEN d.good_levels ELSE 1 END AS addends,
  CASE i.part WHEN 'levels' THEN 6 - d.levels WHEN 'good' THEN 2 - d.good_levels ELSE 0 END AS missing, 0 AS step
FROM dated AS d JOIN identity AS i ON CASE i.part WHEN 'levels' THEN d.valid_row IS NOT NULL AND d.levels_printed > 0
  WHEN 'good' THEN d.good_row IS NOT NULL AND d.levels_printed > 0 ELSE d.valid_row IS NOT NULL END
