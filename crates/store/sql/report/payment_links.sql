select subject.id, subject.account, subject.tenant, subject.provider_payment_id as subject_id, subject.identity,
