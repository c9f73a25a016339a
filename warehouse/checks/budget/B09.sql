-- id = "B09"
-- title = { zh = "政府性基金预算收支平衡", en = "the fund budget balances" }
-- tables = ["gov_budget_line"]
-- basis = { zh = "收入总计 = 支出总计；收入总计 = 本年收入 + 转移、上年结余、调入、专项债务收入；支出总计 = 本年支出 + 转移、上解、调出、债务还本、转贷、年终结余。表未按单项基金分列收支和结余，因此按整张表核对", en = "total receipts = total payments; receipts = revenue of the year + transfers, balance, funds moved in and special debt; payments = expenditure of the year + transfers, funds moved out, principal, on-lending and balance. The tables do not set receipts and payments of each fund side by side, so the whole is tested" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = true
-- lhs = { zh = "收入总计或支出总计", en = "total receipts or payments" }
-- rhs = { zh = "支出总计，或本年数加线下各项", en = "total payments, or the year and the lines below the line" }
WITH line AS (
  SELECT l.*, left(l.table_code, 2) AS book, CASE WHEN right(l.table_code, 2) = '02' THEN '02' ELSE '21' END AS form,
    CASE l.class_scheme WHEN 'revenue' THEN 'receipts' ELSE 'payments' END AS side,
    replace(replace(l.line_name, ' ', ''), '　', '') AS name, published_step(l.published_unit, l.published_scale) AS step
  FROM gov_budget_line AS l
  WHERE right(l.table_code, 2) IN ('02', '21', '22') AND l.class_scheme IN ('revenue', 'functional') AND l.line_kind <> 'of_which'
), role AS (
  SELECT *, CASE WHEN class_code IS NULL AND regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?政府性基金(预算)?(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 'own'
      WHEN line_kind = 'total' AND regexp_like(name, '^(各项(收入|支出)合计|(收入|支出)总计)$') THEN 'grand'
      WHEN line_kind = 'total' AND regexp_like(name, '^(收入|支出)?合计$') THEN 'plain'
      -- The lines at the top only: what stands below one of them is a part of it.
      WHEN line_kind <> 'total' AND parent_path = '' AND (line_kind = 'below' OR class_code IS NULL
        AND regexp_like(name, '返还性|转移|补助|上解|结余|结转|调入|调出|债务(转贷)?收入|债务还本|债务转贷支出|还本支出|调节基金|周转金|接受.*援助|区域间')) THEN 'below' END AS role
  FROM line
), {shared.budget_totals}
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
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, form, measure, place, region_code, region_name, published_header,
    side, CASE side WHEN 'receipts' THEN '收入总计及其各项' ELSE '支出总计及其各项' END,
    CASE side WHEN 'receipts' THEN 'total receipts and their parts' ELSE 'total payments and their parts' END, grand_yuan, own_yuan + below,
    1 + below_count, below_missing, step
  FROM total WHERE below_count > 0
) AS identity
WHERE lhs IS NOT NULL OR rhs IS NOT NULL
