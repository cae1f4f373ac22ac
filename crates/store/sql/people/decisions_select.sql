select identity_decisions.merchant, identity_decisions.account, identity_decisions.tenant, identity_decisions.kind,
       identity_decisions.value, identity_decisions.verdict, identity_decisions.target, identity_decisions.at,
       identity_decisions.decided_by, identity_decisions.because
