-- id = "D11"
-- title = { zh = "新增债券不超过当年新增限额", en = "new bonds are at most the new limit of the year" }
-- tables = ["debt_flow", "debt_stock"]
-- basis = { zh = "新增债券（发行额减再融资、置换）不超过当年新增限额；使用以前年度结存限额的须有说明。没有印出新增限额的，用同一表中本年与上年限额之差", en = "new bonds (issue less refinancing and replacement) are at most the new limit of the year; use of limits left from earlier years needs a note. Where no new limit is printed, the rise of the limit in the same table is taken" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "新增债券", en = "new bonds" }
-- rhs = { zh = "新增限额", en = "new limit" }
WITH issue AS (
  SELECT region_id, scope, debt_kind, year, stage, quoted_in, table_code, min(region_name) AS region_name, min(region_code) AS region_code,
    min(release_id) AS release_id, min(row_no) AS row_no,
    CASE WHEN sum(CASE WHEN flow = 'issue_new' THEN 1 ELSE 0 END) > 0 THEN sum(CASE WHEN flow = 'issue_new' THEN amount_yuan END)
      ELSE sum(CASE WHEN flow = 'issue_total' THEN amount_yuan END) - sum(CASE WHEN flow = 'issue_refinance' THEN amount_yuan END)
        - coalesce(sum(CASE WHEN flow = 'issue_swap' THEN amount_yuan END), 0) END AS amount_yuan,
    sum(CASE WHEN flow IN ('issue_new', 'issue_refinance') THEN 1 ELSE 0 END) AS kinds_of_bonds
  FROM debt_flow WHERE flow IN ('issue_total', 'issue_new', 'issue_refinance', 'issue_swap') AND debt_kind IN ('general', 'special')
  GROUP BY 1, 2, 3, 4, 5, 6, 7
), granted AS (
  -- A new limit is granted once: the adjusted budget shows it last, so its table goes before others.
  SELECT region_id, scope, debt_kind, year, amount_yuan, row_number() OVER (PARTITION BY region_id, scope, debt_kind, year
    ORDER BY CASE table_code WHEN 'T21' THEN 0 ELSE 1 END, quoted_in DESC, table_code, stage) AS place
  FROM debt_flow WHERE flow = 'new_limit' AND amount_yuan IS NOT NULL AND debt_kind IN ('general', 'special')
), lim AS (
  SELECT region_id, scope, debt_kind, as_of_year, quoted_in, table_code, max(amount_yuan) AS amount_yuan
  FROM debt_stock WHERE measure = 'limit' AND form = 'all' AND table_code NOT LIKE 'PANEL%' GROUP BY 1, 2, 3, 4, 5, 6
), tested AS (
  SELECT i.*, coalesce(g.amount_yuan, t.amount_yuan - p.amount_yuan) AS allowed
  FROM issue AS i
  LEFT JOIN granted AS g ON g.place = 1 AND g.region_id = i.region_id AND g.scope = i.scope AND g.debt_kind = i.debt_kind AND g.year = i.year
  LEFT JOIN lim AS t ON t.region_id = i.region_id AND t.scope = i.scope AND t.debt_kind = i.debt_kind AND t.as_of_year = i.year
    AND t.quoted_in = i.quoted_in AND t.table_code = i.table_code
  LEFT JOIN lim AS p ON p.region_id = i.region_id AND p.scope = i.scope AND p.debt_kind = i.debt_kind AND p.as_of_year + 1 = i.year
    AND p.quoted_in = i.quoted_in AND p.table_code = i.table_code
  WHERE i.kinds_of_bonds > 0
)
SELECT concat_ws('/', region_id, scope, year, stage, quoted_in, table_code, debt_kind) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, concat(year, '年'), CASE debt_kind WHEN 'general' THEN '新增一般债券' ELSE '新增专项债券' END) AS subject_zh,
  concat_ws(' ', region_name, year, 'new', debt_kind, 'bonds') AS subject_en, amount_yuan AS lhs, allowed AS rhs, 1 AS addends,
  CASE WHEN amount_yuan IS NULL OR allowed IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM tested
