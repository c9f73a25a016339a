-- label = { zh = "政府债务限额与余额可加总行", en = "Debt limits and balances to add up" }
-- description = { zh = "债务表中其下没有分地区行的地区，按一般、专项分列；只印合计的表保留合计。在同一年末、阶段、measure、form、表和印发年份之内可以相加，限额与余额不可相加。", en = "Regions without regions below them in their table, by general and special debt; the total only where a table prints nothing else. They add up within one year end, stage, measure, form, table and year of printing; a limit and a balance do not." }
-- grain = { zh = "一个末级地区一种类别一项指标", en = "one lowest region, kind of debt and measure" }
-- key = ["region_id", "scope", "as_of_year", "stage", "debt_kind", "measure", "form", "table_code", "quoted_in"]
-- columns = ["region_id", "region_code", "region_name", "scope", "as_of_year", "stage", "debt_kind", "measure", "form", "amount_yuan", "published_value", "published_unit", "published_scale", "table_code", "quoted_in", "parent_path", "release_id", "row_no"]
WITH leaf AS (
  SELECT * FROM debt_stock WHERE is_leaf AND line_kind = 'detail'
), split AS (
  SELECT DISTINCT region_id, scope, as_of_year, stage, measure, form, table_code, quoted_in FROM leaf WHERE debt_kind IN ('general', 'special')
)
SELECT l.region_id, l.region_code, l.region_name, l.scope, l.as_of_year, l.stage, l.debt_kind, l.measure, l.form, l.amount_yuan, l.published_value, l.published_unit, l.published_scale, l.table_code, l.quoted_in, l.parent_path, l.release_id, l.row_no
FROM leaf AS l LEFT JOIN split AS s ON s.region_id = l.region_id AND s.scope = l.scope AND s.as_of_year = l.as_of_year AND s.stage = l.stage AND s.measure = l.measure AND s.form = l.form AND s.table_code = l.table_code AND s.quoted_in = l.quoted_in
WHERE l.debt_kind IN ('general', 'special') OR s.region_id IS NULL
