-- id = "B10"
-- title = { zh = "国有资本经营预算收支平衡", en = "the state capital budget balances" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "《预算法》第十条：国有资本经营预算按照收支平衡的原则编制，不列赤字。收入总计 = 支出总计；各总计 = 本年数 + 其后所列线下各项，支出总计含调出资金；不计结转下年的支出不超过收入总计", en = "Budget Law, article 10: the state capital budget balances without a deficit. Total receipts = total payments; each total = that of the year and the lines that follow below the line, funds moved out included; payments without the balance carried over are at most the receipts" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "收入总计或支出总计，或赤字", en = "total receipts or payments, or the deficit" }
-- rhs = { zh = "支出总计，或本年数加线下各项，或零", en = "total payments, or the year and the lines below the line, or zero" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, CASE WHEN right(l.table_code, 2) = '03' THEN '03' ELSE '31' END AS form,
    CASE l.class_scheme WHEN 'revenue' THEN 'receipts' ELSE 'payments' END AS side,
    replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('03', '31', '32') AND l.class_scheme IN ('revenue', 'functional') AND l.line_kind <> 'of_which'
), role AS (
  SELECT *, CASE WHEN class_code IS NULL AND regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?国有资本经营(预算)?(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 'own'
      WHEN line_kind = 'total' AND regexp_like(name, '^(各项(收入|支出)合计|(收入|支出)总计)$') THEN 'grand'
      WHEN line_kind = 'total' AND regexp_like(name, '^(收入|支出)?合计$') THEN 'plain'
      -- The lines at the top only: what stands below one of them is a part of it.
      WHEN line_kind <> 'total' AND parent_path = '' AND (line_kind = 'below' OR class_code IS NULL
        AND regexp_like(name, '返还性|转移|补助|上解|结余|结转|调入|调出|债务(转贷)?收入|债务还本|债务转贷支出|还本支出|调节基金|周转金|接受.*援助|区域间')) THEN 'below' END AS role
  FROM line
), {shared.budget_totals}, year AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, form, measure, side, release_id, max(row_no) AS row_no
  FROM role WHERE role = 'own' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
), following AS (
  -- What stands before the total of the year is in it, funds moved out too in some tables; what follows is added. A line of which
  -- nothing is known leaves the sum open.
  SELECT l.region_id, l.scope, l.fiscal_year, l.stage, l.quoted_in, l.book, l.form, l.measure, l.side,
    sum(CASE WHEN l.role = 'below' AND l.name NOT IN ('转移性收入', '转移性支出') THEN l.amount_yuan END) AS single,
    sum(CASE WHEN l.role = 'below' AND l.name NOT IN ('转移性收入', '转移性支出') AND NOT regexp_like(l.name, '结转|结余') THEN l.amount_yuan END) AS moved,
    sum(CASE WHEN l.role = 'below' AND l.name IN ('转移性收入', '转移性支出') THEN l.amount_yuan END) AS heading,
    count(CASE WHEN l.role = 'below' THEN l.amount_yuan END) AS lines,
    sum(CASE WHEN l.value_state = 'set_aside' OR l.role IS NULL AND l.amount_yuan <> 0 THEN 1 ELSE 0 END) AS missing
  FROM role AS l JOIN year AS y ON y.region_id = l.region_id AND y.scope = l.scope AND y.fiscal_year = l.fiscal_year AND y.stage = l.stage
    AND y.quoted_in = l.quoted_in AND y.book = l.book AND y.form = l.form AND y.measure = l.measure AND y.side = l.side AND y.release_id = l.release_id
  WHERE l.row_no > y.row_no AND l.parent_path = '' AND l.line_kind <> 'total' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
), added AS (
  -- 转移性支出 heads what it sums up, at the same indentation in some tables: then it is not one more.
  SELECT *, coalesce(single, 0) + CASE WHEN heading IS NULL OR heading = single OR heading = moved THEN 0 ELSE heading END AS yuan FROM following
), carried AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, form, measure, sum(amount_yuan) AS yuan, count(amount_yuan) AS lines,
    sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS missing
  FROM line WHERE side = 'payments' AND line_kind <> 'total' AND regexp_like(name, '^(年终|年末)?(结转下年|结转|结余)(支出)?$') GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT concat_ws('/', region_id, scope, fiscal_year, stage, quoted_in, book, form, measure, tested) AS scope_key,
  split_part(place, '#', 1) AS release_id, CAST(split_part(place, '#', 2) AS BIGINT) AS row_no, region_code,
  concat_ws(' ', region_name, concat(fiscal_year, '年'), published_header, said_zh) AS subject_zh,
  concat_ws(' ', region_name, fiscal_year, measure, said_en) AS subject_en,
  lhs, rhs, addends, missing + CASE WHEN lhs IS NULL OR rhs IS NULL THEN 1 ELSE 0 END AS missing, step
