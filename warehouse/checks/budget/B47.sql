-- id = "B47"
-- title = { zh = "金额与单位相称", en = "amounts fit their unit" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "类和合计行：不超过本地区上年同一行的10倍（上年不足1亿元的不核对，小数目的变化本来就大）；省以下地区一张表的最大数不超过2019年全国一般公共预算收入190,390亿元（财政部）的十分之一，省不超过全国。超出的多为表头单位有误", en = "classes and totals are at most ten times the same line of the year before (not tested where that was under 100 million yuan: small figures do change much); the largest amount of a table of a region below a province is at most a tenth of the national general public revenue of 2019, 190,390 亿元 (Ministry of Finance), that of a province at most all of it. What exceeds it mostly has a wrong unit in the header" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = true
-- lhs = { zh = "金额", en = "amount" }
-- rhs = { zh = "可能的最大值", en = "most that is possible" }
-- # Parameters in order: $1 the least amount of last year that is compared, $2 the national revenue in yuan, $3 the share of a region below a province, $4 the growth.
-- parameters = { floor = "100000000", national = "19039000000000", share = "0.1", times = "10" }
WITH line AS (
  SELECT *, right(table_code, 2) AS form, coalesce(fund_name, '') AS fund, coalesce(transfer_kind, '') AS kind FROM gov_budget_line
  WHERE amount_yuan IS NOT NULL AND region_id <> '000000'
), year_row AS (
  SELECT * FROM line WHERE line_kind = 'total' OR class_level = 1 AND class_code IS NOT NULL AND line_kind IN ('detail', 'subtotal')
), before AS (
  -- The largest figure that any stage and publication gave for the year before.
  SELECT region_id, scope, form, line_path, fund, kind, fiscal_year + 1 AS fiscal_year, max(amount_yuan) AS amount_yuan
  FROM year_row GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING max(amount_yuan) >= $1
), largest AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, min(region_code) AS region_code, min(region_name) AS region_name,
    min(published_header) AS published_header, min(release_id) AS release_id, min(row_no) AS row_no, max(amount_yuan) AS amount_yuan
  FROM line GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', 'year', t.region_id, t.scope, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.measure, t.line_path, t.transfer_kind, t.fund_name) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.fiscal_year, '年'), t.published_header, t.class_code, t.line_name, '与上年') AS subject_zh,
  concat_ws(' ', t.region_name, t.fiscal_year, t.measure, t.class_code, t.line_name, 'and the year before') AS subject_en,
  t.amount_yuan AS lhs, $4 * b.amount_yuan AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM year_row AS t JOIN before AS b ON b.region_id = t.region_id AND b.scope = t.scope AND b.form = t.form AND b.line_path = t.line_path AND b.fund = t.fund
  AND b.kind = t.kind AND b.fiscal_year = t.fiscal_year
UNION ALL
SELECT concat_ws('/', 'nation', region_id, scope, fiscal_year, stage, quoted_in, table_code, measure), release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, table_code, '最大的金额与全国'),
  concat_ws(' ', region_name, fiscal_year, measure, table_code, 'largest amount and the nation'),
  amount_yuan, CASE WHEN region_code LIKE '%0000' THEN $2 ELSE $3 * $2 END, 1, 0, 0
FROM largest
