insert into payments (id, account, tenant, provider_payment_id, provider_v2, status_v2,
                      authorized_amount, captured_amount, refunded_amount, refund_pending_amount, disputed_amount,
                      charged_back_amount, capture_state, funding_state, dispute_state, dispute_stage, risk_state,
                      settlement_state, evidence, capture_inferred, attempt_count, contested, returned_more_than_captured,
                      mixed_currency, fold_version, fact_count, row_version, created_at, updated_at, identity)
select id, account, tenant, provider_payment_id, provider_v2, 'UNKNOWN',
       0, 0, 0, 0, 0,
       0, 'NONE', 'EXACT', 'NONE', 0, 'NONE',
       'NONE', 'LEGACY', false, 0, false, false,
       false, 0, 0, 0, now, now, identity
from input
-- Mostly they are there: looked up, not tried.
where not exists (select 1 from payments
                  where payments.account = input.account and payments.tenant = input.tenant
                    and payments.provider_payment_id = input.provider_payment_id)
on conflict (account, tenant, provider_payment_id) do nothing
