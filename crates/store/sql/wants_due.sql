select wants.id, wants.not_before
from wants
where wants.closed_at is null and wants.reason = 'unconfirmed' and wants.not_before <= (select now from input)
  and (wants.not_before, wants.id) > (select not_before, id from input)
order by wants.not_before, wants.id
limit 500
