-- id = "P03"
-- title = { zh = "计划项目资金不超过可用资金", en = "planned projects are within the funds there are" }
-- tables = ["poverty_project_funding", "poverty_receipt"]
-- basis = { zh = "年度项目计划的财政资金不超过上级下达、上年结转和统筹整合的资金；差额为未安排", en = "the public funds of an annual plan are at most what is handed down, carried over and pooled; the difference is not arranged yet" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "计划项目资金", en = "planned" }
-- rhs = { zh = "可用资金", en = "funds" }
-- # The adjusted plan counts where there is one. Own and social funds of a project are not the county's; a project that prints no sources counts whole.
WITH funding AS (
  SELECT f.*, CASE f.plan_version WHEN 'adjusted' THEN 2 ELSE 1 END AS version,
    published_step(f.published_unit, f.published_scale) AS step
  FROM poverty_project_funding AS f
  WHERE f.measure = 'planned' AND f.plan_version IN ('plan', 'adjusted')
), county AS (
  SELECT DISTINCT f.county_name, c.region_code AS county_code
  FROM (SELECT DISTINCT county_name, left(region_code, 6) AS code FROM funding) AS f
  JOIN ref.region AS c ON c.region_code = f.code AND c.name = f.county_name
), project AS (
  SELECT f.fiscal_year, f.programme, coalesce(c.county_code, left(f.region_code, 6)) AS county_code, f.version, f.project_code,
    min(f.county_name) AS county_name, min(f.release_id) AS release_id, min(f.row_no) AS row_no,
    CASE WHEN sum(CASE WHEN f.source_tier <> 'all' THEN 1 ELSE 0 END) > 0
      THEN coalesce(sum(CASE WHEN f.source_tier NOT IN ('all', 'other') THEN f.amount_yuan END), 0)
      ELSE sum(CASE WHEN f.source_tier = 'all' THEN f.amount_yuan END) END AS planned,
    count(f.amount_yuan) AS addends, sum(CASE WHEN f.value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent, min(f.step) AS step
  FROM funding AS f LEFT JOIN county AS c ON c.county_name = f.county_name
  GROUP BY 1, 2, 3, 4, 5
), plan AS (
  SELECT fiscal_year, programme, county_code, version, min(county_name) AS county_name, min(release_id) AS release_id,
    min(row_no) AS row_no, sum(planned) AS planned, sum(addends) AS addends, sum(absent) AS absent, min(step) AS step,
    row_number() OVER (PARTITION BY fiscal_year, programme, county_code ORDER BY version DESC) AS place
  FROM project WHERE county_code IS NOT NULL GROUP BY 1, 2, 3, 4
), fund AS (
  SELECT fiscal_year, programme, region_code, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent
  FROM poverty_receipt GROUP BY 1, 2, 3
)
SELECT concat_ws('/', p.county_code, p.fiscal_year, p.programme) AS scope_key, p.release_id, p.row_no, p.county_code AS region_code,
  concat_ws(' ', p.county_name, concat(p.fiscal_year, '年项目计划')) AS subject_zh,
  concat_ws(' ', p.county_name, p.fiscal_year, 'plan') AS subject_en, p.planned AS lhs, f.total AS rhs,
  p.addends + coalesce(f.addends, 0) AS addends, p.absent + coalesce(f.absent, 1) AS missing, p.step
FROM plan AS p
LEFT JOIN fund AS f ON f.fiscal_year = p.fiscal_year AND f.programme = p.programme AND f.region_code = p.county_code
WHERE p.place = 1
