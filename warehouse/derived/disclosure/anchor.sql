-- schema = "catalog"
-- label = { zh = "公开时限的起算事件", en = "Events that deadlines are counted from" }
-- description = { zh = "各类台账和已记录事件中的起算事件，对应到公开事项：预决算的批准和批复（budget_document）、许可和处罚决定（admin_decision）、起算事件台账（disclosure_event）、经 API 或命令行记录的事件（catalog.event，已撤销的不计）。债务限额余额和预算执行报告随政府预算、决算、预算调整的批准起算。台账写明公开日期、空表说明或不公开理由的，一并带出。", en = "Events from registers and records, each with the item that it starts the time of: approvals and replies to budgets and accounts (budget_document), permits and penalties (admin_decision), the register of events (disclosure_event), and events recorded over the API or command line (catalog.event, less those taken back). Limits and balances of debt, and reports on execution, count from the approval of the budget, the accounts or the adjustment that they go with. Where a register says when it was published, or why it was not, that comes along." }
-- grain = { zh = "一个事项的一个起算事件", en = "one event of one item" }
-- key = ["short_code", "region_code", "obligation_subject", "anchor_on"]
-- columns = ["short_code", "anchor_kind", "region_code", "obligation_subject", "obliged_org", "period_start", "period_end", "anchor_on", "anchor_source", "published_on", "outcome", "explanation", "is_registered", "is_synthetic"]
-- [describe.period_start]
-- label = { zh = "所属时段起始日", en = "First day of the period" }
-- description = { zh = "所公开内容所属时段的第一天；不属于某一时段的为空", en = "First day of the period that is published; empty where it is of no period" }
-- [describe.published_on]
-- label = { zh = "台账所列公开日期", en = "Published on, as registered" }
-- description = { zh = "台账写明的公开日期；尚未公开的为空", en = "Day of the publication as the register says; empty while it is not published" }
WITH document AS (
  SELECT CASE document_kind
      WHEN 'government' THEN CASE WHEN stage = 'BUDGET' THEN '04-0101' WHEN stage = 'FINAL' THEN '04-0102' WHEN starts_with(stage, 'ADJUST') THEN '04-0103' END
      WHEN 'department' THEN CASE WHEN stage = 'BUDGET' THEN '04-0201' WHEN stage = 'FINAL' THEN '04-0202' END
    END AS short_code,
    CASE document_kind WHEN 'government' THEN 'approved' ELSE 'replied' END AS anchor_kind,
    CASE document_kind WHEN 'government' THEN approved_on ELSE replied_on END AS anchor_on,
    region_code, concat_ws(' ', fiscal_year, org_name, stage) AS subject, org_name, fiscal_year, published_on, release_id, row_no
  FROM budget_document
), beside AS (
  SELECT * FROM (VALUES ('04-0101', '28-0101', 0), ('04-0101', '04-0104', 1), ('04-0102', '28-0102', 0), ('04-0103', '28-0103', 0)) AS t (with_code, short_code, years_before)
), revoked AS (
  SELECT revokes AS event_id FROM catalog.event WHERE kind = 'revoked'
), synthetic AS (
  SELECT release_id, is_synthetic FROM catalog.release
), registered AS (
  SELECT short_code, anchor_kind, region_code, subject, org_name, make_date(fiscal_year, 1, 1) AS period_start, make_date(fiscal_year, 12, 31) AS period_end,
    anchor_on, release_id, row_no, published_on, CASE WHEN published_on IS NOT NULL THEN 'published' END AS outcome, CAST(NULL AS TEXT) AS explanation
  FROM document WHERE short_code IS NOT NULL
  UNION ALL
  SELECT CASE decision_kind WHEN 'permit' THEN '30-0101' ELSE '30-0102' END, 'decision', region_code, concat_ws(' ', org_name, doc_no), org_name,
    CAST(NULL AS DATE), CAST(NULL AS DATE), decided_on, release_id, row_no, published_on, CASE WHEN published_on IS NOT NULL THEN 'published' END, CAST(NULL AS TEXT)
  FROM admin_decision
  UNION ALL
  SELECT short_code, event_kind, region_code, obligation_subject, org_name,
    CASE WHEN fiscal_year IS NOT NULL THEN make_date(fiscal_year, 1, 1) END, CASE WHEN fiscal_year IS NOT NULL THEN make_date(fiscal_year, 12, 31) END,
    occurred_on, release_id, row_no, published_on, outcome, explanation
  FROM disclosure_event
), approved AS (
  SELECT b.short_code, r.region_code, r.subject, r.org_name, make_date(d.fiscal_year - b.years_before, 1, 1) AS period_start,
    make_date(d.fiscal_year - b.years_before, 12, 31) AS period_end, r.anchor_on, r.release_id, r.row_no
  FROM registered AS r JOIN beside AS b ON b.with_code = r.short_code JOIN document AS d ON d.release_id = r.release_id AND d.row_no = r.row_no
)
SELECT r.short_code, r.anchor_kind, r.region_code, r.subject AS obligation_subject, r.org_name AS obliged_org, r.period_start, r.period_end, r.anchor_on,
  concat(r.release_id, '#', r.row_no) AS anchor_source, r.published_on, r.outcome, r.explanation, true AS is_registered, s.is_synthetic
FROM registered AS r JOIN synthetic AS s ON s.release_id = r.release_id
WHERE r.anchor_on IS NOT NULL AND r.region_code IS NOT NULL
UNION ALL
SELECT a.short_code, 'approved', a.region_code, a.subject, a.org_name, a.period_start, a.period_end, a.anchor_on, concat(a.release_id, '#', a.row_no),
  CAST(NULL AS DATE), CAST(NULL AS TEXT), CAST(NULL AS TEXT), false, s.is_synthetic
FROM approved AS a JOIN synthetic AS s ON s.release_id = a.release_id
WHERE a.anchor_on IS NOT NULL AND a.region_code IS NOT NULL
UNION ALL
SELECT CASE WHEN strpos(e.subject, concat(e.region_code, '-')) = 1 THEN substr(e.subject, character_length(e.region_code) + 2) ELSE e.subject END,
  CASE e.kind WHEN 'decided' THEN 'decision' WHEN 'occurred' THEN 'event' ELSE e.kind END, e.region_code, coalesce(e.evidence_document, e.event_id), CAST(NULL AS TEXT),
  CASE WHEN TRY_CAST(e.period AS INTEGER) BETWEEN 1900 AND 2200 THEN make_date(TRY_CAST(e.period AS INTEGER), 1, 1) END, CASE WHEN TRY_CAST(e.period AS INTEGER) BETWEEN 1900 AND 2200 THEN make_date(TRY_CAST(e.period AS INTEGER), 12, 31) END,
  to_date(e.occurred_on), e.event_id, CAST(NULL AS DATE), CAST(NULL AS TEXT), CAST(NULL AS TEXT), false, false
FROM catalog.event AS e
WHERE e.kind NOT IN ('revoked', 'published', 'empty', 'waived', 'explained') AND e.event_id NOT IN (SELECT event_id FROM revoked WHERE event_id IS NOT NULL)
