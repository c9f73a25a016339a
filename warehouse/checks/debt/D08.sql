-- id = "D08"
-- title = { zh = "发行、还本、付息合计等于各项之和", en = "debt raised, repaid and interest equal their parts" }
-- tables = ["debt_flow"]
-- basis = { zh = "财预〔2018〕209号表1-4：A = B + D，F = G + H，I = J + K，L = M + O，Q = R + S；表1-2、4-3 的发行额为各种债券与国际金融组织和外国政府贷款之和", en = "财预〔2018〕209号, form 1-4: A = B + D, F = G + H, I = J + K, L = M + O, Q = R + S; in forms 1-2 and 4-3 the debt raised is the bonds and the loans of international organisations and foreign governments" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "合计", en = "total" }
-- rhs = { zh = "各项之和", en = "sum of the parts" }
WITH printed AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.flow IN ('raised_total', 'issue_total', 'issue_new', 'issue_refinance', 'issue_swap', 'foreign_loan', 'repay_total', 'interest')
), flow AS (
  -- Trailing zeros are not printed (decision 13): the finest figure of a table, down to the four decimals of the forms in 亿元,
  -- shows the step of one that is whole.
  SELECT region_id, region_name, region_code, scope, year, stage, table_code, quoted_in, debt_kind, flow, amount_yuan, release_id, row_no,
    least(step, greatest(min(step) OVER (PARTITION BY release_id, table_code, quoted_in), 10000)) AS step
  FROM printed
), by_kind AS (
  SELECT region_id, scope, year, stage, table_code, quoted_in, flow, min(region_name) AS region_name, min(region_code) AS region_code,
    max(CASE WHEN debt_kind = 'total' THEN release_id END) AS release_id, max(CASE WHEN debt_kind = 'total' THEN row_no END) AS row_no,
    sum(CASE WHEN debt_kind = 'total' THEN 1 ELSE 0 END) AS total_rows, sum(CASE WHEN debt_kind <> 'total' THEN 1 ELSE 0 END) AS kind_rows,
    sum(CASE WHEN debt_kind = 'total' THEN amount_yuan END) AS total, sum(CASE WHEN debt_kind <> 'total' THEN amount_yuan END) AS parts,
    count(CASE WHEN debt_kind <> 'total' THEN amount_yuan END) AS printed, min(step) AS step
  -- Foreign loans are general debt: where kinds stand side by side, special debt has no such row.
  FROM flow WHERE flow <> 'foreign_loan' GROUP BY 1, 2, 3, 4, 5, 6, 7
), component AS (
  -- The parts of one kind; those of the total are the bonds of both kinds where only these are printed.
  SELECT region_id, scope, year, stage, table_code, quoted_in, debt_kind,
    sum(CASE WHEN flow = 'issue_total' THEN amount_yuan END) AS bonds, sum(CASE WHEN flow LIKE 'issue%' AND flow <> 'issue_total' THEN amount_yuan END) AS issues,
    sum(CASE WHEN flow = 'foreign_loan' THEN amount_yuan END) AS loans,
    sum(CASE WHEN flow = 'issue_total' THEN 1 ELSE 0 END) AS bond_rows, sum(CASE WHEN flow LIKE 'issue%' THEN 1 ELSE 0 END) AS issue_rows,
    sum(CASE WHEN amount_yuan IS NULL AND flow <> 'issue_total' THEN 1 ELSE 0 END) AS absent,
    sum(CASE WHEN amount_yuan IS NULL AND flow IN ('issue_total', 'foreign_loan') THEN 1 ELSE 0 END) AS bond_absent,
    count(amount_yuan) AS printed, min(step) AS step
  FROM flow WHERE flow LIKE 'issue%' OR flow = 'foreign_loan' GROUP BY 1, 2, 3, 4, 5, 6, 7
), raised AS (
  SELECT t.region_id, t.scope, t.year, t.stage, t.table_code, t.quoted_in, t.debt_kind, min(t.region_name) AS region_name,
    min(t.region_code) AS region_code, min(t.release_id) AS release_id, min(t.row_no) AS row_no, min(t.amount_yuan) AS total,
    sum(CASE WHEN c.bond_rows > 0 THEN c.bonds ELSE c.issues END) AS bonds, sum(c.loans) AS loans, sum(c.issue_rows) AS issue_rows,
    sum(CASE WHEN c.bond_rows > 0 THEN c.bond_absent ELSE c.absent END) AS absent, sum(c.printed) AS printed,
    least(min(t.step), min(c.step)) AS step
  FROM flow AS t
  JOIN component AS c ON c.region_id = t.region_id AND c.scope = t.scope AND c.year = t.year AND c.stage = t.stage
    AND c.table_code = t.table_code AND c.quoted_in = t.quoted_in
  LEFT JOIN (SELECT region_id, scope, year, stage, table_code, quoted_in FROM component WHERE debt_kind = 'total' AND issue_rows > 0) AS own
    ON own.region_id = t.region_id AND own.scope = t.scope AND own.year = t.year AND own.stage = t.stage
    AND own.table_code = t.table_code AND own.quoted_in = t.quoted_in
  WHERE t.flow = 'raised_total' AND (c.debt_kind = t.debt_kind OR (t.debt_kind = 'total' AND own.region_id IS NULL))
  GROUP BY 1, 2, 3, 4, 5, 6, 7
)
SELECT concat_ws('/', region_id, scope, year, stage, quoted_in, table_code, flow, 'kinds') AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(year, '年'), CASE flow WHEN 'repay_total' THEN '还本' WHEN 'interest' THEN '付息' WHEN 'issue_new' THEN '新增债券'
    WHEN 'issue_refinance' THEN '再融资债券' WHEN 'issue_swap' THEN '置换债券' ELSE '发行' END, '一般加专项') AS subject_zh,
  concat_ws(' ', region_name, year, flow, 'general and special') AS subject_en,
  total AS lhs, parts AS rhs, printed AS addends, 2 - printed + CASE WHEN total IS NULL THEN 1 ELSE 0 END AS missing, step
FROM by_kind WHERE total_rows > 0 AND kind_rows > 0 AND (total IS NOT NULL OR printed > 0)
UNION ALL
SELECT concat_ws('/', region_id, scope, year, stage, quoted_in, table_code, debt_kind, 'parts') AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(year, '年'), CASE debt_kind WHEN 'general' THEN '一般债务' WHEN 'special' THEN '专项债务' ELSE '债务' END, '发行额的各项') AS subject_zh,
  concat_ws(' ', region_name, year, debt_kind, 'debt raised, its parts') AS subject_en,
  total AS lhs, bonds + coalesce(loans, 0) AS rhs, printed AS addends,
  absent + CASE WHEN bonds IS NULL OR total IS NULL THEN 1 ELSE 0 END AS missing, step
FROM raised WHERE issue_rows > 0
