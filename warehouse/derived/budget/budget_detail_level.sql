-- label = { zh = "预决算公开的细化程度", en = "How detailed published budgets are" }
-- description = { zh = "由科目编码算出各张表公开到哪一级：1 类，2 款，3 项。要求：本级和部门的功能分类支出公开到项级，基本支出的经济分类公开到款级；全地区汇总表没有此要求，needed_level 为空。没有编码的表 detail_level 为空。", en = "How deep each table goes by the codes of its lines: 1 类, 2 款, 3 项. Expenditure by function of an own level or a department has to go to 项, basic expenditure by economic class to 款; nothing is asked of tables of a whole region (needed_level is null). A table without codes has no detail_level." }
-- grain = { zh = "一个地区一个单位一个年度一个阶段的一张表", en = "one table of one region, organisation, year and stage" }
-- key = ["region_id", "org_name", "scope", "fiscal_year", "stage", "quoted_in", "table_code", "class_scheme"]
-- columns = ["region_id", "region_code", "region_name", "org_name", "scope", "fiscal_year", "stage", "quoted_in", "table_code", "class_scheme", "detail_level", "needed_level", "is_detailed"]
WITH coded AS (
  SELECT region_id, region_code, region_name, CAST(NULL AS TEXT) AS org_name, scope, fiscal_year, stage, quoted_in, table_code, class_scheme, class_level,
    CASE WHEN scope = 'own' AND right(table_code, 2) IN ('13', '23', '33') THEN 3 WHEN right(table_code, 2) = '14' THEN 2 END AS needed
  FROM gov_budget_line WHERE class_scheme IN ('functional', 'gov_economic')
  UNION ALL
  SELECT region_id, region_code, region_name, org_name, CAST(NULL AS TEXT), fiscal_year, stage, quoted_in, table_code, class_scheme, class_level,
    CASE WHEN table_code IN ('DB03', 'DB05', 'DB08', 'DF03', 'DF05', 'DF08') THEN 3 WHEN table_code IN ('DB06', 'DF06') THEN 2 END
  FROM dept_budget_line WHERE class_scheme IN ('functional', 'dept_economic')
), deep AS (
  SELECT region_id, min(region_code) AS region_code, min(region_name) AS region_name, org_name, scope, fiscal_year, stage, quoted_in, table_code, class_scheme,
    max(class_level) AS detail_level, max(needed) AS needed_level
  FROM coded GROUP BY region_id, org_name, scope, fiscal_year, stage, quoted_in, table_code, class_scheme
)
SELECT region_id, region_code, region_name, org_name, scope, fiscal_year, stage, quoted_in, table_code, class_scheme, detail_level, needed_level,
  CASE WHEN needed_level IS NOT NULL AND detail_level IS NOT NULL THEN detail_level >= needed_level END AS is_detailed
FROM deep
