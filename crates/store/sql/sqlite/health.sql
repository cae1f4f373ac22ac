select (select journal_mode from pragma_journal_mode) as journal_mode,
       (select quick_check from pragma_quick_check limit 1) as check_says,
       (select page_count from pragma_page_count) * (select page_size from pragma_page_size) as bytes
