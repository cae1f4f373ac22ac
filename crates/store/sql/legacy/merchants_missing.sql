select kind, reference, found, newest from afluente.legacy_merchants_missing() limit $1
