-- schema = "catalog"
-- label = { zh = "依申请公开年度统计", en = "Requests for information by year" }
-- description = { zh = "政府信息公开工作年度报告（条例第五十条）中依申请公开的数字，按机关和年度由登记台账算出：上年结转＋本年新收＝各类答复＋放弃＋结转下年。答复按答复日期归年；放弃的按办结日期归年，台账没有办结日期的归入收到年份。没有申请的年度没有行。要求更正本人信息的申请不是公开申请，不计。按期比例只看应答复日期可知的答复。", en = "Figures on requests of the annual report (art. 50), reckoned from the registers by organ and year: carried in and received are answered in one of the ways, abandoned, or carried over. An answer counts in the year of its day; an abandoned request in the year in which it was closed, or received where the register does not say. Years without requests have no row. Demands to rectify one's own records are no requests for information and are not counted. The share in time is over answers whose due date is known." }
-- grain = { zh = "一个机关一个年度", en = "one organ and year" }
-- key = ["region_id", "org_name", "year", "is_synthetic"]
-- columns = ["region_id", "region_code", "region_name", "org_name", "year", "carried_in_count", "received_count", "answered_count", "already_public_count", "disclosed_count", "partial_count", "refused_count", "nonexistent_count", "other_organ_count", "repeated_count", "special_register_count", "unreasonable_count", "not_request_count", "other_count", "abandoned_count", "carried_over_count", "on_time_share", "is_synthetic"]
-- [describe.org_name]
-- label = { zh = "受理机关", en = "Organ" }
-- description = { zh = "受理并答复申请的机关", en = "Organ that received the requests and answers them" }
-- [describe.year]
-- label = { zh = "年度", en = "Year" }
-- description = { zh = "年度报告所属年度", en = "Year of the annual report" }
WITH request AS (
  SELECT *, CAST(date_part('year', received_on) AS INTEGER) AS received_year,
    CASE request_state WHEN 'awaiting_correction' THEN NULL WHEN 'abandoned' THEN CAST(date_part('year', coalesce(answered_on, received_on)) AS INTEGER)
      ELSE CASE WHEN answered_on IS NOT NULL THEN CAST(date_part('year', greatest(answered_on, received_on)) AS INTEGER) END END AS closed_year
  FROM catalog.foi_status WHERE received_on IS NOT NULL AND request_kind = 'access'
), calendar_year AS (
  SELECT received_year AS year FROM request UNION SELECT closed_year FROM request WHERE closed_year IS NOT NULL
), standing AS (
  SELECT r.*, y.year, r.received_year = y.year AS is_new, r.closed_year IS NOT NULL AND r.closed_year = y.year AS is_closed,
    r.closed_year IS NOT NULL AND r.closed_year = y.year AND r.request_state <> 'abandoned' AS is_answered
  FROM request AS r JOIN calendar_year AS y ON y.year >= r.received_year AND (r.closed_year IS NULL OR y.year <= r.closed_year)
)
SELECT region_id, min(region_code) AS region_code, min(region_name) AS region_name, org_name, year,
  count(*) FILTER (WHERE NOT is_new) AS carried_in_count,
  count(*) FILTER (WHERE is_new) AS received_count,
  count(*) FILTER (WHERE is_answered) AS answered_count,
  count(*) FILTER (WHERE is_answered AND outcome = '1') AS already_public_count,
  count(*) FILTER (WHERE is_answered AND outcome = '2' AND NOT is_partial) AS disclosed_count,
  count(*) FILTER (WHERE is_answered AND outcome = '2' AND is_partial) AS partial_count,
  count(*) FILTER (WHERE is_answered AND outcome = '3') AS refused_count,
  count(*) FILTER (WHERE is_answered AND outcome = '4') AS nonexistent_count,
  count(*) FILTER (WHERE is_answered AND outcome = '5') AS other_organ_count,
  count(*) FILTER (WHERE is_answered AND outcome = '6') AS repeated_count,
  count(*) FILTER (WHERE is_answered AND outcome = '7') AS special_register_count,
  count(*) FILTER (WHERE is_answered AND outcome = 'unreasonable') AS unreasonable_count,
  count(*) FILTER (WHERE is_answered AND outcome = 'not_request') AS not_request_count,
  count(*) FILTER (WHERE is_answered AND coalesce(outcome, 'awaiting') = 'awaiting') AS other_count,
  count(*) FILTER (WHERE is_closed AND NOT is_answered) AS abandoned_count,
  count(*) FILTER (WHERE NOT is_closed) AS carried_over_count,
  avg(CASE WHEN is_answered AND request_state = 'answered' THEN 1.0 WHEN is_answered AND request_state = 'answered_late' THEN 0.0 END) AS on_time_share,
  is_synthetic
FROM standing GROUP BY region_id, org_name, year, is_synthetic
