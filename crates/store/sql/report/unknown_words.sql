select account, field, word, seen from unknown_words
order by seen desc, account, field, word
limit $1
