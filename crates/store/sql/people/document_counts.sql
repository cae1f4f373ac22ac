select input.merchant, input.value,
       (select count(distinct identities.email) from identities
        where identities.merchant = input.merchant and identities.document = input.value and identities.document <> ''
          and identities.email <> '') as said
from input
