-- id = "B17"
-- title = { zh = "按地区与按项目的专项转移支付合计一致", en = "special transfers by region and by project have one total" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "专项转移支付（基金、国有资本经营转移支付）按地区的合计 = 按项目的合计，均含未分配", en = "the total of special transfers (also of fund and state capital transfers) by region = that by project, what is not yet allocated included" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "按地区合计", en = "by region" }
-- rhs = { zh = "按项目合计", en = "by project" }
WITH line AS (
  SELECT l.*, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  -- Where general and special are not told apart (transfer), the projects are not all of it.
  WHERE right(l.table_code, 2) IN ('15', '24', '34') AND l.transfer_kind IN ('special', 'fund', 'state_capital')
), region_part AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, transfer_kind, parent_path AS path
  FROM line WHERE counterpart_region IS NOT NULL AND parent_path <> '' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), by_region AS (
  SELECT t.* FROM line AS t JOIN region_part AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.fiscal_year = t.fiscal_year
    AND p.stage = t.stage AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.measure = t.measure
    AND p.transfer_kind = t.transfer_kind AND p.path = t.line_path
  WHERE t.line_kind = 'total' OR t.name LIKE '%合计' OR t.name LIKE '%总计'
)
SELECT concat_ws('/', r.region_id, r.scope, r.fiscal_year, r.stage, r.quoted_in, r.table_code, r.measure, r.transfer_kind) AS scope_key,
  r.release_id, r.row_no, r.region_code,
  concat_ws(' ', r.region_name, concat(r.fiscal_year, '年'), r.published_header, '转移支付按地区与按项目') AS subject_zh,
  concat_ws(' ', r.region_name, r.fiscal_year, r.measure, r.transfer_kind, 'transfers by region and by project') AS subject_en,
  r.amount_yuan AS lhs, p.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN r.amount_yuan IS NULL OR p.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, CASE WHEN r.step > p.step OR p.step IS NULL THEN r.step ELSE p.step END AS step
FROM by_region AS r JOIN line AS p ON p.region_id = r.region_id AND p.scope = r.scope AND p.fiscal_year = r.fiscal_year AND p.stage = r.stage
  AND p.quoted_in = r.quoted_in AND p.table_code = r.table_code AND p.measure = r.measure AND p.transfer_kind = r.transfer_kind
  AND p.class_scheme = 'project' AND p.line_kind = 'total'
WHERE r.amount_yuan IS NOT NULL OR p.amount_yuan IS NOT NULL
