-- id = "E08"
-- title = { zh = "优良天数率等于优良天数除以有效天数", en = "the rate of good days follows from the days" }
-- tables = ["air_period_published"]
-- basis = { zh = "优良天数率 = 优良天数 ÷ 有效天数 × 100，保留一位小数；分母不是日历天数", en = "rate = good days ÷ valid days × 100, to one decimal; the divisor is not the calendar days" }
-- severity = "ERROR"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "印刷的优良天数率（%）", en = "rate as printed (per cent)" }
-- rhs = { zh = "由天数得出的优良天数率（%）", en = "rate that follows from the days (per cent)" }
-- # A rate half-way between two printed ones may have been rounded either way. Good days are those printed, else the first two levels.
-- parameters = { half_of_a_decimal = "0.05" }
WITH report AS (
  SELECT region_id, period_kind, period, data_kind, min(release_id) AS release_id, min(region_code) AS region_code,
    min(region_name) AS region_name, min(CASE WHEN stat = 'good_rate' THEN row_no END) AS row_no,
    max(CASE WHEN stat = 'good_rate' THEN value END) AS printed, max(CASE WHEN stat = 'valid_days' THEN value END) AS valid_days,
    max(CASE WHEN stat = 'good_days' THEN value END) AS good_days,
    sum(CASE WHEN stat IN ('days_level_1', 'days_level_2') THEN value END) AS days_of_good,
    count(CASE WHEN stat IN ('days_level_1', 'days_level_2') THEN value END) AS good_levels
  FROM air_period_published WHERE measure = 'AQI' GROUP BY 1, 2, 3, 4
),
computed AS (
  SELECT *, CAST(100 * coalesce(good_days, CASE WHEN good_levels = 2 THEN days_of_good END) AS DECIMAL(20,6)) / nullif(valid_days, 0) AS rate
  FROM report WHERE row_no IS NOT NULL
)
SELECT concat_ws('/', region_id, period_kind, period, data_kind) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, period) AS subject_zh, concat_ws(' ', region_name, period) AS subject_en, printed AS lhs,
  CASE WHEN abs(printed - rate) <= $1 THEN printed ELSE round(rate, 1) END AS rhs, 2 AS addends,
  CASE WHEN printed IS NULL OR rate IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM computed
