select claim.key, claim.account, claim.tenant, claim.subject_kind, claim.subject_id, claim.claims, claim.source, claim.at,
       claim.receipt_id
from input join identity_claims claim on claim.key = input.key
