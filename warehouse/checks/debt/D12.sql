-- id = "D12"
-- title = { zh = "项目使用的债券资金等于新增债券发行额", en = "bonds used by projects equal the new bonds issued" }
-- tables = ["debt_bond_project", "debt_flow"]
-- basis = { zh = "财预〔2018〕209号：表4-2 各项目规模之和等于表4-3 新增债券发行额，一般与专项分别比较；表4-2 印出的若是整只债券的规模，则在每个项目上重复，不能加总，不测试", en = "财预〔2018〕209号: the amounts of the projects of form 4-2 add up to the new bonds of form 4-3, general and special each; where form 4-2 prints the size of the whole bond on every project, nothing can be added and nothing is tested" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "各项目之和", en = "sum of the projects" }
-- rhs = { zh = "新增债券发行额", en = "new bonds issued" }
WITH project AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_bond_project AS l
  WHERE l.table_code = 'T32' AND l.debt_kind IN ('general', 'special')
), used AS (
  SELECT region_id, quoted_in, stage, debt_kind, min(region_name) AS region_name, min(region_code) AS region_code,
    min(release_id) AS release_id, min(row_no) AS row_no, sum(amount_yuan) AS amount_yuan, count(amount_yuan) AS printed,
    count(*) - count(amount_yuan) AS absent, min(step) AS step
  FROM project GROUP BY 1, 2, 3, 4
), issued AS (
  SELECT l.region_id, l.quoted_in, l.stage, l.debt_kind, l.amount_yuan, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.table_code = 'T33' AND l.flow = 'issue_new' AND l.scope = 'area' AND l.year = l.quoted_in
)
SELECT concat_ws('/', p.region_id, p.quoted_in, p.stage, p.debt_kind) AS scope_key, p.release_id, p.row_no, p.region_code,
  concat_ws(' ', p.region_name, concat(p.quoted_in, '年'), CASE p.debt_kind WHEN 'general' THEN '一般债券' ELSE '专项债券' END, '项目') AS subject_zh,
  concat_ws(' ', p.region_name, p.quoted_in, 'projects of', p.debt_kind, 'bonds') AS subject_en,
  p.amount_yuan AS lhs, i.amount_yuan AS rhs, p.printed AS addends,
  CASE WHEN p.absent > 0 OR i.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, least(p.step, i.step) AS step
FROM used AS p
LEFT JOIN issued AS i ON i.region_id = p.region_id AND i.quoted_in = p.quoted_in AND i.stage = p.stage AND i.debt_kind = p.debt_kind
