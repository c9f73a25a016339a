-- asyncpg 0.30, recorded: the settings around the look at a type that it does not know, a statement with a parameter, and the end
-- of a borrowed connection. The look itself (WITH RECURSIVE) is not answered: it is sent for parameters and columns of array types.
-- Needed: no error at the end of the connection, or a pool throws it away.
SELECT
    current_setting('jit') AS cur,
    set_config('jit', 'off', false) AS new
;
-- parameters: ["on"]
SELECT
    set_config('jit', $1, false)
;
-- parameters: ["open"]
select n.nspname, c.relacl from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid=c.relnamespace where n.nspname=$1 limit 1
;
-- simple only
SELECT pg_advisory_unlock_all();
CLOSE ALL;
UNLISTEN *;
RESET ALL
;
