-- label = { zh = "空气质量日值（推算）", en = "Daily air quality (derived)" }
-- description = { zh = "由小时浓度按 GB 3095-2012 表 4 的有效性规定得出日均值：二氧化硫、二氧化氮、一氧化碳、PM10、PM2.5 每日至少 20 个有效小时；臭氧 8 小时滑动平均每个窗口至少 6 个小时，日最大值至少 14 个窗口（时标 8 至 24 时），不足而超过 160 时仍有效。AQI 及分指数按 HJ 633，版本以数据日期为准，精确计算、进位取整。缺项时，只有 AQI 大于 100 或 PM10、PM2.5、臭氧齐备才算有效。城市行由城市小时值得出，不由站点平均。日期以时标计，24 时属于当日。", en = "Means of the day from hourly concentrations by the rules of validity of GB 3095-2012, table 4: at least 20 valid hours for SO2, NO2, CO, PM10 and PM2.5; for ozone at least 6 hours in each moving window of 8 and 14 windows (ending at 08:00 to 24:00), with fewer the value counts where it is above 160. AQI and indices follow HJ 633 in the edition of the data's date, exactly and rounded up. Where pollutants are missing, a day is valid only with an AQI above 100 or with PM10, PM2.5 and ozone all there. Rows of cities come from the hours of cities, not from stations. 24:00 belongs to the day that ends." }
-- grain = { zh = "一个城市或站点一天一种数据状态", en = "one city or station, day and kind of data" }
-- key = ["geo_kind", "geo_id", "data_date", "data_kind"]
-- columns = ["geo_kind", "geo_id", "geo_name", "region_code", "data_date", "data_month", "data_kind", "reference_state", "so2_ug_m3", "no2_ug_m3", "pm10_ug_m3", "pm25_ug_m3", "co_mg_m3", "o3_1h_max_ug_m3", "o3_8h_max_ug_m3", "iaqi_so2", "iaqi_no2", "iaqi_pm10", "iaqi_pm25", "iaqi_co", "iaqi_o3_1h", "iaqi_o3_8h", "aqi", "aqi_level", "primary_pollutants", "exceeding_pollutants", "valid_pollutants", "is_valid", "standard_version", "method"]
WITH reading AS (
  SELECT geo_kind, geo_id, geo_name, region_code, data_date, data_month, data_kind, reference_state, measure, hour_label,
    CASE WHEN measure = 'CO' AND unit = 'ug_m3' THEN value / 1000 ELSE value END AS v
  FROM air_hourly WHERE averaging = '1h' AND measure IN ('SO2', 'NO2', 'PM10', 'PM25', 'CO', 'O3') AND value >= 0
), day AS (
  SELECT geo_kind, geo_id, data_date, data_kind, min(geo_name) AS geo_name, min(region_code) AS region_code, min(data_month) AS data_month,
    min(reference_state) AS reference_state,
    CASE WHEN count(v) FILTER (WHERE measure = 'SO2') >= 20 THEN avg(v) FILTER (WHERE measure = 'SO2') END AS so2,
    CASE WHEN count(v) FILTER (WHERE measure = 'NO2') >= 20 THEN avg(v) FILTER (WHERE measure = 'NO2') END AS no2,
    CASE WHEN count(v) FILTER (WHERE measure = 'PM10') >= 20 THEN avg(v) FILTER (WHERE measure = 'PM10') END AS pm10,
    CASE WHEN count(v) FILTER (WHERE measure = 'PM25') >= 20 THEN avg(v) FILTER (WHERE measure = 'PM25') END AS pm25,
    CASE WHEN count(v) FILTER (WHERE measure = 'CO') >= 20 THEN avg(v) FILTER (WHERE measure = 'CO') END AS co,
    max(v) FILTER (WHERE measure = 'O3') AS o3_1h,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 1 AND 8) AS s08, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 1 AND 8) AS n08,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 2 AND 9) AS s09, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 2 AND 9) AS n09,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 3 AND 10) AS s10, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 3 AND 10) AS n10,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 4 AND 11) AS s11, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 4 AND 11) AS n11,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 5 AND 12) AS s12, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 5 AND 12) AS n12,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 6 AND 13) AS s13, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 6 AND 13) AS n13,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 7 AND 14) AS s14, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 7 AND 14) AS n14,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 8 AND 15) AS s15, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 8 AND 15) AS n15,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 9 AND 16) AS s16, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 9 AND 16) AS n16,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 10 AND 17) AS s17, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 10 AND 17) AS n17,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 11 AND 18) AS s18, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 11 AND 18) AS n18,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 12 AND 19) AS s19, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 12 AND 19) AS n19,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 13 AND 20) AS s20, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 13 AND 20) AS n20,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 14 AND 21) AS s21, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 14 AND 21) AS n21,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 15 AND 22) AS s22, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 15 AND 22) AS n22,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 16 AND 23) AS s23, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 16 AND 23) AS n23,
    sum(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 17 AND 24) AS s24, count(v) FILTER (WHERE measure = 'O3' AND hour_label BETWEEN 17 AND 24) AS n24
  FROM reading GROUP BY geo_kind, geo_id, data_date, data_kind
), ozone AS (
  SELECT *,
    greatest(CASE WHEN n08 >= 6 THEN s08 / n08 END, CASE WHEN n09 >= 6 THEN s09 / n09 END, CASE WHEN n10 >= 6 THEN s10 / n10 END,
      CASE WHEN n11 >= 6 THEN s11 / n11 END, CASE WHEN n12 >= 6 THEN s12 / n12 END, CASE WHEN n13 >= 6 THEN s13 / n13 END,
      CASE WHEN n14 >= 6 THEN s14 / n14 END, CASE WHEN n15 >= 6 THEN s15 / n15 END, CASE WHEN n16 >= 6 THEN s16 / n16 END,
      CASE WHEN n17 >= 6 THEN s17 / n17 END, CASE WHEN n18 >= 6 THEN s18 / n18 END, CASE WHEN n19 >= 6 THEN s19 / n19 END,
      CASE WHEN n20 >= 6 THEN s20 / n20 END, CASE WHEN n21 >= 6 THEN s21 / n21 END, CASE WHEN n22 >= 6 THEN s22 / n22 END,
      CASE WHEN n23 >= 6 THEN s23 / n23 END, CASE WHEN n24 >= 6 THEN s24 / n24 END) AS o3_any,
    CASE WHEN n08 >= 6 THEN 1 ELSE 0 END + CASE WHEN n09 >= 6 THEN 1 ELSE 0 END + CASE WHEN n10 >= 6 THEN 1 ELSE 0 END
      + CASE WHEN n11 >= 6 THEN 1 ELSE 0 END + CASE WHEN n12 >= 6 THEN 1 ELSE 0 END + CASE WHEN n13 >= 6 THEN 1 ELSE 0 END
      + CASE WHEN n14 >= 6 THEN 1 ELSE 0 END + CASE WHEN n15 >= 6 THEN 1 ELSE 0 END + CASE WHEN n16 >= 6 THEN 1 ELSE 0 END
      + CASE WHEN n17 >= 6 THEN 1 ELSE 0 END + CASE WHEN n18 >= 6 THEN 1 ELSE 0 END + CASE WHEN n19 >= 6 THEN 1 ELSE 0 END
      + CASE WHEN n20 >= 6 THEN 1 ELSE 0 END + CASE WHEN n21 >= 6 THEN 1 ELSE 0 END + CASE WHEN n22 >= 6 THEN 1 ELSE 0 END
      + CASE WHEN n23 >= 6 THEN 1 ELSE 0 END + CASE WHEN n24 >= 6 THEN 1 ELSE 0 END AS windows
  FROM day
), mean AS (
  SELECT geo_kind, geo_id, geo_name, region_code, data_date, data_month, data_kind, reference_state, so2, no2, pm10, pm25, co, o3_1h,
    CASE WHEN windows >= 14 OR o3_any > 160 THEN o3_any END AS o3_8h
  FROM ozone
), rated AS (
  SELECT *, iaqi('SO2', '24h', so2, data_date) AS i_so2, iaqi('NO2', '24h', no2, data_date) AS i_no2, iaqi('PM10', '24h', pm10, data_date) AS i_pm10,
    iaqi('PM25', '24h', pm25, data_date) AS i_pm25, iaqi('CO', '24h', co, data_date) AS i_co,
    iaqi('O3', '1h', o3_1h, data_date) AS i_o3_1h, iaqi('O3', '8h', o3_8h, data_date) AS i_o3_8h, aqi_standard(data_date) AS edition
  FROM mean
), worst AS (
  SELECT *, greatest(i_so2, i_no2, i_pm10, i_pm25, i_co, i_o3_1h, i_o3_8h) AS a,
    CASE WHEN so2 IS NULL THEN 0 ELSE 1 END + CASE WHEN no2 IS NULL THEN 0 ELSE 1 END + CASE WHEN pm10 IS NULL THEN 0 ELSE 1 END
      + CASE WHEN pm25 IS NULL THEN 0 ELSE 1 END + CASE WHEN co IS NULL THEN 0 ELSE 1 END + CASE WHEN o3_8h IS NULL THEN 0 ELSE 1 END AS n
  FROM rated
)
SELECT geo_kind, geo_id, geo_name, region_code, data_date, data_month, data_kind, reference_state,
  so2 AS so2_ug_m3, no2 AS no2_ug_m3, pm10 AS pm10_ug_m3, pm25 AS pm25_ug_m3, co AS co_mg_m3, o3_1h AS o3_1h_max_ug_m3, o3_8h AS o3_8h_max_ug_m3,
  i_so2 AS iaqi_so2, i_no2 AS iaqi_no2, i_pm10 AS iaqi_pm10, i_pm25 AS iaqi_pm25, i_co AS iaqi_co, i_o3_1h AS iaqi_o3_1h, i_o3_8h AS iaqi_o3_8h,
  a AS aqi, aqi_level(a) AS aqi_level,
  CASE WHEN a > 50 THEN concat_ws(',', CASE WHEN i_pm25 = a THEN 'PM25' END, CASE WHEN i_pm10 = a THEN 'PM10' END, CASE WHEN i_so2 = a THEN 'SO2' END,
    CASE WHEN i_no2 = a THEN 'NO2' END, CASE WHEN i_co = a THEN 'CO' END, CASE WHEN i_o3_1h = a THEN 'O3_1H' END, CASE WHEN i_o3_8h = a THEN 'O3_8H' END) END AS primary_pollutants,
  CASE WHEN a > 100 AND edition = 'HJ633-2012' THEN concat_ws(',', CASE WHEN i_pm25 > 100 THEN 'PM25' END, CASE WHEN i_pm10 > 100 THEN 'PM10' END,
    CASE WHEN i_so2 > 100 THEN 'SO2' END, CASE WHEN i_no2 > 100 THEN 'NO2' END, CASE WHEN i_co > 100 THEN 'CO' END,
    CASE WHEN i_o3_1h > 100 THEN 'O3_1H' END, CASE WHEN i_o3_8h > 100 THEN 'O3_8H' END) END AS exceeding_pollutants,
  n AS valid_pollutants,
  a IS NOT NULL AND (n = 6 OR a > 100 OR (pm10 IS NOT NULL AND pm25 IS NOT NULL AND o3_8h IS NOT NULL)) AS is_valid,
  edition AS standard_version, 'day_of_hours.1' AS method
FROM worst
