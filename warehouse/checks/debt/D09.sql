-- id = "D09"
-- title = { zh = "发行情况表与余额情况表的债券发行额一致", en = "bonds issued are the same in forms 1-4, 1-2 and 1-3" }
-- tables = ["debt_flow"]
-- basis = { zh = "财预〔2018〕209号：表1-4 的 B、D 等于表1-2、1-3 的债券发行额，不含国际金融组织和外国政府贷款", en = "财预〔2018〕209号: B and D of form 1-4 are the bonds issued of forms 1-2 and 1-3, without loans of international organisations and foreign governments" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "表1-4 发行额", en = "issue in form 1-4" }
-- rhs = { zh = "表1-2、1-3 发行额", en = "issue in forms 1-2 and 1-3" }
-- # Special debt is raised in bonds only: form 1-3 prints no line of bonds, its total is meant.
WITH flow AS (
  SELECT l.*, CASE WHEN l.amount_yuan IS NOT NULL THEN published_step(l.published_unit, l.published_scale) END AS step
  FROM debt_flow AS l
  WHERE l.table_code IN ('T12', 'T13', 'T14') AND l.flow IN ('issue_total', 'raised_total') AND l.debt_kind IN ('general', 'special')
), issue AS (
  SELECT region_id, scope, debt_kind, year, stage, quoted_in, table_code, min(region_name) AS region_name, min(region_code) AS region_code,
    min(release_id) AS release_id, min(row_no) AS row_no,
    CASE WHEN sum(CASE WHEN flow = 'issue_total' THEN 1 ELSE 0 END) > 0 THEN sum(CASE WHEN flow = 'issue_total' THEN amount_yuan END)
      WHEN debt_kind = 'special' OR table_code = 'T14' THEN sum(amount_yuan) END AS amount_yuan, min(step) AS step
  FROM flow GROUP BY 1, 2, 3, 4, 5, 6, 7
), balance AS (
  -- One budget holds the three forms, but the titles of forms 1-2 and 1-3 name the year of the issue, that of form 1-4 the budget's year at times.
  SELECT t.quoted_in AS printed_with, r.*, row_number() OVER (PARTITION BY t.region_id, t.scope, t.debt_kind, t.year, t.stage, t.quoted_in
    ORDER BY r.quoted_in DESC) AS place
  FROM issue AS t JOIN issue AS r ON r.region_id = t.region_id AND r.scope = t.scope AND r.debt_kind = t.debt_kind AND r.year = t.year
    AND r.stage = t.stage AND r.quoted_in BETWEEN t.quoted_in - 1 AND t.quoted_in
    AND r.table_code = CASE t.debt_kind WHEN 'general' THEN 'T12' ELSE 'T13' END
  WHERE t.table_code = 'T14'
)
SELECT concat_ws('/', t.region_id, t.scope, t.year, t.stage, t.quoted_in, t.table_code, t.debt_kind) AS scope_key,
  t.release_id, t.row_no, t.region_code,
  concat_ws(' ', t.region_name, concat(t.year, '年'), CASE t.debt_kind WHEN 'general' THEN '一般债券' ELSE '专项债券' END, '发行额') AS subject_zh,
  concat_ws(' ', t.region_name, t.year, t.debt_kind, 'bonds issued') AS subject_en,
  t.amount_yuan AS lhs, r.amount_yuan AS rhs, 1 AS addends,
  CASE WHEN t.amount_yuan IS NULL OR r.amount_yuan IS NULL THEN 1 ELSE 0 END AS missing, greatest(t.step, r.step) AS step
FROM issue AS t
LEFT JOIN balance AS r ON r.place = 1 AND r.region_id = t.region_id AND r.scope = t.scope AND r.debt_kind = t.debt_kind AND r.year = t.year
  AND r.stage = t.stage AND r.printed_with = t.quoted_in
WHERE t.table_code = 'T14'
