-- id = "W05"
-- title = { zh = "各渠道内容与政府网站相同", en = "channels publish what the government site publishes" }
-- tables = ["channel_publication"]
-- basis = { zh = "攀办发〔2019〕41号四（二）、（四）：信息共享、数据同源，同源发布；同一内容在其他渠道的摘要（SHA-256）等于政府网站的摘要。没有摘要或没有政府网站发布的不检", en = "攀办发〔2019〕41号, four (2) and (4): data of one source, published from one source; the digest (SHA-256) of the same content on another channel equals that on the government site. Without a digest, or without a publication on the site, nothing is tested" }
-- severity = "WARN"
-- relation = "equal"
-- tolerance = "none"
-- outcomes = ["PASS", "WARN", "SKIP"]
-- blocking = false
-- lhs = { zh = "与政府网站不同的摘要数", en = "digests that differ from that of the site" }
-- rhs = { zh = "应有", en = "expected" }
-- # The first publication on the government site is the reference; it is not compared with itself.
WITH placed AS (
  SELECT *, row_number() OVER (PARTITION BY region_id, short_code, document_title, publication_channel ORDER BY published_on, made_public_at, channel_account) AS place
  FROM channel_publication
), reference AS (
  SELECT * FROM placed WHERE publication_channel = '政府网站' AND place = 1
)
SELECT concat_ws('/', p.region_id, p.short_code, p.document_title, p.publication_channel, p.channel_account) AS scope_key, p.release_id, p.row_no, p.region_code,
  concat_ws(' ', p.region_name, p.document_title, p.channel_account) AS subject_zh, concat_ws(' ', p.region_name, p.document_title, p.channel_account) AS subject_en,
  CASE WHEN p.published_sha256 = r.published_sha256 THEN 0 ELSE 1 END AS lhs, 0 AS rhs, 1 AS addends,
  CASE WHEN p.published_sha256 IS NULL OR r.published_sha256 IS NULL THEN 1 ELSE 0 END AS missing, 0 AS step
FROM placed AS p LEFT JOIN reference AS r ON r.region_id = p.region_id AND r.short_code = p.short_code AND r.document_title = p.document_title
WHERE NOT (p.publication_channel = '政府网站' AND p.place = 1)
