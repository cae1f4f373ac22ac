select input.merchant, input.value,
       (select count(distinct identities.document) from identities
        where identities.merchant = input.merchant and identities.email = input.value and identities.email <> ''
          and identities.document <> '') as said
from input
