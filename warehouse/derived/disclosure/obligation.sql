-- schema = "catalog"
-- label = { zh = "公开义务", en = "Obligations" }
-- description = { zh = "公开事项的每一次到期：按期公开的，每个时段一次；从事件起算的，每个事件一次；随同公开的，随其事项，所随事项又随同其他事项的，随到有时限的事项为止。应公开时间由时限规则和当时已公布的节假日通知算出。是否公开，先看台账写明的公开日期，再看有关数据集的发布是否含有该地区该时段，公开时间取同一分区最早含有它的发布（包括已被替代的）。每时、每日公开的事项按月判断：当月每一天都有才算公开，不足的在说明中写明天数。没有台账也没有数据集的，不作判断（unlinked）。公开时间无据的，不判断是否逾期（undated）。最低展示期限（min_display）和长期公开不在此表。", en = "Every time that a disclosure item falls due: once for each period, once for each event, or with the item that it goes with, which may go with another one itself. When it is due follows from the rule and from the holiday notices known on that day. Whether it was published is told by the register, else by the releases of the datasets that fulfil the item, where they hold the region and period: since the first release of the partition that held them, superseded ones among them. Items due every hour or day are judged once a month: every day has to be there, else the explanation says how many are. Without register and dataset nothing is said (unlinked); without a date of publication lateness is not judged (undated). Minimum displays and long-term items are not in it." }
-- grain = { zh = "一个地区一个事项版本的一次到期", en = "one due date of one version of one item of one region" }
-- key = ["obligation_id"]
-- columns = ["obligation_id", "item_code", "version_no", "short_code", "region_code", "region_name", "tier", "field_no", "disclosure_item_name", "obliged_org", "obligation_subject", "period", "period_start", "period_end", "anchor_kind", "anchor_on", "anchor_source", "deadline_text", "deadline_rule", "due_at", "made_public_at", "is_dated", "release_id", "obligation_state", "late_workdays", "explanation", "is_synthetic"]
-- [describe.item_code]
-- label = { zh = "事项编码", en = "Code of the item" }
-- description = { zh = "地区-领域-一级二级", en = "Region, field, levels" }
-- [describe.period]
-- label = { zh = "所属期间", en = "Period" }
-- description = { zh = "应公开内容所属的期间：2019-W09、2019-03、2019-Q1、2019-H1、2019；不属于某一期间的为空", en = "Period of what is due, such as 2019-W09, 2019-03, 2019-Q1, 2019-H1 or 2019; empty where it is of no period" }
-- [describe.region_name]
-- label = { zh = "地区", en = "Region" }
-- description = { zh = "承担该事项的地区", en = "Region that has the duty" }
-- [describe.period_start]
-- label = { zh = "期间第一天", en = "First day of the period" }
-- description = { zh = "应公开内容所属期间的第一天", en = "First day of the period of what is due" }
-- [describe.release_id]
-- label = { zh = "公开它的发布", en = "Release that fulfils it" }
-- description = { zh = "含有该地区该期间数据的现行发布，有多个的取编号最小者", en = "Current release with the region and period; the first by name where there are several" }
WITH item AS (
  SELECT item_code, version_no, valid_from, valid_to, short_code, region_code, region_name, tier, field_no, level2_zh, publisher_zh, deadline_text, deadline_rule,
    rule_kind, rule_anchor, CASE WHEN rule_freq IN ('hourly', 'daily') THEN 'monthly' ELSE rule_freq END AS freq, rule_freq IN ('hourly', 'daily') AS is_daily,
    rule_parent, dataset
  FROM catalog.item WHERE audience = 'public' AND mode = 'proactive'
), periodical AS (
  SELECT i.*, '' AS subject, p.period, p.period_start, p.period_end, 'period_end' AS anchor_kind, p.period_end AS anchor_on, '日历' AS anchor_source,
    CAST(NULL AS TEXT) AS org, CAST(NULL AS DATE) AS published_on, CAST(NULL AS TEXT) AS outcome, CAST(NULL AS TEXT) AS explanation, false AS is_registered,
    false AS from_synthetic
  FROM item AS i JOIN ref.period AS p ON p.freq = i.freq
  WHERE i.rule_kind IN ('recurring', 'by_date', 'realtime') AND p.period_end >= i.valid_from AND (i.valid_to IS NULL OR p.period_end < i.valid_to)
  UNION ALL
  SELECT i.*, '' AS subject, CAST(date_part('year', i.valid_from) AS TEXT) AS period, i.valid_from AS period_start,
    make_date(CAST(date_part('year', i.valid_from) AS INTEGER), 12, 31) AS period_end, 'period_end' AS anchor_kind, i.valid_from AS anchor_on, '日历' AS anchor_source,
    CAST(NULL AS TEXT) AS org, CAST(NULL AS DATE) AS published_on, CAST(NULL AS TEXT) AS outcome, CAST(NULL AS TEXT) AS explanation, false AS is_registered,
    false AS from_synthetic
  FROM item AS i WHERE i.rule_kind = 'by_date' AND i.freq IS NULL AND day_end(i.valid_from) <= due_at(i.deadline_rule, i.valid_from)
), anchored AS (
  SELECT i.*, coalesce(a.obligation_subject, '') AS subject, CAST(date_part('year', a.period_start) AS TEXT) AS period, a.period_start, a.period_end, a.anchor_kind, a.anchor_on, a.anchor_source,
    a.obliged_org AS org, a.published_on, a.outcome, a.explanation, a.is_registered, a.is_synthetic AS from_synthetic
  FROM item AS i JOIN catalog.anchor AS a ON a.short_code = i.short_code AND a.region_code = i.region_code AND a.anchor_kind = i.rule_anchor
  WHERE a.anchor_on >= i.valid_from AND (i.valid_to IS NULL OR a.anchor_on < i.valid_to)
), alone AS (
  SELECT *, due_at(deadline_rule, anchor_on) AS due FROM periodical UNION ALL SELECT *, due_at(deadline_rule, anchor_on) FROM anchored
), parent AS (
  SELECT item_code, version_no, short_code, region_code, rule_parent, valid_from, coalesce(valid_to, DATE '9999-12-31') AS valid_to FROM item WHERE rule_parent IS NOT NULL
), link_1 AS (
  SELECT item_code, version_no, region_code, rule_parent AS root, valid_from AS since, valid_to AS until FROM parent
), link_2 AS (
  -- The parent may hang on a parent of its own, as long as its version holds; three steps are as many as items may take.
  SELECT l.item_code, l.version_no, l.region_code, p.rule_parent AS root, greatest(l.since, p.valid_from) AS since, least(l.until, p.valid_to) AS until
  FROM link_1 AS l JOIN parent AS p ON p.short_code = l.root AND p.region_code = l.region_code
), link_3 AS (
  SELECT l.item_code, l.version_no, l.region_code, p.rule_parent AS root, greatest(l.since, p.valid_from) AS since, least(l.until, p.valid_to) AS until
  FROM link_2 AS l JOIN parent AS p ON p.short_code = l.root AND p.region_code = l.region_code
), link AS (
  SELECT * FROM link_1 UNION ALL SELECT * FROM link_2 UNION ALL SELECT * FROM link_3
), linked AS (
  SELECT i.item_code, i.version_no, i.valid_from, i.valid_to, i.short_code, i.region_code, i.region_name, i.tier, i.field_no, i.level2_zh, i.publisher_zh,
    i.deadline_text, p.deadline_rule, i.rule_kind, i.rule_anchor, i.freq, i.is_daily, i.rule_parent, i.dataset, p.subject, p.period, p.period_start, p.period_end, p.anchor_kind, p.anchor_on, p.anchor_source, p.org, CAST(NULL AS DATE) AS published_on,
    CAST(NULL AS TEXT) AS outcome, CAST(NULL AS TEXT) AS explanation, false AS is_registered, p.from_synthetic, p.due
  FROM item AS i JOIN link AS l ON l.item_code = i.item_code AND l.version_no = i.version_no
    JOIN alone AS p ON p.short_code = l.root AND p.region_code = l.region_code
  WHERE p.anchor_on >= l.since AND p.anchor_on < l.until
), occurrence AS (
  SELECT concat_ws('/', item_code, version_no, coalesce(period, ''), subject, anchor_on) AS obligation_id, * FROM (SELECT * FROM alone UNION ALL SELECT * FROM linked) AS every
), version AS (
  -- Where no source says when, the release's own moment stands for it.
  SELECT release_id, dataset, "partition" AS part, number, coalesce(published_at, recorded_at) AS public_at, published_at IS NOT NULL AND published_at <> recorded_at AS is_dated
  FROM catalog.release WHERE kind <> 'withdrawal'
), held AS (
  -- What a current release holds was public with the first release of its partition that held the same region and period. What was
  -- public before the period ended cannot have been all of it; then the current release says when.
  SELECT o.obligation_id, o.is_daily, p.period_start, p.period_end, r.release_id, min(m.public_at) AS first_at,
    min(m.public_at) FILTER (WHERE m.is_dated) AS dated_at, bool_and(r.is_synthetic) AS is_synthetic, bool_or(m.release_id = r.release_id) AS is_there
  FROM occurrence AS o
    JOIN catalog.item_release AS r ON r.item_code = o.item_code AND r.version_no = o.version_no
    JOIN version AS c ON c.release_id = r.release_id
    JOIN version AS m ON m.dataset = c.dataset AND m.part = c.part AND m.number <= c.number
    JOIN catalog.release_period AS p ON p.release_id = m.release_id AND p.region_code = o.region_code
  WHERE p.period_start >= o.period_start AND p.period_end <= o.period_end
    AND (m.release_id = r.release_id OR o.anchor_kind <> 'period_end' OR CAST(m.public_at AS DATE) > p.period_end OR (o.is_daily AND CAST(m.public_at AS DATE) = p.period_end))
  GROUP BY o.obligation_id, o.is_daily, p.period_start, p.period_end, r.release_id
), part AS (
  SELECT obligation_id, is_daily, period_start, min(first_at) AS first_at, min(CASE WHEN dated_at <= first_at THEN first_at END) AS dated_at,
    min(release_id) AS release_id, bool_and(is_synthetic) AS is_synthetic
  FROM held WHERE is_there GROUP BY obligation_id, is_daily, period_start
), evidence AS (
  -- What is due for every day is there with the last of them.
  SELECT obligation_id, CASE WHEN is_daily THEN max(first_at) ELSE min(first_at) END AS any_at,
    CASE WHEN NOT is_daily THEN min(dated_at) WHEN count(dated_at) = count(*) THEN max(dated_at) END AS dated_at,
    min(release_id) AS release_id, bool_and(is_synthetic) AS is_synthetic, count(*) AS parts
  FROM part GROUP BY obligation_id, is_daily
), stated AS (
  SELECT subject, min(CASE WHEN kind = 'published' THEN to_date(occurred_on) END) AS published_on, max(CASE WHEN kind <> 'published' THEN kind END) AS outcome,
    max(CASE WHEN kind <> 'published' THEN evidence_document END) AS explanation
  FROM catalog.event
  WHERE kind IN ('published', 'empty', 'waived') AND event_id NOT IN (SELECT revokes FROM catalog.event WHERE revokes IS NOT NULL)
  GROUP BY subject
), told AS (
  SELECT o.item_code, o.version_no, o.short_code, o.region_code, o.region_name, o.tier, o.field_no, o.level2_zh, o.publisher_zh, o.deadline_text, o.deadline_rule,
    o.dataset, o.is_daily, o.subject, o.period, o.period_start, o.period_end, o.anchor_kind, o.anchor_on, o.anchor_source, o.org, o.obligation_id, o.due, o.is_registered,
    o.from_synthetic, coalesce(o.published_on, s.published_on) AS published_on, coalesce(o.outcome, s.outcome) AS outcome,
    coalesce(o.explanation, s.explanation) AS explanation
  FROM occurrence AS o LEFT JOIN stated AS s ON s.subject = o.obligation_id
), known AS (
  -- A register that has the row and no date says that it is not published.
  SELECT o.*, CASE WHEN o.published_on IS NOT NULL THEN day_end(o.published_on) WHEN o.is_registered THEN NULL
      WHEN o.is_daily AND e.parts < CAST(o.period_end AS INTEGER) - CAST(o.period_start AS INTEGER) + 1 THEN NULL
      WHEN e.any_at <= o.due THEN e.any_at ELSE coalesce(e.dated_at, e.any_at) END AS public_at,
    CASE WHEN o.is_daily AND o.published_on IS NULL AND e.parts > 0 THEN concat('有 ', e.parts, ' 天，应有 ', CAST(o.period_end AS INTEGER) - CAST(o.period_start AS INTEGER) + 1, ' 天') END AS days_held,
    o.published_on IS NOT NULL OR e.dated_at IS NOT NULL AS dated, e.release_id, coalesce(o.from_synthetic, false) OR coalesce(e.is_synthetic, false) AS synthetic,
    c.now_at, c.today
  FROM told AS o CROSS JOIN catalog.clock AS c LEFT JOIN evidence AS e ON e.obligation_id = o.obligation_id
), judged AS (
  SELECT *, CASE
      WHEN outcome = 'waived' THEN 'waived'
      WHEN outcome = 'empty' THEN 'empty'
      WHEN due IS NULL THEN 'uncounted'
      -- What was public here by then was in time, whether or not it was public elsewhere before.
      WHEN public_at <= due THEN 'done'
      WHEN public_at IS NOT NULL AND dated THEN 'late'
      WHEN public_at IS NOT NULL THEN 'undated'
      WHEN due >= now_at THEN 'upcoming'
      WHEN is_registered OR dataset IS NOT NULL THEN 'missing'
      ELSE 'unlinked'
    END AS state
  FROM known
)
SELECT obligation_id, item_code, version_no, short_code, region_code, region_name, tier, field_no, level2_zh AS disclosure_item_name, coalesce(org, publisher_zh) AS obliged_org,
  subject AS obligation_subject, coalesce(period, '') AS period, period_start, period_end, anchor_kind, anchor_on, anchor_source, deadline_text, deadline_rule,
  due AS due_at, public_at AS made_public_at, CASE WHEN public_at IS NOT NULL THEN dated END AS is_dated, release_id, state AS obligation_state,
  CASE state WHEN 'done' THEN 0 WHEN 'late' THEN workdays_between(CAST(due AS DATE), CAST(public_at AS DATE)) WHEN 'missing' THEN workdays_between(CAST(due AS DATE), today) END AS late_workdays,
  coalesce(explanation, CASE WHEN state = 'missing' THEN days_held END) AS explanation, synthetic AS is_synthetic
FROM judged
