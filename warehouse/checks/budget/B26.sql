-- id = "B26"
-- title = { zh = "所印增长由两个数得出", en = "growth as printed follows from the two figures" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "增长% = 100·(本年数 ÷ 上年数 − 1)，两个数在同一张表；表中列上年同口径数的，按同口径数核对。允许误差为所印末位的一半加两个数的舍入：0.5·10^(−小数位) + 100·(0.5u/上年数 + 本年数·0.5u/上年数²)，u 为所印数的末位。上年数为空、零或负的，不应印百分数", en = "growth = 100·(this year ÷ last year − 1), both of one table; where the table prints last year on a comparable basis (同口径), that is the base. Half the last decimal printed and the rounding of the two figures are allowed: 0.5·10^(−decimals) + 100·(0.5u/base + figure·0.5u/base²), u being a step of the figures. Where last year is blank, zero or negative no percentage should be printed" }
-- severity = "WARN"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "所印增长（%）", en = "growth as printed (per cent)" }
-- rhs = { zh = "由两个数得出的增长（%）", en = "growth that follows from the figures (per cent)" }
WITH {shared.growth}, line AS (
  SELECT l.*, coalesce(l.fund_name, '') AS fund, coalesce(l.transfer_kind, '') AS kind, CAST(published_step(l.published_unit, l.published_scale) AS DOUBLE) AS step,
    left(l.table_code, 2) AS book
  FROM gov_budget_line AS l WHERE l.growth_text IS NOT NULL OR l.comparable_growth_text IS NOT NULL
), figure AS (
  -- The figure that grows: the last one of the table's own year.
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, quoted_in, table_code, line_path, fund, kind
    ORDER BY CASE stage WHEN 'BUDGET' THEN CASE book WHEN 'GB' THEN 0 ELSE 9 END WHEN 'FINAL' THEN 1 WHEN 'ESTIMATE' THEN 2 ELSE 8 END, measure) AS turn
  FROM line WHERE fiscal_year = quoted_in AND stage IN ('BUDGET', 'FINAL', 'ESTIMATE')
), base AS (
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, quoted_in, table_code, line_path, fund, kind
    ORDER BY CASE stage WHEN 'FINAL' THEN 0 WHEN 'ESTIMATE' THEN 1 ELSE 2 END, measure) AS turn
  FROM line WHERE fiscal_year = quoted_in - 1 AND stage IN ('BUDGET', 'FINAL', 'ESTIMATE')
), pair AS (
  SELECT f.region_id, f.region_code, f.region_name, f.scope, f.fiscal_year, f.stage, f.quoted_in, f.table_code, f.measure, f.line_path, f.line_name, f.class_code,
    f.fund_name, f.transfer_kind, f.release_id, f.row_no, g.basis, g.pct, g.decimals, b.line_path IS NOT NULL AS has_base, b.value_state AS base_state,
    -- The base that a comparable column gives is in the published unit, as the figure then is.
    g.basis = 'comparable' OR f.comparable_base_value IS NOT NULL AND f.comparable_growth_text IS NULL AS is_comparable,
    CAST(f.amount_yuan AS DOUBLE) AS yuan, CAST(f.published_value AS DOUBLE) AS published, CAST(b.amount_yuan AS DOUBLE) AS base_yuan,
    CAST(f.comparable_base_value AS DOUBLE) AS comparable_base,
    CASE WHEN f.step > b.step OR b.step IS NULL THEN f.step ELSE b.step END AS step, power(CAST(10 AS DOUBLE), -coalesce(f.published_scale, 0)) AS published_step
  FROM figure AS f JOIN growth AS g ON g.region_id = f.region_id AND g.scope = f.scope AND g.quoted_in = f.quoted_in AND g.table_code = f.table_code
    AND g.line_path = f.line_path AND g.fund = f.fund AND g.kind = f.kind
  LEFT JOIN base AS b ON b.region_id = f.region_id AND b.scope = f.scope AND b.quoted_in = f.quoted_in AND b.table_code = f.table_code
    AND b.line_path = f.line_path AND b.fund = f.fund AND b.kind = f.kind AND b.turn = 1
  WHERE f.turn = 1
), tested AS (
  SELECT *, NOT is_comparable AND has_base AND (base_yuan IS NULL OR base_yuan <= 0) AS is_blank, CASE WHEN is_comparable THEN published ELSE yuan END AS a, CASE WHEN is_comparable THEN comparable_base ELSE base_yuan END AS b,
    CASE WHEN is_comparable THEN published_step ELSE step END AS u
  FROM pair
), computed AS (
  SELECT *, CASE WHEN b > 0 THEN 100 * (a / b - 1) END AS growth,
    CASE WHEN b > 0 THEN 0.5 * power(CAST(10 AS DOUBLE), -decimals) + 100 * (0.5 * coalesce(u, 0) / b + abs(a) * 0.5 * coalesce(u, 0) / (b * b)) END AS allowed
  FROM tested
)
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, line_path, transfer_kind, fund_name,
    CASE WHEN is_blank THEN 'blank' ELSE basis END) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(quoted_in, '年的表'), class_code, line_name, fund_name,
    CASE WHEN is_blank THEN '上年数为空、零或负，不应印增长，所印增长的个数' WHEN is_comparable THEN '同口径增长' ELSE '增长' END) AS subject_zh,
  concat_ws(' ', region_name, quoted_in, class_code, line_name, fund_name,
    CASE WHEN is_blank THEN 'percentages printed on a base that is blank, zero or negative' WHEN is_comparable THEN 'growth on a comparable basis' ELSE 'growth' END) AS subject_en,
  CASE WHEN is_blank THEN 1 ELSE CAST(round(pct, 6) AS DECIMAL(38,6)) END AS lhs,
  CASE WHEN is_blank THEN 0 WHEN abs(pct - growth) <= allowed THEN CAST(round(pct, 6) AS DECIMAL(38,6)) ELSE CAST(round(growth, 6) AS DECIMAL(38,6)) END AS rhs,
  2 AS addends,
  CASE WHEN pct IS NULL OR a IS NULL OR base_state = 'set_aside' OR is_comparable AND comparable_base IS NULL OR NOT is_comparable AND NOT has_base THEN 1 ELSE 0 END AS missing,
  0 AS step
FROM computed
