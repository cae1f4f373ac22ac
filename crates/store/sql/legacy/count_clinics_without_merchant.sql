select 'no merchant' as of, count(*) as rows
from clinics where not exists (select 1 from merchants where merchants.clinic_id::text = clinics.id::text)
having count(*) > 0
