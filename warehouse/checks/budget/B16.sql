-- id = "B16"
-- title = { zh = "按地区的转移支付表合计一致", en = "transfers by region add up" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "合计列 = 各类转移支付之和；合计行 = 各地区之和（含未分配）；总计 = 支出表中对下的税收返还和转移支付", en = "the total column = the kinds of transfer; the total row = the regions, what is not yet allocated included; the grand total = the rebates and transfers to lower levels in the table of expenditure" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "合计", en = "total" }
-- rhs = { zh = "各列、各地区之和，或支出表", en = "sum of columns or regions, or the table of expenditure" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '12', '15', '22', '24', '34')
), transfer AS (
  SELECT * FROM line WHERE form IN ('15', '24', '34') AND transfer_kind IS NOT NULL
), by_kind AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, line_path, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM transfer WHERE transfer_kind <> 'total' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), by_region AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, transfer_kind, parent_path AS path, sum(amount_yuan) AS total,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM transfer WHERE parent_path <> '' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 HAVING count(counterpart_region) > 0
), sent AS (
  -- What the table of expenditure, or the summary, prints as sent to the levels below, by kind.
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, table_code, measure, kind, sum(amount_yuan) AS total, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step,
    row_number() OVER (PARTITION BY region_id, scope, fiscal_year, stage, quoted_in, book, measure, kind ORDER BY table_code DESC) AS turn
  FROM (
    SELECT l.*, k.kind FROM line AS l
    JOIN (VALUES ('返还性支出', 'rebate'), ('返还性支出', 'total'), ('一般性转移支付支出', 'general'), ('一般性转移支付支出', 'transfer'),
      ('一般性转移支付支出', 'total'), ('专项转移支付支出', 'special'), ('专项转移支付支出', 'transfer'), ('专项转移支付支出', 'total'),
      ('一般性转移支付', 'general'), ('一般性转移支付', 'transfer'), ('一般性转移支付', 'total'), ('专项转移支付', 'special'),
      ('专项转移支付', 'transfer'), ('专项转移支付', 'total'), ('补助下级支出', 'total'), ('政府性基金转移支付', 'fund')) AS k (name, kind)
      ON k.name = l.name
    WHERE l.form IN ('01', '12', '22') AND l.class_scheme = 'functional' AND l.scope = 'own'
  ) AS named GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), tested AS (
  SELECT t.*, 'columns' AS tested, p.total AS rhs, p.addends, p.missing AS parts_missing, p.step AS parts_step
  FROM transfer AS t JOIN by_kind AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage
    AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.measure = t.measure AND p.line_path = t.line_path
  WHERE t.transfer_kind = 'total'
  UNION ALL
  SELECT t.*, 'regions', p.total, p.addends, p.missing, p.step
  FROM transfer AS t JOIN by_region AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage
    AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.measure = t.measure AND p.transfer_kind = t.transfer_kind AND p.path = t.line_path
  UNION ALL
  -- Only a total says that it is all of it: amounts told in advance (提前下达数) are a part.
  SELECT t.*, 'expenditure', s.total, s.addends, s.missing, s.step
  FROM transfer AS t JOIN by_region AS p ON p.region_id = t.region_id AND p.scope = t.scope AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage
    AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code AND p.measure = t.measure AND p.transfer_kind = t.transfer_kind AND p.path = t.line_path
  JOIN sent AS s ON s.region_id = t.region_id AND s.scope = t.scope AND s.fiscal_year = t.fiscal_year AND s.stage = t.stage AND s.quoted_in = t.quoted_in
    AND s.book = t.book AND s.measure = t.measure AND s.kind = t.transfer_kind AND s.turn = 1
  WHERE t.line_kind = 'total' OR t.name LIKE '%合计' OR t.name LIKE '%总计'
)
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, line_path, transfer_kind, tested) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, line_name,
    CASE tested WHEN 'columns' THEN '合计列' WHEN 'regions' THEN '各地区之和' ELSE '与支出表' END) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, line_name, transfer_kind, CASE tested WHEN 'expenditure' THEN 'and the table of expenditure' ELSE tested END) AS subject_en,
  amount_yuan AS lhs, rhs, addends, parts_missing + CASE WHEN amount_yuan IS NULL OR rhs IS NULL THEN 1 ELSE 0 END AS missing,
  CASE WHEN parts_step > step OR step IS NULL THEN parts_step ELSE step END AS step
FROM tested WHERE amount_yuan IS NOT NULL OR addends > 0
