-- schema = "catalog"
-- label = { zh = "现行发布所含地区和时段", en = "Regions and periods of current releases" }
-- description = { zh = "每个现行发布含有哪些地区哪些时段的数据，用于判断按期公开的事项是否已公开。时段取数据所属的日、月、季或年。", en = "Which regions and periods the current releases hold, by which periodical duties are judged. A period is the day, month, quarter or year that the figures describe." }
-- grain = { zh = "一个发布一个地区一个时段", en = "one release, region and period" }
-- key = ["release_id", "region_code", "period_start", "period_end"]
-- columns = ["release_id", "region_code", "period_start", "period_end"]
WITH month AS (
  SELECT release_id, region_code, data_month FROM admin_decision GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_month FROM cpi_monthly GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_month FROM env_complaint GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_month FROM water_sample GROUP BY 1, 2, 3
), year AS (
  SELECT release_id, region_code, fiscal_year AS y FROM gov_budget_line GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM dept_budget_line GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM three_public GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM performance_target GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, as_of_year FROM debt_stock GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, year FROM debt_flow GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM poverty_allocation GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM poverty_project GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, year FROM poverty_loan GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_year FROM env_incident GROUP BY 1, 2, 3
), day AS (
  SELECT release_id, region_code, data_date FROM air_hourly WHERE geo_kind = 'city' GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, target_date FROM air_forecast GROUP BY 1, 2, 3
)
SELECT release_id, region_code, to_date(concat(data_month, '-01')) AS period_start,
  to_date(concat(data_month, '-01')) + INTERVAL '1 month' - INTERVAL '1 day' AS period_end
FROM month WHERE region_code IS NOT NULL AND data_month IS NOT NULL
UNION ALL
SELECT release_id, region_code, make_date(y, 1, 1), make_date(y, 12, 31) FROM year WHERE region_code IS NOT NULL AND y IS NOT NULL
UNION ALL
SELECT release_id, region_code, data_date AS period_start, data_date AS period_end FROM day WHERE region_code IS NOT NULL AND data_date IS NOT NULL
UNION ALL
SELECT release_id, region_code, period_start,
  CASE period_kind WHEN 'week' THEN period_start + INTERVAL '6 days' WHEN 'month' THEN period_start + INTERVAL '1 month' - INTERVAL '1 day' ELSE period_start + INTERVAL '9 days' END
FROM price_observation WHERE region_code IS NOT NULL AND period_start IS NOT NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT release_id, region_code,
  to_date(CASE WHEN character_length(period) = 4 THEN concat(period, '-01-01') ELSE concat(period, '-01') END),
  to_date(CASE WHEN character_length(period) = 4 THEN concat(period, '-12-31') ELSE concat(period, '-01') END)
    + CASE WHEN character_length(period) = 4 THEN INTERVAL '0 days' ELSE INTERVAL '1 month' END - CASE WHEN character_length(period) = 4 THEN INTERVAL '0 days' ELSE INTERVAL '1 day' END
FROM air_period_published WHERE region_code IS NOT NULL AND character_length(period) IN (4, 7) GROUP BY 1, 2, 3, 4
