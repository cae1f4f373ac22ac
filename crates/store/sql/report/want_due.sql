select 1 from wants where closed_at is null and account = $1 and due_at <= $2 limit 1
