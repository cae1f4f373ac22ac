from payments subject
where subject.id > $1
order by subject.id
limit $2
