-- schema = "catalog"
-- label = { zh = "现行发布所含要素", en = "Elements that current releases hold" }
-- description = { zh = "公开事项的各要素（ref.item_element）在现行发布中的数据：应填的数值或栏目数和已填的个数。部门预决算按部门，双公示按决定，其余按地区和时段。自然人和个体工商户的名称、内容依法不公开，重点问题以外的举报只列概况，视为已填。预决算只计公开当年的表：引用其他年度的表不算。", en = "What current releases hold of each element of an item (ref.item_element): values or fields that are to be filled, and those that are. By department for their budgets and accounts, by decision for permits and penalties, else by region and period. Names and contents of natural persons and sole traders are withheld by law, and of complaints only the key cases have to be told; the rest counts as filled. Of budgets and accounts only tables of their own year count, not figures quoted in those of another." }
-- grain = { zh = "一个事项一个地区一个时段（部门、决定）的一个要素", en = "one element of one item, region and period, department or decision" }
-- key = ["short_code", "region_code", "obliged_org", "obligation_subject", "period_start", "element_code", "is_synthetic"]
-- columns = ["short_code", "region_code", "obliged_org", "obligation_subject", "period_start", "period_end", "element_code", "value_count", "filled_count", "is_synthetic"]
-- [describe.obliged_org]
-- label = { zh = "部门", en = "Department" }
-- description = { zh = "部门预决算的部门；其余为空文字", en = "Department of budgets and accounts of departments; else empty" }
-- [describe.obligation_subject]
-- label = { zh = "决定", en = "Decision" }
-- description = { zh = "双公示的机关和文书号；其余为空文字", en = "Organ and number of a decision; else empty" }
-- [describe.period_start]
-- label = { zh = "时段第一天", en = "First day of the period" }
-- description = { zh = "数据所属时段的第一天；双公示为决定日期", en = "First day of the period; of decisions their day" }
-- [describe.period_end]
-- label = { zh = "时段最后一天", en = "Last day of the period" }
-- description = { zh = "数据所属时段的最后一天；双公示为决定日期", en = "Last day of the period; of decisions their day" }
WITH line AS (
  SELECT CASE WHEN stage = 'BUDGET' THEN '04-0101' WHEN stage = 'FINAL' THEN '04-0102' WHEN stage = 'ESTIMATE' THEN '04-0104' END AS short_code, region_code, fiscal_year,
    CASE WHEN right(table_code, 2) IN ('15', '24', '34') THEN 'transfer' WHEN right(table_code, 2) = '01' OR substr(table_code, 3, 1) = '1' THEN 'general'
      WHEN right(table_code, 2) = '02' OR substr(table_code, 3, 1) = '2' THEN 'fund' WHEN right(table_code, 2) = '03' OR substr(table_code, 3, 1) = '3' THEN 'state_capital'
      WHEN right(table_code, 2) = '04' OR substr(table_code, 3, 1) = '4' THEN 'social_insurance' END AS element_code,
    amount_yuan, release_id
  FROM gov_budget_line WHERE fiscal_year = quoted_in AND starts_with(table_code, 'G')
), debt AS (
  SELECT CASE WHEN stage = 'BUDGET' THEN '04-0101' ELSE '04-0102' END AS short_code, region_code, quoted_in AS fiscal_year, 'debt' AS element_code, amount_yuan, release_id
  FROM debt_stock WHERE stage IN ('BUDGET', 'FINAL') AND measure IN ('limit', 'balance') AND NOT starts_with(table_code, 'PANEL')
), of_year AS (
  SELECT * FROM line WHERE short_code IS NOT NULL AND element_code IS NOT NULL
  UNION ALL SELECT * FROM debt
  UNION ALL SELECT '28-0102', region_code, as_of_year, measure, amount_yuan, release_id FROM debt_stock
    WHERE stage = 'FINAL' AND measure IN ('limit', 'balance') AND NOT starts_with(table_code, 'PANEL')
), cell AS (
  SELECT short_code, region_code, '' AS org, '' AS subject, make_date(fiscal_year, 1, 1) AS period_start, make_date(fiscal_year, 12, 31) AS period_end, element_code, release_id,
    count(*) AS cells, count(amount_yuan) AS filled
  FROM of_year GROUP BY short_code, region_code, fiscal_year, element_code, release_id
  UNION ALL
  SELECT short_code, region_code, org_name, '', make_date(fiscal_year, 1, 1), make_date(fiscal_year, 12, 31), element_code, release_id, count(*), count(amount_yuan)
  FROM (
    SELECT CASE stage WHEN 'BUDGET' THEN '04-0201' ELSE '04-0202' END AS short_code, region_code, org_name, fiscal_year,
      CASE WHEN right(table_code, 2) IN ('04', '05', '06') THEN 'appropriation' WHEN side = 'income' THEN 'income' WHEN side = 'expenditure' THEN 'expenditure' END AS element_code,
      amount_yuan, release_id
    FROM dept_budget_line WHERE stage IN ('BUDGET', 'FINAL') AND fiscal_year = quoted_in AND org_name IS NOT NULL
  ) AS dept WHERE element_code IS NOT NULL GROUP BY short_code, region_code, org_name, fiscal_year, element_code, release_id
  UNION ALL
  SELECT '27-0101', region_code, '', '', to_date(concat(data_month, '-01')), to_date(concat(data_month, '-01')) + INTERVAL '1 month' - INTERVAL '1 day', base_kind, release_id,
    count(*), count(index_value)
  FROM cpi_monthly WHERE base_kind IN ('mom', 'yoy', 'ytd') GROUP BY region_code, data_month, base_kind, release_id
  UNION ALL
  SELECT '27-0201', o.region_code, '', '', o.period_start, o.period_start + INTERVAL '6 days', e.element_code, o.release_id,
    count(*) FILTER (WHERE e.element_code = 'spec' OR o.measure = e.measure), count(CASE WHEN e.element_code = 'spec' THEN o.spec_name WHEN o.measure = e.measure THEN CAST(o.value AS TEXT) END)
  FROM price_observation AS o
    CROSS JOIN (VALUES ('spec', 'price'), ('price', 'price'), ('previous_price', 'previous_price'), ('change', 'change_pct')) AS e (element_code, measure)
  WHERE o.period_kind = 'week' AND o.measure = e.measure GROUP BY o.region_code, o.period_start, e.element_code, o.release_id
  UNION ALL
  SELECT '11-0301', c.region_code, '', '', to_date(concat(c.data_month, '-01')), to_date(concat(c.data_month, '-01')) + INTERVAL '1 month' - INTERVAL '1 day', e.element_code, c.release_id,
    count(*), count(CASE WHEN NOT coalesce(c.is_key_case, false) THEN '' WHEN e.element_code = 'summary' THEN c.complaint_summary WHEN e.element_code = 'investigation' THEN c.investigation ELSE c.handling END)
  FROM env_complaint AS c CROSS JOIN (VALUES ('summary'), ('investigation'), ('handling')) AS e (element_code)
  GROUP BY c.region_code, c.data_month, e.element_code, c.release_id
  UNION ALL
  SELECT CASE d.decision_kind WHEN 'permit' THEN '30-0101' ELSE '30-0102' END, d.region_code, '', concat_ws(' ', d.org_name, d.doc_no), d.decided_on AS period_start, d.decided_on AS period_end, e.element_code, d.release_id,
    count(*), count(*) FILTER (WHERE CASE e.element_code
      WHEN 'doc_no' THEN d.doc_no IS NOT NULL WHEN 'decided_on' THEN d.decided_on IS NOT NULL WHEN 'basis' THEN d.legal_basis IS NOT NULL
      WHEN 'name' THEN d.decision_name IS NOT NULL OR d.counterpart_kind IN ('natural_person', 'sole_trader')
      WHEN 'counterpart' THEN d.counterpart_name IS NOT NULL OR d.counterpart_kind IN ('natural_person', 'sole_trader')
      WHEN 'reason' THEN d.decision_reason IS NOT NULL OR d.counterpart_kind IN ('natural_person', 'sole_trader')
      ELSE d.decision_content IS NOT NULL OR d.counterpart_kind IN ('natural_person', 'sole_trader') END)
  FROM admin_decision AS d CROSS JOIN (VALUES ('permit', 'doc_no'), ('permit', 'name'), ('permit', 'counterpart'), ('permit', 'decided_on'), ('penalty', 'doc_no'), ('penalty', 'reason'),
    ('penalty', 'basis'), ('penalty', 'content'), ('penalty', 'decided_on')) AS e (decision_kind, element_code)
  WHERE d.decision_kind = e.decision_kind AND d.decided_on IS NOT NULL
  GROUP BY d.decision_kind, d.region_code, d.org_name, d.doc_no, d.decided_on, e.element_code, d.release_id
)
SELECT c.short_code, c.region_code, c.org AS obliged_org, c.subject AS obligation_subject, c.period_start, c.period_end, c.element_code, sum(c.cells) AS value_count, sum(c.filled) AS filled_count,
  r.is_synthetic
FROM cell AS c JOIN catalog.release AS r ON r.release_id = c.release_id WHERE c.region_code IS NOT NULL
GROUP BY c.short_code, c.region_code, c.org, c.subject, c.period_start, c.period_end, c.element_code, r.is_synthetic
