select wants.id, wants.account, wants.tenant, wants.kind, wants.reference, wants.context, wants.reason, wants.raised, wants.attempts,
       wants.absences, wants.receipt_id
from wants
where wants.closed_at is null and wants.account = (select account from input) and wants.proved = (select proved from input)
  and wants.due_at <= (select now from input)
order by wants.due_at
limit (select most from input)
