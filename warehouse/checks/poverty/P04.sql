-- id = "P04"
-- title = { zh = "拨付不超过到位，完成投资不超过计划", en = "paid within what arrived, completed within what was planned" }
-- tables = ["poverty_project_funding", "poverty_project"]
-- basis = { zh = "项目拨付额不超过到位资金（未列到位资金的，不超过计划）；完成投资不超过计划投资，有变更记录的除外", en = "payments of a project are at most what arrived (what was planned, where the table does not print it); completed investment is at most the planned one, unless a change is on record" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "拨付或完成", en = "paid or completed" }
-- rhs = { zh = "到位或计划", en = "arrived or planned" }
-- # A report of completion may not print the plan: the adjusted plan is asked then, and the annual plan after it.
WITH project AS (
  SELECT fiscal_year, plan_version, project_code, min(project_name) AS project_name, min(region_code) AS region_code,
    min(release_id) AS release_id, min(CASE WHEN measure = 'paid' THEN row_no END) AS paid_row,
    min(CASE WHEN measure = 'invested' THEN row_no END) AS invested_row,
    max(CASE WHEN measure = 'planned' THEN amount_yuan END) AS planned, max(CASE WHEN measure = 'arrived' THEN amount_yuan END) AS arrived,
    max(CASE WHEN measure = 'paid' THEN amount_yuan END) AS paid, max(CASE WHEN measure = 'invested' THEN amount_yuan END) AS invested
  FROM poverty_project_funding WHERE source_tier = 'all' GROUP BY 1, 2, 3
), tested AS (
  SELECT p.*, coalesce(p.planned, a.planned, n.planned) AS limit_yuan
  FROM project AS p
  LEFT JOIN project AS a ON a.fiscal_year = p.fiscal_year AND a.project_code = p.project_code AND a.plan_version = 'adjusted'
  LEFT JOIN project AS n ON n.fiscal_year = p.fiscal_year AND n.project_code = p.project_code AND n.plan_version = 'plan'
)
SELECT concat_ws('/', fiscal_year, plan_version, project_code, 'paid') AS scope_key, release_id, paid_row AS row_no, region_code,
  concat_ws(' ', project_name, '拨付资金') AS subject_zh, concat_ws(' ', project_name, 'paid') AS subject_en, paid AS lhs,
  coalesce(arrived, limit_yuan) AS rhs, 1 AS addends,
  CASE WHEN paid IS NULL OR coalesce(arrived, limit_yuan) IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM tested WHERE paid_row IS NOT NULL
UNION ALL
SELECT concat_ws('/', t.fiscal_year, t.plan_version, t.project_code, 'invested'), t.release_id, t.invested_row, t.region_code,
  concat_ws(' ', t.project_name, '完成投资'), concat_ws(' ', t.project_name, 'completed'), t.invested, t.limit_yuan, 1,
  CASE WHEN t.invested IS NULL OR t.limit_yuan IS NULL THEN 1 ELSE 0 END, 0
FROM tested AS t
LEFT JOIN poverty_project AS p ON p.fiscal_year = t.fiscal_year AND p.plan_version = t.plan_version AND p.project_code = t.project_code
WHERE t.invested_row IS NOT NULL AND p.change_record IS NULL
