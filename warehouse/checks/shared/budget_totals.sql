-- From lines with their `role` (own, below, plain, grand) to the totals of each side of a book: `total`.
sum_of AS (
  SELECT region_id, scope, fiscal_year, stage, quoted_in, book, form, measure, side, max(CASE WHEN role = 'grand' THEN 1 ELSE 0 END) AS has_grand, max(CASE WHEN role = 'own' THEN 1 ELSE 0 END) AS has_own,
    max(CASE WHEN role = 'grand' THEN amount_yuan END) AS grand, max(CASE WHEN role = 'own' THEN amount_yuan END) AS own,
    max(CASE WHEN role = 'plain' THEN amount_yuan END) AS plain, max(CASE WHEN role = 'plain' THEN 1 ELSE 0 END) AS has_plain,
    coalesce(sum(CASE WHEN role = 'below' THEN amount_yuan END), 0) AS below, count(CASE WHEN role = 'below' THEN amount_yuan END) AS below_count,
    sum(CASE WHEN role = 'below' AND value_state = 'set_aside' THEN 1 ELSE 0 END) AS below_missing,
    max(CASE WHEN role IS NOT NULL AND amount_yuan IS NOT NULL THEN step END) AS step,
    min(CASE WHEN role IN ('grand', 'plain') THEN concat(release_id, '#', row_text) END) AS place,
    min(region_code) AS region_code, min(region_name) AS region_name, min(published_header) AS published_header
  FROM (SELECT *, right(concat('0000000000', CAST(row_no AS VARCHAR)), 10) AS row_text FROM role) AS numbered
  GROUP BY region_id, scope, fiscal_year, stage, quoted_in, book, form, measure, side
), total AS (
  -- 合计 is the grand total where the total of the year is printed too, else it is that of the year.
  SELECT *, CASE WHEN has_grand = 1 THEN grand ELSE plain END AS grand_yuan, CASE WHEN has_own = 1 THEN own ELSE plain END AS own_yuan
  FROM sum_of WHERE has_grand = 1 AND has_own + has_plain > 0 OR has_own = 1 AND has_plain = 1
)
