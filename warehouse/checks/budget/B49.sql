-- id = "B49"
-- title = { zh = "应公开的表都已公开", en = "every table that has to be published is there" }
-- tables = ["dept_budget_line", "three_public"]
-- basis = { zh = "财预〔2016〕143号：部门预决算公开规定的八张表；没有数据的公开空表并说明。表号见 ref.table_def", en = "财预〔2016〕143号: departments publish each of the eight tables, empty ones with a note. The set is in ref.table_def" }
-- severity = "WARN"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "未见的表", en = "tables that are not there" }
-- rhs = { zh = "允许", en = "allowed" }
WITH needed AS (
  SELECT DISTINCT stage, table_code FROM ref.table_def
  WHERE issuer_region_code = '000000' AND required_county AND table_code IN ('DB01', 'DB02', 'DB03', 'DB04', 'DB05', 'DB06', 'DB07', 'DB08', 'DF01', 'DF02', 'DF03', 'DF04', 'DF05', 'DF06', 'DF07', 'DF08')
), there AS (
  SELECT region_id, region_code, org_id, org_name, fiscal_year, stage, table_code, min(release_id) AS release_id FROM dept_budget_line
  WHERE quoted_in = fiscal_year GROUP BY 1, 2, 3, 4, 5, 6, 7
  UNION ALL
  -- Final accounts quote the budget: the table is that of final accounts all the same.
  SELECT region_id, region_code, org_id, org_name, fiscal_year, CASE table_code WHEN 'DF07' THEN 'FINAL' ELSE 'BUDGET' END, table_code, min(release_id)
  FROM three_public WHERE quoted_in = fiscal_year AND table_code IN ('DB07', 'DF07') GROUP BY 1, 2, 3, 4, 5, 6, 7
), unit AS (
  SELECT region_id, region_code, org_id, org_name, fiscal_year, stage, min(release_id) AS release_id FROM there GROUP BY 1, 2, 3, 4, 5, 6
), lacking AS (
  SELECT u.region_id, u.region_code, u.org_id, u.org_name, u.fiscal_year, u.stage, u.release_id,
    sum(CASE WHEN t.table_code IS NULL THEN 1 ELSE 0 END) AS absent, string_agg(CASE WHEN t.table_code IS NULL THEN n.table_code END, ' ' ORDER BY n.table_code) AS codes
  FROM unit AS u JOIN needed AS n ON n.stage = u.stage
    LEFT JOIN there AS t ON t.region_id = u.region_id AND t.org_id = u.org_id AND t.fiscal_year = u.fiscal_year AND t.stage = u.stage AND t.table_code = n.table_code
  GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', region_id, org_id, fiscal_year, stage) AS scope_key, release_id, CAST(NULL AS BIGINT) AS row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), CASE WHEN absent > 0 THEN concat('未见', codes) ELSE '应公开的表' END) AS subject_zh,
  concat_ws(' ', org_name, fiscal_year, CASE WHEN absent > 0 THEN concat('without ', codes) ELSE 'tables' END) AS subject_en,
  absent AS lhs, 0 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM lacking
