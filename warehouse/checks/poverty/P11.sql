-- id = "P11"
-- title = { zh = "项目所在乡镇见于区划", en = "the place of a project is in the list of regions" }
-- tables = ["poverty_project"]
-- basis = { zh = "项目的建设地点应为当年区划中的乡镇（街道），并属于所写的县；全县项目为县。村级名单不在区划表内，不检查", en = "a project lies in a township of the list of regions at its year, within the county that is printed; one of the whole county lies in the county. Villages are in no list here and are not tested" }
-- severity = "ERROR"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "找到的地点", en = "places found" }
-- rhs = { zh = "印刷的地点", en = "places printed" }
WITH known AS (
  SELECT DISTINCT region_code FROM ref.region
), county AS (
  SELECT DISTINCT region_code, name FROM ref.region WHERE tier IN ('county', 'city')
)
SELECT concat_ws('/', p.fiscal_year, p.plan_version, p.project_code) AS scope_key, p.release_id, p.row_no, p.region_code,
  concat_ws(' ', p.project_name, p.county_name, p.region_name) AS subject_zh,
  concat_ws(' ', p.project_name, p.county_name, p.region_name) AS subject_en,
  CASE WHEN k.region_code IS NULL THEN 0 WHEN p.county_name IS NULL OR c.region_code IS NOT NULL THEN 1 ELSE 0 END AS lhs,
  1 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM poverty_project AS p
LEFT JOIN known AS k ON k.region_code = p.region_code
LEFT JOIN county AS c ON c.region_code = left(p.region_code, 6) AND c.name = p.county_name
