select subject.id, subject.account, subject.tenant, subject.provider_subscription_id as subject_id, subject.identity,
