-- id = "B22"
-- title = { zh = "决算数不超过调整预算数", en = "final expenditure is at most the adjusted budget" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "各支出类的决算数 ≤ 调整预算数，同一张表；年终结余、上解等线下各项不是支出类，不核对", en = "for each class of expenditure the final figure ≤ the adjusted budget of the same table; balances, remittances and other lines below the line are no classes of expenditure" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "决算数", en = "final" }
-- rhs = { zh = "调整预算数", en = "adjusted budget" }
WITH class AS (
  SELECT * FROM gov_budget_line
  WHERE class_scheme = 'functional' AND class_level = 1 AND line_kind IN ('detail', 'subtotal') AND stage IN ('FINAL', 'REVISED')
    AND right(table_code, 2) IN ('01', '02', '12', '13', '22', '23')
    -- A summary without codes lists what stands below the line like a class.
    AND NOT (class_code IS NULL AND regexp_like(replace(replace(line_name, ' ', ''), '　', ''), '返还性|转移|补助|上解|结余|结转|调入|调出|债务(转贷)?收入|债务还本|债务转贷支出|还本支出|调节基金|周转金|接受.*援助|区域间'))
)
SELECT concat_ws('/', f.region_id, f.scope, f.fiscal_year, f.quoted_in, f.table_code, f.measure, f.line_path) AS scope_key,
  f.release_id, f.row_no, f.region_code,
  concat_ws(' ', f.region_name, concat(f.fiscal_year, '年'), f.class_code, f.line_name) AS subject_zh,
  concat_ws(' ', f.region_name, f.fiscal_year, f.class_code, f.line_name) AS subject_en,
  f.amount_yuan AS lhs, r.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN f.amount_yuan IS NULL OR r.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM class AS f JOIN class AS r ON r.region_id = f.region_id AND r.scope = f.scope AND r.fiscal_year = f.fiscal_year AND r.quoted_in = f.quoted_in
  AND r.table_code = f.table_code AND r.line_path = f.line_path AND r.stage = 'REVISED'
WHERE f.stage = 'FINAL' AND (f.amount_yuan IS NOT NULL OR r.amount_yuan IS NOT NULL)
