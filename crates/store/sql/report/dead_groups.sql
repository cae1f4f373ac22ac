select reason, gateway, account, count(*) as count
from dead_letters
where state = 'OPEN'
group by reason, gateway, account
order by count(*) desc, reason, gateway, account
