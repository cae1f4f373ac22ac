insert into payment_methods as held (
    key, merchant, account, tenant, provider_method_id, kind, kind_at, brand, brand_at, last4, last4_at, expiry, expiry_at,
    fingerprint, fingerprint_at, attachment, attachment_at, deleted, used_at, owner_rank, owner_at, identity, recorded_at)
select input.key, gateway_accounts.merchant, input.account, input.tenant, input.provider_method_id, input.kind, input.kind_at,
       input.brand, input.brand_at, input.last4, input.last4_at, input.expiry, input.expiry_at, input.fingerprint,
       input.fingerprint_at, input.attachment, input.attachment_at, input.deleted, input.used_at, input.owner_rank,
       input.owner_at, input.identity, input.now
from input join gateway_accounts on gateway_accounts.name = input.account where true
on conflict (key) do update set
    kind = case when (excluded.kind_at, excluded.kind) > (held.kind_at, held.kind) then excluded.kind else held.kind end,
    kind_at = case when excluded.kind_at > held.kind_at then excluded.kind_at else held.kind_at end,
    brand = case when (excluded.brand_at, excluded.brand) > (held.brand_at, held.brand) then excluded.brand else held.brand end,
    brand_at = case when excluded.brand_at > held.brand_at then excluded.brand_at else held.brand_at end,
    last4 = case when (excluded.last4_at, excluded.last4) > (held.last4_at, held.last4) then excluded.last4 else held.last4 end,
    last4_at = case when excluded.last4_at > held.last4_at then excluded.last4_at else held.last4_at end,
    expiry = case when (excluded.expiry_at, excluded.expiry) > (held.expiry_at, held.expiry) then excluded.expiry else held.expiry end,
    expiry_at = case when excluded.expiry_at > held.expiry_at then excluded.expiry_at else held.expiry_at end,
    fingerprint = case when (excluded.fingerprint_at, excluded.fingerprint) > (held.fingerprint_at, held.fingerprint) then excluded.fingerprint else held.fingerprint end,
    fingerprint_at = case when excluded.fingerprint_at > held.fingerprint_at then excluded.fingerprint_at else held.fingerprint_at end,
    attachment = case when (excluded.attachment_at, excluded.attachment) > (held.attachment_at, held.attachment) then excluded.attachment else held.attachment end,
    attachment_at = case when excluded.attachment_at > held.attachment_at then excluded.attachment_at else held.attachment_at end,
    deleted = (excluded.deleted or held.deleted),
    used_at = case when held.used_at is null or excluded.used_at > held.used_at then excluded.used_at else held.used_at end,
    owner_rank = case when (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
        then excluded.owner_rank else held.owner_rank end,
    owner_at = case when (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
        then excluded.owner_at else held.owner_at end,
    identity = case when (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
        then excluded.identity else held.identity end
where (excluded.kind_at, excluded.kind) > (held.kind_at, held.kind)
   or (excluded.brand_at, excluded.brand) > (held.brand_at, held.brand)
   or (excluded.last4_at, excluded.last4) > (held.last4_at, held.last4)
   or (excluded.expiry_at, excluded.expiry) > (held.expiry_at, held.expiry)
   or (excluded.fingerprint_at, excluded.fingerprint) > (held.fingerprint_at, held.fingerprint)
   or (excluded.attachment_at, excluded.attachment) > (held.attachment_at, held.attachment)
   or (excluded.deleted and not held.deleted)
   or excluded.used_at > held.used_at or (excluded.used_at is not null and held.used_at is null)
   or (excluded.owner_rank, excluded.owner_at, excluded.identity) > (held.owner_rank, held.owner_at, held.identity)
