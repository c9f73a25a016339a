-- label = { zh = "空气质量月、年统计（推算）", en = "Air quality by month and year (derived)" }
-- description = { zh = "由 air_daily 得出的月、年统计。按 HJ 663-2013：二氧化硫、二氧化氮、PM10、PM2.5 取平均，月至少 27 个有效日（二月 25），年至少 324 个有效日且每月有效；百分位数：一氧化碳 95、臭氧（日最大 8 小时）90、二氧化硫和二氧化氮 98、PM10 和 PM2.5 95，年至少 324 个有效日。优良率以有效天数为分母。综合指数为六项浓度与二级限值之比的和，缺一项即无。限值取时段末日所行标准的二级年限值（平均）或 24 小时、8 小时限值（百分位数）。未剔除沙尘。", en = "Statistics of months and years from air_daily. By HJ 663-2013: means of SO2, NO2, PM10 and PM2.5, a month with at least 27 valid days (February 25), a year with at least 324 and every month valid; percentiles of day values: CO 95, ozone (largest 8 hours) 90, SO2 and NO2 98, PM10 and PM2.5 95, a year with at least 324 valid days. The good-day rate has valid days below the line. The composite index is the sum of the ratios of six concentrations to the limits of class Ⅱ, and none where one is missing. Limits are those of class Ⅱ in force on the last day: of the year for means, of 24 or 8 hours for percentiles. Sand-dust days are not left out." }
-- grain = { zh = "一个城市或站点一个时段一种数据状态一个统计量一种污染物", en = "one city or station, period, kind of data, statistic and pollutant" }
-- key = ["geo_kind", "geo_id", "period_kind", "period", "data_kind", "stat", "pollutant"]
-- columns = ["geo_kind", "geo_id", "geo_name", "region_code", "period_kind", "period", "data_kind", "stat", "pollutant", "stat_value", "limit_value", "is_valid", "complies", "day_count", "standard_version", "method"]
WITH day AS (
  SELECT d.*, k.period_kind, CASE k.period_kind WHEN 'month' THEN d.data_month ELSE substr(d.data_month, 1, 4) END AS period
  FROM air_daily AS d CROSS JOIN (VALUES ('month'), ('year')) AS k (period_kind)
), month AS (
  SELECT *, count(so2_ug_m3) OVER days AS n_so2, count(no2_ug_m3) OVER days AS n_no2, count(pm10_ug_m3) OVER days AS n_pm10, count(pm25_ug_m3) OVER days AS n_pm25,
    CASE WHEN substr(data_month, 6, 2) = '02' THEN 25 ELSE 27 END AS needed
  FROM day WINDOW days AS (PARTITION BY geo_kind, geo_id, data_kind, period_kind, data_month)
), wide AS (
  SELECT geo_kind, geo_id, data_kind, period_kind, period, min(geo_name) AS geo_name, min(region_code) AS region_code, max(data_date) AS last_date,
    max(standard_version) AS edition, count(DISTINCT data_month) AS months,
    avg(so2_ug_m3) AS mean_so2, avg(no2_ug_m3) AS mean_no2, avg(pm10_ug_m3) AS mean_pm10, avg(pm25_ug_m3) AS mean_pm25,
    count(so2_ug_m3) AS d_so2, count(no2_ug_m3) AS d_no2, count(pm10_ug_m3) AS d_pm10, count(pm25_ug_m3) AS d_pm25, count(co_mg_m3) AS d_co, count(o3_8h_max_ug_m3) AS d_o3,
    min(CASE WHEN n_so2 >= needed THEN 1 ELSE 0 END) AS whole_so2, min(CASE WHEN n_no2 >= needed THEN 1 ELSE 0 END) AS whole_no2,
    min(CASE WHEN n_pm10 >= needed THEN 1 ELSE 0 END) AS whole_pm10, min(CASE WHEN n_pm25 >= needed THEN 1 ELSE 0 END) AS whole_pm25,
    percentile_cont(0.98) WITHIN GROUP (ORDER BY CAST(so2_ug_m3 AS DOUBLE)) AS p_so2, percentile_cont(0.98) WITHIN GROUP (ORDER BY CAST(no2_ug_m3 AS DOUBLE)) AS p_no2,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY CAST(pm10_ug_m3 AS DOUBLE)) AS p_pm10, percentile_cont(0.95) WITHIN GROUP (ORDER BY CAST(pm25_ug_m3 AS DOUBLE)) AS p_pm25,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY CAST(co_mg_m3 AS DOUBLE)) AS p_co, percentile_cont(0.90) WITHIN GROUP (ORDER BY CAST(o3_8h_max_ug_m3 AS DOUBLE)) AS p_o3,
    sum(CASE WHEN is_valid THEN 1 ELSE 0 END) AS valid_days, sum(CASE WHEN is_valid AND aqi <= 100 THEN 1 ELSE 0 END) AS good_days,
    sum(CASE WHEN is_valid AND aqi_level = 1 THEN 1 ELSE 0 END) AS l1, sum(CASE WHEN is_valid AND aqi_level = 2 THEN 1 ELSE 0 END) AS l2,
    sum(CASE WHEN is_valid AND aqi_level = 3 THEN 1 ELSE 0 END) AS l3, sum(CASE WHEN is_valid AND aqi_level = 4 THEN 1 ELSE 0 END) AS l4,
    sum(CASE WHEN is_valid AND aqi_level = 5 THEN 1 ELSE 0 END) AS l5, sum(CASE WHEN is_valid AND aqi_level = 6 THEN 1 ELSE 0 END) AS l6
  FROM month GROUP BY geo_kind, geo_id, data_kind, period_kind, period
), long AS (
  SELECT w.*, s.stat, s.pollutant, s.limit_period,
    CASE s.n WHEN 1 THEN CAST(mean_so2 AS DOUBLE) WHEN 2 THEN CAST(mean_no2 AS DOUBLE) WHEN 3 THEN CAST(mean_pm10 AS DOUBLE) WHEN 4 THEN CAST(mean_pm25 AS DOUBLE)
      WHEN 5 THEN p_so2 WHEN 6 THEN p_no2 WHEN 7 THEN p_pm10 WHEN 8 THEN p_pm25 WHEN 9 THEN p_co WHEN 10 THEN p_o3
      WHEN 11 THEN CAST(valid_days AS DOUBLE) WHEN 12 THEN CAST(good_days AS DOUBLE) WHEN 13 THEN 100.0 * CAST(good_days AS DOUBLE) / nullif(CAST(valid_days AS DOUBLE), 0)
      WHEN 14 THEN CAST(l1 AS DOUBLE) WHEN 15 THEN CAST(l2 AS DOUBLE) WHEN 16 THEN CAST(l3 AS DOUBLE) WHEN 17 THEN CAST(l4 AS DOUBLE) WHEN 18 THEN CAST(l5 AS DOUBLE) WHEN 19 THEN CAST(l6 AS DOUBLE) END AS v,
    CASE s.n WHEN 1 THEN d_so2 WHEN 2 THEN d_no2 WHEN 3 THEN d_pm10 WHEN 4 THEN d_pm25 WHEN 5 THEN d_so2 WHEN 6 THEN d_no2 WHEN 7 THEN d_pm10 WHEN 8 THEN d_pm25
      WHEN 9 THEN d_co WHEN 10 THEN d_o3 ELSE valid_days END AS days,
    CASE s.n WHEN 1 THEN whole_so2 WHEN 2 THEN whole_no2 WHEN 3 THEN whole_pm10 WHEN 4 THEN whole_pm25 ELSE 1 END AS is_whole
  FROM wide AS w CROSS JOIN (VALUES (1, 'mean', 'SO2', 'year'), (2, 'mean', 'NO2', 'year'), (3, 'mean', 'PM10', 'year'), (4, 'mean', 'PM25', 'year'),
    (5, 'p98', 'SO2', '24h'), (6, 'p98', 'NO2', '24h'), (7, 'p95', 'PM10', '24h'), (8, 'p95', 'PM25', '24h'), (9, 'p95', 'CO', '24h'), (10, 'p90', 'O3', '8h'),
    (11, 'valid_days', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)), (12, 'good_days', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)), (13, 'good_rate', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)),
    (14, 'days_level_1', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)), (15, 'days_level_2', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)), (16, 'days_level_3', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)),
    (17, 'days_level_4', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)), (18, 'days_level_5', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR)), (19, 'days_level_6', CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR))
  ) AS s (n, stat, pollutant, limit_period)
), held AS (
  SELECT l.*, CAST(t.limit_2 AS DOUBLE) AS bound, t.standard_version AS standard,
    CASE WHEN l.pollutant IS NULL THEN l.days > 0
      WHEN l.period_kind = 'year' THEN l.days >= 324 AND l.is_whole = 1 AND (l.stat <> 'mean' OR l.months = 12)
      ELSE l.days >= CASE WHEN substr(l.period, 6, 2) = '02' THEN 25 ELSE 27 END END AS is_valid
  FROM long AS l LEFT JOIN ref.standard AS t ON t.item = l.pollutant AND t.period = l.limit_period AND t.medium = 'air'
    AND t.valid_from <= l.last_date AND (t.valid_to IS NULL OR l.last_date < t.valid_to)
  WHERE l.v IS NOT NULL
), composite AS (
  SELECT geo_kind, geo_id, period_kind, period, data_kind, min(geo_name) AS geo_name, min(region_code) AS region_code, sum(v / bound) AS v, min(days) AS days,
    bool_and(is_valid) AS is_valid, min(standard) AS standard
  FROM held WHERE (stat = 'mean' AND pollutant IS NOT NULL) OR (stat = 'p95' AND pollutant = 'CO') OR stat = 'p90'
  GROUP BY geo_kind, geo_id, period_kind, period, data_kind HAVING count(*) = 6
)
SELECT geo_kind, geo_id, geo_name, region_code, period_kind, period, data_kind, stat, pollutant, round(v, 4) AS stat_value, bound AS limit_value, is_valid,
  CASE WHEN is_valid THEN round(v, 4) <= bound END AS complies, days AS day_count, coalesce(standard, edition) AS standard_version, 'period_of_days.1' AS method
FROM held
UNION ALL
SELECT geo_kind, geo_id, geo_name, region_code, period_kind, period, data_kind, 'composite_index', CAST(NULL AS VARCHAR), round(v, 4), CAST(NULL AS DOUBLE), is_valid,
  CAST(NULL AS BOOLEAN), days, standard, 'period_of_days.1'
FROM composite
