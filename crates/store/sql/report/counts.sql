select (select count(*) from webhook_receipts) as receipts,
       (select count(*) from webhook_receipts where state = 'IGNORED') as ignored,
       (select count(*) from payments) as payments,
       (select count(*) from payment_facts) as facts,
       (select count(*) from customer_subscriptions) as subscriptions,
       (select count(*) from identity_claims) as claims,
       (select count(*) from wants where closed_at is null) as wants,
       (select count(*) from dead_letters where state = 'OPEN') as dead_letters,
       (select count(*) from inconsistencies where resolved_at is null) as inconsistencies
