-- id = "B08"
-- title = { zh = "上年结余与上年决算的年终结余衔接", en = "the balance brought forward is that of last year" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "决算或执行数中的上年结余（结转）收入 = 上年决算的年终结余（结转）。预算的上年结余是编制时的预计数，由 B08B 核对", en = "the balance brought forward in final accounts or execution = the balance at the end of last year in its final accounts. That of a budget is a forecast and is tested by B08B" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "上年结余", en = "balance brought forward" }
-- rhs = { zh = "上年年终结余", en = "balance at the end of last year" }
WITH {shared.brought_forward}
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, table_code, measure) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, line_name) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, budget, 'balance brought forward') AS subject_en,
  lhs, rhs, 1 AS addends, missing, step
FROM chain WHERE place = 1 AND stage <> 'BUDGET'
