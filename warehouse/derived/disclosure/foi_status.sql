-- schema = "catalog"
-- label = { zh = "依申请公开办理状态", en = "State of requests for information" }
-- description = { zh = "登记台账中每件申请的应答复日期和状态（条例第二十九至三十七条）：自收到申请（有补正的自收到补正）之日起 20 个工作日，加征求第三方和其他机关意见的工作日、批准延长的工作日；工作日按当时已公布的节假日通知计算。不含申请人信息。台账没有答复日期的，视为尚未答复。更正本人信息的申请（第四十一条）没有法定答复期限，只看是否答复。同类申请（第四十四条）按机关和主题计数。", en = "When each registered request is due, and its state, by articles 29 to 37 of the regulation: 20 working days from receipt, or from receipt of the corrected request, with the working days waited for third parties and other organs and those of an approved extension, by the holiday notices known then. Nothing about applicants is in it. Without a day of the answer in the register it counts as not answered. Requests to rectify one's own records (art. 41) have no deadline in the regulation and are only answered or not. Similar requests (art. 44) are counted by organ and topic." }
-- grain = { zh = "一件申请", en = "one request" }
-- key = ["region_id", "org_name", "request_no"]
-- columns = ["region_id", "region_code", "region_name", "org_name", "request_no", "request_kind", "request_topic", "similar_topic", "similar_count", "data_month", "data_year", "received_on", "corrected_on", "counted_from", "due_on", "answered_on", "days_used", "request_state", "outcome", "is_partial", "release_id", "row_no", "is_synthetic"]
-- [describe.org_name]
-- label = { zh = "受理机关", en = "Organ" }
-- description = { zh = "受理并答复申请的机关", en = "Organ that received the request and answers it" }
-- [describe.data_month]
-- label = { zh = "收到月份", en = "Month of receipt" }
-- description = { zh = "收到申请的月份，YYYY-MM", en = "Month in which the request was received, YYYY-MM" }
-- [describe.data_year]
-- label = { zh = "收到年份", en = "Year of receipt" }
-- description = { zh = "收到申请的年份", en = "Year in which the request was received" }
-- [describe.received_on]
-- label = { zh = "收到日期", en = "Received on" }
-- description = { zh = "按条例第三十一条确定的收到申请之日，以台账所载为准", en = "Day of receipt by article 31, as the register says" }
-- [describe.outcome]
-- label = { zh = "处理结果", en = "Outcome" }
-- description = { zh = "同 foi_request 的处理结果：1 至 7，awaiting，abandoned，unreasonable，not_request，更正申请的 rectified，not_rectified，transferred；尚在办理的为空", en = "As in foi_request: 1 to 7, awaiting, abandoned, unreasonable or not_request, of requests to rectify rectified, not_rectified or transferred; null while it is being handled" }
WITH counted AS (
  SELECT *, coalesce(corrected_on, received_on) AS counted_from,
    -- Whoever was asked to correct a request and has not, keeps no clock running; nor does whoever gave it up.
    CASE WHEN outcome = 'abandoned' THEN 'abandoned' WHEN outcome = 'awaiting' AND corrected_on IS NULL THEN 'awaiting_correction' END AS stopped,
    20 + greatest(coalesce(third_party_workdays, 0), 0) + greatest(coalesce(other_organ_workdays, 0), 0) + greatest(coalesce(extension_workdays, 0), 0) AS allowed
  FROM foi_request
), due AS (
  SELECT *, CASE WHEN stopped IS NULL AND request_kind = 'access' THEN due_date(counted_from, allowed, 'workday') END AS due_on,
    -- Years, blanks, brackets and punctuation do not make another topic.
    nullif(regexp_replace(request_topic, '[0-9０-９]{4}年(度)?|[^\p{Han}A-Za-z0-9]', '', 'g'), '') AS similar_topic
  FROM counted
), alike AS (
  -- Who asks again is told so (6); what is no request, unreasonable or given up is no interest of others.
  SELECT region_id, org_name, similar_topic, count(*) AS similar_count FROM due
  WHERE request_kind = 'access' AND similar_topic IS NOT NULL AND coalesce(outcome, '') NOT IN ('6', 'abandoned', 'unreasonable', 'not_request') GROUP BY 1, 2, 3
)
SELECT d.region_id, d.region_code, d.region_name, d.org_name, d.request_no, d.request_kind, d.request_topic, d.similar_topic,
  CASE WHEN d.request_kind = 'access' AND coalesce(d.outcome, '') NOT IN ('6', 'abandoned', 'unreasonable', 'not_request') THEN a.similar_count END AS similar_count, d.data_month, d.data_year, d.received_on, d.corrected_on, d.counted_from,
  d.due_on, d.answered_on, CASE WHEN d.stopped IS NULL THEN workdays_between(d.counted_from, coalesce(d.answered_on, c.today)) END AS days_used,
  CASE
    WHEN d.stopped IS NOT NULL THEN d.stopped
    WHEN d.request_kind = 'rectify' THEN CASE WHEN d.answered_on IS NULL THEN 'open' ELSE 'answered' END
    WHEN d.due_on IS NULL THEN 'uncounted'
    WHEN d.answered_on <= d.due_on THEN 'answered'
    WHEN d.answered_on IS NOT NULL THEN 'answered_late'
    WHEN c.today <= d.due_on THEN 'open'
    ELSE 'overdue'
  END AS request_state,
  d.outcome, d.is_partial, d.release_id, d.row_no, r.is_synthetic
FROM due AS d CROSS JOIN catalog.clock AS c LEFT JOIN catalog.release AS r ON r.release_id = d.release_id
  LEFT JOIN alike AS a ON a.region_id = d.region_id AND a.org_name = d.org_name AND a.similar_topic = d.similar_topic
