-- id = "P08"
-- title = { zh = "户均人数在一至八人之间", en = "a household has one to eight persons" }
-- tables = ["poverty_project"]
-- basis = { zh = "受益人数与受益户数之比在 1 与 8 之间，否则多为户数与人数颠倒或单位错误", en = "persons over households lie between 1 and 8; outside, the two are mostly swapped or in another unit" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "超出范围的人数", en = "persons outside the range" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { highest = "8", lowest = "1" }
WITH counted AS (
  SELECT 'all' AS who, fiscal_year, plan_version, project_code, project_name, release_id, row_no, region_code,
    benefit_household_count AS households, benefit_person_count AS persons FROM poverty_project
  UNION ALL
  SELECT 'poor', fiscal_year, plan_version, project_code, project_name, release_id, row_no, region_code, poor_household_count,
    poor_person_count FROM poverty_project
)
SELECT concat_ws('/', fiscal_year, plan_version, project_code, who) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', project_name, concat(CASE who WHEN 'all' THEN '受益总户数 ' ELSE '受益贫困户数 ' END, households, '，人数 ', persons)) AS subject_zh,
  concat_ws(' ', project_name, concat(CASE who WHEN 'all' THEN 'households ' ELSE 'poor households ' END, households, ', persons ', persons)) AS subject_en,
  greatest(persons - $1 * households, $2 * households - persons, 0) AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN households IS NULL OR persons IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM counted WHERE households IS NOT NULL OR persons IS NOT NULL
