-- Balances brought forward, each with the final balance of the year before: `chain`, of which `place` 1 is the one to compare.
line AS (
  SELECT l.*, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step,
    CASE WHEN right(l.table_code, 2) IN ('01', '11', '12') THEN 'general' WHEN right(l.table_code, 2) IN ('02', '21', '22') THEN 'fund'
      ELSE 'state_capital' END AS budget
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '02', '03', '11', '12', '21', '22', '31', '32') AND l.stage IN ('FINAL', 'ESTIMATE', 'BUDGET')
    AND l.line_kind <> 'of_which'
), opening AS (
  SELECT * FROM line WHERE class_scheme = 'revenue' AND amount_yuan IS NOT NULL
    AND (class_code = '11008' OR class_code IS NULL AND regexp_like(name, '^上年(结余|结转)(收入)?$'))
), closing AS (
  SELECT * FROM line WHERE class_scheme = 'functional' AND stage = 'FINAL'
    AND (class_code = '23009' OR class_code IS NULL AND regexp_like(name, '^((年终|年末)(结余|结转)|结转下年(支出)?)$'))
), chain AS (
  SELECT o.region_id, o.scope, o.fiscal_year, o.stage, o.quoted_in, o.table_code, o.measure, o.budget, o.release_id, o.row_no, o.region_code,
    o.region_name, o.published_header, o.line_name, o.amount_yuan AS lhs, c.amount_yuan AS rhs,
    CASE WHEN c.value_state = 'set_aside' OR c.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, CASE WHEN o.step > c.step OR c.step IS NULL THEN o.step ELSE c.step END AS step,
    -- The same publication first, then the latest one.
    row_number() OVER (PARTITION BY o.region_id, o.scope, o.fiscal_year, o.stage, o.quoted_in, o.table_code, o.measure, o.line_path
      ORDER BY CASE WHEN c.quoted_in = o.quoted_in THEN 0 ELSE 1 END, c.quoted_in DESC, c.table_code, c.line_path) AS place
  FROM opening AS o JOIN closing AS c ON c.region_id = o.region_id AND c.scope = o.scope AND c.budget = o.budget
    AND c.fiscal_year = o.fiscal_year - 1
)
