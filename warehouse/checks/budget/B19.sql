-- id = "B19"
-- title = { zh = "补助下级支出不超过各县（区）上级补助收入", en = "what a city sends is at most what its counties receive" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "市本级对下的税收返还和转移支付 ≤ 各县（区）上级补助收入之和：县（区）所列含中央和省的补助", en = "rebates and transfers that the own level sends ≤ what its counties receive from above, which includes support from the centre and the province" }
-- severity = "INFO"
-- relation = "at_most"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "市本级补助下级", en = "sent by the city" }
-- rhs = { zh = "各县（区）上级补助收入", en = "received by its counties" }
WITH line AS (
  SELECT l.*, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step,
    CASE WHEN l.class_scheme = 'revenue' THEN 'received' ELSE 'sent' END AS side
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '11', '12') AND l.region_code IS NOT NULL AND l.line_kind NOT IN ('of_which', 'total')
), named AS (
  SELECT * FROM line WHERE side = 'sent' AND scope = 'own' AND regexp_like(name, '^(返还性支出|(一般性|专项)转移支付(支出)?|补助下级支出)$')
    OR side = 'received' AND regexp_like(name, '^(返还性收入|(一般性|专项)转移支付(收入)?|上级补助收入)$')
), book AS (
  SELECT region_code, scope, fiscal_year, stage, quoted_in, table_code, measure, side, min(region_id) AS region_id, min(region_name) AS region_name,
    min(published_header) AS published_header, min(concat(release_id, '#', CAST(row_no AS VARCHAR))) AS place, sum(amount_yuan) AS amount_yuan,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM named GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), one AS (
  SELECT *, row_number() OVER (PARTITION BY region_code, side, fiscal_year, stage, quoted_in ORDER BY scope, table_code, measure) AS turn FROM book
), expected AS (
  SELECT s.region_code, s.fiscal_year, count(DISTINCT r.region_code) AS counties
  FROM (SELECT DISTINCT region_code, fiscal_year FROM one WHERE side = 'sent') AS s JOIN ref.region AS r ON r.parent_code = s.region_code
  WHERE r.region_kind = 'admin' AND (r.valid_from IS NULL OR date_part('year', r.valid_from) <= s.fiscal_year) AND (r.valid_to IS NULL OR date_part('year', r.valid_to) >= s.fiscal_year) GROUP BY 1, 2
), child AS (
  SELECT DISTINCT region_code, parent_code FROM ref.region WHERE region_kind = 'admin'
), received AS (
  SELECT r.parent_code, o.fiscal_year, o.stage, o.quoted_in, sum(o.amount_yuan) AS total, sum(o.addends) AS addends, count(*) AS counties,
    sum(o.missing) AS missing, max(o.step) AS step
  FROM one AS o JOIN child AS r ON r.region_code = o.region_code WHERE o.side = 'received' AND o.turn = 1 GROUP BY 1, 2, 3, 4
)
SELECT concat_ws('/', s.region_id, s.fiscal_year, s.stage, s.quoted_in) AS scope_key,
  split_part(s.place, '#', 1) AS release_id, CAST(split_part(s.place, '#', 2) AS BIGINT) AS row_no, s.region_code,
  concat_ws(' ', s.region_name, concat(s.fiscal_year, '年'), s.published_header, '补助下级支出') AS subject_zh,
  concat_ws(' ', s.region_name, s.fiscal_year, s.measure, 'sent to the levels below') AS subject_en,
  s.amount_yuan AS lhs, r.total AS rhs, s.addends + r.addends AS addends,
  s.missing + r.missing + e.counties - r.counties + CASE WHEN s.amount_yuan IS NULL OR r.total IS NULL THEN 1 ELSE 0 END AS missing,
  CASE WHEN r.step > s.step OR s.step IS NULL THEN r.step ELSE s.step END AS step
FROM one AS s JOIN received AS r ON r.parent_code = s.region_code AND r.fiscal_year = s.fiscal_year AND r.stage = s.stage AND r.quoted_in = s.quoted_in
JOIN expected AS e ON e.region_code = s.region_code AND e.fiscal_year = s.fiscal_year
WHERE s.side = 'sent' AND s.turn = 1
