from identity_decisions
order by identity_decisions.at desc, identity_decisions.key
