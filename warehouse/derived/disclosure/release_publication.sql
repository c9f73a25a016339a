-- label = { zh = "发布的首次公开时间", en = "When releases were first public" }
-- description = { zh = "来源写明首次公开时间的发布；没有写明的不在表内。", en = "Releases whose source says when they were first public; others are not in it." }
-- grain = { zh = "一个发布", en = "one release" }
-- key = ["release_id"]
-- columns = ["release_id", "made_public_at"]
SELECT release_id, published_at AS made_public_at FROM catalog.release WHERE published_at <> recorded_at
