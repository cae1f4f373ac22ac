update wants set closed_at = (select now from input), closed_because = 'known'
where closed_at is null and not_before <= (select now from input) and reason = 'unconfirmed'
  and exists (
    select 1
    from payment_names known join payments own
      on own.account = known.account and own.tenant = known.tenant and own.provider_payment_id = known.provider_payment_id
    where known.account = wants.account and known.tenant = wants.tenant and known.name = wants.reference
      and case when wants.kind = 'disputes' then own.dispute_state <> 'NONE'
               else own.captured_amount > 0 and not own.capture_inferred end)
