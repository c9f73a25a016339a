-- id = "B29"
-- title = { zh = "本级“三公”经费汇总等于各部门之和", en = "official spending of a government is the sum of its departments" }
-- tables = ["three_public", "budget_document"]
-- basis = { zh = "本级“三公”经费汇总表 = 本级各部门“三公”经费表之和；年初预算可有尚未分配到部门的预留。部门以预决算批复台账所列为准：未收齐或没有台账时，只核对各部门之和不超过汇总", en = "the summary of official spending of an own level = the sum of its departments' tables; a budget may keep a part that is not given to departments yet. The departments are those of the register of approvals: while some are not here, or there is no register, only a sum above the summary is told" }
-- severity = "WARN"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "本级汇总", en = "summary of the government" }
-- rhs = { zh = "各部门之和", en = "sum of departments" }
WITH item AS (
  SELECT l.*, CASE WHEN l.table_code LIKE 'G%' THEN replace(left(l.table_code, 2), 'G', 'D') ELSE left(l.table_code, 2) END AS book,
    published_step(l.published_unit, l.published_scale) AS step
  FROM three_public AS l WHERE l.table_code IN ('GB51', 'GF51', 'DB07', 'DF07')
), government AS (
  SELECT * FROM item WHERE table_code IN ('GB51', 'GF51') AND item <> 'unallocated' AND NOT is_nil
), spare AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, table_code, amount_yuan FROM item
  WHERE table_code IN ('GB51', 'GF51') AND item = 'unallocated' AND stage = 'BUDGET' AND amount_yuan IS NOT NULL
), department AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, book, item,
    -- The line of the whole department where it is printed, else those of its units.
    coalesce(sum(CASE WHEN unit_org_id = org_id THEN amount_yuan END), sum(amount_yuan)) AS amount_yuan,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM item WHERE table_code IN ('DB07', 'DF07') AND NOT is_nil GROUP BY 1, 2, 3, 4, 5, 6, 7
), total AS (
  SELECT region_id, fiscal_year, stage, quoted_in, book, item, sum(amount_yuan) AS amount_yuan, count(amount_yuan) AS addends,
    sum(missing) AS missing, max(step) AS step
  FROM department GROUP BY 1, 2, 3, 4, 5, 6
), published AS (
  -- A department that had none publishes the table without data: it is there and adds nothing.
  SELECT DISTINCT region_id, org_id, fiscal_year, quoted_in, book FROM item WHERE table_code IN ('DB07', 'DF07')
), listed AS (
  SELECT DISTINCT region_id, org_id, fiscal_year, CASE stage WHEN 'FINAL' THEN 'DF' ELSE 'DB' END AS book FROM budget_document
  WHERE document_kind = 'department' AND stage IN ('BUDGET', 'FINAL')
), register AS (
  SELECT l.region_id, l.fiscal_year, l.book, count(*) AS departments, sum(CASE WHEN p.org_id IS NULL THEN 1 ELSE 0 END) AS absent
  FROM listed AS l LEFT JOIN published AS p ON p.region_id = l.region_id AND p.org_id = l.org_id AND p.fiscal_year = l.fiscal_year
    AND p.book = l.book AND p.quoted_in = p.fiscal_year
  GROUP BY 1, 2, 3
), here AS (
  SELECT region_id, fiscal_year, quoted_in, book, count(*) AS departments FROM published GROUP BY 1, 2, 3, 4
), joined AS (
  SELECT g.*, coalesce(t.amount_yuan, 0) AS sum_yuan, coalesce(t.addends, 0) AS addends, coalesce(t.missing, 0) AS unread,
    -- Without a register nobody knows how many departments there are.
    coalesce(r.absent, 1) AS absent, h.departments, s.amount_yuan AS spare_yuan,
    CASE WHEN t.step > g.step OR g.step IS NULL THEN t.step ELSE g.step END AS larger
  FROM government AS g JOIN here AS h ON h.region_id = g.region_id AND h.fiscal_year = g.fiscal_year AND h.quoted_in = g.quoted_in AND h.book = g.book
    LEFT JOIN total AS t ON t.region_id = g.region_id AND t.fiscal_year = g.fiscal_year AND t.stage = g.stage AND t.quoted_in = g.quoted_in
      AND t.book = g.book AND t.item = g.item
    LEFT JOIN register AS r ON r.region_id = g.region_id AND r.fiscal_year = g.fiscal_year AND r.book = g.book
    LEFT JOIN spare AS s ON s.region_id = g.region_id AND s.org_id = g.org_id AND s.fiscal_year = g.fiscal_year AND s.stage = g.stage
      AND s.quoted_in = g.quoted_in AND s.table_code = g.table_code
)
SELECT concat_ws('/', region_id, fiscal_year, stage, quoted_in, table_code, item) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), CASE stage WHEN 'FINAL' THEN '决算' ELSE '预算' END,
    CASE item WHEN 'total' THEN '“三公”经费合计' WHEN 'abroad' THEN '因公出国（境）费' WHEN 'car_total' THEN '公务用车购置及运行费'
      WHEN 'car_purchase' THEN '公务用车购置费' WHEN 'car_run' THEN '公务用车运行费' ELSE '公务接待费' END,
    concat('与已收录', departments, '个部门之和')) AS subject_zh,
  concat_ws(' ', org_name, fiscal_year, stage, item, 'and the sum of departments,', departments, 'of them here') AS subject_en,
  amount_yuan AS lhs,
  -- What is not given to departments yet belongs to the total, and to any of its items.
  CASE WHEN spare_yuan IS NULL OR amount_yuan < sum_yuan AND item <> 'total' THEN sum_yuan
    WHEN item = 'total' OR amount_yuan > sum_yuan + spare_yuan THEN sum_yuan + spare_yuan ELSE amount_yuan END AS rhs,
  CASE WHEN addends < 1 THEN 1 ELSE addends END AS addends,
  -- Departments that are not here can only add to a sum that is too high already.
  CASE WHEN sum_yuan > amount_yuan + larger * (addends + 1) / 2 THEN 0 ELSE absent + unread END AS missing, larger AS step
FROM joined WHERE amount_yuan IS NOT NULL OR sum_yuan <> 0
