-- The growth that lines of a budget table print, as a number: `growth`, one row for each line and basis.
growth_cell AS (
  SELECT DISTINCT l.region_id, l.scope, l.quoted_in, l.table_code, l.line_path, coalesce(l.fund_name, '') AS fund, coalesce(l.transfer_kind, '') AS kind,
    k.basis, replace(replace(replace(translate(CASE k.basis WHEN 'comparable' THEN l.comparable_growth_text ELSE l.growth_text END, '％－−＋．０１２３４５６７８９', '%--+.0123456789'), ' ', ''), '　', ''), ',', '') AS cell
  FROM gov_budget_line AS l CROSS JOIN (VALUES ('plain'), ('comparable')) AS k (basis)
  WHERE CASE k.basis WHEN 'comparable' THEN l.comparable_growth_text ELSE l.growth_text END IS NOT NULL
), growth_number AS (
  SELECT *, right(cell, 1) = '%' AS has_sign, replace(cell, '%', '') AS digits, regexp_like(cell, '^[-+]?[0-9]+([.][0-9]+)?%?$') AS is_number
  FROM growth_cell
), growth_scaled AS (
  SELECT *, CASE WHEN is_number THEN CAST(digits AS DOUBLE) END AS number,
    CASE WHEN NOT is_number THEN 0 WHEN strpos(digits, '.') = 0 THEN 0 ELSE character_length(digits) - strpos(digits, '.') END AS decimals
  FROM growth_number
), growth_column AS (
  -- A workbook keeps a share that it shows in per cent as a ratio, with all its digits: more than four decimals are never printed.
  SELECT region_id, scope, quoted_in, table_code, basis, max(CASE WHEN has_sign THEN 0 ELSE decimals END) AS most FROM growth_scaled GROUP BY 1, 2, 3, 4, 5
), growth AS (
  SELECT c.region_id, c.scope, c.quoted_in, c.table_code, c.line_path, c.fund, c.kind, c.basis,
    CASE WHEN NOT c.has_sign AND t.most > 4 THEN 100 * c.number ELSE c.number END AS pct,
    CASE WHEN NOT c.has_sign AND t.most > 4 THEN CASE WHEN t.most > 8 THEN 6 ELSE t.most - 2 END ELSE CASE WHEN c.decimals > 6 THEN 6 ELSE c.decimals END END AS decimals
  FROM growth_scaled AS c JOIN growth_column AS t ON t.region_id = c.region_id AND t.scope = c.scope AND t.quoted_in = c.quoted_in
    AND t.table_code = c.table_code AND t.basis = c.basis
)
