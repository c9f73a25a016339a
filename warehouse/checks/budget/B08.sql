-- id = "B08"
-- title = { zh = "上年结余与上年决算的年终结余衔接", en = "the balance brought forward is that of last year" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "决算或执行数中的上年结余（结转）收入 = 上年决算的年终结余（结转）。预算草案的上年结余是编制时的预计数，不在此核对", en = "the balance brought forward in final accounts or execution = the balance at the end of last year in its final accounts. That of a draft budget is a forecast and is not tested here" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "上年结余", en = "balance brought forward" }
-- rhs = { zh = "上年年终结余", en = "balance at the end of last year" }
WITH line AS (
  SELECT l.*, replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step,
    CASE WHEN right(l.table_code, 2) IN ('01', '11', '12') THEN 'general' WHEN right(l.table_code, 2) IN ('02', '21', '22') THEN 'fund'
      ELSE 'state_capital' END AS budget
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('01', '02', '03', '11', '12', '21', '22', '31', '32') AND l.stage IN ('FINAL', 'ESTIMATE')
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
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, table_code, measure) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, line_name) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, budget, 'balance brought forward') AS subject_en,
  lhs, rhs, 1 AS addends, missing, step
FROM chain WHERE place = 1
