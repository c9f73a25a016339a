-- schema = "catalog"
-- label = { zh = "同源发布核对", en = "Publication from one source, compared" }
-- description = { zh = "同一公开内容在各渠道的发布与政府网站的核对：摘要是否相同，晚多少小时，目录所列渠道有没有发布。同一地区、事项和标题为同一内容，政府网站上最早的一条为基准；没有政府网站发布的，其余渠道无从核对。目录取首次发布之日有效的事项版本，地区没有该事项的不判断渠道是否缺少。列出数据发布的，另看摘要是否为该发布的一个文件。", en = "What was published on each channel against the government site: whether the digest is the same, how many hours later, and whether every channel of the catalogue has it. The same region, item and title are the same content; the first line on the government site is the reference, without which nothing can be compared. The catalogue's item is the version that held on the first day of publication; where the region has no such item, no channel is missing. Where a release is named, the digest is also looked for among its files." }
-- grain = { zh = "一份公开内容在一个渠道账号的发布，或所缺的一个渠道", en = "one publication of one content on one account, or one channel that is missing" }
-- key = ["region_id", "short_code", "document_title", "publication_channel", "channel_account"]
-- columns = ["region_id", "region_code", "region_name", "short_code", "org_name", "document_title", "period", "publication_channel", "channel_account", "channel_state", "lag_hours", "published_on", "made_public_at", "document_url", "published_sha256", "published_release_id", "is_of_release", "is_synthetic"]
-- [describe.org_name]
-- label = { zh = "公开主体", en = "Organ" }
-- description = { zh = "公开该内容的机关", en = "Organ that publishes the content" }
-- [describe.document_title]
-- label = { zh = "公开内容标题", en = "Title" }
-- description = { zh = "公开内容的标题", en = "Title of what is published" }
-- [describe.period]
-- label = { zh = "所属期间", en = "Period" }
-- description = { zh = "公开内容所属的期间；未写明的为空", en = "Period that the content is about; null where the register does not say" }
-- [describe.channel_account]
-- label = { zh = "账号或载体名称", en = "Account" }
-- description = { zh = "网站、账号、公示栏等载体的名称；所缺渠道为空文字", en = "Name of the site, account, board or other carrier; empty for a channel that is missing" }
-- [describe.published_on]
-- label = { zh = "发布日期", en = "Published on" }
-- description = { zh = "在该渠道发布的日期", en = "Day of the publication on the channel" }
-- [describe.made_public_at]
-- label = { zh = "发布时间", en = "Published at" }
-- description = { zh = "在该渠道发布的时间；只知日期的为空", en = "Moment of the publication on the channel; null where only the day is known" }
-- [describe.document_url]
-- label = { zh = "网址", en = "Address" }
-- description = { zh = "该渠道上的网址", en = "Address on the channel" }
WITH published AS (
  SELECT p.*, r.is_synthetic, row_number() OVER (PARTITION BY p.region_id, p.short_code, p.document_title, p.publication_channel
    ORDER BY p.published_on, p.made_public_at, p.channel_account) AS place
  FROM channel_publication AS p JOIN catalog.release AS r ON r.release_id = p.release_id
), reference AS (
  SELECT region_id, short_code, document_title, channel_account, published_sha256, made_public_at FROM published
  WHERE publication_channel = '政府网站' AND place = 1
), file AS (
  SELECT release_id, sha256 FROM catalog.release_file GROUP BY 1, 2
), content AS (
  SELECT region_id, short_code, document_title, min(region_code) AS region_code, min(region_name) AS region_name, min(org_name) AS org_name, min(period) AS period,
    min(published_on) AS first_on, bool_or(is_synthetic) AS is_synthetic
  FROM published GROUP BY 1, 2, 3
), place AS (
  SELECT n FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14)) AS t (n)
), wanted AS (
  SELECT c.*, split_part(i.channels, '、', n.n) AS channel
  FROM content AS c JOIN catalog.item AS i ON i.region_code = c.region_code AND i.short_code = c.short_code
    AND i.valid_from <= c.first_on AND (i.valid_to IS NULL OR c.first_on < i.valid_to) CROSS JOIN place AS n
)
SELECT p.region_id, p.region_code, p.region_name, p.short_code, p.org_name, p.document_title, p.period, p.publication_channel, p.channel_account,
  CASE
    WHEN p.publication_channel = '政府网站' AND p.place = 1 THEN 'reference'
    WHEN p.published_sha256 = r.published_sha256 THEN 'same'
    WHEN p.published_sha256 <> r.published_sha256 THEN 'different'
    ELSE 'unknown'
  END AS channel_state,
  CAST(to_unixtime(p.made_public_at) - to_unixtime(r.made_public_at) AS DECIMAL(20, 4)) / 3600 AS lag_hours,
  p.published_on, p.made_public_at, p.document_url, p.published_sha256, p.published_release_id,
  CASE WHEN p.published_release_id IS NOT NULL AND p.published_sha256 IS NOT NULL THEN f.sha256 IS NOT NULL END AS is_of_release, p.is_synthetic
FROM published AS p
  LEFT JOIN reference AS r ON r.region_id = p.region_id AND r.short_code = p.short_code AND r.document_title = p.document_title
  LEFT JOIN file AS f ON f.release_id = p.published_release_id AND f.sha256 = p.published_sha256
UNION ALL
SELECT w.region_id, w.region_code, w.region_name, w.short_code, w.org_name, w.document_title, w.period, w.channel, '', 'missing', CAST(NULL AS DECIMAL(20, 4)),
  CAST(NULL AS DATE), CAST(NULL AS TIMESTAMP WITH TIME ZONE), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS BOOLEAN), w.is_synthetic
FROM wanted AS w LEFT JOIN published AS p ON p.region_id = w.region_id AND p.short_code = w.short_code AND p.document_title = w.document_title AND p.publication_channel = w.channel
WHERE w.channel <> '' AND p.region_id IS NULL
