-- schema = "catalog"
-- label = { zh = "政务公开评分", en = "Disclosure scores" }
-- description = { zh = "按地区、领域和应公开时间所在季度评分；field_no 为空的行是全部领域。未到期、未接入、不予公开和日历缺年份的义务不计。覆盖＝已公开次数/应公开次数；及时按逾期工作日数递减，公开时间无据的不计；完整＝应有要素已有比例与应填数值已填比例的平均，未公开的为 0（catalog.item_completeness）；准确＝1－出错等式/检查的等式，已发布更正的发布出错数减半；开放＝可下载结构化数据的比例。依申请公开＝按期答复的申请/到期的申请，只计入全部领域的行。没有数据的部分，其权重分给其余部分。合成样例单独成行（is_synthetic），不是任何机关的得分。", en = "By region, field and quarter of the due date; rows without a field are all fields together. Obligations that are not due yet, not linked, waived or without a calendar do not count. Coverage is published over due; timeliness falls with the working days late and leaves out what is not dated; completeness is the mean share of required elements and values that are there, 0 where missing (catalog.item_completeness); accuracy is one less the share of identities in error, halved in releases that are corrections; openness the share that can be downloaded as structured data. Requests are those answered in time over those due, in the rows of all fields only. The weight of a part without data is spread over the others. Every row has the counts that its parts were reckoned from. Synthetic samples have rows of their own (is_synthetic) and are nobody's score." }
-- grain = { zh = "一个地区一个领域一个季度", en = "one region, field and quarter" }
-- key = ["region_code", "field_no", "period", "is_synthetic"]
-- columns = ["region_code", "region_name", "tier", "field_no", "period", "is_synthetic", "due_count", "published_count", "late_count", "missing_count", "timed_count", "measured_count", "required_element_count", "held_element_count", "value_count", "filled_count", "identity_count", "identity_error_count", "request_due_count", "request_in_time_count", "structured_count", "coverage_share", "timeliness_share", "completeness_share", "accuracy_share", "request_share", "openness_share", "score", "weights_version", "formula_version"]
-- once = ["catalog.obligation"]
-- [describe.period]
-- label = { zh = "季度", en = "Quarter" }
-- description = { zh = "应公开时间所在季度，如 2019-Q3", en = "Quarter of the due date, such as 2019-Q3" }
-- [describe.region_name]
-- label = { zh = "地区", en = "Region" }
-- description = { zh = "承担事项的地区", en = "Region that has the duties" }
WITH counted AS (
  SELECT obligation_id, region_code, region_name, tier, field_no AS field, is_synthetic, obligation_state AS state, late_workdays, release_id,
    concat(CAST(date_part('year', due_at) AS TEXT), '-Q', CAST(date_part('quarter', due_at) AS TEXT)) AS quarter, CAST(due_at AS DATE) AS due_on
  FROM catalog.obligation WHERE obligation_state IN ('done', 'late', 'missing', 'undated', 'empty')
), complete AS (
  SELECT obligation_id, required_element_count AS required, held_element_count AS held, value_count AS cells, filled_count AS filled, completeness_share AS share FROM catalog.item_completeness
), level AS (
  SELECT is_all FROM (VALUES (false), (true)) AS t (is_all)
), placed AS (
  -- Every obligation counts in the row of its field and in that of all fields.
  SELECT o.*, CASE WHEN l.is_all THEN '' ELSE o.field END AS field_no FROM counted AS o CROSS JOIN level AS l
), spread AS (
  SELECT o.*, c.required, c.held, c.cells, c.filled, c.share FROM placed AS o LEFT JOIN complete AS c ON c.obligation_id = o.obligation_id
), run AS (
  -- Whoever corrected a release in public, with a reason, is charged half of what is still in error in it.
  SELECT c.release_id, sum(c.identities) AS identities,
    sum(CASE WHEN c.outcome <> 'ERROR' THEN 0 WHEN r.kind = 'correction' THEN CAST(c.identities AS DECIMAL(20, 1)) / 2 ELSE CAST(c.identities AS DECIMAL(20, 1)) END) AS errors
  FROM catalog.check_run AS c JOIN catalog.release AS r ON r.release_id = c.release_id WHERE c.outcome <> 'SKIP' GROUP BY c.release_id
), accurate AS (
  SELECT s.region_code, s.field_no, s.quarter, s.is_synthetic, sum(r.identities) AS identities, sum(r.errors) AS errors,
    1 - CAST(sum(r.errors) AS DECIMAL(20, 8)) / sum(r.identities) AS share
  FROM (SELECT DISTINCT region_code, field_no, quarter, is_synthetic, release_id FROM placed WHERE release_id IS NOT NULL) AS s JOIN run AS r ON r.release_id = s.release_id
  GROUP BY 1, 2, 3, 4
), part AS (
  SELECT region_code, min(region_name) AS region_name, min(tier) AS tier, field_no, quarter, is_synthetic, max(due_on) AS due_on, count(*) AS due,
    count(*) FILTER (WHERE state <> 'missing') AS published, count(*) FILTER (WHERE state = 'late') AS late, count(*) FILTER (WHERE state = 'missing') AS missing,
    count(*) FILTER (WHERE state <> 'undated') AS timed, count(share) AS measured, coalesce(sum(required), 0) AS required, coalesce(sum(held), 0) AS held,
    coalesce(sum(cells), 0) AS cells, coalesce(sum(filled), 0) AS filled, count(release_id) AS structured,
    CAST(count(*) FILTER (WHERE state <> 'missing') AS DECIMAL(20, 8)) / count(*) AS coverage,
    avg(CASE WHEN state IN ('done', 'empty') THEN 1.0 WHEN state = 'missing' THEN 0.0 WHEN state = 'late' THEN CASE WHEN late_workdays >= 10 THEN 0.0 ELSE 1.0 - late_workdays / 10.0 END END) AS timeliness,
    avg(share) AS completeness, avg(CASE WHEN release_id IS NOT NULL THEN 1.0 END) AS openness
  FROM spread GROUP BY region_code, field_no, quarter, is_synthetic
), request AS (
  SELECT region_code, concat(CAST(date_part('year', due_on) AS TEXT), '-Q', CAST(date_part('quarter', due_on) AS TEXT)) AS quarter, is_synthetic,
    count(*) AS due, count(*) FILTER (WHERE request_state = 'answered') AS in_time, avg(CASE WHEN request_state = 'answered' THEN 1.0 ELSE 0.0 END) AS share
  FROM catalog.foi_status WHERE request_state IN ('answered', 'answered_late', 'overdue') AND due_on IS NOT NULL AND region_code IS NOT NULL GROUP BY 1, 2, 3
), weight AS (
  SELECT weights_version, min(valid_from) AS valid_from, max(CASE part WHEN 'coverage' THEN weight_pct END) AS coverage, max(CASE part WHEN 'timeliness' THEN weight_pct END) AS timeliness,
    max(CASE part WHEN 'completeness' THEN weight_pct END) AS completeness, max(CASE part WHEN 'accuracy' THEN weight_pct END) AS accuracy,
    max(CASE part WHEN 'openness' THEN weight_pct END) AS openness, max(CASE part WHEN 'requests' THEN weight_pct END) AS requests
  FROM ref.score_weight GROUP BY weights_version
), weighted AS (
  SELECT p.*, a.share AS accuracy, a.identities, a.errors, q.share AS answered, q.due AS request_due, q.in_time AS request_in_time, w.weights_version, w.coverage AS w_coverage,
    CASE WHEN p.timeliness IS NULL THEN 0 ELSE w.timeliness END AS w_timeliness, CASE WHEN p.completeness IS NULL THEN 0 ELSE w.completeness END AS w_completeness,
    CASE WHEN a.share IS NULL THEN 0 ELSE w.accuracy END AS w_accuracy, CASE WHEN p.openness IS NULL THEN 0 ELSE w.openness END AS w_openness,
    CASE WHEN q.share IS NULL THEN 0 ELSE w.requests END AS w_requests,
    row_number() OVER (PARTITION BY p.region_code, p.field_no, p.quarter, p.is_synthetic ORDER BY w.valid_from DESC) AS latest
  FROM part AS p JOIN weight AS w ON w.valid_from <= p.due_on
    LEFT JOIN accurate AS a ON a.region_code = p.region_code AND a.field_no = p.field_no AND a.quarter = p.quarter AND a.is_synthetic = p.is_synthetic
    -- Requests are of no field: they count in the rows of all fields.
    LEFT JOIN request AS q ON p.field_no = '' AND q.region_code = p.region_code AND q.quarter = p.quarter AND q.is_synthetic = p.is_synthetic
)
SELECT region_code, region_name, tier, field_no, quarter AS period, is_synthetic, due AS due_count, published AS published_count, late AS late_count, missing AS missing_count,
  timed AS timed_count, measured AS measured_count, required AS required_element_count, held AS held_element_count, cells AS value_count, filled AS filled_count,
  coalesce(identities, 0) AS identity_count, coalesce(errors, 0) AS identity_error_count, coalesce(request_due, 0) AS request_due_count,
  coalesce(request_in_time, 0) AS request_in_time_count, structured AS structured_count,
  coverage AS coverage_share, timeliness AS timeliness_share, completeness AS completeness_share, accuracy AS accuracy_share,
  answered AS request_share, openness AS openness_share,
  100 * (w_coverage * coverage + w_timeliness * coalesce(timeliness, 0) + w_completeness * coalesce(completeness, 0) + w_accuracy * coalesce(accuracy, 0)
    + w_openness * coalesce(openness, 0) + w_requests * coalesce(answered, 0)) / (w_coverage + w_timeliness + w_completeness + w_accuracy + w_openness + w_requests) AS score,
  weights_version, '2' AS formula_version
FROM weighted WHERE latest = 1
