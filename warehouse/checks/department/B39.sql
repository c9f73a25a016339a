-- id = "B39"
-- title = { zh = "基本支出表与一般公共预算支出表一致，等于人员经费加公用经费", en = "basic expenditure agrees between its tables and adds up" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "基本支出表合计 = 一般公共预算支出表的基本支出；合计 = 人员经费 + 公用经费；人员经费 = 工资福利支出（301）+ 对个人和家庭的补助（303），其余各类为公用经费", en = "the total of basic expenditure is that of the general public budget table; total = personnel + running costs; personnel is 301 and 303, running costs the other classes" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "基本支出表", en = "table of basic expenditure" }
-- rhs = { zh = "一般公共预算支出表，或各部分之和", en = "general public budget table, or sum of parts" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book,
    published_step(l.published_unit, l.published_scale) AS step
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB05', 'DF05', 'DB06', 'DF06') AND l.side = 'expenditure' AND l.fund_source = 'general' AND NOT l.is_nil
), basic AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, book,
    min(region_code) AS region_code, min(org_name) AS org_name,
    min(CASE WHEN line_kind = 'total' THEN release_id END) AS release_id, min(CASE WHEN line_kind = 'total' THEN row_no END) AS row_no,
    max(CASE WHEN line_path = 'T/合计' AND split = 'total' THEN amount_yuan END) AS total,
    -- Final accounts print the two parts and no total.
    max(CASE WHEN line_path IN ('T/合计', 'T/人员经费合计') AND split = 'personnel' THEN amount_yuan END) AS personnel,
    max(CASE WHEN line_path IN ('T/合计', 'T/公用经费合计') AND split = 'public' THEN amount_yuan END) AS running,
    max(CASE WHEN line_path = 'T/人员经费合计' THEN 1 ELSE 0 END) AS has_parts,
    sum(CASE WHEN class_level = 1 AND split = 'total' AND class_code IN ('301', '303') THEN amount_yuan END) AS personnel_classes,
    sum(CASE WHEN class_level = 1 AND split = 'total' AND class_code NOT IN ('301', '303') THEN amount_yuan END) AS running_classes,
    count(CASE WHEN class_level = 1 AND split = 'total' AND class_code IN ('301', '303') THEN amount_yuan END) AS personnel_count,
    count(CASE WHEN class_level = 1 AND split = 'total' AND class_code NOT IN ('301', '303') THEN amount_yuan END) AS running_count,
    sum(CASE WHEN class_level = 1 AND split = 'total' AND value_state = 'set_aside' THEN 1 ELSE 0 END) AS classes_missing,
    sum(CASE WHEN line_kind = 'total' AND value_state = 'set_aside' THEN 1 ELSE 0 END) AS totals_missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE table_code IN ('DB06', 'DF06') GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), part AS (
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, line_path, sum(amount_yuan) AS amount_yuan,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing,
    max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE table_code IN ('DB06', 'DF06') AND split IN ('personnel', 'public') GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
), identity AS (
  SELECT b.region_id, b.org_id, b.unit_org_id, b.fiscal_year, b.stage, b.quoted_in, b.table_code, b.region_code, b.org_name,
    b.release_id, b.row_no, 'basic' AS what, '基本支出合计' AS what_zh, 'basic expenditure' AS what_en,
    coalesce(b.total, b.personnel + b.running) AS lhs, g.amount_yuan AS rhs,
    CASE WHEN b.total IS NULL THEN 2 ELSE 1 END AS addends,
    b.totals_missing + CASE WHEN g.value_state = 'set_aside' THEN 1 ELSE 0 END AS missing,
    CASE WHEN g.step > b.step THEN g.step ELSE b.step END AS step
  FROM basic AS b JOIN line AS g ON g.region_id = b.region_id AND g.org_id = b.org_id AND g.unit_org_id = b.unit_org_id
    AND g.fiscal_year = b.fiscal_year AND g.stage = b.stage AND g.quoted_in = b.quoted_in AND g.book = b.book
    AND g.table_code IN ('DB05', 'DF05') AND g.split = 'basic' AND g.line_path = 'T/合计'
  WHERE b.unit_org_id = b.org_id
  UNION ALL
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, region_code, org_name, release_id, row_no,
    'personnel', '人员经费合计', 'personnel', personnel, personnel_classes, personnel_count, classes_missing, step
  FROM basic WHERE has_parts = 1 AND (personnel IS NOT NULL OR personnel_count > 0)
  UNION ALL
  SELECT region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, region_code, org_name, release_id, row_no,
    'running', '公用经费合计', 'running costs', running, running_classes, running_count, classes_missing, step
  FROM basic WHERE has_parts = 1 AND (running IS NOT NULL OR running_count > 0)
  UNION ALL
  SELECT t.region_id, t.org_id, t.unit_org_id, t.fiscal_year, t.stage, t.quoted_in, t.table_code, t.region_code, t.org_name,
    t.release_id, t.row_no, concat('parts/', t.line_path), concat_ws(' ', t.class_code, t.line_name, '等于人员经费加公用经费'),
    concat_ws(' ', t.class_code, t.line_name, 'and its parts'), t.amount_yuan AS lhs, p.amount_yuan AS rhs, p.addends,
    p.missing + CASE WHEN t.value_state = 'set_aside' THEN 1 ELSE 0 END, CASE WHEN p.step > t.step OR t.step IS NULL THEN p.step ELSE t.step END
  FROM line AS t JOIN part AS p ON p.region_id = t.region_id AND p.org_id = t.org_id AND p.unit_org_id = t.unit_org_id
    AND p.fiscal_year = t.fiscal_year AND p.stage = t.stage AND p.quoted_in = t.quoted_in AND p.table_code = t.table_code
    AND p.line_path = t.line_path
  WHERE t.split = 'total' AND (p.addends > 0 OR p.missing > 0)
)
SELECT concat_ws('/', region_id, org_id, unit_org_id, fiscal_year, stage, quoted_in, table_code, what) AS scope_key,
  release_id, row_no, region_code,
  concat_ws(' ', org_name, concat(fiscal_year, '年'), CASE stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END, what_zh) AS subject_zh,
  concat_ws(' ', org_name, fiscal_year, stage, what_en) AS subject_en, lhs, rhs, addends, missing, step
FROM identity
