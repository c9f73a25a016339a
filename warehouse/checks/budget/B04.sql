-- id = "B04"
-- title = { zh = "科目编码属于当年分类", en = "a class code belongs to the classification of its year" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "有数的类级科目编码存在于该财政年度的支出功能分类或收入分类（ref.functional_class、ref.revenue_class）；款、项的参考列表不完整，不核对；2018年以前的类级列表也不完整", en = "a code of the first level with a figure other than zero is in the classification of that fiscal year (ref.functional_class, ref.revenue_class); below that level the lists are not complete, nor are they before 2018" }
-- severity = "ERROR"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "有数的编码", en = "code with a figure" }
-- rhs = { zh = "分类中的编码", en = "code in the classification" }
-- # Parameter: $1 the first fiscal year for which the lists hold every class of the first level.
-- parameters = { from_year = "2018" }
WITH used AS (
  SELECT region_id, fiscal_year, quoted_in, table_code, class_scheme, class_code, min(region_code) AS region_code, min(region_name) AS region_name,
    min(line_name) AS line_name, min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place
  FROM gov_budget_line
  WHERE class_level = 1 AND class_code IS NOT NULL AND class_scheme IN ('functional', 'revenue') AND amount_yuan <> 0 AND fiscal_year >= $1
  GROUP BY 1, 2, 3, 4, 5, 6
), class AS (
  SELECT 'functional' AS class_scheme, code, first_year, last_year FROM ref.functional_class WHERE level = 1
  UNION ALL
  SELECT 'revenue', code, first_year, last_year FROM ref.revenue_class WHERE level = 1
), held AS (
  SELECT u.region_id, u.fiscal_year, u.quoted_in, u.table_code, u.class_scheme, u.class_code, count(*) AS found
  FROM used AS u JOIN class AS c ON c.class_scheme = u.class_scheme AND c.code = u.class_code
  -- A table printed for a year shows the years before under the classification of its own year.
  WHERE (c.first_year IS NULL OR c.first_year <= u.quoted_in) AND (c.last_year IS NULL OR c.last_year >= u.fiscal_year)
  GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT concat_ws('/', u.region_id, u.fiscal_year, u.quoted_in, u.table_code, u.class_scheme, u.class_code) AS scope_key,
  split_part(u.place, '#', 1) AS release_id, CAST(split_part(u.place, '#', 2) AS BIGINT) AS row_no, u.region_code,
  concat_ws(' ', u.region_name, concat(u.fiscal_year, '年'), u.class_code, u.line_name) AS subject_zh,
  concat_ws(' ', u.region_name, u.fiscal_year, 'code', u.class_code, u.line_name) AS subject_en,
  1 AS lhs, CASE WHEN h.found > 0 THEN 1 ELSE 0 END AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM used AS u LEFT JOIN held AS h ON h.region_id = u.region_id AND h.fiscal_year = u.fiscal_year AND h.quoted_in = u.quoted_in
  AND h.table_code = u.table_code AND h.class_scheme = u.class_scheme AND h.class_code = u.class_code
