select pg_advisory_xact_lock(7391, bucket::integer) from (select distinct bucket from input order by bucket) buckets
