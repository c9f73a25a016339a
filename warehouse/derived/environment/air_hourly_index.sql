-- label = { zh = "小时 AQI（推算）", en = "Hourly AQI (derived)" }
-- description = { zh = "由同一小时的浓度按 HJ 633 推算的小时 AQI，与文件所印 AQI 并列。二氧化硫、二氧化氮、一氧化碳、臭氧用小时值；二氧化硫小时值超过 800 时用 24 小时滑动值。颗粒物有两种做法：aqi_pm_1h 用小时值对 24 小时分段，aqi_pm_24h 用 24 小时滑动平均。标准规定进位取整（aqi_pm_1h、aqi_pm_24h）；不少实时页面四舍五入（aqi_pm_1h_nearest）。缺项的小时推算值可能偏低，见 valid_pollutants。只列印有 AQI 的小时。", en = "AQI of the hour reckoned by HJ 633 from the concentrations of the same hour, beside the AQI that the file prints. SO2, NO2, CO and O3 by hourly values; SO2 above 800 takes its moving mean of 24 hours. Two practices for particles: aqi_pm_1h holds the hour against the break points of 24 hours, aqi_pm_24h the moving mean of 24 hours. The standard rounds up (aqi_pm_1h, aqi_pm_24h); many real-time pages round to the nearest (aqi_pm_1h_nearest). Where a pollutant is missing (valid_pollutants) the reckoned value may be too low. Only hours with a printed AQI are listed." }
-- grain = { zh = "一个城市或站点一个小时一种数据状态", en = "one city or station, hour and kind of data" }
-- key = ["geo_kind", "geo_id", "obs_time", "data_kind"]
-- columns = ["geo_kind", "geo_id", "geo_name", "region_code", "obs_time", "data_date", "data_month", "data_kind", "aqi_printed", "aqi_pm_1h", "aqi_pm_1h_nearest", "aqi_pm_24h", "valid_pollutants", "standard_version", "method", "release_id"]
WITH wide AS (
  SELECT geo_kind, geo_id, obs_time, data_kind, min(geo_name) AS geo_name, min(region_code) AS region_code, min(data_date) AS d, min(data_month) AS data_month, min(release_id) AS release_id,
    max(CASE WHEN measure = 'AQI' THEN value END) AS printed,
    max(CASE WHEN measure = 'SO2' AND averaging = '1h' THEN value END) AS so2, max(CASE WHEN measure = 'SO2' AND averaging = '24h' THEN value END) AS so2_24,
    max(CASE WHEN measure = 'NO2' AND averaging = '1h' THEN value END) AS no2,
    max(CASE WHEN measure = 'CO' AND averaging = '1h' THEN CASE WHEN unit = 'ug_m3' THEN value / 1000 ELSE value END END) AS co,
    max(CASE WHEN measure = 'O3' AND averaging = '1h' THEN value END) AS o3,
    max(CASE WHEN measure = 'PM10' AND averaging = '1h' THEN value END) AS pm10, max(CASE WHEN measure = 'PM10' AND averaging = '24h' THEN value END) AS pm10_24,
    max(CASE WHEN measure = 'PM25' AND averaging = '1h' THEN value END) AS pm25, max(CASE WHEN measure = 'PM25' AND averaging = '24h' THEN value END) AS pm25_24
  FROM air_hourly GROUP BY geo_kind, geo_id, obs_time, data_kind
), rated AS (
  SELECT *, greatest(CASE WHEN so2 > 800 THEN iaqi('SO2', '24h', so2_24, d) ELSE iaqi('SO2', '1h', so2, d) END, iaqi('NO2', '1h', no2, d), iaqi('CO', '1h', co, d), iaqi('O3', '1h', o3, d)) AS gas,
    greatest(CASE WHEN so2 > 800 THEN iaqi('SO2', '24h', so2_24, d, 'nearest') ELSE iaqi('SO2', '1h', so2, d, 'nearest') END, iaqi('NO2', '1h', no2, d, 'nearest'), iaqi('CO', '1h', co, d, 'nearest'), iaqi('O3', '1h', o3, d, 'nearest')) AS gas_nearest
  FROM wide WHERE printed > 0
)
SELECT geo_kind, geo_id, geo_name, region_code, obs_time, d AS data_date, data_month, data_kind, printed AS aqi_printed,
  greatest(gas, iaqi('PM10', '24h', pm10, d), iaqi('PM25', '24h', pm25, d)) AS aqi_pm_1h,
  greatest(gas_nearest, iaqi('PM10', '24h', pm10, d, 'nearest'), iaqi('PM25', '24h', pm25, d, 'nearest')) AS aqi_pm_1h_nearest,
  greatest(gas, iaqi('PM10', '24h', pm10_24, d), iaqi('PM25', '24h', pm25_24, d)) AS aqi_pm_24h,
  CASE WHEN so2 IS NULL THEN 0 ELSE 1 END + CASE WHEN no2 IS NULL THEN 0 ELSE 1 END + CASE WHEN co IS NULL THEN 0 ELSE 1 END + CASE WHEN o3 IS NULL THEN 0 ELSE 1 END
    + CASE WHEN pm10 IS NULL THEN 0 ELSE 1 END + CASE WHEN pm25 IS NULL THEN 0 ELSE 1 END AS valid_pollutants,
  aqi_standard(d) AS standard_version, 'hour_of_concentrations.1' AS method, release_id
FROM rated
