-- id = "W02"
-- title = { zh = "依申请公开按期答复", en = "requests for information are answered in time" }
-- tables = ["foi_request"]
-- basis = { zh = "《政府信息公开条例》第三十、三十二至三十四条：自收到申请或补正后的申请之日起20个工作日内答复，征求第三方和其他机关意见的时间不计，可延长；节假日按当时已公布的通知。尚未答复、等待补正和放弃的不检，更正本人信息的申请（第四十一条）没有法定期限，不在其列", en = "Regulation on Open Government Information, arts. 30 and 32 to 34: answered within 20 working days of receipt, or of that of the corrected request; waiting for third parties and other organs does not count, and the time may be extended; by the holiday notices known then. What is not answered, awaits a correction or was abandoned is not tested; demands to rectify one's own records (art. 41) have no deadline and are no part of it" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "答复晚于应答复日的工作日数", en = "working days answered after it was due" }
-- rhs = { zh = "允许", en = "allowed" }
-- parameters = { workdays = "20" }
WITH due AS (
  SELECT *, CASE WHEN outcome = 'abandoned' OR (outcome = 'awaiting' AND corrected_on IS NULL) THEN NULL
    ELSE due_date(coalesce(corrected_on, received_on), CAST($1 AS BIGINT) + greatest(coalesce(third_party_workdays, 0), 0)
      + greatest(coalesce(other_organ_workdays, 0), 0) + greatest(coalesce(extension_workdays, 0), 0), 'workday') END AS due_on
  FROM foi_request WHERE request_kind = 'access'
)
SELECT concat_ws('/', region_id, org_name, request_no) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, org_name, request_no, '的答复') AS subject_zh, concat_ws(' ', region_name, org_name, request_no, 'answered') AS subject_en,
  CASE WHEN answered_on > due_on THEN workdays_between(due_on, answered_on) ELSE 0 END AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN answered_on IS NULL OR due_on IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM due
