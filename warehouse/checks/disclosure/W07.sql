-- id = "W07"
-- title = { zh = "目录所列渠道都有发布", en = "every channel of the catalogue has the publication" }
-- tables = ["channel_publication"]
-- basis = { zh = "公开目录中事项所选（■）的渠道都应发布；台账登记的内容缺一个渠道的，提示读者：登记可能不全，不判错。目录取首次发布之日有效的版本，地区没有该事项的不检", en = "what is published of an item is published on every channel that the catalogue chose (■) for it; where one lacks it in the register, the reader is told: the register may not be complete, and nothing is judged. The catalogue is that of the first day of publication; where the region has no such item, nothing is tested" }
-- severity = "INFO"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "INFO", "SKIP"]
-- blocking = false
-- lhs = { zh = "没有发布的渠道数", en = "channels without the publication" }
-- rhs = { zh = "应有", en = "expected" }
WITH content AS (
  SELECT region_id, short_code, document_title, min(region_code) AS region_code, min(region_name) AS region_name, min(published_on) AS first_on,
    min(release_id) AS release_id, min(row_no) AS row_no
  FROM channel_publication GROUP BY 1, 2, 3
), item AS (
  SELECT c.*, i.channels FROM content AS c LEFT JOIN catalog.item AS i ON i.region_code = c.region_code AND i.short_code = c.short_code
    AND i.valid_from <= c.first_on AND (i.valid_to IS NULL OR c.first_on < i.valid_to)
), wanted AS (
  SELECT i.*, split_part(i.channels, '、', n.n) AS channel
  FROM item AS i CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14)) AS n (n)
  WHERE split_part(i.channels, '、', n.n) <> '' OR (i.channels IS NULL AND n.n = 1)
), there AS (
  SELECT DISTINCT region_id, short_code, document_title, publication_channel FROM channel_publication
)
SELECT concat_ws('/', w.region_id, w.short_code, w.document_title, w.channel) AS scope_key, w.release_id, w.row_no, w.region_code,
  concat_ws(' ', w.region_name, w.document_title, w.channel) AS subject_zh, concat_ws(' ', w.region_name, w.document_title, w.channel) AS subject_en,
  CASE WHEN t.region_id IS NULL THEN 1 ELSE 0 END AS lhs, 0 AS rhs, 1 AS addends, CASE WHEN w.channels IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM wanted AS w LEFT JOIN there AS t ON t.region_id = w.region_id AND t.short_code = w.short_code AND t.document_title = w.document_title
  AND t.publication_channel = w.channel
