-- id = "D17"
-- title = { zh = "债务表在批准后20日内公开", en = "debt tables are published within 20 days of the approval" }
-- tables = ["debt_stock", "budget_document"]
-- basis = { zh = "财预〔2018〕209号：债务限额、余额随预算、决算在批准后二十日内公开；公开时间取发布所载的首次公开时间，没有的不检", en = "财预〔2018〕209号: limits and balances are published with budget and final accounts, within twenty days of the approval. The time is that of the release; without one nothing is tested" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "从批准到公开的天数", en = "days from approval to publication" }
-- rhs = { zh = "期限", en = "allowed" }
-- parameters = { days = "20" }
WITH published AS (
  SELECT s.region_code, s.quoted_in, s.table_code, min(s.release_id) AS release_id, min(CAST(r.made_public_at AS DATE)) AS published_on
  FROM debt_stock AS s LEFT JOIN release_publication AS r ON r.release_id = s.release_id
  WHERE s.table_code IN ('T31', 'T11', 'T12', 'T13') AND s.region_code IS NOT NULL GROUP BY 1, 2, 3
)
SELECT concat_ws('/', p.region_code, p.quoted_in, p.table_code) AS scope_key, p.release_id, CAST(NULL AS BIGINT) AS row_no, p.region_code,
  concat_ws(' ', d.region_name, concat(p.quoted_in, '年'), p.table_code, '的公开') AS subject_zh,
  concat_ws(' ', d.region_name, p.quoted_in, p.table_code, 'published') AS subject_en,
  CAST(p.published_on AS INTEGER) - CAST(d.approved_on AS INTEGER) AS lhs, $1 AS rhs, 1 AS addends,
  CASE WHEN p.published_on IS NULL OR d.approved_on IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM published AS p JOIN budget_document AS d ON d.region_code = p.region_code AND d.fiscal_year = p.quoted_in AND d.document_kind = 'government'
  AND d.stage = CASE WHEN p.table_code = 'T31' THEN 'FINAL' ELSE 'BUDGET' END
