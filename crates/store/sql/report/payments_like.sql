select provider_payment_id from payments
where account = $1 and substr(provider_payment_id, 1, length($2)) = $2
