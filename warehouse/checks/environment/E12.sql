-- id = "E12"
-- title = { zh = "预报在预报日之前发布", en = "a forecast comes out before its day" }
-- tables = ["air_forecast"]
-- basis = { zh = "空气质量预报应在预报日期之前发布", en = "forecasts of air quality are published before the day that they are about" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "发布日晚于预报日前一日的天数", en = "days published after the eve of the day" }
-- rhs = { zh = "允许", en = "allowed" }
SELECT concat_ws('/', region_id, target_date, issued_at) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, target_date, '预报') AS subject_zh, concat_ws(' ', region_name, target_date, 'forecast') AS subject_en,
  CASE WHEN CAST(issued_at AS DATE) >= target_date THEN CAST(CAST(issued_at AS DATE) AS INTEGER) - CAST(target_date AS INTEGER) + 1 ELSE 0 END AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN issued_at IS NULL OR target_date IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM air_forecast
