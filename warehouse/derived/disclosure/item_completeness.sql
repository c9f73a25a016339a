-- schema = "catalog"
-- label = { zh = "公开内容完整性", en = "Completeness of what was published" }
-- description = { zh = "每次到期的公开内容有多完整：应有要素（ref.item_element，限该层级、该版本目录所列）中现行发布已有的比例，与这些要素应填数值中已填比例，两者平均。到期未公开的，以及已公开的数据中没有应有要素的，为 0。没有列明要素的事项，以及台账写明已公开而本库没有数据的，不在表内。部门预决算按部门名称对应，双公示按机关和文书号对应，其余按地区和时段对应。", en = "How complete is what was published for each time that an item fell due: the mean of two shares, of the required elements (ref.item_element, of the tier, where the version of the catalogue has them) that current releases hold, and of their values that are filled. What is due and missing is 0, and so are data without any required element. Items without declared elements, and what a register says was published while this warehouse has no data of it, are not in it. Departments are matched by name, decisions by organ and number, all else by region and period." }
-- grain = { zh = "一次到期", en = "one obligation" }
-- key = ["obligation_id"]
-- columns = ["obligation_id", "item_code", "version_no", "short_code", "region_code", "region_name", "tier", "field_no", "obliged_org", "obligation_subject", "period", "due_at", "obligation_state", "required_element_count", "held_element_count", "value_count", "filled_count", "completeness_share", "is_synthetic"]
-- [describe.item_code]
-- label = { zh = "事项编码", en = "Code of the item" }
-- description = { zh = "地区-领域-一级二级", en = "Region, field, levels" }
-- [describe.period]
-- label = { zh = "所属期间", en = "Period" }
-- description = { zh = "应公开内容所属的期间；不属于某一期间的为空", en = "Period of what is due; empty where it is of no period" }
-- [describe.region_name]
-- label = { zh = "地区", en = "Region" }
-- description = { zh = "承担该事项的地区", en = "Region that has the duty" }
WITH required AS (
  SELECT i.item_code, i.version_no, e.short_code, e.element_code
  FROM ref.item_element AS e JOIN catalog.item AS i ON i.short_code = e.short_code
    AND strpos(concat(',', e.tiers, ','), concat(',', i.tier, ',')) > 0 AND strpos(concat('、', i.content_elements, '、'), concat('、', e.content_element, '、')) > 0
), due AS (
  SELECT * FROM catalog.obligation WHERE obligation_state IN ('done', 'late', 'missing', 'undated')
), element AS (
  SELECT o.obligation_id, r.element_code, coalesce(sum(h.value_count), 0) AS cells, coalesce(sum(h.filled_count), 0) AS filled
  FROM due AS o JOIN required AS r ON r.item_code = o.item_code AND r.version_no = o.version_no
    LEFT JOIN catalog.content_held AS h ON h.short_code = r.short_code AND h.region_code = o.region_code AND h.element_code = r.element_code
      AND (o.is_synthetic OR NOT h.is_synthetic)
      AND CASE WHEN o.field_no = '30' THEN h.obligation_subject = o.obligation_subject
        ELSE h.period_start >= o.period_start AND h.period_end <= o.period_end AND (h.obliged_org = '' OR h.obliged_org = o.obliged_org) END
  GROUP BY o.obligation_id, r.element_code
), counted AS (
  SELECT obligation_id, count(*) AS required, count(*) FILTER (WHERE filled > 0) AS held, sum(cells) AS cells, sum(filled) AS filled FROM element GROUP BY obligation_id
)
SELECT o.obligation_id, o.item_code, o.version_no, o.short_code, o.region_code, o.region_name, o.tier, o.field_no, o.obliged_org, o.obligation_subject, o.period, o.due_at, o.obligation_state,
  c.required AS required_element_count, CASE o.obligation_state WHEN 'missing' THEN 0 ELSE c.held END AS held_element_count,
  CASE o.obligation_state WHEN 'missing' THEN 0 ELSE c.cells END AS value_count, CASE o.obligation_state WHEN 'missing' THEN 0 ELSE c.filled END AS filled_count,
  CASE WHEN o.obligation_state = 'missing' OR c.cells = 0 THEN 0 ELSE (CAST(c.held AS DECIMAL(20, 8)) / c.required + CAST(c.filled AS DECIMAL(20, 8)) / c.cells) / 2 END AS completeness_share, o.is_synthetic
FROM due AS o JOIN counted AS c ON c.obligation_id = o.obligation_id
WHERE o.obligation_state = 'missing' OR c.cells > 0 OR (o.release_id IS NOT NULL AND o.short_code NOT IN ('04-0201', '04-0202'))
