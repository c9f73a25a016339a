-- id = "P09"
-- title = { zh = "资金分配结果在下达后15个工作日内公开", en = "allocations are published within 15 working days" }
-- tables = ["disclosure_event"]
-- basis = { zh = "国开办发〔2018〕11号：资金分配结果下达后15个工作日内公开；节假日按当时已公布的通知", en = "国开办发〔2018〕11号: results of allocations are published within fifteen working days, by the holiday notices known then" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "公开日晚于应公开日的天数", en = "days published after it was due" }
-- rhs = { zh = "允许", en = "allowed" }
WITH allocated AS (
  SELECT *, due_date(occurred_on, 15, 'workday') AS due_on FROM disclosure_event
  WHERE short_code = '14-0301' AND event_kind = 'allocated' AND coalesce(outcome, 'published') = 'published'
)
SELECT concat_ws('/', region_id, obligation_subject, occurred_on) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, obligation_subject, '的公开') AS subject_zh, concat_ws(' ', region_name, obligation_subject, 'published') AS subject_en,
  CASE WHEN published_on > due_on THEN CAST(published_on AS INTEGER) - CAST(due_on AS INTEGER) ELSE 0 END AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN published_on IS NULL OR due_on IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM allocated
