select to_regprocedure($1) is not null as is_there
