-- id = "B36"
-- title = { zh = "部门支出表各类之和等于收支总表", en = "a department's expenditure by class agrees with its summary" }
-- tables = ["dept_budget_line"]
-- basis = { zh = "部门支出总表一类之和 = 收支总表右侧该类", en = "the lines of a class in the table of expenditure add up to the class of the summary" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "收支总表", en = "summary" }
-- rhs = { zh = "支出表该类", en = "class in the table of expenditure" }
WITH class AS (
  -- The summary prints names without codes, and some tables print 项 without their 类: names of the first level since 2016.
  SELECT * FROM (VALUES ('201', '一般公共服务支出'), ('202', '外交支出'), ('203', '国防支出'), ('204', '公共安全支出'), ('205', '教育支出'),
    ('206', '科学技术支出'), ('207', '文化体育与传媒支出'), ('207', '文化旅游体育与传媒支出'), ('208', '社会保障和就业支出'),
    ('209', '社会保险基金支出'), ('210', '医疗卫生与计划生育支出'), ('210', '卫生健康支出'), ('211', '节能环保支出'), ('212', '城乡社区支出'),
    ('213', '农林水支出'), ('214', '交通运输支出'), ('215', '资源勘探信息等支出'), ('215', '资源勘探工业信息等支出'),
    ('216', '商业服务业等支出'), ('217', '金融支出'), ('219', '援助其他地区支出'), ('220', '国土海洋气象等支出'),
    ('220', '自然资源海洋气象等支出'), ('221', '住房保障支出'), ('222', '粮油物资储备支出'), ('223', '国有资本经营预算支出'),
    ('224', '灾害防治及应急管理支出'), ('227', '预备费'), ('229', '其他支出'), ('230', '转移性支出'), ('231', '债务还本支出'),
    ('232', '债务付息支出'), ('233', '债务发行费用支出'), ('234', '抗疫特别国债安排的支出')) AS c (code, name)
), line AS (
  SELECT l.*, left(l.table_code, 2) AS book, split_part(l.line_path, '/', 1) AS class,
    published_step(l.published_unit, l.published_scale) AS step
  FROM dept_budget_line AS l
  WHERE l.table_code IN ('DB01', 'DF01', 'DB03', 'DF03') AND l.side = 'expenditure' AND l.fund_source = 'total'
    AND l.split = 'total' AND NOT l.is_nil
), detail AS (
  SELECT region_id, org_id, fiscal_year, stage, quoted_in, book, class,
    max(CASE WHEN unit_org_id = org_id AND line_path = class THEN amount_yuan END) AS head,
    sum(CASE WHEN unit_org_id = org_id AND is_leaf THEN amount_yuan END) AS whole,
    count(CASE WHEN unit_org_id = org_id AND is_leaf THEN amount_yuan END) AS whole_count,
    sum(CASE WHEN unit_org_id <> org_id AND is_leaf THEN amount_yuan END) AS unit,
    count(CASE WHEN unit_org_id <> org_id AND is_leaf THEN amount_yuan END) AS unit_count,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing, max(CASE WHEN amount_yuan IS NOT NULL THEN step END) AS step
  FROM line WHERE table_code IN ('DB03', 'DF03') AND class_code IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7
), published AS (
  SELECT DISTINCT region_id, org_id, fiscal_year, stage, quoted_in, book FROM detail
)
SELECT concat_ws('/', s.region_id, s.org_id, s.fiscal_year, s.stage, s.quoted_in, s.table_code, c.code) AS scope_key,
  s.release_id, s.row_no, s.region_code,
  concat_ws(' ', s.org_name, concat(s.fiscal_year, '年'), CASE s.stage WHEN 'FINAL' THEN '部门决算' ELSE '部门预算' END, c.code, c.name) AS subject_zh,
  concat_ws(' ', s.org_name, s.fiscal_year, s.stage, c.code, c.name) AS subject_en,
  s.amount_yuan AS lhs, coalesce(d.head, d.whole, d.unit) AS rhs,
  CASE WHEN d.head IS NOT NULL THEN 1 WHEN d.whole IS NOT NULL THEN d.whole_count ELSE coalesce(d.unit_count, 1) END AS addends,
  CASE WHEN s.value_state = 'set_aside' THEN 1 ELSE 0 END + CASE WHEN d.head IS NULL THEN coalesce(d.missing, 1) ELSE 0 END AS missing,
  CASE WHEN d.step > s.step OR s.step IS NULL THEN d.step ELSE s.step END AS step
FROM line AS s JOIN class AS c ON s.line_path = concat('T/', c.name)
JOIN published AS p ON p.region_id = s.region_id AND p.org_id = s.org_id AND p.fiscal_year = s.fiscal_year AND p.stage = s.stage
  AND p.quoted_in = s.quoted_in AND p.book = s.book
LEFT JOIN detail AS d ON d.region_id = s.region_id AND d.org_id = s.org_id AND d.fiscal_year = s.fiscal_year AND d.stage = s.stage
  AND d.quoted_in = s.quoted_in AND d.book = s.book AND d.class = c.code
WHERE s.table_code IN ('DB01', 'DF01') AND s.unit_org_id = s.org_id
  AND (coalesce(s.amount_yuan, 0) <> 0 OR coalesce(d.head, d.whole, d.unit, 0) <> 0
    OR s.amount_yuan IS NOT NULL AND coalesce(d.head, d.whole, d.unit) IS NOT NULL)
