-- id = "W08"
-- title = { zh = "多件相同申请的信息建议主动公开", en = "what several people ask for is suggested for proactive disclosure" }
-- tables = ["foi_request"]
-- basis = { zh = "《政府信息公开条例》第四十四条：多个申请人就相同政府信息向同一机关申请，且信息可以公开的，可以纳入主动公开的范围。达到 3 件（本产品的规定）且至少一件答复为可以公开的，提示读者。重复申请、放弃、超出合理范围、非信息公开和更正的申请不计；主题去掉年份、空格、括号和标点后相同的为同一信息", en = "Regulation on Open Government Information, art. 44: what several applicants ask one organ for, and what may be disclosed, may be disclosed unasked. From three requests on (a choice of this product), one of them at least answered as one that may be disclosed, the reader is told. Requests that repeat, were abandoned, are unreasonable, are none, or ask to rectify do not count; topics are the same without years, blanks, brackets and punctuation" }
-- severity = "INFO"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "同类申请数", en = "similar requests" }
-- rhs = { zh = "不须提示的件数", en = "as many as are none to tell of" }
-- parameters = { most = "2" }
WITH request AS (
  SELECT *, nullif(regexp_replace(request_topic, '[0-9０-９]{4}年(度)?|[^\p{Han}A-Za-z0-9]', '', 'g'), '') AS similar_topic FROM foi_request
  WHERE request_kind = 'access' AND coalesce(outcome, '') NOT IN ('6', 'abandoned', 'unreasonable', 'not_request')
)
SELECT concat_ws('/', region_id, org_name, similar_topic) AS scope_key, min(release_id) AS release_id, min(row_no) AS row_no, min(region_code) AS region_code,
  concat_ws(' ', min(region_name), org_name, similar_topic) AS subject_zh, concat_ws(' ', min(region_name), org_name, similar_topic) AS subject_en,
  count(*) AS lhs, $1 AS rhs, 1 AS addends, CASE WHEN count(*) FILTER (WHERE outcome IN ('1', '2')) = 0 THEN 1 ELSE 0 END AS missing, 0 AS step
FROM request WHERE similar_topic IS NOT NULL GROUP BY region_id, org_name, similar_topic
