-- id = "P06"
-- title = { zh = "事前公示先于开工，事后公示在验收后20个工作日内", en = "notices come before the start, and within 20 working days of the acceptance" }
-- tables = ["poverty_notice", "poverty_project"]
-- basis = { zh = "国开办发〔2018〕11号：项目实施前公示、完工后公示；完工后公示以验收日起算二十个工作日，节假日按当时已公布的通知", en = "国开办发〔2018〕11号: notices before and after a project. The one after it is due within twenty working days of the acceptance, by the holiday notices known then" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "公示开始日晚于应在日的天数", en = "days that the notice began after it should have" }
-- rhs = { zh = "允许", en = "allowed" }
WITH project AS (
  SELECT project_code, max(start_on) AS started, max(accepted_on) AS accepted FROM poverty_project GROUP BY project_code
), noticed AS (
  SELECT n.*, CASE n.notice_stage WHEN 'before' THEN CAST(p.started - INTERVAL '1 day' AS DATE) ELSE due_date(p.accepted, 20, 'workday') END AS last_day
  FROM poverty_notice AS n JOIN project AS p ON p.project_code = n.subject_id
  WHERE n.notice_stage IN ('before', 'after')
)
SELECT concat_ws('/', fiscal_year, notice_id) AS scope_key, release_id, row_no, region_code,
  concat_ws(' ', region_name, subject_name, '的公示') AS subject_zh, concat_ws(' ', region_name, subject_name, 'notice') AS subject_en,
  CASE WHEN start_on > last_day THEN CAST(start_on AS INTEGER) - CAST(last_day AS INTEGER) ELSE 0 END AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN start_on IS NULL OR last_day IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM noticed
