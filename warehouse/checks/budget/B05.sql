-- id = "B05"
-- title = { zh = "下级科目有上级行", en = "a line has the line above it" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "每个项有其款和类，每个款有其类", en = "each 项 has its 款 and 类, each 款 its 类" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "应有上级行", en = "lines above expected" }
-- rhs = { zh = "实有", en = "found" }
WITH line AS (
  SELECT region_id, scope, quoted_in, table_code, line_path, parent_path, class_level, min(region_code) AS region_code,
    min(region_name) AS region_name, min(class_code) AS class_code, min(line_name) AS line_name,
    min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place
  FROM gov_budget_line WHERE class_code IS NOT NULL AND class_scheme = 'functional' GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', c.region_id, c.scope, c.quoted_in, c.table_code, c.line_path) AS scope_key,
  split_part(c.place, '#', 1) AS release_id, CAST(split_part(c.place, '#', 2) AS BIGINT) AS row_no, c.region_code,
  concat_ws(' ', c.region_name, concat(c.quoted_in, '年'), c.class_code, c.line_name, '的上级行') AS subject_zh,
  concat_ws(' ', 'the line above', c.region_name, c.quoted_in, c.class_code, c.line_name) AS subject_en,
  1 AS lhs, CASE WHEN p.line_path IS NULL THEN 0 ELSE 1 END AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM line AS c LEFT JOIN line AS p
  ON p.region_id = c.region_id AND p.scope = c.scope AND p.quoted_in = c.quoted_in AND p.table_code = c.table_code
  -- By the code, whatever the print sets below what.
  AND p.line_path = left(c.line_path, length(c.line_path) - length(c.class_code) - 1)
WHERE c.class_level > 1
