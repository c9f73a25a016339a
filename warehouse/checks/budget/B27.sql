-- id = "B27"
-- title = { zh = "执行率在50%至150%之间", en = "execution is between 50 and 150 %" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "各支出类的决算数或执行数 ÷ 调整预算数；超出范围的提示读者，不判错", en = "final or executed expenditure of each class ÷ its adjusted budget; outside the range the reader is told, nothing is judged" }
-- severity = "INFO"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "INFO"]
-- blocking = false
-- lhs = { zh = "应小的一边", en = "side that is the smaller one" }
-- rhs = { zh = "应大的一边", en = "side that is the larger one" }
-- # Parameters in order: $1 the highest rate, $2 the lowest.
-- parameters = { high = "1.5", low = "0.5" }
WITH class AS (
  SELECT * FROM gov_budget_line
  WHERE class_scheme = 'functional' AND class_level = 1 AND line_kind IN ('detail', 'subtotal') AND amount_yuan IS NOT NULL
    AND right(table_code, 2) IN ('01', '02', '12', '13', '22', '23')
    -- The reserve fund is spent under other classes.
    AND coalesce(class_code, '') <> '227'
    -- A summary without codes lists what stands below the line like a class.
    AND NOT (class_code IS NULL AND regexp_like(replace(replace(line_name, ' ', ''), '　', ''), '返还性|转移|补助|上解|结余|结转|调入|调出|债务(转贷)?收入|债务还本|债务转贷支出|还本支出|调节基金|周转金|接受.*援助|区域间'))
), tested AS (
  SELECT f.*, r.amount_yuan AS budget_yuan
  FROM class AS f JOIN class AS r ON r.region_id = f.region_id AND r.scope = f.scope AND r.fiscal_year = f.fiscal_year AND r.quoted_in = f.quoted_in
    AND r.table_code = f.table_code AND r.line_path = f.line_path AND r.stage = 'REVISED'
  WHERE f.stage IN ('FINAL', 'ESTIMATE') AND r.amount_yuan > 0
)
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, table_code, measure, line_path, bound) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), class_code, line_name, CASE bound WHEN 'low' THEN '执行率下限' ELSE '执行率上限' END) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, class_code, line_name, CASE bound WHEN 'low' THEN 'execution, lower bound' ELSE 'execution, upper bound' END) AS subject_en,
  lhs, rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM (
  SELECT *, 'low' AS bound, $2 * budget_yuan AS lhs, amount_yuan AS rhs FROM tested
  UNION ALL
  SELECT *, 'high', amount_yuan AS lhs, $1 * budget_yuan AS rhs FROM tested
) AS bounded
