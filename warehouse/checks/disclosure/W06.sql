-- id = "W06"
-- title = { zh = "各渠道在政府网站之后24小时内发布", en = "channels publish within 24 hours of the government site" }
-- tables = ["channel_publication"]
-- basis = { zh = "同源发布：其他渠道的发布不晚于政府网站24小时（本产品的规定）。只有日期、没有时间的，以及没有政府网站发布的不检", en = "publication from one source: other channels follow the government site within 24 hours (a choice of this product). Where only the day is known, or the site did not publish, nothing is tested" }
-- severity = "WARN"
-- relation = "at_most"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "晚于政府网站的小时数", en = "hours after the government site" }
-- rhs = { zh = "最多", en = "at most" }
-- parameters = { hours = "24" }
WITH placed AS (
  SELECT *, row_number() OVER (PARTITION BY region_id, short_code, document_title, publication_channel ORDER BY published_on, made_public_at, channel_account) AS place
  FROM channel_publication
), reference AS (
  SELECT * FROM placed WHERE publication_channel = '政府网站' AND place = 1
)
SELECT concat_ws('/', p.region_id, p.short_code, p.document_title, p.publication_channel, p.channel_account) AS scope_key, p.release_id, p.row_no, p.region_code,
  concat_ws(' ', p.region_name, p.document_title, p.channel_account) AS subject_zh, concat_ws(' ', p.region_name, p.document_title, p.channel_account) AS subject_en,
  CAST(CAST(to_unixtime(p.made_public_at) - to_unixtime(r.made_public_at) AS DECIMAL(20, 4)) / 3600 AS DECIMAL(20, 4)) AS lhs, $1 AS rhs, 1 AS addends,
  CASE WHEN p.made_public_at IS NULL OR r.made_public_at IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM placed AS p LEFT JOIN reference AS r ON r.region_id = p.region_id AND r.short_code = p.short_code AND r.document_title = p.document_title
WHERE NOT (p.publication_channel = '政府网站' AND p.place = 1)
