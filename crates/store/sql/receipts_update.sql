update webhook_receipts set
    state = input.state, ignored_because = input.ignored_because, notes = input.notes, event_type = input.event_type
from input
where webhook_receipts.id = input.id
