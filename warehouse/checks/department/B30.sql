-- id = "B30"
-- title = { zh = "“三公”经费决算数不超过预算数", en = "official spending stays within its budget" }
-- tables = ["three_public"]
-- basis = { zh = "“三公”经费支出决算表：每个部门每一项的决算数不超过同一张表的预算数，超过的应说明原因", en = "the final accounts of official spending: each item of a department stays within the budget that the same table quotes; where it does not, the reason is to be given" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "决算数", en = "spent" }
-- rhs = { zh = "预算数", en = "budgeted" }
SELECT concat_ws('/', f.region_id, f.org_id, f.unit_org_id, f.fiscal_year, f.quoted_in, f.table_code, f.item) AS scope_key,
  f.release_id, f.row_no, f.region_code,
  concat_ws(' ', f.org_name, f.unit_name, concat(f.fiscal_year, '年'),
    CASE f.item WHEN 'total' THEN '“三公”经费' WHEN 'abroad' THEN '因公出国（境）费' WHEN 'car_total' THEN '公务用车购置及运行费'
      WHEN 'car_purchase' THEN '公务用车购置费' WHEN 'car_run' THEN '公务用车运行费' ELSE '公务接待费' END, '决算数与预算数') AS subject_zh,
  concat_ws(' ', f.org_name, f.unit_name, f.fiscal_year, f.item, 'as spent and as budgeted') AS subject_en,
  f.amount_yuan AS lhs, b.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN f.value_state = 'set_aside' OR b.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing, 0 AS step
FROM three_public AS f JOIN three_public AS b ON b.region_id = f.region_id AND b.org_id = f.org_id AND b.unit_org_id = f.unit_org_id
  AND b.fiscal_year = f.fiscal_year AND b.quoted_in = f.quoted_in AND b.table_code = f.table_code AND b.item = f.item
  AND b.stage = 'BUDGET'
WHERE f.stage = 'FINAL' AND NOT f.is_nil AND NOT b.is_nil AND (f.amount_yuan IS NOT NULL OR f.value_state = 'set_aside')
