-- id = "P02"
-- title = { zh = "市级下达数等于县级到账数", en = "what the city hands down is what the county receives" }
-- tables = ["poverty_allocation", "poverty_receipt"]
-- basis = { zh = "国开办发〔2018〕11号：谁分配、谁使用、谁公开；同一文号的资金，市级下达数应等于县级到账数。括号等文号写法的差别不计", en = "国开办发〔2018〕11号: who allocates and who uses the money publish it; under one document number both amounts are the same. Spellings of the number, such as its brackets, make no difference" }
-- severity = "ERROR"
-- tolerance = "rounding"
-- outcomes = ["PASS", "WARN_ROUNDING", "ERROR", "SKIP"]
-- blocking = false
-- lhs = { zh = "市级下达", en = "handed down by the city" }
-- rhs = { zh = "县级到账", en = "received by the county" }
-- # A county that registers what it receives, but not this document, received nothing by its own account. A county without a register says nothing.
WITH printed AS (
  SELECT 'handed' AS side, fiscal_year, programme, region_code, region_name, doc_no, amount_yuan, value_state, published_unit,
    published_scale, release_id, row_no
  FROM poverty_allocation
  WHERE line_kind = 'detail' AND receiver_kind = 'region' AND doc_no IS NOT NULL AND char_length(region_code) = 6
    AND NOT ends_with(region_code, '00') AND NOT ends_with(coalesce(from_region_code, ''), '0000')
  UNION ALL
  SELECT 'received', fiscal_year, programme, region_code, region_name, doc_no, amount_yuan, value_state, published_unit, published_scale,
    release_id, row_no
  FROM poverty_receipt WHERE doc_no IS NOT NULL AND receipt_kind = 'special' AND region_code IS NOT NULL
), summed AS (
  SELECT side, fiscal_year, programme, region_code,
    replace(translate(doc_no, '[]［］【】()（）０１２３４５６７８９ 　', '〔〕〔〕〔〕〔〕〔〕0123456789'), '第', '') AS document,
    min(region_name) AS region_name, min(release_id) AS release_id, min(row_no) AS row_no, sum(amount_yuan) AS total,
    count(amount_yuan) AS addends, sum(CASE WHEN value_state = 'set_aside' THEN 1 ELSE 0 END) AS absent,
    -- The figure with the most digits shows how fine the table is printed: 210 beside 96.5 is 210.0.
    min(published_step(published_unit, published_scale)) AS step
  FROM printed
  GROUP BY 1, 2, 3, 4, 5
), registered AS (
  SELECT DISTINCT fiscal_year, programme, region_code FROM poverty_receipt
)
SELECT concat_ws('/', h.region_code, h.fiscal_year, h.programme, h.document) AS scope_key, h.release_id, h.row_no, h.region_code,
  concat_ws(' ', h.region_name, h.document) AS subject_zh, concat_ws(' ', h.region_name, h.document) AS subject_en,
  h.total AS lhs, CASE WHEN g.region_code IS NULL THEN NULL ELSE coalesce(r.total, 0) END AS rhs,
  h.addends + coalesce(r.addends, 0) AS addends,
  h.absent + coalesce(r.absent, 0) + CASE WHEN g.region_code IS NULL THEN 1 ELSE 0 END AS missing,
  CASE WHEN r.step > h.step THEN r.step ELSE h.step END AS step
FROM summed AS h
LEFT JOIN summed AS r ON r.side = 'received' AND r.fiscal_year = h.fiscal_year AND r.programme = h.programme
  AND r.region_code = h.region_code AND r.document = h.document
LEFT JOIN registered AS g ON g.fiscal_year = h.fiscal_year AND g.programme = h.programme AND g.region_code = h.region_code
WHERE h.side = 'handed'
