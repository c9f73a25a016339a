-- id = "W04"
-- title = { zh = "解读与文件同步审签、3个工作日内发布", en = "interpretations are approved with their document and published within 3 working days" }
-- tables = ["interpretation", "normative_document"]
-- basis = { zh = "攀办发〔2019〕41号三（一）：解读与文件同步起草、同步审签、同步部署；解读材料在文件公开后3个工作日内发布（通行要求，出处待核实）。台账没有该文件、文件尚未公布或日期缺失的不检", en = "攀办发〔2019〕41号: an interpretation is drafted, approved and issued together with its document, and published within three working days of it (as commonly required; the source is to be confirmed). Where the register has no such document, or a day is not there, nothing is tested" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "晚于最迟日期的天数", en = "days after the last day" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { workdays = "3" }
-- # Brackets of document numbers are printed in several widths and shapes.
WITH document AS (
  SELECT region_id, translate(doc_no, '[]［］（）()【】', '〔〕〔〕〔〕〔〕〔〕') AS doc_no, min(published_on) AS published_on FROM normative_document GROUP BY 1, 2
), dated AS (
  SELECT i.*, d.published_on AS document_on, due_date(d.published_on, CAST($1 AS BIGINT), 'workday') AS due_on
  FROM interpretation AS i
    LEFT JOIN document AS d ON d.region_id = i.region_id AND d.doc_no = translate(i.doc_no, '[]［］（）()【】', '〔〕〔〕〔〕〔〕〔〕')
), tested AS (
  SELECT *, 'approved' AS part, '审签' AS part_zh, approved_on AS done_on, document_on AS last_on FROM dated
  UNION ALL SELECT *, 'published' AS part, '发布' AS part_zh, published_on AS done_on, due_on AS last_on FROM dated
)
SELECT concat_ws('/', region_id, doc_no, interpretation_title, published_on, part) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, doc_no, concat('解读的', part_zh)) AS subject_zh, concat_ws(' ', region_name, doc_no, 'interpretation', part) AS subject_en,
  CASE WHEN done_on > last_on THEN CAST(done_on AS INTEGER) - CAST(last_on AS INTEGER) ELSE 0 END AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN done_on IS NULL OR last_on IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM tested
