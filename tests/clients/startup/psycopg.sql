-- psycopg 3.2 and psycopg2 2.9: nothing at connection; types on demand (the first statement), and transactions.
BEGIN
;
-- parameters: ["hstore"]
-- none
SELECT
    typname AS name, oid, typarray AS array_oid,
    oid::regtype::text AS regtype, typdelim AS delimiter
FROM pg_type t
WHERE t.oid = to_regtype($1)
ORDER BY t.oid
;
COMMIT
;
BEGIN READ ONLY
;
ROLLBACK
;
SET default_transaction_read_only TO 'on'
;
SHOW default_transaction_isolation
;
-- none
SELECT t.oid, typarray
FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid
WHERE typname = 'hstore'
;
-- row: 1700
SELECT t.oid, t.typname FROM pg_type t WHERE t.typname IN ('numeric', 'text', 'date')
;
