select spelling, found, with_provider, with_status, in_ledger, with_customer from afluente.legacy_audit($1)
