-- id = "B32"
-- title = { zh = "“三公”经费与基本支出的经济科目比较", en = "official spending beside the economic classes of basic expenditure" }
-- tables = ["three_public", "dept_budget_line"]
-- basis = { zh = "因公出国（境）费、公务接待费、公务用车运行费、购置费分别对应经济科目 30212、30217、30231、31013；基本支出表不含项目支出，超出部分应在项目支出中", en = "travel abroad, receptions, running and purchase of vehicles are the economic classes 30212, 30217, 30231 and 31013; the table of basic expenditure leaves projects out, and what exceeds it should be found there" }
-- severity = "INFO"
-- relation = "at_most"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "“三公”经费", en = "official spending" }
-- rhs = { zh = "基本支出表的经济科目", en = "economic class of basic expenditure" }
WITH line AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB06', 'DF06') AND l.split = 'total' AND l.class_code IN ('30212', '30217', '30231', '31013')
), class AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, left(table_code, 2) AS book, class_code, min(line_name) AS line_name,
    -- The lines of the whole department where it prints them, else those of its units.
    coalesce(sum(CASE WHEN unit_org_id = org_id THEN amount_yuan END), sum(amount_yuan)) AS amount_yuan, count(amount_yuan) AS addends,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line GROUP BY 1, 2, 3, 4, 5, 6, 7
), item AS (
  SELECT l.*, published_step(l.published_unit, l.published_scale) AS step,
    CASE l.item WHEN 'abroad' THEN '30212' WHEN 'reception' THEN '30217' WHEN 'car_run' THEN '30231' WHEN 'car_purchase' THEN '31013' END AS class_code
  FROM three_public AS l
  WHERE l.table_code IN ('DB07', 'DF07') AND l.unit_org_id = l.org_id AND NOT l.is_nil
)
SELECT concat_ws('/', i.region_id, i.org_id, i.fiscal_year, i.stage, i.quoted_in, i.table_code, i.item) AS scope_key,
  i.release_id, i.row_no, i.region_code,
  concat_ws(' ', i.org_name, concat(i.fiscal_year, '年'), CASE i.stage WHEN 'FINAL' THEN '决算' ELSE '预算' END, c.class_code, c.line_name) AS subject_zh,
  concat_ws(' ', i.org_name, i.fiscal_year, i.stage, i.item, 'and class', c.class_code) AS subject_en,
  i.amount_yuan AS lhs, c.amount_yuan AS rhs, CASE WHEN c.addends < 1 THEN 1 ELSE c.addends END AS addends,
  c.missing + CASE WHEN i.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing,
  CASE WHEN c.step > i.step OR i.step IS NULL THEN c.step ELSE i.step END AS step
FROM item AS i JOIN class AS c ON c.region_id = i.region_id AND c.org_id = i.org_id AND c.fiscal_year = i.fiscal_year
  AND c.stage = i.stage AND c.quoted_in = i.quoted_in AND c.book = left(i.table_code, 2) AND c.class_code = i.class_code
WHERE c.amount_yuan IS NOT NULL AND (i.amount_yuan IS NOT NULL OR i.value_state = 'set_aside') OR coalesce(i.amount_yuan, 0) <> 0
