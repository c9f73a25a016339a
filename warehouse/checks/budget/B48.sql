-- id = "B48"
-- title = { zh = "空表注明无数据", en = "a table without data says so" }
-- tables = ["gov_budget_line", "dept_budget_line", "three_public"]
-- basis = { zh = "没有数据的表也要公开并注明无数据：一张表要么有数，要么有“无数据”说明，不能都没有，也不能都有。政府预决算表行没有记录该说明的列，全表空白时跳过", en = "a table without data is published too and says so: a table has figures or the statement, never neither and never both. Lines of government tables hold no column for the statement, so a table that is all blank is skipped" }
-- severity = "ERROR"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "有数或有说明", en = "figures or the statement" }
-- rhs = { zh = "应有其一", en = "one of them" }
WITH document AS (
  SELECT region_id, org_id, CASE WHEN unit_org_id = org_id THEN NULL ELSE unit_org_id END AS unit, quoted_in, table_code,
    min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place, min(region_code) AS region_code, min(concat_ws(' ', org_name, unit_name)) AS shown,
    max(CASE WHEN NOT is_nil AND (amount_yuan IS NOT NULL OR value_state = 'set_aside') THEN 1 ELSE 0 END) AS has_data,
    max(CASE WHEN is_nil THEN 1 ELSE 0 END) AS has_nil
  FROM dept_budget_line GROUP BY 1, 2, 3, 4, 5
  UNION ALL
  SELECT region_id, org_id, CASE WHEN unit_org_id = org_id THEN NULL ELSE unit_org_id END AS unit, quoted_in, table_code,
    min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place, min(region_code) AS region_code, min(concat_ws(' ', org_name, unit_name)) AS shown,
    max(CASE WHEN NOT is_nil AND (amount_yuan IS NOT NULL OR value_state = 'set_aside') THEN 1 ELSE 0 END) AS has_data,
    max(CASE WHEN is_nil THEN 1 ELSE 0 END) AS has_nil
  FROM three_public GROUP BY 1, 2, 3, 4, 5
), blank AS (
  SELECT region_id, scope, quoted_in, table_code, min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place, min(region_code) AS region_code,
    min(region_name) AS shown
  FROM gov_budget_line GROUP BY 1, 2, 3, 4 HAVING sum(CASE WHEN amount_yuan IS NOT NULL OR value_state = 'set_aside' THEN 1 ELSE 0 END) = 0
)
SELECT scope_key, split_part(place, '#', 1) AS release_id, CAST(split_part(place, '#', 2) AS BIGINT) AS row_no, region_code,
  concat_ws(' ', shown, concat(quoted_in, '年'), table_code) AS subject_zh, concat_ws(' ', shown, quoted_in, table_code) AS subject_en,
  lhs, 1 AS rhs, 1 AS addends, missing, 0 AS step
FROM (
  SELECT concat_ws('/', 'department', region_id, org_id, unit, quoted_in, table_code) AS scope_key, place, region_code, shown, quoted_in, table_code,
    has_data + has_nil AS lhs, 0 AS missing
  FROM document
  UNION ALL
  SELECT concat_ws('/', 'government', region_id, scope, quoted_in, table_code), place, region_code, shown, quoted_in, table_code, 0, 1 FROM blank
) AS identity
