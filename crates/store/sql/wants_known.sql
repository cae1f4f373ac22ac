update wants set closed_at = input.now, closed_because = 'known'
from input, payment_names known, payments own
where wants.id = input.id and wants.closed_at is null and wants.reason = 'unconfirmed'
  and known.account = wants.account and known.tenant = wants.tenant and known.name = wants.reference
  and own.account = known.account and own.tenant = known.tenant and own.provider_payment_id = known.provider_payment_id
  and case when wants.kind = 'disputes' then own.dispute_state <> 'NONE'
           else own.captured_amount > 0 and not own.capture_inferred end
