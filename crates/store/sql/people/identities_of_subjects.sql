select distinct identity_claims.identity as key
from input
join identity_claims
  on identity_claims.subject_id = input.subject_id and identity_claims.account = input.account
 and identity_claims.tenant = input.tenant and identity_claims.subject_kind = input.subject_kind
where identity_claims.identity is not null
