-- What a budget book and the debt tables say of the own level's debt: received, lent on and repaid in `book`, raised and repaid in `raised`.
line AS (
  SELECT l.region_id, l.fiscal_year, l.stage, l.quoted_in, l.line_name, l.class_code, l.amount_yuan, l.release_id, l.row_no, l.region_code, l.region_name,
    -- Tables x1 to x4 of a budget book: 01, 11, 12, 13 are the general public budget, 02, 21, 22 the fund budget.
    CASE WHEN right(l.table_code, 2) IN ('01', '11', '12', '13') THEN 'general' WHEN right(l.table_code, 2) IN ('02', '21', '22') THEN 'special' END AS debt_kind,
    right(l.table_code, 2) IN ('01', '02') AS is_summary, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM gov_budget_line AS l
  WHERE l.scope = 'own' AND l.table_code LIKE 'G%'
    AND l.line_name IN ('地方政府一般债务收入', '地方政府一般债务转贷收入', '地方政府专项债务收入', '地方政府专项债务转贷收入', '债务转贷收入',
      '地方政府一般债务转贷支出', '地方政府专项债务转贷支出', '债务转贷支出', '地方政府一般债务还本支出', '地方政府专项债务还本支出',
      '债务还本支出', '债务还本')
), named AS (
  SELECT *, CASE
    WHEN line_name IN ('地方政府一般债务收入', '地方政府一般债务转贷收入', '地方政府专项债务收入', '地方政府专项债务转贷收入', '债务转贷收入') THEN 'received'
    WHEN line_name IN ('地方政府一般债务转贷支出', '地方政府专项债务转贷支出', '债务转贷支出') THEN 'lent'
    WHEN line_name IN ('地方政府一般债务还本支出', '地方政府专项债务还本支出', '债务还本支出', '债务还本') THEN 'repaid' END AS role
  FROM line WHERE debt_kind IS NOT NULL
), chosen AS (
  -- A book prints the line in its summary and in its table of details, and under the general heading: one of them is taken.
  SELECT *, row_number() OVER (PARTITION BY region_id, fiscal_year, stage, quoted_in, debt_kind, role
    ORDER BY CASE WHEN amount_yuan IS NULL THEN 1 ELSE 0 END, CASE WHEN line_name LIKE '地方政府%' THEN 0 ELSE 1 END,
      CASE WHEN is_summary THEN 0 ELSE 1 END, row_no) AS place
  FROM named WHERE role IS NOT NULL
), book AS (
  SELECT region_id, fiscal_year, stage, quoted_in, debt_kind, min(region_name) AS region_name, min(region_code) AS region_code,
    min(release_id) AS release_id, min(row_no) AS row_no,
    sum(CASE WHEN role = 'received' THEN amount_yuan END) AS received, sum(CASE WHEN role = 'lent' THEN amount_yuan END) AS lent,
    sum(CASE WHEN role = 'repaid' THEN amount_yuan END) AS repaid, sum(CASE WHEN role = 'repaid' THEN 1 ELSE 0 END) AS repaid_rows,
    sum(CASE WHEN role = 'received' THEN 1 ELSE 0 END) AS received_rows, min(step) AS step
  FROM chosen WHERE place = 1 GROUP BY 1, 2, 3, 4, 5
), flow AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  -- Form 1-4 is of bonds only: what it raises and repays is not all debt.
  FROM debt_flow AS l WHERE l.scope = 'own' AND l.table_code <> 'T14'
), debt AS (
  -- Debt raised: the printed total, else all bonds and the foreign loans, which are general debt.
  SELECT region_id, debt_kind, year, stage, quoted_in, table_code,
    coalesce(sum(CASE WHEN flow = 'raised_total' THEN amount_yuan END), sum(CASE WHEN flow LIKE 'issue%' THEN amount_yuan END)) AS raised,
    sum(CASE WHEN flow = 'raised_total' THEN 1 ELSE 0 END) AS total_rows,
    sum(CASE WHEN flow = 'repay_total' THEN amount_yuan END) AS repaid, min(step) AS step
  FROM flow WHERE flow IN ('raised_total', 'issue_new', 'issue_refinance', 'issue_swap', 'repay_total') AND debt_kind IN ('general', 'special')
  GROUP BY 1, 2, 3, 4, 5, 6
), loan AS (
  SELECT region_id, year, stage, quoted_in, table_code, sum(amount_yuan) AS amount_yuan
  FROM flow WHERE flow = 'foreign_loan' AND debt_kind = 'total' GROUP BY 1, 2, 3, 4, 5
), raised AS (
  SELECT d.*, CASE WHEN d.debt_kind = 'general' AND d.total_rows = 0 THEN d.raised + coalesce(n.amount_yuan, 0) ELSE d.raised END AS issue
  FROM debt AS d LEFT JOIN loan AS n ON n.region_id = d.region_id AND n.year = d.year AND n.stage = d.stage AND n.quoted_in = d.quoted_in
    AND n.table_code = d.table_code
)
