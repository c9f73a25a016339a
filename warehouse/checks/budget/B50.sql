-- id = "B50"
-- title = { zh = "预决算在批准、批复后20日内公开", en = "budgets and accounts are published within 20 days" }
-- tables = ["budget_document"]
-- basis = { zh = "《预算法》第十四条：政府预决算经批准后二十日内、部门预决算经批复后二十日内向社会公开；为自然日，不顺延", en = "Budget Law, article 14: governments publish within twenty days after the approval, departments within twenty days after the reply; calendar days" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "从批准或批复到公开的天数", en = "days from approval or reply to publication" }
-- rhs = { zh = "期限", en = "allowed" }
-- parameters = { days = "20" }
WITH document AS (
  SELECT *, CASE document_kind WHEN 'government' THEN approved_on ELSE replied_on END AS counted_from FROM budget_document
)
SELECT concat_ws('/', region_id, org_id, fiscal_year, document_kind, stage) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, org_name, concat(fiscal_year, '年'), CASE stage WHEN 'BUDGET' THEN '预算' WHEN 'FINAL' THEN '决算' ELSE '预算调整' END, '的公开') AS subject_zh,
  concat_ws(' ', region_name, org_name, fiscal_year, stage, 'published') AS subject_en,
  CAST(published_on AS INTEGER) - CAST(counted_from AS INTEGER) AS lhs, $1 AS rhs, 1 AS addends,
  CASE WHEN published_on IS NULL OR counted_from IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM document
