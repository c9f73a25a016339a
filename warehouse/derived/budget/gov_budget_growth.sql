-- label = { zh = "政府预决算表所印增长", en = "Growth that government budget tables print" }
-- description = { zh = "预决算表逐行所印的比上年增长，换算为百分数。比什么见 gov_budget_line 的 growth_text；同口径的另为一行（is_comparable）。工作簿以未舍入的比值存放增长的（同一表中有超过四位小数的），乘以 100；不是数的为空。", en = "Growth against last year as lines of budget tables print it, as a number in per cent. What it is measured against is said at growth_text of gov_budget_line; growth on a comparable basis (同口径) is a row of its own (is_comparable). Where a workbook holds growth as a ratio that was not rounded (a cell of the table has more than four decimals) it is multiplied by 100; what is no number is null." }
-- grain = { zh = "一张表的一行一种口径", en = "one line of one table and one basis" }
-- key = ["region_id", "scope", "quoted_in", "table_code", "line_path", "transfer_kind", "fund_name", "is_comparable"]
-- columns = ["region_id", "region_code", "region_name", "scope", "quoted_in", "table_code", "line_path", "line_name", "transfer_kind", "fund_name", "is_comparable", "growth_text", "growth_pct"]
WITH printed AS (
  SELECT region_id, min(region_code) AS region_code, min(region_name) AS region_name, scope, quoted_in, table_code, line_path, min(line_name) AS line_name,
    transfer_kind, fund_name, false AS is_comparable, max(growth_text) AS growth_text
  FROM gov_budget_line WHERE growth_text IS NOT NULL GROUP BY region_id, scope, quoted_in, table_code, line_path, transfer_kind, fund_name
  UNION ALL
  SELECT region_id, min(region_code), min(region_name), scope, quoted_in, table_code, line_path, min(line_name),
    transfer_kind, fund_name, true, max(comparable_growth_text)
  FROM gov_budget_line WHERE comparable_growth_text IS NOT NULL GROUP BY region_id, scope, quoted_in, table_code, line_path, transfer_kind, fund_name
), plain AS (
  SELECT *, replace(replace(replace(translate(growth_text, '％－−＋．０１２３４５６７８９', '%--+.0123456789'), ' ', ''), '　', ''), ',', '') AS cell FROM printed
), number AS (
  SELECT *, right(cell, 1) = '%' AS has_sign, regexp_like(cell, '^[-+]?[0-9]+([.][0-9]+)?%?$') AS is_number, replace(cell, '%', '') AS digits FROM plain
), scaled AS (
  SELECT *, CASE WHEN is_number AND NOT has_sign AND strpos(digits, '.') > 0 THEN character_length(digits) - strpos(digits, '.') ELSE 0 END AS decimals FROM number
)
SELECT region_id, region_code, region_name, scope, quoted_in, table_code, line_path, line_name, transfer_kind, fund_name, is_comparable, growth_text,
  CASE WHEN is_number THEN CAST(round(CAST(digits AS DOUBLE) * CASE WHEN NOT has_sign
    AND max(decimals) OVER (PARTITION BY region_id, scope, quoted_in, table_code, is_comparable) > 4 THEN 100 ELSE 1 END, 6) AS DECIMAL(38,6)) END AS growth_pct
FROM scaled
