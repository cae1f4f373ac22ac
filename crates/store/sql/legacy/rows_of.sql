select held.row_id, held.provider_written, held.status_written, held.word_written
from input join afluente.legacy_rows held on held.row_id = input.row_id
