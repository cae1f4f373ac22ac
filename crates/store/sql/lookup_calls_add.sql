insert into lookup_calls (account, month, calls) select account, month, calls from input where true
on conflict (account, month) do update set calls = lookup_calls.calls + excluded.calls
