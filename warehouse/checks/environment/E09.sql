-- id = "E09"
-- title = { zh = "综合指数由六项浓度得出", en = "the composite index follows from six concentrations" }
-- tables = ["air_period_published"]
-- basis = { zh = "综合指数 = 二氧化硫、二氧化氮、PM10、PM2.5 平均浓度除以年二级限值，加一氧化碳第 95 百分位数除以 4、臭氧第 90 百分位数除以 160；不舍入相加，与印刷值相差不超过 0.05。2026 年 3 月起 PM10、PM2.5 限值为 60、30，跨两个标准的 2026 年年值不检验", en = "sum of the means of SO2, NO2, PM10 and PM2.5 over their annual limits of class Ⅱ, of the 95th percentile of CO over 4 and the 90th of O3 over 160, added unrounded, within 0.05 of what is printed. From March 2026 the limits of PM10 and PM2.5 are 60 and 30; the year 2026 has both and is not tested" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "印刷值与推算值之差", en = "difference between printed and computed" }
-- rhs = { zh = "允许相差", en = "difference allowed" }
-- parameters = { allowed = "0.05", co = "4", no2 = "40", o3 = "160", pm10 = "70", pm10_2026 = "60", pm25 = "35", pm25_2026 = "30", so2 = "60" }
WITH concentration AS (
  SELECT *, CAST(CASE WHEN measure = 'CO' AND unit = 'ug_m3' THEN value / 1000 ELSE value END AS DECIMAL(20,8)) AS amount,
    CASE WHEN stat = 'mean' AND measure = 'SO2' THEN $9 WHEN stat = 'mean' AND measure = 'NO2' THEN $3
      WHEN stat = 'mean' AND measure = 'PM10' THEN CASE WHEN period >= '2026-03' THEN $6 ELSE $5 END
      WHEN stat = 'mean' AND measure = 'PM25' THEN CASE WHEN period >= '2026-03' THEN $8 ELSE $7 END
      WHEN stat = 'p95' AND measure = 'CO' THEN $2 WHEN stat = 'p90' AND measure = 'O3' THEN $4 END AS bound
  FROM air_period_published
),
report AS (
  SELECT region_id, period_kind, period, data_kind, min(release_id) AS release_id, min(region_code) AS region_code,
    min(region_name) AS region_name, min(CASE WHEN stat = 'composite_index' THEN row_no END) AS row_no,
    max(CASE WHEN stat = 'composite_index' THEN value END) AS printed, sum(amount / bound) AS computed,
    count(CASE WHEN bound IS NOT NULL THEN amount END) AS addends
  FROM concentration GROUP BY 1, 2, 3, 4
)
SELECT concat_ws('/', region_id, period_kind, period, data_kind) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, period, '印刷', CAST(printed AS VARCHAR), '推算', CASE WHEN addends = 6 THEN CAST(round(computed, 3) AS VARCHAR) END) AS subject_zh,
  concat_ws(' ', region_name, period, 'printed', CAST(printed AS VARCHAR), 'computed', CASE WHEN addends = 6 THEN CAST(round(computed, 3) AS VARCHAR) END) AS subject_en,
  abs(printed - computed) AS lhs, $1 AS rhs, addends,
  CASE WHEN printed IS NULL OR addends <> 6 OR period = '2026' THEN 1 ELSE 0 END AS missing, 0 AS step
FROM report WHERE row_no IS NOT NULL
