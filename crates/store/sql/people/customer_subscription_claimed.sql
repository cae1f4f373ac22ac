       (select said.identity
        from identity_claims said
        join identities on identities.key = said.identity
        where said.subject_id = subject.provider_subscription_id and said.account = subject.account and said.tenant = subject.tenant
          and said.subject_kind = 'subscription' and said.identity is not null
