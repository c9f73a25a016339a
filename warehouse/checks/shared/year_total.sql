-- Of lines ranked by what their names say, the total of the year of each table: `year_total`.
ranked AS (
  -- 支出合计 is the expenditure of the year where no other total of it is printed; in a summary it is the grand total.
  SELECT *, row_number() OVER (PARTITION BY region_id, scope, fiscal_year, stage, quoted_in, table_code, measure
    ORDER BY CASE WHEN regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') THEN 0 ELSE 1 END, row_no) AS place
  FROM line WHERE regexp_like(name, '^((全[省市州县区]|[省市州县区]?本级|[省市州县区]级|地方(财政)?)?一般(公共)?预算(收入|支出)(小计|合计)?|本年(收入|支出)(小计|合计)|(收入|支出)小计)$') OR form <> '01' AND regexp_like(name, '^(支出)?合计$')
), year_total AS (
  SELECT * FROM ranked WHERE place = 1
)
