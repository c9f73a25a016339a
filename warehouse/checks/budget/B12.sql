-- id = "B12"
-- title = { zh = "社会保险基金结余衔接", en = "the balances of social insurance funds follow" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "各险种：本年收支结余 = 本年收入 − 本年支出；年末滚存结余 = 上年结余 + 本年收入 − 本年支出。表不列上年结余的，取同一文件中上年决算的年末滚存结余，只核对决算数和执行数", en = "for each scheme: surplus = receipts − payments; balance at the end of the year = balance brought forward + receipts − payments. Where the tables do not print the balance brought forward, that at the end of last year in the final accounts of the same publication is taken, for final figures and execution only" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "结余", en = "balance" }
-- rhs = { zh = "按收支计算", en = "worked out from receipts and payments" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, right(l.table_code, 2) AS form, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('04', '41', '42', '43') AND l.line_kind <> 'of_which'
), role AS (
  -- In the summary a scheme is a column, in the other tables it is in the name of the line.
  SELECT *, CASE WHEN form = '04' THEN coalesce(fund_name, '') ELSE regexp_replace(name,
      '(基金)?(收入|支出|本年收支结余|收支结余|年末滚存结余|滚存结余)(合计)?([（(]或缺口[）)])?$', '') END AS scheme,
    CASE WHEN form = '04' THEN '04' ELSE '41' END AS layout,
    CASE WHEN form = '04' THEN CASE name WHEN '本年收入' THEN 'receipts' WHEN '本年支出' THEN 'payments' WHEN '本年收支结余' THEN 'surplus'
        WHEN '上年结余' THEN 'opening' WHEN '上年滚存结余' THEN 'opening' WHEN '年末滚存结余' THEN 'closing' END
      WHEN form = '41' AND name LIKE '%小计' OR form = '42' AND name LIKE '%小计' THEN NULL
      WHEN form = '41' THEN 'receipts' WHEN form = '42' THEN 'payments' WHEN name LIKE '%滚存结余%' THEN 'closing'
      WHEN name LIKE '%收支结余%' THEN 'surplus' END AS role
  FROM line
), scheme AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, layout, measure, scheme, min(region_code) AS region_code,
    min(region_name) AS region_name, min(published_header) AS published_header,
    min(CASE WHEN role IN ('closing', 'surplus') THEN concat(release_id, '#', CAST(row_no AS VARCHAR)) END) AS place,
    max(CASE WHEN role = 'receipts' THEN amount_yuan END) AS receipts, max(CASE WHEN role = 'payments' THEN amount_yuan END) AS payments,
    max(CASE WHEN role = 'surplus' THEN amount_yuan END) AS surplus, max(CASE WHEN role = 'opening' THEN amount_yuan END) AS opening,
    max(CASE WHEN role = 'opening' THEN 1 ELSE 0 END) AS has_opening, max(CASE WHEN role = 'closing' THEN amount_yuan END) AS closing,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS unread, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM role WHERE role IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), last_year AS (
  SELECT region_id, scope, fiscal_year, quoted_in, book, scheme, max(closing) AS closing
  FROM scheme WHERE layout = '41' AND stage = 'FINAL' GROUP BY 1, 2, 3, 4, 5, 6
), tested AS (
  SELECT s.*, 'surplus' AS tested, s.surplus AS lhs, s.receipts - s.payments AS rhs, 2 AS addends FROM scheme AS s WHERE s.surplus IS NOT NULL
  UNION ALL
  -- A scheme that began this year has no balance brought forward: its cell is blank.
  SELECT s.*, 'closing', s.closing AS lhs, coalesce(s.opening, 0) + s.receipts - s.payments, 3 FROM scheme AS s WHERE s.layout = '04' AND s.closing IS NOT NULL
    AND s.has_opening = 1
  UNION ALL
  SELECT s.*, 'closing', s.closing AS lhs, y.closing + s.receipts - s.payments, 3 FROM scheme AS s
  JOIN last_year AS y ON y.region_id = s.region_id AND y.scope = s.scope AND y.fiscal_year = s.fiscal_year - 1 AND y.quoted_in = s.quoted_in
    AND y.book = s.book AND y.scheme = s.scheme
  WHERE s.layout = '41' AND s.stage IN ('FINAL', 'ESTIMATE') AND s.closing IS NOT NULL
)
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, book, layout, measure, scheme, tested) AS scope_key,
  split_part(place, '#', 1) AS release_id, CAST(split_part(place, '#', 2) AS BIGINT) AS row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, CASE scheme WHEN '' THEN '合计' ELSE scheme END,
    CASE tested WHEN 'surplus' THEN '本年收支结余' ELSE '年末滚存结余' END) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, scheme, CASE tested WHEN 'surplus' THEN 'surplus of the year' ELSE 'balance at the end of the year' END) AS subject_en,
  lhs, rhs, addends, unread + CASE WHEN lhs IS NULL OR rhs IS NULL THEN 1 ELSE 0 END AS missing, step
FROM tested
