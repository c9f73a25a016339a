-- id = "D03"
-- title = { zh = "年末余额等于年初余额加发行减还本", en = "closing debt equals opening debt plus debt raised less principal repaid" }
-- tables = ["debt_stock", "debt_flow"]
-- basis = { zh = "财预〔2018〕209号表1-2、1-3、4-3：五 = 一 + 三 − 四；印出的核减、调减行按其标题声明的符号计入；表4-3 的外国贷款只列合计，属一般债务", en = "财预〔2018〕209号, forms 1-2, 1-3 and 4-3: closing = opening + raised − repaid; printed adjustments enter with the sign declared for their label; form 4-3 prints foreign loans for the total only, and they are general debt" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "年末余额", en = "closing balance" }
-- rhs = { zh = "年初余额加发行减还本", en = "opening balance, raised and repaid" }
-- # One table only: its opening figure, its flows, its closing figure. Trailing zeros are not printed (decision 13), so the
-- # finest figure of an identity shows the step of its table.
WITH stock AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_stock AS l WHERE l.form = 'all'
), effect AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.balance_effect IN ('add', 'subtract') OR (l.flow = 'foreign_loan' AND l.debt_kind = 'total')
), flow AS (
  SELECT region_id, scope, debt_kind, year, stage, table_code, quoted_in,
    sum(CASE balance_effect WHEN 'add' THEN amount_yuan WHEN 'subtract' THEN -amount_yuan END) AS net,
    count(*) AS printed, count(*) - count(amount_yuan) AS absent, max(abs(amount_yuan)) AS largest, min(step) AS step,
    sum(CASE WHEN flow = 'raised_total' THEN 1 ELSE 0 END) AS total_rows,
    sum(CASE WHEN flow IN ('raised_total', 'issue_total', 'issue_new') THEN 1 ELSE 0 END) AS raised_rows,
    sum(CASE WHEN flow = 'repay_total' THEN 1 ELSE 0 END) AS repaid_rows
  FROM effect WHERE balance_effect IN ('add', 'subtract') GROUP BY 1, 2, 3, 4, 5, 6, 7
), loan AS (
  SELECT region_id, scope, year, stage, table_code, quoted_in, sum(amount_yuan) AS amount_yuan, count(*) - count(amount_yuan) AS absent
  FROM effect WHERE flow = 'foreign_loan' AND debt_kind = 'total' GROUP BY 1, 2, 3, 4, 5, 6
), side AS (
  SELECT c.*, f.net, f.printed, f.absent, f.largest, f.step AS flow_step, f.raised_rows, f.repaid_rows,
    coalesce(p.amount_yuan, o.amount_yuan) AS opening, least(c.step, coalesce(p.step, o.step)) AS stock_step,
    CASE WHEN c.debt_kind = 'general' AND f.total_rows = 0 THEN n.amount_yuan END AS loan,
    CASE WHEN c.debt_kind = 'general' AND f.total_rows = 0 THEN coalesce(n.absent, 0) ELSE 0 END AS loan_absent
  FROM stock AS c
  JOIN flow AS f ON f.region_id = c.region_id AND f.scope = c.scope AND f.debt_kind = c.debt_kind AND f.year = c.as_of_year
    AND f.stage = c.stage AND f.table_code = c.table_code AND f.quoted_in = c.quoted_in
  LEFT JOIN stock AS p ON p.measure = 'balance_prev' AND p.region_id = c.region_id AND p.scope = c.scope AND p.debt_kind = c.debt_kind
    AND p.as_of_year = c.as_of_year AND p.stage = c.stage AND p.table_code = c.table_code AND p.quoted_in = c.quoted_in
  LEFT JOIN stock AS o ON o.measure = 'balance' AND o.stage = 'FINAL' AND o.region_id = c.region_id AND o.scope = c.scope
    AND o.debt_kind = c.debt_kind AND o.as_of_year + 1 = c.as_of_year AND o.table_code = c.table_code AND o.quoted_in = c.quoted_in
  LEFT JOIN loan AS n ON n.region_id = c.region_id AND n.scope = c.scope AND n.year = c.as_of_year AND n.stage = c.stage
    AND n.table_code = c.table_code AND n.quoted_in = c.quoted_in
  WHERE c.measure = 'balance'
)
SELECT concat_ws('/', region_id, scope, as_of_year, stage, quoted_in, table_code, debt_kind) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(as_of_year, '年'), CASE debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '余额') AS subject_zh,
  concat_ws(' ', region_name, as_of_year, debt_kind, 'debt') AS subject_en,
  amount_yuan AS lhs, opening + net + coalesce(loan, 0) AS rhs, printed + 1 + CASE WHEN loan IS NULL THEN 0 ELSE 1 END AS addends,
  absent + loan_absent + CASE WHEN opening IS NULL THEN 1 ELSE 0 END + CASE WHEN raised_rows = 0 THEN 1 ELSE 0 END
    + CASE WHEN repaid_rows = 0 THEN 1 ELSE 0 END
    -- Nothing but zeros is a form that was not filled in.
    + CASE WHEN amount_yuan = 0 AND opening = 0 AND largest = 0 THEN 1 ELSE 0 END AS missing,
  -- Flows printed finer than the four decimals of the forms do not make the balances finer.
  least(stock_step, greatest(flow_step, 10000)) AS step
FROM side
