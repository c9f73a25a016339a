-- schema = "catalog"
-- label = { zh = "建议主动公开的主题", en = "Topics suggested for proactive disclosure" }
-- description = { zh = "就同一信息向同一机关提出两件以上申请的主题（条例第四十四条）。申请事项去掉年份、空格、括号和标点后相同的视为同一信息。重复申请、放弃、超出合理范围、非信息公开和更正的申请不计。达到 3 件且至少一件答复为可以公开的，建议纳入主动公开目录；3 件为本产品的规定。", en = "Topics on which an organ received two requests or more (art. 44). Topics that are the same without years, blanks, brackets and punctuation are taken for the same information. Requests that repeat, were abandoned, are unreasonable, are none, or ask to rectify do not count. From three on, with one answer at least that the information may be disclosed, an item of the catalogue is suggested; three is a choice of this product." }
-- grain = { zh = "一个机关一个主题", en = "one organ and topic" }
-- key = ["region_id", "org_name", "similar_topic", "is_synthetic"]
-- columns = ["region_id", "region_code", "region_name", "org_name", "similar_topic", "similar_request_count", "granted_count", "first_received_on", "last_received_on", "is_suggested", "is_synthetic"]
-- [describe.org_name]
-- label = { zh = "受理机关", en = "Organ" }
-- description = { zh = "收到申请的机关", en = "Organ that received the requests" }
SELECT region_id, min(region_code) AS region_code, min(region_name) AS region_name, org_name, similar_topic, count(*) AS similar_request_count,
  count(*) FILTER (WHERE outcome IN ('1', '2')) AS granted_count, min(received_on) AS first_received_on, max(received_on) AS last_received_on,
  count(*) >= 3 AND count(*) FILTER (WHERE outcome IN ('1', '2')) > 0 AS is_suggested, is_synthetic
FROM catalog.foi_status WHERE similar_count > 1 GROUP BY region_id, org_name, similar_topic, is_synthetic
