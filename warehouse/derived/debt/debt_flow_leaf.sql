-- label = { zh = "政府债务发生额可加总行", en = "Debt flows to add up" }
-- description = { zh = "债务发生额中其下没有分地区行的地区，按一般、专项分列；只印合计的表保留合计。在同一年度、阶段、flow、form、表和印发年份之内可以相加，不同 flow 不可相加。", en = "Flows of regions without regions below them in their table, by general and special debt; the total only where a table prints nothing else. They add up within one year, stage, flow, form, table and year of printing; different flows do not." }
-- grain = { zh = "一个末级地区一种类别一项发生额", en = "one lowest region, kind of debt and flow" }
-- key = ["region_id", "scope", "year", "stage", "debt_kind", "flow", "table_code", "form", "quoted_in"]
-- columns = ["region_id", "region_code", "region_name", "scope", "year", "stage", "debt_kind", "flow", "form", "balance_effect", "amount_yuan", "published_value", "published_unit", "published_scale", "table_code", "quoted_in", "parent_path", "release_id", "row_no"]
WITH leaf AS (
  SELECT * FROM debt_flow WHERE is_leaf AND line_kind = 'detail'
), split AS (
  SELECT DISTINCT region_id, scope, year, stage, flow, table_code, form, quoted_in FROM leaf WHERE debt_kind IN ('general', 'special')
)
SELECT l.region_id, l.region_code, l.region_name, l.scope, l.year, l.stage, l.debt_kind, l.flow, l.form, l.balance_effect, l.amount_yuan, l.published_value, l.published_unit, l.published_scale, l.table_code, l.quoted_in, l.parent_path, l.release_id, l.row_no
FROM leaf AS l LEFT JOIN split AS s ON s.region_id = l.region_id AND s.scope = l.scope AND s.year = l.year AND s.stage = l.stage AND s.flow = l.flow AND s.table_code = l.table_code AND s.form = l.form AND s.quoted_in = l.quoted_in
WHERE l.debt_kind IN ('general', 'special') OR s.region_id IS NULL
