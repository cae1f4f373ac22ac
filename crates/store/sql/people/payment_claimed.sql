       (select said.identity
        from payment_names every
        join identity_claims said
          on said.subject_id = every.name and said.account = every.account and said.tenant = every.tenant
         and said.subject_kind = 'payment' and said.identity is not null
        join identities on identities.key = said.identity
        where every.account = subject.account and every.tenant = subject.tenant
          and every.provider_payment_id = subject.provider_payment_id