FROM (
  SELECT r.region_id, r.scope, r.fiscal_year, r.stage, r.quoted_in, r.book, r.form, r.measure, r.place, r.region_code, r.region_name, r.published_header,
    'balance' AS tested, '收入总计与支出总计' AS said_zh, 'total receipts and total payments' AS said_en, r.grand_yuan AS lhs, p.grand_yuan AS rhs,
    1 AS addends, 0 AS missing, CASE WHEN r.step > p.step OR p.step IS NULL THEN r.step ELSE p.step END AS step
  FROM total AS r JOIN total AS p ON p.region_id = r.region_id AND p.scope = r.scope AND p.fiscal_year = r.fiscal_year AND p.stage = r.stage
    AND p.quoted_in = r.quoted_in AND p.book = r.book AND p.form = r.form AND p.measure = r.measure AND p.side = 'payments'
  WHERE r.side = 'receipts'
  UNION ALL
  SELECT t.region_id, t.scope, t.fiscal_year, t.stage, t.quoted_in, t.book, t.form, t.measure, t.place, t.region_code, t.region_name, t.published_header,
    t.side, CASE t.side WHEN 'receipts' THEN '收入总计及其各项' ELSE '支出总计及其各项' END,
    CASE t.side WHEN 'receipts' THEN 'total receipts and their parts' ELSE 'total payments and their parts' END, t.grand_yuan, t.own_yuan + a.yuan,
    1 + a.lines, a.missing, t.step
  FROM total AS t JOIN added AS a ON a.region_id = t.region_id AND a.scope = t.scope AND a.fiscal_year = t.fiscal_year AND a.stage = t.stage
    AND a.quoted_in = t.quoted_in AND a.book = t.book AND a.form = t.form AND a.measure = t.measure AND a.side = t.side
  WHERE a.lines > 0
  UNION ALL
  SELECT r.region_id, r.scope, r.fiscal_year, r.stage, r.quoted_in, r.book, r.form, r.measure, r.place, r.region_code, r.region_name, r.published_header,
    'deficit', '不列赤字', 'no deficit',
    -- What is carried over balances the two totals: a deficit shows once it is taken out.
    CASE WHEN r.grand_yuan < p.grand_yuan - coalesce(c.yuan, 0) THEN r.grand_yuan - p.grand_yuan + coalesce(c.yuan, 0)
      WHEN r.grand_yuan IS NOT NULL AND p.grand_yuan IS NOT NULL THEN 0 END, 0,
    1 + coalesce(c.lines, 0), coalesce(c.missing, 0), CASE WHEN r.step > p.step OR p.step IS NULL THEN r.step ELSE p.step END
  FROM total AS r JOIN total AS p ON p.region_id = r.region_id AND p.scope = r.scope AND p.fiscal_year = r.fiscal_year AND p.stage = r.stage
    AND p.quoted_in = r.quoted_in AND p.book = r.book AND p.form = r.form AND p.measure = r.measure AND p.side = 'payments'
  LEFT JOIN carried AS c ON c.region_id = r.region_id AND c.scope = r.scope AND c.fiscal_year = r.fiscal_year AND c.stage = r.stage
    AND c.quoted_in = r.quoted_in AND c.book = r.book AND c.form = r.form AND c.measure = r.measure
  WHERE r.side = 'receipts'
) AS identity
WHERE lhs IS NOT NULL OR rhs IS NOT NULL
