update wants set taken_until = input.until from input where wants.id = input.id
