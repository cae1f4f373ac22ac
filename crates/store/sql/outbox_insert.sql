insert into outbox (id, topic, key, payload, available_at)
select id, topic, key, payload, now
from input
