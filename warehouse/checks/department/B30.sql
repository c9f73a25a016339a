-- id = "B30"
-- title = { zh = "“三公”经费决算数不超过预算数", en = "official spending stays within its budget" }
-- tables = ["three_public"]
-- basis = { zh = "“三公”经费支出决算表：每个部门每一项的决算数不超过同一张表的预算数，表中没有预算数的取公布的预算表；超过的应说明原因，是否已说明见对象", en = "the final accounts of official spending: each item of a department stays within the budget that the same table quotes, or that of the published budget where it quotes none; where it does not, the reason is to be given, and the subject says whether it is" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "决算数", en = "spent" }
-- rhs = { zh = "预算数", en = "budgeted" }
WITH budget AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, quoted_in, table_code, item, max(amount_yuan) AS amount_yuan, max(value_state) AS value_state
  FROM three_public WHERE stage = 'BUDGET' AND NOT is_nil GROUP BY 1, 2, 3, 4, 5, 6, 7
), reason AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, quoted_in, item, max(change_reason) AS change_reason
  FROM three_public WHERE table_code = 'DF12' AND stage = 'FINAL' GROUP BY 1, 2, 3, 4, 5, 6
), spent AS (
  SELECT f.*, CASE WHEN q.region_id IS NOT NULL THEN q.amount_yuan ELSE r.amount_yuan END AS budget_yuan,
    CASE WHEN q.region_id IS NOT NULL THEN q.value_state ELSE r.value_state END AS budget_state,
    coalesce(f.change_reason, n.change_reason) AS reason
  FROM three_public AS f
    LEFT JOIN budget AS q ON q.region_id = f.region_id AND q.org_id = f.org_id AND q.unit_org_id = f.unit_org_id
      AND q.fiscal_year = f.fiscal_year AND q.quoted_in = f.quoted_in AND q.table_code = f.table_code AND q.item = f.item
    LEFT JOIN budget AS r ON r.region_id = f.region_id AND r.org_id = f.org_id AND r.unit_org_id = f.unit_org_id
      AND r.fiscal_year = f.fiscal_year AND r.quoted_in = f.fiscal_year AND r.item = f.item
      AND r.table_code = CASE f.table_code WHEN 'DF07' THEN 'DB07' WHEN 'GF51' THEN 'GB51' END
    LEFT JOIN reason AS n ON n.region_id = f.region_id AND n.org_id = f.org_id AND n.unit_org_id = f.unit_org_id
      AND n.fiscal_year = f.fiscal_year AND n.quoted_in = f.quoted_in AND n.item = f.item
  WHERE f.stage = 'FINAL' AND NOT f.is_nil AND (f.amount_yuan IS NOT NULL OR f.value_state = 'set_aside')
    AND (q.region_id IS NOT NULL OR r.region_id IS NOT NULL)
)
SELECT concat_ws('/', region_id, org_id, unit_org_id, fiscal_year, quoted_in, table_code, item) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', org_name, unit_name, concat(fiscal_year, '年'),
    CASE item WHEN 'total' THEN '“三公”经费' WHEN 'abroad' THEN '因公出国（境）费' WHEN 'car_total' THEN '公务用车购置及运行费'
      WHEN 'car_purchase' THEN '公务用车购置费' WHEN 'car_run' THEN '公务用车运行费' ELSE '公务接待费' END, '决算数与预算数',
    CASE WHEN amount_yuan <= budget_yuan THEN NULL WHEN reason IS NULL THEN '（未见原因说明）' ELSE '（已说明原因）' END) AS subject_zh,
  concat_ws(' ', org_name, unit_name, fiscal_year, item, 'as spent and as budgeted',
    CASE WHEN amount_yuan <= budget_yuan THEN NULL WHEN reason IS NULL THEN '(no reason given)' ELSE '(reason given)' END) AS subject_en,
  amount_yuan AS lhs, budget_yuan AS rhs, 1 AS addends,
  CASE WHEN value_state = 'set_aside' OR budget_state = 'set_aside' THEN 1 ELSE 0 END AS missing, 0 AS step
FROM spent
