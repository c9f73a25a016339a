-- id = "B18"
-- title = { zh = "全市等于市本级加各县（区）", en = "a city equals its own level and its counties" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "线上收支的每个支出类、收入类和款：全市 = 市本级 + 各县（区）；功能区在市级之内。各县（区）均已收录时核对，只缺一部分的跳过，一个都没有的不列", en = "each expenditure class and each revenue class above the line: whole city = own level + counties, functional zones being inside the own level; tested where every county is here, skipped where some are not, not listed where none is" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "全市", en = "whole city" }
-- rhs = { zh = "市本级加各县（区）", en = "own level and counties" }
WITH line AS (
  SELECT l.*, coalesce(l.class_code, replace(replace(l.line_name, ' ', ''), '　', '')) AS item, published_step(l.published_unit, l.published_scale) AS step,
    -- One figure of each line: the table of revenue or expenditure first, then that of the own level, then the summary.
    row_number() OVER (PARTITION BY l.region_id, l.scope, l.fiscal_year, l.stage, l.quoted_in, l.class_scheme, coalesce(l.class_code, l.line_path)
      ORDER BY CASE right(l.table_code, 2) WHEN '01' THEN 1 ELSE 0 END, l.table_code, l.measure) AS turn
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '11', '12', '13') AND l.region_code IS NOT NULL AND l.scope IN ('area', 'own')
    AND l.class_scheme IN ('functional', 'revenue') AND l.line_kind IN ('detail', 'subtotal')
    AND (l.class_level = 1 OR l.class_scheme = 'revenue' AND l.class_level = 2)
    AND NOT (l.class_code IS NULL AND regexp_like(l.line_name, '返还性|转移|补助|上解|结余|结转|调入|调出|债务(转贷)?收入|债务还本|债务转贷支出|还本支出|调节基金|周转金|接受.*援助|区域间'))
), one AS (
  SELECT * FROM line WHERE turn = 1
), city AS (
  SELECT DISTINCT region_code, fiscal_year FROM one WHERE scope = 'own'
), expected AS (
  SELECT c.region_code, c.fiscal_year, count(DISTINCT r.region_code) AS counties
  FROM city AS c JOIN ref.region AS r ON r.parent_code = c.region_code
  WHERE r.region_kind = 'admin' AND (r.valid_from IS NULL OR date_part('year', r.valid_from) <= c.fiscal_year) AND (r.valid_to IS NULL OR date_part('year', r.valid_to) >= c.fiscal_year) GROUP BY 1, 2
), child AS (
  SELECT DISTINCT region_code, parent_code FROM ref.region WHERE region_kind = 'admin'
), county AS (
  SELECT r.parent_code, o.fiscal_year, o.stage, o.quoted_in, o.class_scheme, o.item, sum(o.amount_yuan) AS total, count(o.amount_yuan) AS addends,
    count(DISTINCT o.region_code) AS counties, sum(CASE WHEN o.value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN o.amount_yuan IS NOT NULL THEN o.step END) AS step
  FROM one AS o JOIN child AS r ON r.region_code = o.region_code WHERE o.scope = 'area' GROUP BY 1, 2, 3, 4, 5, 6
), joined AS (
  SELECT a.*, w.amount_yuan AS own_yuan, w.value_state AS own_state, w.step AS own_step, c.total, c.addends AS county_addends,
    c.missing AS county_missing, c.step AS county_step, e.counties - c.counties AS absent
  FROM one AS a JOIN one AS w ON w.region_id = a.region_id AND w.fiscal_year = a.fiscal_year AND w.stage = a.stage AND w.quoted_in = a.quoted_in
    AND w.class_scheme = a.class_scheme AND w.item = a.item AND w.scope = 'own'
  JOIN county AS c ON c.parent_code = a.region_code AND c.fiscal_year = a.fiscal_year AND c.stage = a.stage AND c.quoted_in = a.quoted_in
    AND c.class_scheme = a.class_scheme AND c.item = a.item
  JOIN expected AS e ON e.region_code = a.region_code AND e.fiscal_year = a.fiscal_year
  WHERE a.scope = 'area'
)
SELECT concat_ws('/', region_id, fiscal_year, stage, quoted_in, class_scheme, item) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, class_code, line_name) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, class_code, line_name) AS subject_en,
  amount_yuan AS lhs, coalesce(own_yuan, 0) + coalesce(total, 0) AS rhs, CASE WHEN own_yuan IS NULL THEN 0 ELSE 1 END + county_addends AS addends,
  absent + county_missing + CASE WHEN own_state = 'set_aside' OR amount_yuan IS NULL THEN 1 ELSE 0 END AS missing,
  CASE WHEN coalesce(county_step, 0) > coalesce(step, 0) AND coalesce(county_step, 0) > coalesce(own_step, 0) THEN county_step
    WHEN coalesce(own_step, 0) > coalesce(step, 0) THEN own_step ELSE step END AS step
FROM joined WHERE amount_yuan IS NOT NULL OR own_yuan IS NOT NULL OR county_addends > 0
