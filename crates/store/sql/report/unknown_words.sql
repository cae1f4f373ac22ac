select account.provider_v2, word.account, word.field, word.word, word.seen, word.first_seen_at, word.last_seen_at, word.receipt_id
from unknown_words word join gateway_accounts account on account.name = word.account
order by word.seen desc, word.account, word.field, word.word
limit $1
