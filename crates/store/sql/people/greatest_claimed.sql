        order by case when identities.provider_customer_id <> '' then 1 else 0 end desc,
                 case when identities.document <> '' then 1 else 0 end desc, said.at desc nulls last, said.identity desc
        limit 1) as claimed
