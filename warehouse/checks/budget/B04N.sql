-- id = "B04N"
-- title = { zh = "科目名称与当年分类一致", en = "the name beside a class code is the official one" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "有数的类级科目名称 = 该财政年度分类中同一编码的名称（ref.functional_class、ref.revenue_class），不计空格和括号全半角；编码不在分类中的由 B04 核对，款、项的参考列表不完整，不核对", en = "the name of a class of the first level with a figure other than zero is that of its code in the classification of the year (ref.functional_class, ref.revenue_class), blanks and the width of brackets aside; codes that are in none are B04's, and below the first level the lists are not complete" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN"]
-- blocking = false
-- lhs = { zh = "有数的科目", en = "class with a figure" }
-- rhs = { zh = "名称与分类一致的科目", en = "class with the official name" }
-- # Parameter: $1 the first fiscal year for which the lists hold every class of the first level.
-- parameters = { from_year = "2018" }
WITH used AS (
  SELECT region_id, fiscal_year, quoted_in, table_code, class_scheme, class_code, line_name,
    replace(replace(translate(line_name, '（）', '()'), ' ', ''), '　', '') AS name, min(region_code) AS region_code, min(region_name) AS region_name,
    min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place
  FROM gov_budget_line
  WHERE class_level = 1 AND class_code IS NOT NULL AND class_scheme IN ('functional', 'revenue') AND amount_yuan <> 0 AND fiscal_year >= $1
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), class AS (
  SELECT 'functional' AS class_scheme, code, translate(name, '（）', '()') AS name, first_year, last_year FROM ref.functional_class WHERE level = 1
  UNION ALL
  SELECT 'revenue', code, translate(name, '（）', '()'), first_year, last_year FROM ref.revenue_class WHERE level = 1
), held AS (
  SELECT u.region_id, u.fiscal_year, u.quoted_in, u.table_code, u.class_scheme, u.class_code, u.line_name, sum(CASE WHEN c.name = u.name THEN 1 ELSE 0 END) AS named
  FROM used AS u JOIN class AS c ON c.class_scheme = u.class_scheme AND c.code = u.class_code
  -- A table printed for a year shows the years before under the classification of its own year.
  WHERE (c.first_year IS NULL OR c.first_year <= u.quoted_in) AND (c.last_year IS NULL OR c.last_year >= u.fiscal_year)
  GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', u.region_id, u.fiscal_year, u.quoted_in, u.table_code, u.class_scheme, u.class_code, u.name) AS scope_key,
  split_part(u.place, '#', 1) AS release_id, CAST(split_part(u.place, '#', 2) AS BIGINT) AS row_no, u.region_code,
  concat_ws(' ', u.region_name, concat(u.fiscal_year, '年'), u.class_code, u.line_name, '的名称') AS subject_zh,
  concat_ws(' ', u.region_name, u.fiscal_year, 'name of', u.class_code, u.line_name) AS subject_en,
  1 AS lhs, CASE WHEN h.named > 0 THEN 1 ELSE 0 END AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM used AS u JOIN held AS h ON h.region_id = u.region_id AND h.fiscal_year = u.fiscal_year AND h.quoted_in = u.quoted_in
  AND h.table_code = u.table_code AND h.class_scheme = u.class_scheme AND h.class_code = u.class_code AND h.line_name = u.line_name
