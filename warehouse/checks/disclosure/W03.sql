-- id = "W03"
-- title = { zh = "答复期限延长不超过20个工作日", en = "the time for an answer is extended by 20 working days at most" }
-- tables = ["foi_request"]
-- basis = { zh = "《政府信息公开条例》第三十三条：延长的期限最长不得超过20个工作日", en = "Regulation on Open Government Information, art. 33: an extension is at most 20 working days" }
-- severity = "ERROR"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "ERROR"]
-- blocking = false
-- lhs = { zh = "延长工作日数", en = "working days of the extension" }
-- rhs = { zh = "最多", en = "at most" }
-- parameters = { most = "20" }
-- # A request without an extension is no identity: only those with one are tested.
SELECT concat_ws('/', region_id, org_name, request_no) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, org_name, request_no, '的延长') AS subject_zh, concat_ws(' ', region_name, org_name, request_no, 'extended') AS subject_en,
  extension_workdays AS lhs, $1 AS rhs, 1 AS addends, 0 AS missing, 0 AS step
FROM foi_request WHERE extension_workdays IS NOT NULL
