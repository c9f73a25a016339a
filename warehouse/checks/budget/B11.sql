-- id = "B11"
-- title = { zh = "调出资金与调入资金对应", en = "funds moved out arrive in the general budget" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "一般公共预算调入资金（不含其他调入）= 政府性基金调出资金 + 国有资本经营预算调出资金，同一口径同一阶段", en = "funds moved into the general budget, other sources left out = funds moved out of the fund budget and of the state capital budget, same scope and stage" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "调入资金", en = "moved in" }
-- rhs = { zh = "调出资金", en = "moved out" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '02', '03', '11', '22', '32') AND l.line_kind <> 'of_which'
), role AS (
  SELECT *, CASE
      WHEN form IN ('01', '11') AND class_scheme = 'revenue' AND (class_code = '11009' OR class_code IS NULL AND name = '调入资金') THEN 'in'
      WHEN form IN ('01', '11') AND class_scheme = 'revenue' AND regexp_like(name, '^(从)?其他.*调入|^调入其他') THEN 'other'
      WHEN form IN ('02', '22') AND class_scheme = 'functional' AND (class_code = '23008' OR class_code IS NULL AND name = '调出资金') THEN 'fund'
      WHEN form IN ('03', '32') AND class_scheme = 'functional' AND name = '调出资金' THEN 'state' END AS role
  FROM line
), book AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, measure, min(region_code) AS region_code, min(region_name) AS region_name,
    min(published_header) AS published_header, min(CASE WHEN role = 'in' THEN concat(release_id, '#', CAST(row_no AS VARCHAR)) END) AS place,
    max(CASE WHEN role = 'in' THEN amount_yuan END) AS moved_in, coalesce(sum(CASE WHEN role = 'other' THEN amount_yuan END), 0) AS other,
    sum(CASE WHEN role IN ('fund', 'state') THEN amount_yuan END) AS moved_out,
    count(CASE WHEN role IN ('fund', 'state', 'other') THEN amount_yuan END) AS addends,
    count(DISTINCT CASE WHEN role IN ('fund', 'state') THEN role END) AS printed,
    max(CASE WHEN role = 'in' THEN 1 ELSE 0 END) AS has_in,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM role WHERE role IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, book, measure) AS scope_key,
  split_part(place, '#', 1) AS release_id, CAST(split_part(place, '#', 2) AS BIGINT) AS row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, '调入资金') AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, 'funds moved into the general budget') AS subject_en,
  moved_in - other AS lhs, moved_out AS rhs, addends,
  -- A budget whose table is not there may have moved something too.
  missing + 2 - printed + CASE WHEN moved_in IS NULL OR moved_out IS NULL THEN 1 ELSE 0 END AS missing, step
FROM book WHERE has_in = 1 AND printed > 0 AND (moved_in IS NOT NULL OR moved_out IS NOT NULL)
