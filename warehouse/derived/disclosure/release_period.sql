-- schema = "catalog"
-- label = { zh = "发布所含地区和时段", en = "Regions and periods of releases" }
-- description = { zh = "每个发布（包括已被替代的，已撤回的除外）含有哪些地区哪些时段的数据，用于判断按期公开的事项是否已公开。时段取数据所属的日、月、季或年。", en = "Which regions and periods the releases hold, superseded ones among them and withdrawn ones not, by which periodical duties are judged. A period is the day, month, quarter or year that the figures describe." }
-- grain = { zh = "一个发布一个地区一个时段", en = "one release, region and period" }
-- key = ["release_id", "region_code", "period_start", "period_end"]
-- columns = ["release_id", "region_code", "period_start", "period_end"]
WITH month AS (
  SELECT release_id, region_code, data_month FROM "admin_decision@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_month FROM "cpi_monthly@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_month FROM "env_complaint@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_month FROM "water_sample@all" GROUP BY 1, 2, 3
), year AS (
  SELECT release_id, region_code, fiscal_year AS y FROM "gov_budget_line@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM "dept_budget_line@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM "three_public@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM "performance_target@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, as_of_year FROM "debt_stock@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, year FROM "debt_flow@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM "poverty_allocation@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, fiscal_year FROM "poverty_project@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, year FROM "poverty_loan@all" GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, data_year FROM "env_incident@all" GROUP BY 1, 2, 3
), day AS (
  SELECT release_id, region_code, data_date FROM "air_hourly@all" WHERE geo_kind = 'city' GROUP BY 1, 2, 3
  UNION ALL SELECT release_id, region_code, target_date FROM "air_forecast@all" GROUP BY 1, 2, 3
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
FROM "price_observation@all" WHERE region_code IS NOT NULL AND period_start IS NOT NULL GROUP BY 1, 2, 3, 4
UNION ALL
SELECT release_id, region_code,
  to_date(CASE WHEN character_length(period) = 4 THEN concat(period, '-01-01') ELSE concat(period, '-01') END),
  to_date(CASE WHEN character_length(period) = 4 THEN concat(period, '-12-31') ELSE concat(period, '-01') END)
    + CASE WHEN character_length(period) = 4 THEN INTERVAL '0 days' ELSE INTERVAL '1 month' END - CASE WHEN character_length(period) = 4 THEN INTERVAL '0 days' ELSE INTERVAL '1 day' END
FROM "air_period_published@all" WHERE region_code IS NOT NULL AND character_length(period) IN (4, 7) GROUP BY 1, 2, 3, 4
